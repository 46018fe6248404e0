"""Zammad's columns and values as the core knows them: text and aware UTC moments."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_SLA = ("escalation_at", "in_min", "diff_in_min")
#: Columns and relations of a ticket up to 7.x, `_id`s cut off as the history does; the rest are custom attributes.
OWN = frozenset(
    {"id", "number", "title", "note", "type", "state", "priority", "group", "organization", "owner", "customer"}
    | {"created_by", "updated_by", "created_at", "updated_at", "pending_time", "time_unit", "preferences"}
    | {"article_count", "articles", "article_ids", "create_article_type", "create_article_sender"}
    | {f"{what}_{figure}" for what in ("first_response", "update", "close") for figure in _SLA}
    | {"first_response_at", "close_at", "last_close_at", "escalation_at", "last_owner_update_at"}
    | {"last_contact_at", "last_contact_agent_at", "last_contact_customer_at"}
    | {"ticket_time_accounting", "ticket_time_accounting_ids", "accounted_time"}
    | {"checklist", "referencing_checklists", "referencing_checklist_ids"}
    | {"mentions", "mention_ids", "tags", "links"}
)
#: Attributes that `escalator connect --with-fields` adds. Only written: screens that stand open write old values back.
STEP, DUE = "escalator_step", "escalator_due"
OURS = (STEP, DUE)
_WRITTEN_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")


def is_custom(column: str) -> bool:
    """Whether a ticket's column (or the history's attribute) is one that this Zammad's admin added for themselves."""
    return column not in OWN and column.removesuffix("_id") not in OWN and column not in OURS


def moment(value: Any) -> datetime | None:
    """A time as the API (`2026-11-21T23:25:12.791Z`) or the history (`2026-11-21 23:25:12 UTC`) writes it, in UTC.

    None where there is none, or one that doesn't say its zone.
    """
    try:
        found = datetime.fromisoformat(value.replace(" UTC", "+00:00"))
        return found.astimezone(UTC) if found.tzinfo else None
    except (AttributeError, ValueError, OverflowError):  # the last hours of the year 9999 may be none in UTC
        return None


def required_moment(value: Any) -> datetime:
    """The same where there must be one. Raises ValueError."""
    found = moment(value)
    if found is None:
        raise ValueError("a time is missing")
    return found


def shown(value: Any) -> str:
    """A custom attribute's value in a ticket's row as text: lists by commas, of external data its value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(shown(one) for one in value)
    if isinstance(value, Mapping):
        return shown(value.get("value"))
    return str(value)


def shown_in_history(text: Any) -> str:
    """The same value as the history writes it (Ruby's text for lists, objects and times)."""
    written = str(text or "")
    if _WRITTEN_TIME.fullmatch(written):
        return written.replace(" UTC", ".000Z").replace(" ", "T")
    if written[:1] in ("[", "{"):
        try:
            return shown(json.loads(written.replace("=>", ":")))
        except ValueError:
            return written
    return written
