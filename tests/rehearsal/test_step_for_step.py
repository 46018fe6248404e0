"""A rehearsal climbs each plan as live does, to the second; nobody is told, and the helpdesk is never written to."""

from datetime import timedelta
from itertools import groupby

import pytest
from redis import Redis

from connector.rehearsing import NOT_SENT

from .worlds import PLANS, Played

NOT_WRITTEN = "not written (rehearsal)"


@pytest.mark.parametrize("name", PLANS)
def test_a_rehearsal_and_live_do_the_same_at_the_same_time(redis: Redis, name: str) -> None:
    rehearsed = _played(redis, name, rehearsal=True)
    live = _played(redis, name, rehearsal=False)
    assert rehearsed.timetable("42") == live.timetable("42")
    assert rehearsed.escalation("42").state is live.escalation("42").state
    assert len(rehearsed.timetable("42")) > 3
    assert (rehearsed.delivered(), rehearsed.written()) == ([], 0)
    assert live.delivered()
    assert live.written()


def _played(redis: Redis, plan: str, *, rehearsal: bool) -> Played:
    redis.flushall()
    world = Played(redis, rehearsal=rehearsal)
    world.opens("42", plan)
    world.goes_on(minutes=40)
    return world


@pytest.mark.parametrize("act", ["takes", "closes"])
def test_what_people_do_ends_a_rehearsal_as_it_ends_live(redis: Redis, act: str) -> None:
    ends = []
    for rehearsal in (True, False):
        redis.flushall()
        world = Played(redis, rehearsal=rehearsal)
        world.opens("42", "ladder")
        world.goes_on(minutes=3)
        getattr(world.helpdesk, act)("42")
        world.hint("42")
        world.goes_on(minutes=20)
        ends.append((world.timetable("42"), world.escalation("42").state))
        assert bool(world.delivered()) is not rehearsal
    assert ends[0] == ends[1]
    assert [entry[1] for entry in ends[0][0]].count("step") == 1


def test_the_history_says_what_would_have_been_sent_and_written(redis: Redis) -> None:
    world = Played(redis, rehearsal=True)
    world.opens("42", "ladder")
    world.goes_on(minutes=3)
    assert f"push to Dana Reyes: {NOT_SENT}" in world.history()
    written = [text for text in world.history() if text.startswith(NOT_WRITTEN)]
    assert written[0].startswith(f"{NOT_WRITTEN}: Escalation E-1A, step 1 of 2 (plan ladder) / ")
    assert "Push to Dana Reyes: not sent (rehearsal) / Next: SMS to Lee Adams at " in written[0]
    assert written[1] == f"{NOT_WRITTEN}: live state running, step 1 of 2, plan ladder"


def test_who_acknowledges_by_hand_would_have_been_made_the_owner_and_stays_the_one_who_has_it(redis: Redis) -> None:
    world = Played(redis, rehearsal=True)
    world.opens("42", "ladder")
    world.goes_on(minutes=3)
    dana = world.answers.who("dana")
    assert world.answers.acknowledge("E-1A", dana, "terminal").kind.value == "done"
    world.settles()
    world.hint("42")  # nobody owns the ticket: nothing was written
    world.goes_on(minutes=60)
    assert world.escalation("42").state.value == "acknowledged"
    assert f"{NOT_WRITTEN}: owner dana@example.com" in world.history()
    assert world.written() == 0


def test_what_was_begun_before_a_worker_died_enters_the_history_once(redis: Redis) -> None:
    world = Played(redis, rehearsal=True)
    world.opens("42", "ladder")
    with world.notes_wait():
        world.goes_on(minutes=3)
    waits = redis.lrange("escalator:desk:42", 0, -1)
    world.writes()
    for raw in waits:  # as if the note had never been crossed off
        redis.rpush("escalator:desk:42", raw)
    world.desk.write("42")
    written = [text for text in world.history() if text.startswith(NOT_WRITTEN)]
    assert len(written) == len([text for text, _ in groupby(written)])


def test_a_call_rings_twice_and_is_not_answered(redis: Redis) -> None:
    world = Played(redis, rehearsal=True)
    world.opens("42", "rings")
    begun = world.clock.now()
    world.goes_on(minutes=4)
    told = [entry for entry in world.store.history("E-1A") if entry.kind == "notification"]
    assert [entry.channel for entry in told] == ["phone", "email"]
    assert told[0].at - begun == timedelta(minutes=2, seconds=25 + 45 + 25)
    assert NOT_SENT in str(told[0].text)
