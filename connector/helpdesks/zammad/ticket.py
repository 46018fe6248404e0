"""Zammad's answers about one ticket as one reading. Pure."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from connector.core.ticket import Facts, Kind, Person, Phase, Reading, Ticket
from connector.helpdesks.zammad.history import Row, changes
from connector.helpdesks.zammad.people import People, person
from connector.helpdesks.zammad.values import is_custom, moment, required_moment, shown

_MARKED = (
    *("owner_id", "state_id", "pending_time", "priority_id", "group_id", "title", "customer_id"),
    *("article_count", "last_owner_update_at", "last_close_at"),
)


def reading(
    row: Row,
    history: Mapping[str, Any],
    articles: Iterable[Row],
    tags: Iterable[str],
    people: People,
    phases: Mapping[int, Phase],
    url: str,
    read_at: datetime,
    skew: timedelta | None = None,
) -> Reading:
    """One reading out of four answers.

    `row` is `/tickets/{id}?expand=true`, `history` the whole answer of `/ticket_history/{id}` (its assets name people
    who are no agents, and say who is a VIP), `articles` that of `/ticket_articles/by_ticket/{id}`.
    Raises KeyError, TypeError or ValueError where an answer isn't in Zammad's form.
    """
    assets = history.get("assets") or {}
    everybody = replace(people, names=_named(assets))
    found = changes(row, history["history"], articles, everybody, phases)
    phase = phases.get(row["state_id"], Phase.OPEN)
    merges = [change.target for change in found if change.kind is Kind.MERGED]
    ticket = Ticket(
        id=str(row["id"]),
        number=str(row["number"]),
        url=f"{url}/#ticket/zoom/{row['id']}",
        facts=_facts(row, tags, assets),
        state=str(row.get("state") or ""),
        phase=phase,
        created_at=required_moment(row["created_at"]),
        updated_at=required_moment(row["updated_at"]),
        owner=everybody.owns(row["owner_id"]),
        customer=str(row.get("customer") or ""),
        pending_until=moment(row.get("pending_time")),
        merged_into=merges[-1] if merges and phase is Phase.MERGED else None,
        mark=mark(row),
    )
    return Reading(ticket, found, read_at, skew)


def mark(row: Row) -> str:
    """What an expanded row shows of the ticket that can matter, in short; alike in a search and in a reading.

    Left out are the organization, and what a saved SLA or an empty save moves: `updated_at`, `updated_by`, the times of
    the SLA, `preferences`. `article_count` leaves out articles by sender System, and so our own notes.
    """
    own = sorted((name, shown(value)) for name, value in row.items() if is_custom(name))
    told = [[row.get(name) for name in _MARKED], [pair for pair in own if pair[1]]]
    return hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()[:16]


def roles(history: Mapping[str, Any]) -> dict[int, list[int]]:
    """Role ids of the active people in a history's assets, by user id."""
    users = ((history.get("assets") or {}).get("User") or {}).values()
    return {int(row["id"]): row.get("role_ids") or [] for row in users if "id" in row and row.get("active") is True}


def _facts(row: Row, tags: Iterable[str], assets: Mapping[str, Any]) -> Facts:
    fields = ((name, shown(value)) for name, value in row.items() if is_custom(name))
    return Facts(
        priority=str(row.get("priority") or ""),
        group=str(row.get("group") or ""),
        title=str(row.get("title") or ""),
        organization=str(row.get("organization") or ""),
        vip=_vip(assets, "User", row.get("customer_id")) or _vip(assets, "Organization", row.get("organization_id")),
        tags=frozenset(str(tag) for tag in tags),
        fields=tuple(sorted((name, value) for name, value in fields if value)),
    )


def _vip(assets: Mapping[str, Any], kind: str, row_id: Any) -> bool:
    row = (assets.get(kind) or {}).get(str(row_id)) or {}
    return row.get("vip") is True


def _named(assets: Mapping[str, Any]) -> dict[int, Person]:
    users = (assets.get("User") or {}).values()
    return {int(row["id"]): person(row) for row in users if "id" in row}
