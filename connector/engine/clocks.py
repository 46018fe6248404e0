"""A helpdesk whose clock is ahead of ours. Pure.

Windows are counted by our clock from times that the helpdesk wrote. Nothing can have happened later than now: taken as
they stand, such times would have everybody told late by as much as the clock is ahead. (A clock that is behind looks
like a webhook that came late.)
"""

from dataclasses import replace
from datetime import datetime, timedelta

from ..core.ticket import Reading

AHEAD = timedelta(seconds=30)  # a reading may take that long after it began
AGREES = timedelta(seconds=5)


def no_later(reading: Reading, now: datetime) -> Reading:
    """The same reading; what it dates later than `now` has happened now. `updated_at` stays, as hints compare it."""
    ticket = reading.ticket
    if ticket.updated_at <= now and all(change.at <= now for change in reading.changes):
        return reading
    return replace(
        reading,
        ticket=replace(ticket, created_at=min(ticket.created_at, now)),
        changes=tuple(change if change.at <= now else replace(change, at=now) for change in reading.changes),
    )


def ahead(reading: Reading) -> timedelta | None:
    """How far the helpdesk's clock is ahead, zero when it agrees with ours; None: this reading doesn't tell."""
    by = reading.ticket.updated_at - reading.read_at
    if by > AHEAD:
        return by
    return timedelta(0) if abs(by) < AGREES else None
