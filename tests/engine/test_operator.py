"""The operator hears of trouble with Escalator itself: once, by every way, and again when it comes back."""

from concurrent.futures import ThreadPoolExecutor

from redis import Redis

from connector.engine.operator import TO_SEND, Operator
from connector.errors import Undelivered

from .conftest import LEE
from .fakes import Channel


def an_operator(redis: Redis, *channels: Channel) -> Operator:
    return Operator(redis, [LEE], {channel.name: channel for channel in channels})


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


def test_a_worker_that_died_over_it_left_it_to_be_sent(redis: Redis) -> None:
    email = Channel("email", trouble=KeyboardInterrupt())
    operator = an_operator(redis, email)
    operator.tell("notes", "Notes wait.")
    try:
        operator.send_open()
    except KeyboardInterrupt:
        email.trouble = None
    operator.send_open()
    assert len(email.sent) == 1
