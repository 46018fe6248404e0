"""Who has a ticket and does nothing is asked quietly, beside the note: claimed, sent and recorded as all else."""

from dataclasses import replace
from datetime import timedelta

import pytest
from redis import Redis

from connector.core.escalation import Stage, State
from connector.core.plan import Policy
from connector.engine.answering import Answer
from connector.errors import Undelivered

from .conftest import DANA, LEE, MAJOR, MINUTE, World

PATIENT = Policy({"major": replace(MAJOR, acknowledged_for=60 * MINUTE)}, (), {"3 high": "major"})


@pytest.fixture
def world(redis: Redis) -> World:
    """Dana took ticket 42 an hour ago, and nothing was done on it since."""
    world = World(redis, PATIENT)
    world.escalating()
    world.sends()
    world.answers.acknowledge("E-1A", DANA, "push")
    world.sends()
    world.channels["push"].sent.clear()
    world.clock.passes(minutes=60)
    world.looks("42")
    world.engine.wake("42")
    return world


def test_the_question_goes_to_who_has_it_by_a_quiet_way(world: World) -> None:
    world.sends()
    [message] = world.channels["push"].sent
    assert (message.purpose, message.contacts) == ("still-on-it", (DANA,))
    assert message.line == "E-1A, ticket 50042: still on it?"
    assert message.next_at == world.escalation().due_at
    assert not any(world.channels[name].sent for name in ("sms", "phone", "email"))
    assert world.history()[-1] == "still on it? push to Dana Reyes: accepted"
    assert world.outgoing() == set()


def test_its_link_says_yes_and_the_time_starts_anew(world: World) -> None:
    world.sends()
    link = world.store.link(world.channels["push"].sent[0].id)
    assert link is not None
    assert world.answers.told(link) == DANA
    answered = world.answers.acknowledge(link, DANA, "push")
    assert answered.kind is Answer.DONE
    assert answered.sentence == "E-1A, ticket 50042: acknowledged by Dana Reyes."
    due_at = world.escalation().due_at
    assert due_at is not None
    assert due_at > world.clock.now() + timedelta(minutes=59)
    assert world.history()[-1] == "by Dana Reyes (push): still on it"


def test_a_second_press_finds_it_answered(world: World) -> None:
    world.sends()
    assert world.answers.acknowledge("E-1A", DANA, "push").kind is Answer.DONE
    assert world.answers.acknowledge("E-1A", DANA, "push").kind is Answer.ALREADY


def test_somebody_else_is_told_who_has_it_and_the_question_stands(world: World) -> None:
    assert world.answers.acknowledge("E-1A", LEE, "link").kind is Answer.ALREADY
    assert world.escalation().asked_at is not None


def test_an_answer_before_it_went_out_leaves_nothing_to_be_sent(world: World) -> None:
    world.answers.acknowledge("E-1A", DANA, "link")
    world.sends()
    assert world.channels["push"].sent == []
    assert world.outgoing() == set()


def test_a_lost_answer_of_the_provider_is_asked_for(world: World) -> None:
    push = world.channels["push"]
    push.cut = True
    world.sends()
    world.clock.passes(seconds=6)
    world.sends()
    assert (len(push.sent), push.asked) == (1, [push.sent[0].id])
    assert world.one("push").outcome == "found there"


def test_a_dead_senders_question_that_was_answered_is_forgotten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(point: str) -> None:
        if point == "sending claimed":
            raise SystemExit

    monkeypatch.setattr("connector.engine.delivery.reached", dies)
    with pytest.raises(SystemExit):
        world.sends()
    monkeypatch.undo()
    world.answers.acknowledge("E-1A", DANA, "link")
    world.clock.passes(seconds=32)
    world.engine.wake("42")
    world.sends()
    assert world.channels["push"].sent == []
    assert world.one("push").stage is Stage.ENDED
    assert world.outgoing() == set()


def test_who_has_no_such_way_is_asked_on_the_ticket_alone(world: World) -> None:
    world.channels["push"].address = lambda _: ""  # type: ignore[method-assign]
    before = world.history()
    world.sends()
    assert world.history() == before
    assert world.troubles() == []
    assert world.outgoing() == set()


def test_a_provider_that_is_away_is_tried_again_until_the_time_to_answer_is_over(world: World) -> None:
    world.channels["push"].trouble = Undelivered("the provider could not be reached")
    for _ in range(40):
        world.sends()
        world.clock.passes(seconds=30)
    assert world.one("push").stage is Stage.ENDED
    assert world.escalation().state is State.ACKNOWLEDGED
    world.looks("42")
    world.engine.wake("42")
    assert (world.escalation().state, world.escalation().step) == (State.RUNNING, 1)


def test_being_asked_is_not_being_told_so_no_all_clear_follows(world: World) -> None:
    world.sends()
    world.channels["push"].sent.clear()
    assert [told.channel for told in world.escalation().told] == ["push"]  # by the first step
    world.answers.stop("E-1A", LEE)
    world.sends()
    assert world.channels["push"].sent == []
