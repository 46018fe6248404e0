"""Small words for stories about the core: people, plans, moments, and a ticket with its history.

Every story begins at `T0`, a Saturday at 20:00 UTC; `at(5)` is five minutes later, `at(5, 30)` half a minute more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from connector.core.audience import Directory
from connector.core.case import Case
from connector.core.contact import Contact
from connector.core.escalation import Escalation, Notification, Stage, State
from connector.core.events import Claim, Command, Entry, Event, Outcome, Receipt, Tick, WriteNote
from connector.core.lives import begin
from connector.core.observing import Observed, observe
from connector.core.plan import Plan, Policy, Step, WhenExhausted
from connector.core.ticket import (
    Actor,
    Article,
    Change,
    Facts,
    Kind,
    Person,
    Phase,
    Reading,
    Role,
    Ticket,
    facts_with,
)
from connector.core.transition import transition

T0 = datetime(2026, 1, 31, 20, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def at(minutes: float = 0, seconds: float = 0) -> datetime:
    return T0 + timedelta(minutes=minutes, seconds=seconds)


def agent(id: str, name: str) -> tuple[Person, Actor]:
    login = f"{name.lower()}@example.com"
    return Person(id, login, name), Actor(Role.PERSON, id, login, name)


ANNA, BY_ANNA = agent("3", "Anna")
BEN, BY_BEN = agent("4", "Ben")
DANA, BY_DANA = agent("5", "Dana")
CUSTOMER = Actor(Role.CUSTOMER, "8", "carla@example.com", "Carla")
SYSTEM = Actor(Role.SYSTEM, "1")
ROBOT = Actor(Role.ROBOT, "9", "round-robin")
US = Actor(Role.US, "2", "escalator")

CONTACTS = {
    "dana": Contact("dana", "Dana", DANA.login, DANA.login, "+491701234567", ("token",)),
    "lead": Contact("lead", "Lee", "lee@example.com", "lee@example.com", "+491707654321", ("token2",)),
}
PEOPLE = Directory(CONTACTS, shared=frozenset({"chat"}), quiet=frozenset({"push", "chat"}), calls=frozenset({"phone"}))
MAJOR = Plan(
    "major",
    respond_within=10 * MINUTE,
    unassigned=("dana",),
    steps=(
        Step(("owner",), ("push",), otherwise=("sms",)),
        Step(("owner",), ("phone",), after=5 * MINUTE),
        Step(("owner", "lead"), ("sms", "phone"), after=5 * MINUTE),
    ),
    when_exhausted=WhenExhausted(("lead",), ("email",), every=60 * MINUTE),
)
MINOR = Plan("minor", respond_within=30 * MINUTE, unassigned=("dana",), steps=(Step(("owner",), ("push",)),))
POLICY = Policy({"major": MAJOR, "minor": MINOR}, (), {"3 high": "major", "2 normal": "minor"})


# --- one escalation, event by event ----------------------------------------------------------------------------------


@dataclass
class Story:
    """An escalation and all that it has asked for. `tick` reads the ticket first, as the shell does."""

    escalation: Escalation
    people: Directory = PEOPLE
    commands: list[Command] = field(default_factory=list)

    def happens(self, event: Event, now: datetime) -> list[Command]:
        self.escalation, more = transition(self.escalation, event, now)
        self.commands += more
        return list(more)

    def tick(self, now: datetime, read_at: datetime | None = None) -> list[Command]:
        return self.happens(Tick(self.people, read_at or now), now)

    def until(self, now: datetime) -> None:
        """Ticks at every moment at which something is due, up to `now`, each with a fresh reading."""
        while (due := self.escalation.due_at) is not None and due <= now and self.escalation.state.climbing:
            self.tick(due)
        self.tick(now)

    @property
    def state(self) -> State:
        return self.escalation.state

    @property
    def due(self) -> datetime | None:
        return self.escalation.due_at

    @property
    def planned(self) -> list[tuple[str, str]]:
        """Who is to be told by which way now."""
        return [(n.person, n.channel) for n in self.escalation.notifications if n.stage is Stage.PLANNED]

    def one(self, person: str, channel: str) -> Notification:
        """The newest notification of this person by this way."""
        return [n for n in self.escalation.notifications if (n.person, n.channel) == (person, channel)][-1]

    def claim(self, person: str, channel: str, now: datetime) -> bool:
        """Whether it could be claimed."""
        before = self.escalation
        self.happens(Claim(self.one(person, channel).id, now + timedelta(seconds=30)), now)
        return self.escalation is not before

    def send(self, person: str, channel: str, now: datetime, wait: float = 0, provider_id: str = "") -> None:
        """Sent and taken by the provider; arrived, unless a receipt is still to come."""
        assert self.claim(person, channel, now)
        self._outcome(
            person, channel, now, sent=True, words="accepted", wait=wait, arrived=not wait, provider_id=provider_id
        )

    def fail(self, person: str, channel: str, now: datetime, permanent: bool = False) -> None:
        assert self.claim(person, channel, now)
        words = "no such number" if permanent else "provider trouble"
        self._outcome(person, channel, now, sent=False, words=words, permanent=permanent)

    def _outcome(self, person: str, channel: str, now: datetime, **said: object) -> None:
        self.happens(Outcome(self.one(person, channel).id, **said), now)  # type: ignore[arg-type]
        self.tick(now)

    def receipt(self, person: str, channel: str, now: datetime, words: str, **said: object) -> list[Command]:
        event = Receipt(self.one(person, channel).id, words, **{"arrived": False, **said})  # type: ignore[arg-type]
        return [*self.happens(event, now), *self.tick(now)]

    @property
    def notes(self) -> list[str]:
        return [command.kind for command in self.commands if isinstance(command, WriteNote)]

    @property
    def history(self) -> list[str]:
        return [command.kind for command in self.commands if isinstance(command, Entry)]


def waiting(plan: Plan = MAJOR, owner: Person | None = None, people: Directory = PEOPLE) -> Story:
    escalation, commands = begin("42", plan, T0, owner=owner)
    return Story(escalation, people, list(commands))


def running(plan: Plan = MAJOR, owner: Person | None = None, people: Directory = PEOPLE) -> Story:
    """Its first step has just fired, at `T0` + the plan's window."""
    story = waiting(plan, owner, people)
    story.until(T0 + plan.respond_within)
    return story


