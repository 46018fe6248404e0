"""No more than four questions at a time to the helpdesk, by however many processes; fresh looks find a place."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from redis import Redis

from connector.engine import places as module
from connector.engine.places import CALLS, Places, fresh_look, rationed
from connector.errors import HelpdeskAway
from connector.ports import Row
from connector.redis_server import EmbeddedRedis, connect

from .conftest import World


class Counting:
    """A helpdesk that counts how many questions are asked of it at the same moment."""

    def __init__(self) -> None:
        self.lock, self.now, self.most = threading.Lock(), 0, 0
        self.crowded = threading.Event()

    def read(self, ticket_id: str) -> str:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.crowded.wait(0.05)
        with self.lock:
            self.now -= 1
        return ticket_id

    def find_changed(self, since: int) -> Iterator[int]:
        yield from range(since)

    def rows(self, ids: Sequence[str]) -> Sequence[Row]:
        raise HelpdeskAway("No answer.")


def test_several_hosts_together_ask_no_more_than_four_questions_at_a_time(redis_server: EmbeddedRedis) -> None:
    helpdesk = Counting()
    hosts: list[Any] = [rationed(helpdesk, Places(connect(redis_server.url))) for _ in range(3)]  # type: ignore[arg-type]

    def ask(number: int) -> str:
        if number % 5:
            return str(hosts[number % 3].read(str(number)))
        with fresh_look():
            return str(hosts[number % 3].read(str(number)))

    with ThreadPoolExecutor(15) as pool:
        assert sorted(pool.map(ask, range(60)), key=int) == [str(number) for number in range(60)]
    assert 2 <= helpdesk.most <= 4


def test_a_place_is_kept_free_for_fresh_looks(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.1)
    places = Places(redis)
    with ExitStack() as held:
        for _ in range(3):
            held.enter_context(places.hold())
        with pytest.raises(HelpdeskAway), places.hold():
            pass
        with fresh_look(), places.hold():
            assert redis.zcard(CALLS) == 4
    assert redis.zcard(CALLS) == 0


def test_a_place_ends_with_its_holder(redis: Redis) -> None:
    for dead in ("one", "two", "three"):  # whose processes are gone, and keep them no longer
        redis.eval(module._TAKE, 1, CALLS, dead, "0.3", "4")
    assert redis.zcard(CALLS) == 3
    with Places(redis).hold():
        assert redis.zcard(CALLS) == 1


def test_a_place_is_kept_while_its_holder_works(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TTL", 1.5)
    monkeypatch.setattr(module, "RENEW", 0.1)
    with Places(redis).hold():
        first = dict(redis.zrange(CALLS, 0, -1, withscores=True))  # type: ignore[arg-type]
        until = dict(first)
        while until == first:  # moved on by the thread that keeps it
            until = dict(redis.zrange(CALLS, 0, -1, withscores=True))  # type: ignore[arg-type]
        assert until.keys() == first.keys()


def test_a_long_search_holds_a_place_only_while_it_asks(redis: Redis) -> None:
    helpdesk: Any = rationed(Counting(), Places(redis))  # type: ignore[arg-type]
    found = helpdesk.find_changed(450)
    held = [redis.zcard(CALLS) for _ in found]
    assert (len(held), set(held)) == (450, {0})


def test_a_question_that_fails_gives_its_place_back(redis: Redis) -> None:
    helpdesk: Any = rationed(Counting(), Places(redis))  # type: ignore[arg-type]
    with pytest.raises(HelpdeskAway):
        helpdesk.rows(["42"])
    assert redis.zcard(CALLS) == 0


def test_the_desk_leaves_a_place_to_the_fresh_look_of_a_step(world: World) -> None:
    for id in range(100, 110):
        world.helpdesk.ticket(str(id))
    world.store.hints.add([str(id) for id in range(100, 110)])
    assert len(world.desk._due(set(), 4)) == 3
    world.redis.zadd("escalator:hints", {"42": 0})
    assert list(world.desk._due({"100", "101", "102"}, 1)) == ["42"]
