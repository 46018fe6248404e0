"""How Znuny writes ids, times, states and history names, and what they mean here.

Ids are numbers or texts, also inside one body; times carry no zone (they are in the system's OTRSTimeZone) and have
whole seconds; state names are free text, state types are not.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from connector.core.ticket import Phase

#: The system's own user (root@localhost): customers, mail import, jobs.
SYSTEM = "1"

#: Znuny's state types, which can't be renamed. "removed" tickets are out of everybody's sight.
PHASES: Mapping[str, Phase] = {
    "new": Phase.OPEN,
    "open": Phase.OPEN,
    "pending reminder": Phase.PENDING,
    "pending auto": Phase.PENDING_CLOSE,
    "closed": Phase.CLOSED,
    "removed": Phase.CLOSED,
    "merged": Phase.MERGED,
}

#: The states of a fresh Znuny; others are learned from the tickets that are in them.
STATE_TYPES: Mapping[str, str] = {
    "new": "new",
    "open": "open",
    "closed successful": "closed",
    "closed unsuccessful": "closed",
    "merged": "merged",
    "removed": "removed",
    "pending reminder": "pending reminder",
    "pending auto close+": "pending auto",
    "pending auto close-": "pending auto",
}


def ident(value: Any) -> str:
    """An id as text; "" for what is none (0, null, an empty text)."""
    text = "" if isinstance(value, bool) or value is None else str(value).strip()
    return text if text.isascii() and text.isdigit() and text.strip("0") else ""


def words(value: Any) -> str:
    return "" if value is None else str(value)


def moment(text: Any, zone: ZoneInfo) -> datetime | None:
    """A time of Znuny's (with or without seconds) as aware UTC; None for none, such as `00-00-00 00:00`."""
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"):
        try:
            return datetime.strptime(words(text), form).replace(tzinfo=zone).astimezone(UTC)
        except ValueError:
            continue
    return None


def in_zone(when: datetime, zone: ZoneInfo) -> str:
    """An aware moment as Znuny wants it in a search, whole seconds, rounded down."""
    return when.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def parts(name: str) -> tuple[str, ...]:
    """The values of a history line's name, which Znuny joins with `%%` and cuts after 200 characters."""
    return tuple(name[2:].split("%%")) if name.startswith("%%") else (name,)


def phase_of(state: str, types: Mapping[str, str]) -> Phase:
    """What a state means. One whose type nobody could tell is judged by how Znuny's own names begin."""
    known = types.get(state) or STATE_TYPES.get(state)
    if known is not None:
        return PHASES.get(known, Phase.OPEN)
    for start, phase in (
        ("closed", Phase.CLOSED),
        ("merged", Phase.MERGED),
        ("pending auto", Phase.PENDING_CLOSE),
        ("pending", Phase.PENDING),
    ):
        if state.lower().startswith(start):
            return phase
    return Phase.OPEN
