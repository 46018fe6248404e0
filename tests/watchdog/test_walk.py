"""The walk over all live escalations: it finds what is late although timers, queues and indexes say nothing."""

import pytest
from redis import Redis

from connector.clockwork.settling import settle_tickets
from connector.clockwork.walk import Walk
from connector.core.overdue import What
from connector.engine.keys import DESK, DUE, LIVE, OUT, case_key
from tests.engine.conftest import World


@pytest.fixture
def world(redis: Redis) -> World:
    return World(redis)


def counted(world: World, walk: Walk | None = None) -> dict[str, int]:
    walked = (walk or Walk(world.redis)).walk(world.clock.now())
    return {what.value: count for what, count in walked.counts.items()}


def test_nothing_is_late_while_all_goes_well(world: World) -> None:
    world.escalating()
    world.sends()
    world.writes()
    walked = Walk(world.redis).walk(world.clock.now())
    assert (walked.live, walked.counts, walked.spoiled) == (1, {}, 0)


def test_a_step_that_nobody_fires_is_found_whatever_the_indexes_say(world: World) -> None:
    world.helpdesk.ticket("42")
    world.looks("42")
    world.clock.passes(minutes=5, seconds=16)
    world.redis.delete(DUE, OUT)
    assert counted(world) == {"steps": 1}
    world.redis.delete(LIVE)
    assert counted(world) == {"steps": 1}  # among all keys


def test_a_notification_that_nobody_begins_is_found(world: World) -> None:
    world.escalating()
    world.redis.delete(OUT)
    world.clock.passes(seconds=16)
    walked = Walk(world.redis).walk(world.clock.now())
    assert walked.oldest[What.NOTIFICATION].code == "E-1A"
    assert walked.tickets == {"42"}


def test_a_note_that_stands_first_for_half_a_minute_is_found(world: World) -> None:
    world.escalating()
    world.sends()
    world.redis.delete(DESK)
    walk = Walk(world.redis)
    assert counted(world, walk) == {}
    walk._heads = {ticket: (head, since - 31) for ticket, (head, since) in walk._heads.items()}
    assert counted(world, walk) == {"notes": 1}
    world.redis.lpop("escalator:desk:42")
    assert counted(world, walk) == {}


def test_a_record_that_can_not_be_understood_hides_no_other(world: World) -> None:
    world.escalating("43")
    world.redis.delete(OUT)
    world.redis.set(case_key("42"), b'{"escalation": 1}')
    world.redis.hset(LIVE, "42", "E-1A")
    world.clock.passes(seconds=16)
    walked = Walk(world.redis).walk(world.clock.now())
    assert (walked.spoiled, walked.counts[What.NOTIFICATION]) == (1, 1)


def test_troubles_of_single_tickets_are_over_when_the_tickets_show_it(world: World) -> None:
    world.escalating()
    for topic in ("notes", "notes-refused", "live-state", "unreadable", "failing"):
        world.operator.tell(topic, topic, about="42")
    world.operator.tell("parked", "parked", about="42 E-1A:running:1:1")
    world.redis.rpush("escalator:desk:42", b"a note that waits")
    world.store.hints.add(["42"])
    settle(world)
    assert topics(world) == {"notes", "notes-refused", "live-state", "unreadable", "failing", "parked"}
    world.redis.delete("escalator:desk:42", "escalator:show:42")
    world.observer.look("42")
    settle(world)
    assert topics(world) == {"notes-refused", "live-state", "parked"}
    world.helpdesk.closes("42")
    world.looks("42")
    world.writes()
    settle(world)
    assert topics(world) == set()


def settle(world: World) -> None:
    settle_tickets(world.store, world.operator, Walk(world.redis).walk(world.clock.now()))


def topics(world: World) -> set[object]:
    return {trouble["topic"] for trouble in world.operator.open()}
