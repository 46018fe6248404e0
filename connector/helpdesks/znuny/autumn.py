"""The hour of each autumn that a local clock shows twice. Pure.

Znuny's times have no zone: where its OTRSTimeZone is a local one, nothing tells the two hours apart. What compares
times (ids, what has been seen, which line is newer) takes each for the first one, so that it never changes. Windows are
counted from the second one as soon as it can have been: never from earlier than it was, and never from later than now.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from connector.core.ticket import Change, Reading

A_MINUTE = timedelta(minutes=1)  # clocks differ, and a reading takes a while


def latest(at: datetime, zone: ZoneInfo, now: datetime) -> datetime:
    """The second moment, aware UTC, that looked the same in this zone, unless it hasn't come; else `at`."""
    second = _second(at, zone)
    return second if at < second <= now + A_MINUTE else at


def before_both(since: datetime, zone: ZoneInfo) -> datetime:
    """From when to search by local times: what is changed in the second hour looks older than much of the first."""
    return since - max(_second(since, zone) - since, timedelta(0))


def _second(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(fold=1).astimezone(UTC)


def counted_late(reading: Reading, zone: ZoneInfo) -> Reading:
    """The same reading for counting from: what is compared stays as it is (`updated_at`, `Change.written_at`)."""
    now = reading.read_at + (reading.skew or timedelta(0))
    ticket, changes = reading.ticket, tuple(_counted_late(change, zone, now) for change in reading.changes)
    made = latest(ticket.created_at, zone, now)
    return replace(reading, ticket=replace(ticket, created_at=made), changes=changes)


def _counted_late(change: Change, zone: ZoneInfo, now: datetime) -> Change:
    at = latest(change.at, zone, now)
    return change if at == change.at else replace(change, at=at, stamped=change.written_at)
