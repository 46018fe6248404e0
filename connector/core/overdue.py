"""What should have been done by now and is not, reckoned from the record of an escalation alone.

An independent look: it knows nothing of timers, queues and indexes, and shares no reckoning with what drives them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LATE = timedelta(seconds=15)  # an overdue step waits up to 2 s for a reading, and its wake for a busy worker
LINE_BUSY = timedelta(seconds=165)  # a call waits for another one to the same number


class What(StrEnum):
    """What can be overdue, in the order of a step's life."""

    STEP = "steps"
    NOTIFICATION = "notifications"  # planned, and not begun
    LEASE = "leases"  # begun, and whoever sends it should have been done with it long ago
    RECEIPT = "receipts"  # sent, and nobody has given up waiting for its receipt
    NOTE = "notes"


@dataclass(frozen=True, slots=True)
class Sending:
    """A notification, as far as it matters here. `at`: not before, lease's end or wait's end, by stage."""

    stage: str
    at: datetime
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A fired step whose note isn't written yet."""

    write_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """An escalation, as far as it matters here."""

    code: str
    state: str
    round: int = 1
    step: int = 0
    due_at: datetime | None = None
    notifications: tuple[Sending, ...] = ()
    report: Report | None = None

    @property
    def live(self) -> bool:
        return self.state not in ("resolved", "cancelled")

    @property
    def climbing(self) -> bool:
        return self.state in ("waiting", "running", "exhausted")


@dataclass(frozen=True, slots=True)
class Late:
    """Something of one escalation that has been due since then."""

    what: What
    code: str
    since: datetime


def overdue(standing: Standing, now: datetime, calls: frozenset[str] = frozenset()) -> Iterator[Late]:
    """All that is late by more than a healthy Escalator ever is. `calls`: channels that ring, one call a number."""
    if standing.due_at is not None and standing.live and standing.due_at <= now - LATE:
        yield Late(What.STEP, standing.code, standing.due_at)
    if standing.report is not None and standing.report.write_at <= now - LATE:
        yield Late(What.NOTE, standing.code, standing.report.write_at)
    for one in standing.notifications:
        what = _STAGES.get(one.stage)
        allowed = LINE_BUSY if what is What.NOTIFICATION and one.channel in calls else LATE
        if what is not None and one.at <= now - allowed:
            yield Late(what, standing.code, one.at)


_STAGES = {"planned": What.NOTIFICATION, "claimed": What.LEASE, "sent": What.RECEIPT}
