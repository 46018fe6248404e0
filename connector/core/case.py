"""What Escalator knows of one ticket: what it has seen of its history, and the escalation if there is one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .escalation import Escalation
from .ticket import Change, Facts, Ticket

#: History entries may be stored a little out of order; within this span each one is remembered by its id.
OVERLAP = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Seen:
    """How much of the ticket's history has been taken in, by the helpdesk's clock."""

    until: datetime | None = None
    recent: frozenset[str] = field(default_factory=frozenset)

    def news(self, changes: Sequence[Change]) -> tuple[Change, ...]:
        """The changes not taken in yet, in the helpdesk's order."""
        if self.until is None:
            return tuple(changes)
        return tuple(c for c in changes if c.written_at > self.until - OVERLAP and c.id not in self.recent)

    def after(self, changes: Sequence[Change]) -> "Seen":
        """With these taken in; never less than before."""
        latest = max((c.written_at for c in changes), default=self.until)
        if latest is None:
            return self
        recent = frozenset(c.id for c in changes if c.written_at > max(latest, self.until or latest) - OVERLAP)
        if self.until is None or latest > self.until:
            return Seen(latest, recent)
        return Seen(self.until, self.recent | recent)  # an older reading: what it lacks has been taken in all the same


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