# --- a ticket with its history ---------------------------------------------------------------------------------------


@dataclass
class Desk:
    """A ticket in a helpdesk: what people do to it grows its history; `read` is what an adapter would answer."""

    ticket: Ticket = field(
        default_factory=lambda: Ticket(
            "42", "50042", "https://desk/42", Facts("3 high", "Network", "Server outage"), "new", Phase.OPEN, T0, T0
        )
    )
    changes: list[Change] = field(default_factory=list)

    def _add(self, moment: datetime, by: Actor, kind: Kind, **said: object) -> None:
        self.changes.append(Change(str(len(self.changes) + 1), moment, by, kind, **said))  # type: ignore[arg-type]
        self.ticket = replace(self.ticket, updated_at=moment)

    def sets(self, moment: datetime, by: Actor, kind: Kind, after: str, raised: bool = False, field: str = "") -> None:
        """A matched field gets another value."""
        facts = self.ticket.facts
        known = {Kind.PRIORITY: facts.priority, Kind.GROUP: facts.group, Kind.TITLE: facts.title}
        before = facts.field(field) if kind is Kind.FIELD else known.get(kind, "")
        self._add(moment, by, kind, before=before, after=after, raised=raised, field=field)
        self.ticket = replace(self.ticket, facts=facts_with(facts, kind, field, before, after))

    def owned(self, moment: datetime, by: Actor, owner: Person | None, with_lock: bool = False) -> None:
        before = self.ticket.owner.login if self.ticket.owner else ""
        after = owner.login if owner else ""
        self._add(moment, by, Kind.OWNER, before=before, after=after, owner=owner, with_lock=with_lock)
        self.ticket = replace(self.ticket, owner=owner)

    def marks(self, moment: datetime, by: Actor, kind: Kind) -> None:
        self._add(moment, by, kind)

    def state(self, moment: datetime, by: Actor, phase: Phase, until: datetime | None = None) -> None:
        self._add(moment, by, Kind.STATE, phase_before=self.ticket.phase, phase=phase, until=until)
        self.ticket = replace(self.ticket, phase=phase)

    def article(
        self, moment: datetime, by: Actor, first_line: str = "", at_creation: bool = False, **said: bool
    ) -> None:
        """An internal note, unless `said` makes it public."""
        written = Article(f"a{len(self.changes)}", **{"public": False, **said}, first_line=first_line)  # type: ignore[arg-type]
        self._add(moment, by, Kind.ARTICLE, article=written, at_creation=at_creation)

    def reply(self, moment: datetime, by: Actor) -> None:
        self.article(moment, by, public=True, reply=True)

    def merged(self, moment: datetime, by: Actor, target: str) -> None:
        self._add(moment, by, Kind.MERGED, target=target)
        self.state(moment, by, Phase.MERGED)
        self.owned(moment, by, None)
        self.ticket = replace(self.ticket, merged_into=target)

    def read(self, moment: datetime, changes: int | None = None) -> Reading:
        return Reading(self.ticket, tuple(self.changes[:changes]), moment)


@dataclass
class Watch:
    """Escalator looking at one ticket. `since` is when it was switched on."""

    desk: Desk = field(default_factory=Desk)
    policy: Policy = POLICY
    since: datetime = T0 - timedelta(days=1)
    people: Directory = PEOPLE
    case: Case | None = None
    commands: list[Command] = field(default_factory=list)

    def looks(self, now: datetime, reading: Reading | None = None) -> Observed:
        """A reading, and the tick that follows it, as in the shell."""
        reading = reading or self.desk.read(now)
        seen = observe(self.case, reading, self.policy, self.since, now)
        self.case = seen.case
        self.commands += seen.commands
        if seen.case.escalation is not None and not seen.merged_into:
            self.happens(Tick(self.people, seen.case.read_at), now)
        return seen

    @property
    def escalation(self) -> Escalation:
        assert self.case is not None
        assert self.case.escalation is not None
        return self.case.escalation

    def happens(self, event: Event, now: datetime) -> None:
        assert self.case is not None
        escalation, commands = transition(self.escalation, event, now)
        self.case = replace(self.case, escalation=escalation)
        self.commands += commands

    def tells(self, person: str, channel: str, now: datetime) -> None:
        """Sends the newest notification of this person by this way; it arrives."""
        id = next(
            n.id
            for n in reversed(self.escalation.notifications)
            if (n.person, n.channel, n.stage) == (person, channel, Stage.PLANNED)
        )
        self.happens(Claim(id, now + timedelta(seconds=30)), now)
        self.happens(Outcome(id, "accepted", sent=True, arrived=True), now)

    def notes(self) -> Sequence[WriteNote]:
        return [command for command in self.commands if isinstance(command, WriteNote)]
