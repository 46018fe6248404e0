"""What the helpdesk's lists show of an escalation: status, plan, step, and when the next thing happens by itself."""

from dataclasses import replace
from datetime import timedelta

import pytest

from connector.core.escalation import State
from connector.engine.writing import live_state
from connector.ports import Live

from .conftest import World


def shown(world: World) -> Live:
    world.writes()
    return world.helpdesk.shown["42"][-1]


def test_while_it_climbs_the_next_step_is_due(world: World) -> None:
    world.escalating()
    world.sends()
    world.clock.passes(seconds=10)
    world.engine.wake("42")
    due_at = world.escalation().due_at
    assert shown(world) == Live("running", "major", "1 of 3", due_at)
    assert due_at is not None


def test_once_somebody_has_it_nothing_comes_by_itself_and_in_the_end_nothing_is_shown(world: World) -> None:
    world.escalating()
    world.writes()
    world.clock.passes(seconds=10)
    world.helpdesk.takes("42")
    world.looks("42")
    assert shown(world) == Live("acknowledged", "major", "1 of 3")
    world.clock.passes(seconds=10)
    world.helpdesk.closes("42")
    world.looks("42")
    assert shown(world) == Live()


@pytest.mark.parametrize(
    ("state", "told"),
    [
        *((state, True) for state in (State.WAITING, State.RUNNING, State.HELD)),
        *((state, False) for state in (State.ACKNOWLEDGED, State.EXHAUSTED, State.RESOLVED, State.CANCELLED)),
    ],
)
def test_the_time_is_told_except_where_it_moves_again_and_again(world: World, state: State, told: bool) -> None:
    world.escalating()
    due_at = world.clock.now() + timedelta(minutes=5)
    escalation = replace(world.escalation(), state=state, shown=True, due_at=due_at)
    assert live_state(escalation).due_at == (due_at if told else None)
    assert live_state(replace(escalation, shown=False)) == Live()
