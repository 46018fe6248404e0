"""What Escalator knows of one ticket: what it has seen of its history, and the escalation if there is one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .escalation import Escalation
from .ticket import Change, Facts, Ticket

#: How far an entry's time may lie before the newest one's and still be news: entries are stored a little out of order,
#: and the clock that writes them may be set back (in autumn by an hour, where a helpdesk keeps local time).
OVERLAP = timedelta(minutes=62)
#: Entries that are remembered one by one beyond the last minute, so that a busy ticket's record stays small.
MOST = 100
LAST_MINUTE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Seen:
    """How much of the ticket's history has been taken in, by the helpdesk's clock.

    `recent` names all that was taken in and is later than `reach`: what it doesn't name there is news. None: the last
    minute, as in records from before it was kept.
    """

    until: datetime | None = None
    recent: frozenset[str] = field(default_factory=frozenset)
    reach: datetime | None = None

    def news(self, changes: Sequence[Change]) -> tuple[Change, ...]:
        """The changes not taken in yet, in the helpdesk's order."""
        if self.until is None:
            return tuple(changes)
        reach = self.reach or self.until - LAST_MINUTE
        return tuple(c for c in changes if c.written_at > reach and c.id not in self.recent)

    def after(self, changes: Sequence[Change]) -> "Seen":
        """With these taken in; never less than before. They are the whole history, as one reading has it."""
        latest = max((c.written_at for c in changes), default=self.until)
        if latest is None:
            return self
        until = max(latest, self.until or latest)
        # an older reading lacks what has been taken in since, and so can't tell of all that it would reach back to
        older = self.until is not None and latest < self.until
        known = self.reach or until - LAST_MINUTE
        reach = known if older else max(_reach(changes, until), self.reach or until - OVERLAP)
        recent = frozenset(c.id for c in changes if c.written_at > reach)
        if self.until is not None and self.until > reach:  # what a reading doesn't show may come back in the next one
            recent |= self.recent - {c.id for c in changes}
        return Seen(until, recent, reach)


def _reach(changes: Sequence[Change], until: datetime) -> datetime:
    """From when on all entries are remembered."""
    reach = until - OVERLAP
    times = sorted((c.written_at for c in changes if c.written_at > reach), reverse=True)
    return min(times[MOST], until - LAST_MINUTE) if len(times) > MOST else reach


@dataclass(frozen=True, slots=True)
class Case:
    """One ticket as known here. `plan` is the plan that matched last; `facts` are what it was matched with."""

    ticket: Ticket
    seen: Seen
    facts: Facts
    plan: str | None
    read_at: datetime
    escalation: Escalation | None = None
    lives: int = 0  # escalations this ticket has had
    moved_to: str = ""  # id of the ticket that its escalation has moved to
