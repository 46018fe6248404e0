"""The step and the next time as attributes of a ticket, where `escalator connect --with-fields` has added them. Pure.

A ticket's own row names every attribute that Zammad has, empty ones too, and so says whether ours are there. Zammad 6.0
answers a save of an attribute that it doesn't have with 200, and keeps nothing.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connector.helpdesks.zammad.values import DUE, OURS, STEP, moment
from connector.ports import Live

LONGEST = 120  # characters of the step


def there(row: Mapping[str, Any]) -> bool:
    """Whether at least one of them is."""
    return any(name in row for name in OURS)


def missing(row: Mapping[str, Any]) -> list[str]:
    """Those that are missing beside one that is there; none where nobody has added any."""
    return [name for name in OURS if name not in row] if there(row) else []


def changes(row: Mapping[str, Any], live: Live) -> dict[str, str | None]:
    """What has to be saved so that this ticket shows the live state; what isn't there is left out."""
    step, due = _step(live), _minute(live.due_at) if live.status else None
    differ = {
        STEP: (row.get(STEP) or None) != step,
        DUE: moment(row.get(DUE)) != due,
    }
    wanted = {STEP: step, DUE: due.strftime("%Y-%m-%dT%H:%M:%S.000Z") if due else None}
    return {name: value for name, value in wanted.items() if name in row and differ[name]}


def _step(live: Live) -> str | None:
    return f"{live.step} ({live.plan})"[:LONGEST] if live.status and live.step else None


def _minute(at: datetime | None) -> datetime | None:
    """Zammad's screens know minutes: with seconds an open one would take them away at its next save."""
    return at.astimezone(UTC).replace(second=0, microsecond=0) if at is not None else None
