"""One commit: all of it or nothing, whoever else is at it; and every key has an end."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from redis import Redis

from connector import queues
from connector.core.case import Case
from connector.core.contact import Contact
from connector.core.escalation import State
from connector.core.events import Claim, Stop
from connector.core.ticket import Actor, Role
from connector.engine import outgoing
from connector.engine.answering import Answer, Answers
from connector.engine.keys import DUE, EPOCH, LIVE, PAST, PREFIX, case_key, wake_job
from connector.engine.store import Emptied, Writes
from connector.ports import Hint

from .conftest import DANA, World


def everything(redis: Redis) -> dict[bytes, bytes]:
    return {key: redis.dump(key) for key in redis.keys("*")}


def test_a_commit_writes_record_history_timer_and_index(world: World) -> None:
    world.escalating()
    assert world.escalation().state is State.RUNNING
    assert world.history()[-1] == "step 1 of 3, round 1: Dana Reyes"
    assert world.redis.hgetall(LIVE) == {b"42": b"E-1A"}
    assert world.redis.zscore(DUE, "42") == world.redis.zscore(queues.scheduled_key(queues.WORK), wake_job("42"))
    assert world.outgoing() == {f"42 {world.one('push').id}"}


def test_a_commit_on_an_emptied_redis_writes_nothing(world: World) -> None:
    world.escalating()
    world.redis.delete(EPOCH)
    before = everything(world.redis)
    with pytest.raises(Emptied):
        world.engine.happen("42", Claim(world.one("push").id, world.clock.now() + timedelta(seconds=30)))
    assert everything(world.redis) == before


def test_a_commit_that_cannot_be_put_together_writes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.escalating()
    before = everything(world.redis)
    monkeypatch.setattr(outgoing, "write", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        world.engine.happen("42", Stop(Actor(Role.PERSON, "", name="Lee"), world.clock.now()))
    assert everything(world.redis) == before


def test_two_hundred_changes_at_once_are_all_there(world: World) -> None:
    world.escalating()

    def one_more(cases: Mapping[str, Case | None]) -> Sequence[Writes]:
        case = cases["42"]
        assert case is not None
        return [Writes(case, replace(case, lives=case.lives + 1))]

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: world.store.commit(["42"], one_more), range(200)))
    assert world.case().lives == 201


def test_of_twenty_who_acknowledge_at_once_exactly_one_wins(world: World) -> None:
    world.escalating()
    people = [Contact(f"p{n}", f"Person {n}", f"p{n}@example.com") for n in range(20)]
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda who: Answers(world.engine).acknowledge("E-1A", who, "link"), people))
    winner = world.escalation().acknowledged
    assert winner is not None
    assert [answer.kind for answer in found].count(Answer.DONE) == 1
    assert all(winner.by.name in answer.sentence for answer in found)
    world.writes()
    assert [line for line in world.helpdesk.headlines("42") if "acknowledged" in line] == [
        f"Escalation E-1A acknowledged by {winner.by.name} (link)"
    ]


def test_the_timer_goes_when_nothing_is_due_any_more(world: World) -> None:
    world.escalating()
    world.sends()
    world.answers.stop("E-1A", DANA)
    world.engine.wake("42")
    assert world.redis.zrange(DUE, 0, -1) == []
    assert world.redis.zrange(queues.scheduled_key(queues.WORK), 0, -1) == []
    assert world.redis.exists(queues.job_key(wake_job("42"))) == 0


def test_an_ended_escalation_moves_from_the_live_ones_to_the_past(world: World) -> None:
    world.escalating()
    world.helpdesk.closes("42")
    world.looks("42")
    assert world.redis.hgetall(LIVE) == {}
    assert world.store.past_codes() == [("E-1A", "42")]


def test_what_ended_is_forgotten_after_keep(world: World) -> None:
    world.escalating()
    assert world.redis.ttl(case_key("42")) == -1
    world.helpdesk.closes("42")
    world.looks("42")
    keep = world.keep.total_seconds()
    assert keep - 60 < world.redis.ttl(case_key("42")) <= keep
    world.store.forget_old(world.clock.now() + world.keep + timedelta(days=1))
    assert world.redis.zcard(PAST) == 0


def test_every_key_that_grows_with_tickets_has_an_end(world: World) -> None:
    world.escalating()
    world.sends()
    world.answers.acknowledge("E-1A", DANA, "API")
    world.desk.drain()
    world.helpdesk.closes("42")
    world.looks("42")
    world.desk.drain()
    world.delivery.drain()
    world.desk.drain()
    endless = {key.decode() for key in world.redis.keys(f"{PREFIX}*") if world.redis.ttl(key) == -1}
    assert endless == {f"{PREFIX}{name}" for name in ("epoch", "since", "counters", "jobs", "past", "newest-hint")}
    assert {world.redis.zcard(f"{PREFIX}{name}") for name in ("due", "out", "desk", "hints")} == {0}


def test_a_hint_about_what_was_read_since_is_dropped(world: World) -> None:
    world.escalating()
    updated_at = world.case().ticket.updated_at
    assert not world.store.hints.add_if_new(Hint("42", updated_at))
    assert world.store.hints.add_if_new(Hint("42", updated_at + timedelta(milliseconds=1)))
    assert world.store.hints.add_if_new(Hint("42", closed=False))


def test_a_hint_about_a_closed_ticket_that_nobody_knows_is_dropped(world: World) -> None:
    assert not world.store.hints.add_if_new(Hint("77", closed=True))
    assert world.store.hints.add_if_new(Hint("77", closed=False))
