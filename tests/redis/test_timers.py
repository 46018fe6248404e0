"""Armed jobs start when they are due: never before, soon after, whoever is killed."""

import random
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis, RedisError

from connector import queues
from connector import redis_server as servers
from connector.clockwork import timers as timers_module
from connector.clockwork.timers import CHUNK, HEARTBEAT, LOCK_TTL, Periodic, Timers
from connector.redis_server import EmbeddedRedis, connect

from .processes import timers, until, worker

LOCK = "rq:scheduler-lock:escalator-work"


def arm(redis: Redis, job_id: str, due: float, name: str = "note") -> None:
    with redis.pipeline() as pipe:
        pipe.multi()
        queues.arm(pipe, queues.WORK, name, [f"ran-{job_id}"], job_id, due)
        pipe.execute()


def ran_at(redis: Redis, job_id: str) -> float:
    [moment] = redis.lrange(f"ran-{job_id}", 0, -1)  # once
    return float(moment)


def test_due_jobs_are_never_early_and_half_of_them_less_than_a_tenth_of_a_second_late(
    redis: Redis, redis_server: EmbeddedRedis
) -> None:
    with worker(queues.WORK, url=redis_server.url), timers(url=redis_server.url):
        until(lambda: redis.exists(HEARTBEAT), within=10)
        start = time.time() + 0.5
        spread = random.Random(7)
        due = {f"step-{number}": start + spread.uniform(0, 3) for number in range(100)}
        for job_id, moment in due.items():
            arm(redis, job_id, moment)
        until(lambda: all(redis.exists(f"ran-{job_id}") for job_id in due), within=15)

    late = sorted(ran_at(redis, job_id) - moment for job_id, moment in due.items())
    assert late[0] >= 0
    assert late[50] < 0.1


def test_a_killed_leader_is_followed_within_seconds(redis: Redis, redis_server: EmbeddedRedis) -> None:
    with worker(queues.WORK, url=redis_server.url), timers(url=redis_server.url) as leader:
        until(lambda: redis.exists(LOCK), within=10)
        with timers(url=redis_server.url):
            leader.kill()
            leader.wait()
            due = time.time()
            arm(redis, "step-1", due)
            until(lambda: redis.exists("ran-step-1"), within=10)

    assert ran_at(redis, "step-1") - due < 7.0


@contextmanager
def started(embedded: EmbeddedRedis) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(embedded.command, stdout=subprocess.DEVNULL)
    try:
        servers.await_ready(process, embedded.ready)
        yield process
    finally:
        process.kill()
        process.wait()


def test_timers_outlive_a_killed_redis_and_no_timer_is_lost(tmp_path: Path) -> None:
    embedded = servers.prepare(tmp_path)
    log = tmp_path / "log"
    try:
        with (
            started(embedded) as first,
            worker(queues.WORK, url=embedded.url),
            timers(url=embedded.url, log=log) as clock,
        ):
            redis = connect(embedded.url)
            until(lambda: redis.exists(HEARTBEAT) and redis.smembers("rq:workers"), within=10)
            due = time.time() + 1.0
            arm(redis, "step-1", due)
            first.kill()
            first.wait()
            until(lambda: "Redis is away" in log.read_text(), within=5)
            # the supervisor starts a worker that met Redis' end in the middle of something; one that waited goes on
            with started(embedded), worker(queues.WORK, url=embedded.url):
                until(lambda: redis.exists("ran-step-1"), within=10)
                late = ran_at(redis, "step-1") - due
            redis.close()
            assert clock.poll() is None
    finally:
        shutil.rmtree(embedded.socket.parent)

    assert 0 <= late < 4.0
    assert log.read_text().splitlines()[:3] == [
        "leading",
        "Redis is away (ConnectionError); nothing is due until it is back",
        "Redis is back",
    ]


def test_only_one_of_two_leads_and_moves_jobs(redis: Redis) -> None:
    first, second = Timers(redis, queues.QUEUES), Timers(redis, queues.QUEUES)
    second.name += "-second"
    arm(redis, "step-1", time.time())

    assert first.acquire_locks() == set(queues.QUEUES)
    assert second.acquire_locks() == set()
    second.enqueue_scheduled_jobs()
    assert redis.llen(queues.queue_key(queues.WORK)) == 0
    first.enqueue_scheduled_jobs()
    assert redis.llen(queues.queue_key(queues.WORK)) == 1


def test_a_leader_that_was_asleep_too_long_moves_nothing(redis: Redis) -> None:
    """Its lock ended and somebody else leads; the move itself looks at the lock."""
    clock = Timers(redis, queues.QUEUES)
    clock.acquire_locks()
    arm(redis, "step-1", time.time())
    redis.set(LOCK, "elsewhere/1/1")

    clock.enqueue_scheduled_jobs()

    assert not clock.leading
    assert redis.zcard(queues.scheduled_key(queues.WORK)) == 1


