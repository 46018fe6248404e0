"""A ticket on which Escalator itself fails: nobody else waits for it, nothing is sent twice, and the operator hears."""

from typing import Any

import pytest

from connector.core.escalation import Stage, State
from connector.engine import engine as engine_module
from connector.engine.keys import DUE, HINTS, case_key

from .conftest import World


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every tick raises."""

    def raises(*_: Any) -> None:
        raise KeyError("something that nobody thought of")

    monkeypatch.setattr(engine_module.Engine, "_tick", raises)


def due(world: World) -> None:
    """A ticket whose response window has just ended, and nobody has looked since."""
    world.helpdesk.ticket("42")
    world.looks("42")
    world.clock.passes(minutes=5)


def fails(world: World, times: int) -> None:
    for _ in range(times):
        world.engine.wake("42")


def waits(world: World) -> int:
    return round(world.redis.zscore(DUE, "42") - world.clock.now().timestamp())  # type: ignore[operator]


def test_it_is_tried_ever_less_often_and_the_fifth_time_the_step_is_parked(world: World, broken: None) -> None:
    due(world)
    found = []
    for _ in range(5):
        world.engine.wake("42")
        found.append(waits(world))
        assert len(world.troubles()) == (1 if len(found) >= 5 else 0)
    # the second step's own time, less the look before it, and less what this took
    assert found == [1, 5, 15, 30, pytest.approx(295, abs=10)]
    assert world.troubles() == ["Escalator failed on a step of E-1A five times and left it out; see the log."]


def test_a_parked_step_stands_in_the_history_and_plainly_on_the_ticket(world: World, broken: None) -> None:
    due(world)
    fails(world, 5)
    world.writes()
    assert world.history()[-1] == "step 1 of 3: parked, Escalator failed on it five times"
    assert world.helpdesk.notes["42"][-1].lines == (
        "Escalation E-1A: step 1 of 3 is left out",
        "Escalator failed on it five times. Its operator has been told.",
    )


def test_the_next_step_comes_at_its_own_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as mistake:
        mistake.setattr(engine_module.Engine, "_tick", lambda *_: 1 / 0)
        due(world)
        fails(world, 5)
    world.clock.passes(minutes=5)
    world.looks("42")
    world.engine.wake("42")
    world.sends()
    assert [message.step for message in world.channels["phone"].sent] == [2]
    assert world.channels["push"].sent == []


def test_failures_of_another_step_do_not_count_for_this_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as mistake:
        mistake.setattr(engine_module.Engine, "_tick", lambda *_: 1 / 0)
        due(world)
        fails(world, 3)
    world.looks("42")
    assert world.escalation().step == 1
    monkeypatch.setattr(engine_module.Engine, "_tick", lambda *_: 1 / 0)
    world.clock.passes(minutes=5)
    fails(world, 4)
    assert (world.escalation().step, world.troubles()) == (1, [])
    fails(world, 1)
    assert world.escalation().step == 2


def test_what_can_not_be_understood_is_tried_every_five_minutes(world: World) -> None:
    world.redis.set(case_key("42"), b'{"ticket": 1}')
    world.redis.zadd(DUE, {"42": 1.0})
    fails(world, 6)
    assert waits(world) == 300
    assert world.troubles() == ["Escalator fails on the ticket with id 42 again and again; see the log."]


def test_others_go_on_meanwhile(world: World) -> None:
    world.escalating("43")
    world.redis.set(case_key("42"), b'{"ticket": 1}')
    world.redis.zadd(DUE, {"42": 1.0})
    world.engine.wake("42")
    world.sends()
    assert [message.ticket_id for message in world.channels["push"].sent] == ["43"]
    assert set(world.store.cases(["42", "43"])) == {"43"}


def test_what_works_again_goes_on_where_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.helpdesk.ticket("42")
    world.looks("42")
    with monkeypatch.context() as mistake:
        mistake.setattr(engine_module.Engine, "_tick", lambda *_: 1 / 0)
        for _ in range(4):
            world.engine.wake("42")
    world.clock.passes(minutes=5)
    world.looks("42")
    world.engine.wake("42")
    assert world.escalation().state is State.RUNNING


def test_an_outcome_is_kept_though_the_tick_after_it_fails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.escalating()
    monkeypatch.setattr(engine_module.Engine, "_tick", lambda *_: 1 / 0)
    world.sends()
    world.clock.passes(minutes=1)
    world.sends()
    assert (len(world.channels["push"].sent), world.one("push").stage) == (1, Stage.ENDED)


def test_a_note_without_words_stops_no_step(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.engine.writing.note_lines", lambda *_: 1 / 0)
    world.escalating()
    world.sends()
    world.writes()
    assert len(world.channels["push"].sent) == 1
    assert world.helpdesk.notes["42"][0].lines == (
        "Escalation E-1A: step",
        "Escalator could not put the rest into words.",
    )


def test_who_has_it_is_taken_in_although_what_follows_fails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.escalating("42")
    world.sends()
    monkeypatch.setattr("connector.core.following.clear_up", lambda *_: 1 / 0)
    world.helpdesk.takes("42")
    world.looks("42")
    assert world.escalation().state is State.ACKNOWLEDGED
    world.clock.passes(minutes=5)
    world.engine.wake("42")
    world.sends()
    assert [message.step for channel in world.channels.values() for message in channel.sent] == [1]


def test_and_what_failed_after_a_reading_is_tried_again_with_another_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.escalating("42")
    world.sends()
    with monkeypatch.context() as mistake:
        mistake.setattr("connector.core.following.clear_up", lambda *_: 1 / 0)
        world.helpdesk.takes("42")
        for told in (0, 0, 0, 0, 1):
            world.looks("42")
            assert len(world.troubles()) == told
    assert world.redis.zscore(HINTS, "42") > world.clock.now().timestamp()  # type: ignore[operator]
    assert world.troubles() == ["Escalator fails on the ticket with id 42 again and again; see the log."]

    world.looks("42")
    world.sends()
    assert [message.purpose.value for message in world.channels["push"].sent] == ["step", "all-clear"]
