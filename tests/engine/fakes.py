"""A helpdesk, channels and a clock that do as they are told: away, refusing, cutting answers, hanging."""

import itertools
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connector.core.contact import Contact
from connector.core.ticket import Actor, Change, Facts, Kind, Person, Phase, Reading, Role, Ticket
from connector.errors import HelpdeskAway, HelpdeskError, TicketGone, Undelivered
from connector.ports import FoundProof, Hint, Live, Message, Names, Note, Receipt, Row

ALICE = Person("3", "alice@example.com", "Alice Agent", "alice@example.com")
BY_ALICE = Actor(Role.PERSON, "3", ALICE.login, ALICE.name)
BY_CARLA = Actor(Role.CUSTOMER, "8", "carla@example.com", "Carla Customer")


class Clock:
    """The real time, and what a test has put it forward by."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def passes(self, **span: float) -> None:
        self._ahead += timedelta(**span)


@dataclass
class Desk:
    """A helpdesk. `trouble` is raised by every call, `refused` by those about one ticket, `cut` after one was done."""

    clock: Clock
    kind: str = "zammad"
    tickets: dict[str, Ticket] = field(default_factory=dict)
    changes: dict[str, list[Change]] = field(default_factory=lambda: defaultdict(list))
    notes: dict[str, list[Note]] = field(default_factory=lambda: defaultdict(list))
    shown: dict[str, list[Live]] = field(default_factory=lambda: defaultdict(list))
    foreign: dict[str, list[FoundProof]] = field(default_factory=lambda: defaultdict(list))  # by somebody else
    calls: Counter[str] = field(default_factory=Counter)
    trouble: Exception | None = None
    refused: dict[str, HelpdeskError] = field(default_factory=dict)
    cut: bool = False
    goes_on: threading.Event = field(default_factory=threading.Event)  # cleared: every call hangs
    entered: threading.Event = field(default_factory=threading.Event)
    more: list[Row] = field(default_factory=list)  # what a search finds beside the tickets
    unmarked: set[str] = field(default_factory=set)  # tickets whose rows and readings carry no mark
    request_limit: float = 60.0
    skew: timedelta | None = None
    whole: bool = True  # whether it shows all that its histories name
    asked_since: list[datetime] = field(default_factory=list)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.goes_on.set()

    # --- what people do there

    def ticket(self, id: str, priority: str = "3 high", age: timedelta = timedelta(0), **more: Any) -> str:
        made = self.clock.now() - age
        facts = Facts(priority, "Network", f"Server outage {id}", "Acme")
        self.tickets[id] = Ticket(id, f"500{id}", f"https://desk/{id}", facts, "new", Phase.OPEN, made, made, **more)
        return id

    def changed(self, id: str, kind: Kind, now: dict[str, Any], by: Actor = BY_ALICE, **said: Any) -> None:
        at = self.clock.now()
        self.changes[id].append(Change(str(next(self.ids)), at, by, kind, **said))
        self.tickets[id] = replace(self.tickets[id], updated_at=at, **now)

    def takes(self, id: str) -> None:
        """Alice makes herself the owner."""
        self.changed(id, Kind.OWNER, {"owner": ALICE}, after=ALICE.login, owner=ALICE)

    def closes(self, id: str) -> None:
        self.changed(id, Kind.STATE, {"phase": Phase.CLOSED}, phase_before=Phase.OPEN, phase=Phase.CLOSED)

    def reopens(self, id: str) -> None:
        """Its customer writes once more."""
        opened: dict[str, Any] = {"phase_before": Phase.CLOSED, "phase": Phase.OPEN}
        self.changed(id, Kind.STATE, {"phase": Phase.OPEN}, by=BY_CARLA, **opened)

    def merges(self, id: str, into: str) -> None:
        self.changed(id, Kind.MERGED, {}, target=into)
        self.changed(
            id,
            Kind.STATE,
            {"phase": Phase.MERGED, "merged_into": into},
            phase_before=Phase.OPEN,
            phase=Phase.MERGED,
        )

    # --- what Escalator asks of it

    def _called(self, what: str, ticket_id: str = "") -> None:
        self.calls[what] += 1
        self.entered.set()
        assert self.goes_on.wait(30)
        if self.trouble is not None:
            raise self.trouble
        if ticket_id in self.refused:
            raise self.refused[ticket_id]
        if ticket_id and ticket_id not in self.tickets:
            raise TicketGone("The ticket does not exist any more.")

    def read(self, ticket_id: str) -> Reading:
        began = self.clock.now()
        self._called("read", ticket_id)
        ticket = self.tickets[ticket_id]
        marked, changes = replace(ticket, mark=self._mark(ticket)), tuple(self.changes[ticket_id])
        return Reading(marked, changes, began, self.clock_skew(), whole=self.whole)

    def add_note(self, ticket_id: str, note: Note) -> str:
        self._called("add_note", ticket_id)
        self.notes[ticket_id].append(note)
        if self.cut:
            self.cut = False
            raise HelpdeskAway("The connection broke off.", maybe_done=True)
        return str(len(self.notes[ticket_id]))

    def find_note(self, ticket_id: str, proof: str) -> str | None:
        self._called("find_note", ticket_id)
        return next((str(place) for place, note in enumerate(self.notes[ticket_id]) if note.proof == proof), None)

    def show(self, ticket_id: str, live: Live) -> None:
        self._called("show", ticket_id)
        self.shown[ticket_id].append(live)

    def assign(self, ticket_id: str, login: str) -> bool:
        self._called("assign", ticket_id)
        return bool(login)

    def find_changed(self, since: datetime) -> Iterable[Row]:
        self._called("find_changed")
        self.asked_since.append(since)
        known = [self._row(ticket) for ticket in self.tickets.values()]
        return sorted((r for r in [*self.more, *known] if r.updated_at >= since), key=lambda row: row.updated_at)

    def rows(self, ticket_ids: Sequence[str]) -> Sequence[Row]:
        self._called("rows")
        return [self._row(self.tickets[id]) for id in ticket_ids if id in self.tickets]

    def tagged(self, ticket_ids: Sequence[str], tag: str) -> frozenset[str]:
        self._called("tagged")
        return frozenset(id for id in ticket_ids if id in self.tickets and tag in self.tickets[id].facts.tags)

    def clock_skew(self) -> timedelta | None:
        return self.skew

    def touches(self, id: str) -> None:
        """A save in which nothing changes that matters: a saved SLA does that to each ticket."""
        self.tickets[id] = replace(self.tickets[id], updated_at=self.clock.now())

    def _row(self, ticket: Ticket) -> Row:
        return Row(ticket.id, ticket.updated_at, ticket.phase.ended, self._mark(ticket), ticket.facts.organization)

    def _mark(self, ticket: Ticket) -> str:
        """Everything but its times, its organization and its tags; and how often something happened to it."""
        if ticket.id in self.unmarked:
            return ""
        facts = replace(ticket.facts, organization="", tags=frozenset())
        return repr((ticket.owner, ticket.phase, facts, len(self.changes[ticket.id])))

    def prove(self, headers: Mapping[str, str], raw: bytes) -> bool:
        return True

    def parse(self, body: Any) -> Hint:
        return Hint(str(body["id"]))

    def find(self, number: str) -> str:
        return number.removeprefix("500")

    def proofs(self, ticket_id: str) -> Sequence[FoundProof]:
        self._called("proofs", ticket_id)
        return [FoundProof(note.proof) for note in self.notes[ticket_id]] + self.foreign[ticket_id]

    def find_shown(self) -> Iterable[str]:
        self._called("find_shown")
        return [id for id, shown in self.shown.items() if shown[-1].status]

    def people(self) -> Sequence[Person]:
        return [ALICE]

    def names(self) -> Names:
        return Names()

    def about(self) -> str:
        return "A helpdesk for tests."

    def headlines(self, ticket_id: str) -> list[str]:
        return [note.lines[0] for note in self.notes[ticket_id]]


@dataclass
class Channel:
    """One way to reach somebody. `cut`: the next call is done and its answer lost; `tells`: whether `find` can say.

    `repeats`: who receives it knows a repeat by its id, as with a push.
    """

    name: str
    kind: str = ""
    personal: bool = True
    acknowledges: bool = True
    lease: float = 30.0
    final: bool = True
    tells: bool = True
    repeats: bool = False
    cut: bool = False
    trouble: BaseException | None = None
    tried: int = 0
    sent: list[Message] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    hung_up: list[str] = field(default_factory=list)
    goes_on: threading.Event = field(default_factory=threading.Event)  # cleared: every call hangs
    entered: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.kind = self.kind or self.name
        self.goes_on.set()

    def address(self, contact: Contact) -> str:
        return contact.mobile or contact.email

    def deliver(self, message: Message) -> Receipt:
        self.tried += 1
        self.entered.set()
        assert self.goes_on.wait(30)
        if self.trouble is not None:
            raise self.trouble
        self.sent.append(message)
        if self.cut:
            self.cut = False
            raise Undelivered("the answer was cut", maybe_sent=True)
        return Receipt(f"{self.name}-{len(self.sent)}", self.final, "accepted")

    def find(self, message: Message) -> Receipt | None:
        self.asked.append(message.id)
        if self.repeats and not message.elsewhere:
            return None
        if self.repeats or not self.tells:
            raise Undelivered("it can't tell", maybe_sent=True)
        place = next((place for place, sent in enumerate(self.sent, 1) if sent.id == message.id), None)
        return Receipt(f"{self.name}-{place}", self.final, "found there") if place else None

    def hang_up(self, provider_id: str) -> None:
        self.hung_up.append(provider_id)