def test_a_lock_of_another_host_is_waited_for_and_ends_by_itself(redis: Redis) -> None:
    clock = Timers(redis, queues.QUEUES)
    redis.set(LOCK, "elsewhere/1/1", px=300)

    assert clock.acquire_locks() == set()
    until(clock.acquire_locks, within=2)

    assert 0 < redis.pttl(LOCK) <= LOCK_TTL * 1000


def test_a_burst_larger_than_one_chunk_moves_at_once(redis: Redis) -> None:
    many = 2 * CHUNK + 1
    with redis.pipeline() as pipe:
        pipe.multi()
        for number in range(many):
            queues.arm(pipe, queues.WORK, "ping", [], f"step-{number}", 1.0 + number)
        pipe.execute()
    clock = Timers(redis, queues.QUEUES)
    clock.acquire_locks()

    clock.enqueue_scheduled_jobs()

    assert redis.llen(queues.queue_key(queues.WORK)) == many
    assert redis.lindex(queues.queue_key(queues.WORK), 0) == b"step-0"  # the earliest first
    assert redis.zcard(queues.scheduled_key(queues.WORK)) == 0


def test_a_job_that_was_taken_back_does_not_come_back_to_life(redis: Redis) -> None:
    arm(redis, "step-1", time.time() - 1)
    redis.delete(queues.job_key("step-1"))  # what a disarm that lost a race with RQ's scheduler looks like
    clock = Timers(redis, queues.QUEUES)
    clock.acquire_locks()

    clock.enqueue_scheduled_jobs()

    assert redis.exists(queues.job_key("step-1"), queues.queue_key(queues.WORK)) == 0
    assert redis.zcard(queues.scheduled_key(queues.WORK)) == 0


@contextmanager
def ticking(clock: Timers) -> Iterator[None]:
    thread = threading.Thread(target=clock.run)
    thread.start()
    try:
        yield
    finally:
        clock.request_stop()
        thread.join(timeout=10)
        assert not thread.is_alive()


def test_periodic_calls_go_on_when_one_of_them_breaks(redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    calls: list[float] = []
    thrice = threading.Event()

    def sweep() -> None:
        calls.append(time.monotonic())
        if len(calls) == 3:
            thrice.set()

    def broken() -> None:
        raise KeyError("+4915112345678")

    with ticking(Timers(redis, queues.QUEUES, [Periodic(0.2, broken), Periodic(0.2, sweep)])):
        assert thrice.wait(10)

    assert calls[2] - calls[0] >= 0.4
    assert "a periodic call failed: KeyError at test_timers.py:" in caplog.text
    assert "4915112345678" not in caplog.text


def test_nothing_periodic_is_called_while_another_leads(redis: Redis) -> None:
    called = threading.Event()
    redis.set(LOCK, "elsewhere/1/1")

    with ticking(Timers(redis, queues.QUEUES, [Periodic(0.05, called.set)])):
        assert not called.wait(0.5)
        redis.delete(LOCK)
        assert called.wait(5)


def test_redis_trouble_inside_a_periodic_call_is_outlived(redis: Redis) -> None:
    again = threading.Event()
    troubles = iter([RedisError("LOADING")])

    def sweep() -> None:
        for trouble in troubles:
            raise trouble
        again.set()

    with ticking(Timers(redis, queues.QUEUES, [Periodic(0.05, sweep)])):
        assert again.wait(5)


def test_the_lock_is_given_back_at_the_end(redis: Redis) -> None:
    clock = Timers(redis, queues.QUEUES)
    with ticking(clock):
        until(lambda: redis.exists(HEARTBEAT), within=5)
        assert abs(float(redis.get(HEARTBEAT)) - time.time()) < 5

    assert redis.keys("rq:scheduler-lock:*") == []


def test_a_process_id_of_another_container_says_nothing_about_the_leader(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Containers may share a host name; what is no process here may well live there."""
    there = Timers(redis, queues.QUEUES)
    monkeypatch.setattr("connector.clockwork.timers.this_host", lambda: "pager~another")
    here = Timers(redis, queues.QUEUES)
    there.name = f"{timers_module.this_host().replace('another', 'one')}/4194305/1"  # above any process id
    there.acquire_locks()
    here.acquire_locks()
    assert (there.leading, here.leading) == (True, False)


def test_this_host_is_told_from_others_of_its_name() -> None:
    assert timers_module.this_host() == timers_module.this_host()
    assert timers_module.this_host().startswith(socket.gethostname())
    assert "/" not in timers_module.this_host()
