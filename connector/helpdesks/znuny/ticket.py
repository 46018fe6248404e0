"""Znuny's answer about one ticket as the ticket that Escalator knows. Pure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from connector.core.ticket import Facts, Kind, Person, Phase, Ticket
from connector.errors import HelpdeskAway
from connector.helpdesks.znuny.acts import Line
from connector.helpdesks.znuny.articles import not_shown
from connector.helpdesks.znuny.history import ACKNOWLEDGED, OUR_FIELDS, Scene, Told, newest
from connector.helpdesks.znuny.values import ident, moment, phase_of, words

#: Columns that can matter to an escalation; what else happens to a ticket shows in the length of its history.
_MARKED = ("OwnerID", "LockID", "StateID", "PriorityID", "QueueID", "Title", "CustomerUserID", "RealTillTimeNotUsed")


def mark(raw: Mapping[str, Any], lines: int) -> str:
    """What a ticket without its articles, and the number of its history lines, show that can matter, in short.

    An article, a field or a tag leaves nothing in the columns but `Changed`, which counts whole seconds and also moves
    when Znuny reckons its own escalation times anew; the history has a line for each.
    """
    told = [[words(raw.get(name)) for name in _MARKED], lines]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def ticket_of(row: Mapping[str, Any], told: Told, scene: Scene, url: str, mark: str) -> Ticket:
    """The ticket as it stands, with what its history told. `url` is Znuny's own.

    Raises HelpdeskAway where a time is missing.
    """
    ticket_id, locked = ident(row.get("TicketID")), row.get("Lock") in ("lock", "tmp_lock")
    phase = phase_of(words(row.get("State")), scene.state_types)
    changed = required_moment(row, "Changed", scene.zone)
    pending = ident(row.get("RealTillTimeNotUsed"))  # seconds since 1970, unlike every other time
    return Ticket(
        id=ticket_id,
        number=words(row.get("TicketNumber")),
        url=f"{url}/index.pl?Action=AgentTicketZoom;TicketID={ticket_id}",
        facts=_facts(row),
        state=words(row.get("State")),
        phase=phase,
        created_at=required_moment(row, "Created", scene.zone),
        updated_at=changed,
        owner=_owner(row, told, scene, changed, locked=locked),
        customer=scene.customer,
        locked=locked,
        pending_until=datetime.fromtimestamp(int(pending), UTC)
        if pending and phase in (Phase.PENDING, Phase.PENDING_CLOSE)
        else None,
        merged_into=_merged_into(told) if phase is Phase.MERGED else None,
        mark=mark,
    )


def _owner(row: Mapping[str, Any], told: Told, scene: Scene, changed: datetime, *, locked: bool) -> Person | None:
    """Who owns it as people mean it. A row from before the history's last owner doesn't say whether the one it shows
    was given or only set by the creation, and so not that it is older: that one's id does.
    """
    owner_id = ident(row.get("OwnerID"))
    if owner_id != told.owner_id and any(one == owner_id and until >= changed for one, until in told.earlier):
        return told.owner
    return scene.owner(owner_id, words(row.get("Owner")), locked or told.owner_given or owner_id != told.owner_id)


def articles_in(row: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """The ticket's articles by id, where they were asked for."""
    return {ident(one.get("ArticleID")): one for one in row.get("Article") or ()}


@dataclass(frozen=True, slots=True)
class Ahead:
    """What a history, read after its ticket's row, tells beyond it. As made: nothing."""

    since: datetime | None = None  # its newest line, if that is younger than the row
    articles: frozenset[str] = frozenset()  # those that the row doesn't show


def ahead(lines: Sequence[Line], row: Mapping[str, Any], zone: ZoneInfo) -> Ahead:
    """`Changed` counts whole seconds and may not show what happened between the two calls; a missing article does."""
    last, changed = newest(lines), moment(row.get("Changed"), zone)
    younger = last is not None and changed is not None and last > changed
    return Ahead(last if younger else None, not_shown(lines, articles_in(row)))


def required_moment(row: Mapping[str, Any], key: str, zone: ZoneInfo) -> datetime:
    """Raises HelpdeskAway where it is missing."""
    found = moment(row.get(key), zone)
    if found is None:
        raise HelpdeskAway(f"Znuny answered a ticket without {key}.")
    return found


def _facts(row: Mapping[str, Any]) -> Facts:
    """Znuny knows an organisation by its CustomerID; its web service tells neither its name nor tags."""
    fields = {words(one.get("Name")): one.get("Value") for one in row.get("DynamicField") or ()}
    shown = {
        name: ", ".join(map(words, value)) if isinstance(value, list) else words(value)
        for name, value in fields.items()
    }
    return Facts(
        priority=words(row.get("Priority")),
        group=words(row.get("Queue")),
        title=words(row.get("Title")),
        organization=words(row.get("CustomerID")),
        fields=tuple(sorted((name, v) for name, v in shown.items() if v and name not in {*OUR_FIELDS, ACKNOWLEDGED})),
    )


def _merged_into(told: Told) -> str | None:
    return next((change.target for change in reversed(told.changes) if change.kind is Kind.MERGED), None)
