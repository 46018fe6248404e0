"""The helpdesk's clock was ahead and is set right: what people do from then on has earlier times than what was read."""

from dataclasses import replace
from datetime import timedelta

import pytest

from connector.core.escalation import State
from connector.core.ticket import Actor, Change, Kind, Role
from connector.ports import Hint

from .conftest import World

US = Actor(Role.US, "2", "escalator")


@pytest.fixture(params=[1, 5, 30, 60], ids=lambda minutes: f"{minutes}-min")
def set_right(world: World, request: pytest.FixtureRequest) -> World:
    """Ticket 42 escalates, our note on it is read; then the helpdesk's clock is set back to the right time."""
    ahead = timedelta(minutes=request.param)
    world.helpdesk.skew = ahead
    world.helpdesk.ticket("42", age=-ahead)
    world.looks("42")
    world.clock.passes(minutes=6)
    written_at = world.clock.now() + ahead
    world.helpdesk.changes["42"].append(Change("our note", written_at, US, Kind.ARTICLE))
    world.helpdesk.tickets["42"] = replace(world.helpdesk.tickets["42"], updated_at=written_at)
    world.looks("42")
    world.clock.passes(seconds=30)
    world.helpdesk.skew = timedelta(0)
    return world


def test_who_takes_a_ticket_after_that_has_acknowledged(set_right: World) -> None:
    set_right.helpdesk.takes("42")
    set_right.looks("42")
    assert set_right.escalation().state is State.ACKNOWLEDGED


def test_the_webhook_of_it_tells_something_new(set_right: World) -> None:
    set_right.helpdesk.takes("42")
    saved_at = set_right.helpdesk.tickets["42"].updated_at
    assert set_right.store.hints.add_if_new(Hint("42", saved_at, changed_at=saved_at))
    set_right.desk.drain()
    assert set_right.escalation().state is State.ACKNOWLEDGED


def test_a_sweep_finds_it_too(set_right: World) -> None:
    set_right.sweep.look_at_helpdesk()
    set_right.desk.drain()
    set_right.clock.passes(seconds=5)
    set_right.helpdesk.takes("42")
    assert set_right.sweep.look_at_helpdesk() == ["42"]
    set_right.desk.drain()
    assert set_right.escalation().state is State.ACKNOWLEDGED
