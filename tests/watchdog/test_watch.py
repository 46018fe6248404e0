"""One look: what it tells, sends by itself, settles and says without Redis."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis

from connector.clockwork import watch as watch_module
from connector.clockwork.readiness import WATCHDOG, reasons
from connector.clockwork.timers import HEARTBEAT
from connector.clockwork.watch import Watch
from connector.engine.operator import ALL_IS_WELL, Operator
from connector.engine.store import Store
from connector.redis_server import connect
from tests.engine.conftest import LEE, World
from tests.engine.fakes import Channel


@pytest.fixture
def world(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in which timers tick, and whose watchdog neither settles in nor looks twice."""
    for name in ("SETTLE_IN", "SEEN_TWICE", "UNSENT", "CALM"):
        monkeypatch.setattr(watch_module, name, 0.0)
    redis.set(HEARTBEAT, repr(time.time()))
    return World(redis)


def watch_of(world: World, **more: object) -> Watch:
    watch = Watch(world.store, world.operator, frozenset(), timedelta(minutes=1), **more)  # type: ignore[arg-type]
    watch._workers.look = list  # type: ignore[method-assign]  # nobody works here
    return watch


def said(world: World) -> list[str]:
    return [message.line for message in world.channels["email"].sent]


def finished(watch: Watch) -> None:
    for thread in list(watch._busy.values()):
        thread.join(30)


def test_what_is_wrong_is_told_and_sent_without_a_worker_and_over_when_it_is_over(world: World) -> None:
    watch = watch_of(world)
    world.redis.set(HEARTBEAT, repr(time.time() - 60))
    watch.look()
    finished(watch)
    assert len(said(world)) == 1
    assert "timers" in [each.get("what") for each in reasons(world.store, world.operator)]
    world.redis.set(HEARTBEAT, repr(time.time()))
    watch.look()
    assert reasons(world.store, world.operator) == []
    for _ in range(3):
        watch.look()
        finished(watch)
    assert said(world)[1:] == [ALL_IS_WELL]


def test_a_look_leaves_its_figures_for_the_metrics(world: World) -> None:
    world.escalating()
    watch_of(world).look()
    found = world.redis.hgetall(WATCHDOG)
    assert found[b"live"] == b"1"
    assert 0 <= float(found[b"took"]) < 60


def test_in_its_first_seconds_it_says_nothing_since_the_others_are_still_starting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "SETTLE_IN", 60.0)
    world.redis.delete(HEARTBEAT)
    watch_of(world).look()
    assert world.operator.open() == []


def test_a_channel_that_hangs_stops_no_look(world: World) -> None:
    world.channels["email"].goes_on.clear()
    watch = watch_of(world)
    world.redis.set(HEARTBEAT, repr(time.time() - 60))
    for _ in range(5):
        watch.look()
    assert world.channels["email"].entered.wait(20)
    assert [trouble["topic"] for trouble in world.operator.open()] == ["timers"]
    world.channels["email"].goes_on.set()
    finished(watch)


def test_a_redis_that_takes_no_write_is_told_without_it_and_so_is_the_end_of_that(world: World) -> None:
    watch = watch_of(world)
    world.redis.config_set("maxmemory", "100kb")
    try:
        for _ in range(3):
            watch.look()
            finished(watch)
    finally:
        world.redis.config_set("maxmemory", "0")
    watch.look()
    finished(watch)
    assert said(world) == [
        "Redis refuses writes: its memory is full. Nothing is taken in or sent.",
        "Redis takes writes again.",
    ]


@pytest.mark.parametrize(("alone", "told"), [(True, 1), (False, 0)])
def test_a_redis_that_is_gone_is_told_by_the_watchdog_only_where_no_up_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: bool, told: int
) -> None:
    monkeypatch.setattr(watch_module, "GONE_FOR", 0.0)
    nowhere, email = connect(f"unix://{tmp_path}/nobody.sock"), Channel("email")
    store = Store(nowhere, timedelta(days=1))
    operator = Operator(nowhere, [LEE], {"email": email})  # type: ignore[dict-item]
    watch = Watch(store, operator, frozenset(), timedelta(minutes=1), alone=alone)
    for _ in range(3):
        watch.look()
        finished(watch)
    assert len(email.sent) == told


def test_a_provider_that_takes_us_again_settles_its_trouble(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "TELL_AGAIN", -1.0)
    answers: dict[str, bool] = {"sms": False}
    probe: Callable[[str], bool] = answers.__getitem__
    watch = watch_of(world, probe=probe)
    watch.look()
    world.operator.tell("channel-sms", "Channel sms: refused.")
    watch.look()
    finished(watch)
    assert len(world.operator.open()) == 1
    answers["sms"] = True
    watch.look()
    finished(watch)
    assert world.operator.open() == []
