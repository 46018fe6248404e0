"""A helpdesk whose clock isn't ours. Pure.

Windows are counted by our clock from times that the helpdesk wrote. They are put right by what its answers tell of its
clock, at the least, so that nothing comes out earlier than it happened; and nothing can have happened later than now.
Uncorrected, a clock that is ahead would have everybody told late, and one that is behind would have them told early.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from ..core.ticket import Change, Reading

SOME_SECONDS = timedelta(seconds=5)  # less is left as it is: answers tell no finer than a second
SET_RIGHT = timedelta(seconds=30)  # by which a clock must have been ahead to be told from two hosts' clocks
TOLD = timedelta(seconds=10)  # the operator hears of more
AHEAD = timedelta(seconds=30)  # of a reading that doesn't know the skew; it may take that long after it began


def no_later(reading: Reading, now: datetime) -> Reading:
    """The same reading by our clock; what it dates later than `now` has happened now.

    `updated_at` stays as the helpdesk has it, as rows and hints are compared with it; so does `Change.written_at`.
    """
    skew = reading.skew or timedelta(0)
    skew = skew if abs(skew) >= SOME_SECONDS else timedelta(0)
    ticket = reading.ticket
    made = min(ticket.created_at - skew, now)
    return replace(
        reading,
        ticket=ticket if made == ticket.created_at else replace(ticket, created_at=made),
        changes=tuple(_put_right(change, skew, now) for change in reading.changes),
    )


def plausible(since: datetime, now: datetime) -> datetime:
    """When Escalator was switched on. A moment that hasn't come is that of a clock which was ahead then and has been
    set right: as long as it counts nothing begins, so what was made shortly before that is noticed counts, too.
    """
    return since if since - now < SET_RIGHT else now - SET_RIGHT


def switched_on(since: datetime, reading: Reading, righted: Reading) -> datetime:
    """When Escalator was switched on, for the age of a ticket: one is old only if the helpdesk's own time says so, too.

    `since` was taken from a clock of ours that may have been set since, or from another process' or host's.
    """
    return since - max(reading.ticket.created_at - righted.ticket.created_at, timedelta(0))


def _put_right(change: Change, skew: timedelta, now: datetime) -> Change:
    at = min(change.at - skew, now)
    return change if at == change.at else replace(change, at=at, stamped=change.written_at)


def apart(reading: Reading) -> timedelta | None:
    """How far the helpdesk's clock is ahead of ours (negative: behind); None: this reading doesn't tell.

    One that knows no skew tells of a clock that is far ahead all the same, by times that haven't come.
    """
    if reading.skew is not None:
        return reading.skew
    by = reading.ticket.updated_at - reading.read_at
    if by > AHEAD:
        return by
    return timedelta(0) if abs(by) < SOME_SECONDS else None


def remembered(skew: timedelta) -> timedelta:
    """As it is kept for others: whole seconds, and none where it is too small to matter."""
    return timedelta(seconds=round(skew.total_seconds())) if abs(skew) >= SOME_SECONDS else timedelta(0)


def in_words(by: timedelta) -> str:
    """`about 10 min ahead of`."""
    seconds = abs(by.total_seconds())
    how_much = f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
    return f"about {how_much} {'ahead of' if by > timedelta(0) else 'behind'}"
