"""What can be seen from outside at one moment: on the phones, and on the ticket. Times are aware UTC."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Told:
    """Something that reached Dana. `way`: push, sms, phone; `arrived`: delivered, or answered with a key."""

    way: str
    at: datetime
    text: str
    arrived: bool
    keys: str = ""
    all_clear: bool = False
    over: bool = True  # nothing more will be heard of it


@dataclass(frozen=True, slots=True)
class Note:
    """A note of Escalator's, as a person reads it."""

    at: datetime
    lines: tuple[str, ...]
    internal: bool

    @property
    def first(self) -> str:
        return self.lines[0] if self.lines else ""


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything up to now, oldest first."""

    ticket_at: datetime
    told: tuple[Told, ...] = ()
    notes: tuple[Note, ...] = ()
    tags: tuple[str, ...] = ()
    owner: str = ""

    def by(self, way: str) -> tuple[Told, ...]:
        """What came by this way, without all-clears."""
        return tuple(told for told in self.told if told.way == way and not told.all_clear)

    @property
    def acknowledgement(self) -> Note | None:
        return next((note for note in self.notes if " acknowledged by " in note.first), None)

    @property
    def closing(self) -> Note | None:
        return next((note for note in self.notes if note.first.endswith(" closed")), None)

    @property
    def acknowledged(self) -> bool:
        """Whether the ticket says so in every place: note, owner, tag."""
        ours = {tag for tag in self.tags if tag.startswith("escalation-")}  # the new one comes before the old one goes
        return self.acknowledgement is not None and bool(self.owner) and ours == {"escalation-acknowledged"}

    @property
    def closed(self) -> bool:
        """Whether the summary stands there and nothing else marks the ticket."""
        return self.closing is not None and not any(tag.startswith("escalation-") for tag in self.tags)

    def minutes(self, at: datetime) -> float:
        """Told minutes after the ticket came."""
        return (at - self.ticket_at).total_seconds()
