"""The operator hears of trouble with Escalator itself: once, by every way, and again when it comes back."""

import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from redis import Redis

from connector import services
from connector.engine.operator import ALL_IS_WELL, TO_SEND, TROUBLES, Operator
from connector.errors import Undelivered
from connector.jobs import JOBS

from ..redis.processes import until
from .conftest import LEE, World
from .fakes import Channel


def an_operator(redis: Redis, *channels: Channel) -> Operator:
    return Operator(redis, [LEE], {channel.name: channel for channel in channels})


def dies(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_trouble_is_sent_by_every_way(redis: Redis) -> None:
    email, sms = Channel("email"), Channel("sms")
    operator = an_operator(redis, email, sms)
    operator.tell("sweep", "The helpdesk can't be asked.")
    operator.send_open()
    assert [m.line for m in (*email.sent, *sms.sent)] == ["The helpdesk can't be asked."] * 2
    assert [trouble["topic"] for trouble in operator.open()] == ["sweep"]


def test_it_is_sent_once_an_hour_whatever_its_words(redis: Redis) -> None:
    email = Channel("email")
    operator = an_operator(redis, email)
    for number in range(500):
        operator.tell("notes", f"Note {number} waits.")
    operator.send_open()
    operator.send_open()
    assert len(email.sent) == 1


def test_settled_it_is_no_longer_shown_and_may_be_told_again_soon(redis: Redis) -> None:
    operator = an_operator(redis)
    operator.tell("notes", "Notes wait.")
    operator.settled("notes")
    assert operator.open() == []
    (guard,) = redis.keys("escalator:trouble:*")
    assert 0 < redis.ttl(guard) <= 600


def test_what_was_no_trouble_is_settled_without_a_word(redis: Redis) -> None:
    an_operator(redis).settled("notes")
    assert redis.keys("*") == []


def test_a_way_that_fails_does_not_keep_the_others_from_being_tried(redis: Redis) -> None:
    email, sms = Channel("email", trouble=ValueError("a bug")), Channel("sms")
    operator = an_operator(redis, email, sms)
    operator.tell("notes", "Notes wait.")
    operator.send_open()
    assert len(sms.sent) == 1
    assert redis.llen(TO_SEND) == 0


def test_told_by_no_way_it_may_be_told_again_after_a_minute(redis: Redis) -> None:
    operator = an_operator(redis, Channel("email", trouble=Undelivered("away")))
    operator.tell("notes", "Notes wait.")
    operator.send_open()
    (guard,) = redis.keys("escalator:trouble:*")
    assert 0 < redis.ttl(guard) <= 60


def test_without_anybody_to_tell_nothing_piles_up(redis: Redis) -> None:
    operator = Operator(redis)
    operator.tell("notes", "Notes wait.")
    operator.send_open()
    assert redis.llen(TO_SEND) == 0


def test_two_workers_send_it_once(redis: Redis) -> None:
    email = Channel("email")
    operator = an_operator(redis, email)
    operator.tell("notes", "Notes wait.")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: operator.send_open(), range(8)))
    assert len(email.sent) == 1


def test_a_worker_that_died_over_it_left_it_to_be_sent(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    email = Channel("email")
    operator = an_operator(redis, email)
    operator.tell("notes", "Notes wait.")
    with monkeypatch.context() as death:
        death.setattr(Operator, "say", dies)
        with pytest.raises(KeyboardInterrupt):
            operator.send_open()
    operator.send_open()
    assert len(email.sent) == 1


def test_a_way_that_hangs_keeps_neither_the_others_nor_the_next_trouble_waiting(redis: Redis) -> None:
    email, sms = Channel("email"), Channel("sms")
    email.goes_on.clear()
    operator = an_operator(redis, email, sms)
    assert operator.ways.say("a", "Notes wait.", within=0.5)
    assert operator.ways.say("b", "Timers stopped.", within=10)  # nobody waits for mail any more
    assert [message.line for message in sms.sent] == ["Notes wait.", "Timers stopped."]
    email.goes_on.set()


def test_what_is_no_trouble_silences_nobody(redis: Redis) -> None:
    email = Channel("email")
    operator = an_operator(redis, email)
    for spoiled in (b"\xff{", b"[]", b'{"id": 1}', b'{"id": 1, "topic": 2, "sentence": 3, "at": "never"}'):
        redis.rpush(TO_SEND, spoiled)
        redis.hset(TROUBLES, spoiled, spoiled)
    operator.tell("notes", "Notes wait.")
    operator.send_open()
    assert [message.line for message in email.sent] == ["Notes wait."]
    assert redis.llen(TO_SEND) == 0
    assert [trouble["topic"] for trouble in operator.open()] == ["notes"]


def test_a_trouble_of_several_tickets_is_over_when_it_is_over_for_each(redis: Redis) -> None:
    operator = an_operator(redis)
    operator.tell("notes", "Notes wait.", about="42")
    operator.tell("notes", "Notes wait.", about="43")
    assert not operator.settled("notes", about="42")
    assert len(operator.open()) == 1
    assert operator.settled("notes", about="43")
    assert operator.open() == []


def test_what_comes_back_is_open_again_although_it_is_not_told_again_yet(redis: Redis) -> None:
    operator = an_operator(redis)
    operator.tell("notes", "Notes wait.")
    operator.settled("notes")
    operator.tell("notes", "Notes wait.")
    assert len(operator.open()) == 1
    assert redis.llen(TO_SEND) == 1


def test_one_line_says_that_all_is_well_again_and_then_a_trouble_is_told_anew(redis: Redis) -> None:
    email = Channel("email")
    operator = an_operator(redis, email)
    assert not operator.well()  # nothing was wrong
    operator.tell("notes", "Notes wait.")
    operator.tell("sweep", "The helpdesk can't be asked.")
    operator.settled("notes")
    assert not operator.well()
    operator.settled("sweep")
    assert operator.well()
    assert not operator.well()
    operator.tell("notes", "Notes wait.")
    operator.send_open()
    said = [message.line for message in email.sent]
    assert said == ["Notes wait.", "The helpdesk can't be asked.", ALL_IS_WELL, "Notes wait."]


def test_while_a_way_hangs_the_desk_reads_tickets(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Just when mail is in trouble a step must not wait for the look at who has taken its ticket."""
    monkeypatch.setattr(services, "current", lambda: world)
    world.channels["email"].goes_on.clear()
    world.operator.tell("notes", "Notes wait.")
    with ThreadPoolExecutor(1) as worker:
        job = worker.submit(JOBS["operator"])
        assert world.channels["email"].entered.wait(30)
        world.store.hints.add([world.helpdesk.ticket("42")])
        try:
            until(lambda: world.store.case("42") is not None, within=20)
        finally:
            world.channels["email"].goes_on.set()
        job.result(timeout=30)
    assert [message.line for message in world.channels["email"].sent] == ["Notes wait."]


def test_what_slow_ways_leave_over_is_sent_by_the_next_job(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    email = Channel("email")
    operator = an_operator(redis, email)
    for topic in ("notes", "sweep"):
        operator.tell(topic, f"Trouble with the {topic}.")
    left = iter([0.0, 0.0, 100.0])
    with monkeypatch.context() as slow:
        slow.setattr("connector.engine.operator.time", SimpleNamespace(monotonic=lambda: next(left), time=time.time))
        operator.send_open()
    assert [message.line for message in email.sent] == ["Trouble with the notes."]
    operator.send_open()
    assert [message.line for message in email.sent] == ["Trouble with the notes.", "Trouble with the sweep."]
