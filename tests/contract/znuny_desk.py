"""One Escalator beside the Znuny of one captured event."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import responses
import time_machine
from redis import Redis

from connector.core.escalation import Escalation

from ..helpdesks.znuny.composed import BASE, SECRET, URL, Composed, composed, serve
from .receiving import LONG, Receiving, plan, settings, stands
from .znuny_before import before, begin_of, moment_of

HELPDESK = {
    "kind": "znuny",
    "url": URL,
    "user": "escalation",
    "password": "escalation-pw",
    "webhook_secret": SECRET,
}
PRIORITIES = {"5 very high": "urgent", "4 high": "high", "3 normal": "normal"}
MOMENT, SOON = timedelta(milliseconds=100), timedelta(milliseconds=500)
TARGET = "ui-priority-by-anna.1-TicketPriorityUpdate"  # ticket 7, into which ticket 9 is merged, while it is open


class Desk:
    def __init__(self, receiving: Receiving, mock: responses.RequestsMock, it: Composed) -> None:
        self.receiving, self.mock, self.it = receiving, mock, it
        self.ticket_id = it.ticket_id

    def serve(self, it: Composed, *others: Composed) -> None:
        """Znuny answers like this from now on."""
        self.mock.reset()
        serve(self.mock, it)
        for other in others:
            self.mock.get(f"{BASE}/Ticket/{other.ticket_id}", json=other.ticket)
            self.mock.get(f"{BASE}/TicketHistory/{other.ticket_id}", json=other.history)

    def read_before(self) -> None:
        """The ticket is known as it was a moment before; one that is being made isn't."""
        earlier = before(self.it)
        self.receiving.clock.move_to(begin_of(self.it) - MOMENT)
        if earlier is not None:
            self.serve(earlier)
            self.receiving.look(self.ticket_id, begin_of(self.it) - MOMENT)

    def deliver(self) -> None:
        """The event arrives half a second after the act, and the ticket is read."""
        self.serve(self.it, *([composed(TARGET)] if "merge" in self.it.name else []))
        self.receiving.take(self.it.raw, self.it.headers, moment_of(self.it) + SOON)

    @property
    def escalation(self) -> Escalation | None:
        return self.receiving.escalation(self.ticket_id)

    @property
    def stands(self) -> str:
        return stands(self.escalation)

    def kinds(self) -> list[str]:
        """The kinds of the history's entries, but for the steps that fire meanwhile."""
        return [entry.kind for entry in self.receiving.history(self.ticket_id) if entry.kind != "step"]


Make = Callable[..., Desk]


def renumbered(it: Composed, ticket_id: str) -> Composed:
    """The same story told of another ticket."""
    ticket = {**it.ticket["Ticket"][0], "TicketID": int(ticket_id)}
    lines = [{**line, "TicketID": ticket_id} for line in it.history["TicketHistory"][0]["History"]]
    history = {"TicketHistory": [{"TicketID": ticket_id, "History": lines}]}
    return replace(it, ticket_id=ticket_id, ticket={"Ticket": [ticket]}, history=history)


@contextmanager
def desks(redis: Redis) -> Iterator[Make]:
    """make(name, window) -> the desk of that event; `helpdesk` are more of its options."""
    with (
        time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False) as clock,
        responses.RequestsMock(assert_all_requests_are_fired=False) as mock,
    ):

        def made(name: str, window: str = LONG, *, helpdesk: Any = None, **more: Any) -> Desk:
            plans = {plan_name: plan(window, **more) for plan_name in set(PRIORITIES.values())}
            config = settings({**HELPDESK, **(helpdesk or {})}, plans, priorities=PRIORITIES)
            return Desk(Receiving(config, redis, clock), mock, composed(name))

        yield made
