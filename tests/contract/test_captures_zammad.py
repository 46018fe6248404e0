"""Every captured Zammad delivery, from its bytes to what becomes of an escalation.

Each one is posted to the real receiver, byte by byte as Zammad sent it; the observer then reads the ticket from a
Zammad that answers as it did at that moment. The escalation stood as the same history left it a moment before.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import responses
import time_machine
from redis import Redis

from ..helpdesks.zammad.composed import NAMES, URL, Composed, composed
from ..helpdesks.zammad.served import serve
from .expected_zammad import EXPECTED, HISTORY, NOTES
from .receiving import ANSWER, LONG, SHORT, Receiving, plan, settings, stands
from .zammad_before import before, begin_of, moment_of

HELPDESK = {
    "kind": "zammad",
    "url": URL,
    "token": "EXAMPLE-TOKEN",
    "webhook_secret": ["EXAMPLE-SECRET", "test-signature-token"],
}
PRIORITIES = {"3 high": "urgent", "2 normal": "normal"}
MOMENT, SOON = timedelta(milliseconds=100), timedelta(milliseconds=500)
CREATED = [name for name in NAMES if EXPECTED[name].startswith("nothing ->")]
LATER = [name for name in NAMES if name not in CREATED]


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
    def stands(self) -> str:
        return stands(self.receiving.escalation(self.ticket_id))

    def words(self) -> list[str]:
        """The history, but for the steps that fire meanwhile."""
        history = self.receiving.history(self.ticket_id)
        return [f"{entry.kind}: {entry.text}" for entry in history if entry.kind != "step"]

    def code(self) -> str:
        escalation = self.receiving.escalation(self.ticket_id)
        return escalation.code if escalation is not None else ""


Make = Callable[..., Desk]


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def make(redis: Redis, mock: responses.RequestsMock) -> Iterator[Make]:
    """make(name, window) -> the desk of that delivery; options go to both plans, `rules` to the config."""
    with time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False) as clock:

        def made(name: str, window: str = LONG, *, rules: Any = (), priorities: Any = PRIORITIES, **more: Any) -> Desk:
            plans = {plan_name: plan(window, **more) for plan_name in set(priorities.values())}
            config = settings(HELPDESK, plans, priorities=priorities, rules=list(rules))
            return Desk(Receiving(config, redis, clock), mock, name)

        yield made


def test_there_is_a_line_in_the_manual_for_every_delivery() -> None:
    assert set(EXPECTED) == set(NAMES)
    assert len([name for name in NAMES if name.startswith("captured/")]) == 43


@pytest.mark.parametrize(("window", "climbing"), [(LONG, "waiting"), (SHORT, "running")])
@pytest.mark.parametrize("name", NAMES)
def test_a_delivery_means_what_the_manual_says(name: str, window: str, climbing: str, make: Make) -> None:
    desk = make(name, window)
    was, becomes = EXPECTED[name].replace("climbing", climbing).split(" -> ")
    desk.read_before()
    assert desk.stands == was
    code, known = desk.code(), desk.words()
    desk.deliver()
    assert desk.stands == becomes
    added = desk.words()[len(known) if desk.code() == code else 0 :]
    assert " / ".join(added) == HISTORY.get(name, "")


@pytest.mark.parametrize("name", LATER)
def test_what_is_heard_of_only_now_ends_the_same(name: str, make: Make) -> None:
    step_by_step, at_once = make(name), make(name)
    step_by_step.read_before()
    step_by_step.deliver()
    stood, told = step_by_step.stands, step_by_step.words()
    at_once = make(name)
    at_once.deliver()
    assert at_once.stands == stood
    assert at_once.words()[-len(told) :] == told


@pytest.mark.parametrize("name", NAMES)
def test_the_same_delivery_twice_or_late_changes_nothing(name: str, make: Make) -> None:
    desk = make(name)
    desk.read_before()
    earlier = desk.receiving.services.helpdesk.read(desk.ticket_id) if before(desk.it) else None
    desk.deliver()
    kept = desk.receiving.kept(desk.ticket_id)
    assert desk.receiving.post(desk.it.raw, desk.it.headers) == ANSWER
    assert desk.receiving.hints() == []
    assert desk.receiving.count("hints_dropped") == 1
    desk.receiving.look(desk.ticket_id, desk.at + SOON + SOON)
    assert desk.receiving.kept(desk.ticket_id) == kept
    if earlier is not None:  # a reading that was begun before and is taken in after
        desk.receiving.services.observer.take_in(earlier)
        assert desk.receiving.kept(desk.ticket_id) == kept
