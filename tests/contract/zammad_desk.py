"""One Escalator beside the Zammad of one captured delivery."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import responses
import time_machine
from redis import Redis

from connector.core.escalation import Escalation

from ..helpdesks.zammad.composed import URL, Composed, composed
from ..helpdesks.zammad.served import serve
from .receiving import LONG, Receiving, plan, settings, stands
from .zammad_before import before, begin_of, moment_of

HELPDESK = {
    "kind": "zammad",
    "url": URL,
    "token": "EXAMPLE-TOKEN",
    "webhook_secret": ["EXAMPLE-SECRET", "test-signature-token"],
}
PRIORITIES = {"3 high": "urgent", "2 normal": "normal"}
MOMENT, SOON = timedelta(milliseconds=100), timedelta(milliseconds=500)


class Desk:
    """One Escalator beside the Zammad of one delivery."""

    def __init__(self, receiving: Receiving, mock: responses.RequestsMock, name: str) -> None:
        self.receiving, self.mock, self.name = receiving, mock, name
        self.it = composed(name)
        self.ticket_id = str(self.it.ticket["id"])
        self.at = moment_of(self.it)
        receiving.clock.move_to(begin_of(self.it) - MOMENT)

    def serve(self, *those: Composed) -> None:
        """Zammad answers like this from now on."""
        self.mock.reset()
        for it in those:
            serve(self.mock, it)

    def read_before(self) -> None:
        """The ticket is known as it was a moment before; one that is being made isn't."""
        earlier = before(self.it)
        if earlier is not None:
            self.serve(earlier)
            self.receiving.look(self.ticket_id, begin_of(self.it) - MOMENT)

    def deliver(self) -> None:
        """The delivery arrives half a second after its last change, and the ticket is read."""
        self.serve(self.it, *self._merged_into())
        self.receiving.take(self.it.raw, self.it.headers, self.at + SOON)

    def _merged_into(self) -> list[Composed]:
        return [composed(self.name.replace("source", "target"))] if self.name.endswith("merged_source") else []

    @property
    def escalation(self) -> Escalation | None:
        return self.receiving.escalation(self.ticket_id)

    @property
    def stands(self) -> str:
        return stands(self.escalation)

    def words(self) -> list[str]:
        """The history, but for the steps that fire meanwhile."""
        history = self.receiving.history(self.ticket_id)
        return [f"{entry.kind}: {entry.text}" for entry in history if entry.kind != "step"]

    def code(self) -> str:
        return self.escalation.code if self.escalation is not None else ""


Make = Callable[..., Desk]


@contextmanager
def desks(redis: Redis) -> Iterator[Make]:
    """make(name, window) -> the desk of that delivery; `rules`, `helpdesk` go to the config, the rest to all plans."""
    with (
        time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False) as clock,
        responses.RequestsMock(assert_all_requests_are_fired=False) as mock,
    ):

        def made(
            name: str,
            window: str = LONG,
            *,
            rules: Any = (),
            priorities: Any = PRIORITIES,
            helpdesk: Any = None,
            **more: Any,
        ) -> Desk:
            plans = {plan_name: plan(window, **more) for plan_name in set(priorities.values())}
            options = {**HELPDESK, **(helpdesk or {})}
            config = settings(options, plans, priorities=priorities, rules=list(rules))
            return Desk(Receiving(config, redis, clock), mock, name)

        yield made
