"""The engine on a real Redis, with a helpdesk, channels and a clock that tests hold in their hands."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from redis import Redis

from channels import BUILT_IN
from connector.clockwork.sweep import Sweep
from connector.core.audience import Directory, owner_as_contact
from connector.core.case import Case
from connector.core.contact import Contact
from connector.core.escalation import Escalation, Notification
from connector.core.plan import Plan, Policy, Step, WhenExhausted
from connector.core.wording import Reader
from connector.engine.answering import Answers
from connector.engine.delivery import Delivery
from connector.engine.desk import Desk as Writing
from connector.engine.engine import Engine
from connector.engine.keys import EPOCH, OUT, SINCE
from connector.engine.messages import Messages
from connector.engine.observer import Observer
from connector.engine.operator import Operator
from connector.engine.pacing import Pacing
from connector.engine.proofs import Signatures
from connector.engine.store import Store

from .fakes import Channel, Clock, Desk

MINUTE = timedelta(minutes=1)
DANA = Contact("dana", "Dana Reyes", "dana@example.com", "dana@example.com", "+491701234567")
LEE = Contact("lee", "Lee Adams", "lee@example.com", "lee@example.com", "+491707654321")
MAJOR = Plan(
    "major",
    respond_within=5 * MINUTE,
    unassigned=("dana",),
    steps=(
        Step(("owner",), ("push",), otherwise=("sms",)),
        Step(("owner",), ("phone",), after=5 * MINUTE),
        Step(("lee",), ("email",), after=5 * MINUTE),
    ),
    when_exhausted=WhenExhausted(("lee",), ("email",)),
)
POLICY = Policy({"major": MAJOR}, (), {"3 high": "major"})
KEY = "a-key-that-is-only-for-tests-1234"


@dataclass
class World:
    """Everything built by hand; each Redis command really happens."""

    redis: Redis
    policy: Policy = POLICY
    keep: timedelta = timedelta(days=400)
    clock: Clock = field(default_factory=Clock)
    public_url: str = "https://escalator.example.com"
    pacing: Pacing = field(default_factory=lambda: Pacing(timedelta(0)))  # each ticket by itself
    language: str = "en"

    def __post_init__(self) -> None:
        clock, redis = self.clock, self.redis
        self.helpdesk = Desk(clock)
        names = ("push", "sms", "phone", "email")
        self.channels = {name: Channel(name) for name in names}
        self.since = clock.now() - timedelta(days=1)
        redis.set(EPOCH, "an-epoch")
        redis.set(SINCE, self.since.isoformat())
        self.store = Store(redis, self.keep)
        self.operator = Operator(redis, [LEE], {"email": self.channels["email"]})
        people = Directory({"dana": DANA, "lee": LEE}, quiet=frozenset({"push"}), calls=frozenset({"phone"}))
        self.signatures = Signatures([KEY])
        self.engine = Engine(
            store=self.store,
            policy=self.policy,
            people=people,
            reader=Reader(ZoneInfo("Europe/Berlin"), {name: name for name in names}, BUILT_IN.notes(self.language)),
            signatures=self.signatures,
            clock=clock,
            operator=self.operator,
            contact_of=lambda owner: owner_as_contact(owner, people),
        )
        self.observer = Observer(self.helpdesk, self.engine, self.store, clock, lambda: self.since)
        self.desk = Writing(self.helpdesk, self.observer, self.engine, self.store, clock)
        self.delivery = Delivery(
            self.channels,  # type: ignore[arg-type]  # a mapping of fakes
            self.engine,
            self.store,
            Messages(self.engine, self.store, self.signatures, clock, self.public_url),
            clock,
            self.pacing,
        )
        self.sweep = Sweep(self.helpdesk, self.store, self.operator, clock, self.policy)
        self.answers = Answers(self.engine)

    # --- what happens

    def escalating(self, id: str = "42", **more: Any) -> str:
        """A ticket whose response window is over: its first step has fired, and nobody has been told yet."""
        self.helpdesk.ticket(id, age=5 * MINUTE, **more)
        self.looks(id)
        self.engine.wake(id)
        return id

    def looks(self, id: str) -> None:
        self.store.hints.add([id])
        self.observer.look(id)

    def sends(self) -> None:
        """One try at all that is due now."""
        for due in self.delivery.due(1000):
            self.delivery.send(due)

    def writes(self) -> None:
        """One try at all that waits for the helpdesk, each ticket on its own."""
        for ticket in self.waiting(b"escalator:desk"):
            self.desk.write(ticket)

    def waiting(self, key: bytes) -> list[str]:
        found: Any = self.redis.zrangebyscore(key, "-inf", self.clock.now().timestamp())
        return [raw.decode() for raw in found]

    # --- what is known

    def case(self, id: str = "42") -> Case:
        case = self.store.case(id)
        assert case is not None
        return case

    def escalation(self, id: str = "42") -> Escalation:
        escalation = self.case(id).escalation
        assert escalation is not None
        return escalation

    def one(self, channel: str, id: str = "42") -> Notification:
        """The newest notification by this way."""
        return [n for n in self.escalation(id).notifications if n.channel == channel][-1]

    def history(self, code: str = "E-1A") -> list[str]:
        return [entry.text for entry in self.store.history(code)]

    def outgoing(self) -> set[str]:
        found: Any = self.redis.zrange(OUT, 0, -1)
        return {" ".join(raw.decode().split()[:2]) for raw in found}

    def troubles(self) -> list[str]:
        return [str(trouble["sentence"]) for trouble in self.operator.open()]


@pytest.fixture
def world(redis: Redis) -> Iterator[World]:
    world = World(redis)
    yield world
    world.helpdesk.goes_on.set()
    for channel in world.channels.values():
        channel.goes_on.set()
