"""The engine with the real adapter and a sandbox Zammad over HTTP; only the clocks are shortened, both alike."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from redis import Redis

from connector.core.plan import Plan, Policy, Step
from connector.engine.desk import Desk
from connector.engine.observer import Observer
from connector.engine.places import Places, rationed
from connector.helpdesks.zammad import build
from connector.sandbox.zammad import SandboxZammad
from tests.engine.conftest import World
from tests.engine.fakes import Clock

SECRET = "EXAMPLE-SECRET"
MINUTE = timedelta(minutes=1)
CALM = Plan("calm", 30 * MINUTE, (Step(("dana",), ("email",)), Step(("lee",), ("email",), after=5 * MINUTE)), ("dana",))


class Outage(World):
    """`zammad` is the helpdesk and its people, `world.clock` the time of both."""

    def __init__(self, redis: Redis, zammad: SandboxZammad, clock: Clock) -> None:
        super().__init__(redis, Policy({"calm": CALM}, (), {"3 high": "calm"}), clock=clock)
        self.zammad = zammad
        made = build({"url": zammad.url, "token": zammad.escalator.token, "webhook_secret": SECRET})
        made._now = clock.now  # type: ignore[attr-defined]  # as the sandbox's `now`
        self.store.hints.now = lambda: clock.now().timestamp()
        self.adapter = made
        self.asks = rationed(made, Places(redis))
        self.observer = Observer(self.asks, self.engine, self.store, clock, lambda: self.since)
        self.desk = Desk(self.asks, self.observer, self.engine, self.store, clock)
        self.sweep = type(self.sweep)(self.asks, self.store, self.operator, clock, self.policy)

    def due(self) -> None:
        """What is due on any escalation happens, and people are told."""
        for ticket in self.store.live_tickets():
            self.engine.wake(ticket)
        self.sends()

    def headlines(self, ticket: str) -> list[str]:
        """The first lines of our notes, as they stand there."""
        notes = sorted(self.zammad.notes(ticket), key=lambda note: int(note["id"]))
        return [str(note["body"]).split("<br>")[0] for note in notes]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def zammad(clock: Clock) -> Iterator[SandboxZammad]:
    with SandboxZammad(delivery_delay=0.01, now=clock.now) as running:
        yield running


@pytest.fixture
def world(redis: Redis, zammad: SandboxZammad, clock: Clock) -> Outage:
    world = Outage(redis, zammad, clock)
    world.adapter.about()  # states and agents are known, as after a while
    return world
