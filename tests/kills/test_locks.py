"""Locks that end with their holder: what keeps a killed process from stopping a ticket's notes."""

import subprocess
import sys
import threading
from pathlib import Path

from redis import Redis

from connector.engine import locks
from connector.engine.locks import Locks
from connector.redis_server import EmbeddedRedis

from ..stories.world import eventually

ROOT = Path(__file__).parents[2]
HOLD = """
import sys, time
from connector.engine.locks import Locks
from connector.redis_server import connect
with Locks(connect(sys.argv[1])).hold("ticket") as mine:
    print(mine, flush=True)
    sys.stdin.read()
"""


def test_only_one_holds_a_lock_and_the_next_one_gets_it_after_the_block(redis: Redis) -> None:
    ours, theirs = Locks(redis), Locks(redis)
    with ours.hold("ticket") as mine, theirs.hold("ticket") as other:
        assert (mine, other) == (True, False)
    with theirs.hold("ticket") as other:
        assert other


def test_a_lock_lasts_as_long_as_its_holder_needs_it(redis: Redis) -> None:
    with Locks(redis).hold("ticket") as mine:
        assert mine
        threading.Event().wait(locks.TTL + 1)
        with Locks(redis).hold("ticket") as other:
            assert not other


def test_a_killed_holders_lock_is_free_within_seconds(redis: Redis, redis_server: EmbeddedRedis) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, redis_server.url], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"True\n"
        holder.kill()
    assert redis.exists("ticket")
    eventually(lambda: _free(redis), locks.TTL + 1, "the lock is free")


def test_a_holder_that_lost_its_lock_does_not_take_it_from_the_next_one(redis: Redis) -> None:
    with Locks(redis).hold("ticket"):
        redis.delete("ticket")
        with Locks(redis).hold("ticket") as other:
            assert other
            held = redis.get("ticket")
            threading.Event().wait(locks.RENEW * 1.5)  # the first one renews what it believes to hold
            assert redis.get("ticket") == held


def test_nothing_is_renewed_once_nothing_is_held(redis: Redis) -> None:
    with Locks(redis).hold("ticket"):
        assert any(thread.name == "locks" for thread in threading.enumerate())
    eventually(lambda: not any(thread.name == "locks" for thread in threading.enumerate()), 3, "the thread ends")


def _free(redis: Redis) -> bool:
    with Locks(redis).hold("ticket") as mine:
        return mine
