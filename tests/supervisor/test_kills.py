"""A real Redis, timers and worker under the supervisor: whichever is killed, every armed job runs, and only once."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from redis import Redis, RedisError

from connector import queues
from connector import redis_server as servers

from .harness import ROOT, Up, left_after, until


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Up]:
    embedded = servers.prepare(tmp_path / "data")
    env = {"REDIS_URL": embedded.url, "PYTHONPATH": str(ROOT)}
    jobs = str(ROOT / "tests/redis/worker_with_jobs.py")
    processes: list[dict[str, Any]] = [
        {"name": "redis", "command": embedded.command, "ready": str(embedded.socket), "restart_on_reload": False},
        {"name": "timers", "command": ["python", str(ROOT / "tests/redis/timers_alone.py")], "env": env},
        {"name": "worker", "command": ["python", jobs, queues.WORK], "env": env},
    ]
    up = Up(tmp_path, processes)
    try:
        up.until("Ready.")
        up.until("timers | leading")
        yield up
    finally:
        up.close()
        shutil.rmtree(embedded.socket.parent, ignore_errors=True)


def named(up: Up, part: str) -> psutil.Process:
    [process] = [child for child in up.children() if any(part in word for word in child.cmdline())]
    return process


@pytest.mark.parametrize("victim", ["redis-server", "timers_alone", "worker_with_jobs"])
def test_jobs_due_around_a_kill_all_run_once_and_never_early(running: Up, victim: str) -> None:
    redis = servers.connect(servers.redis_url(running.data, {}))
    start = time.time() + 0.3
    due = {f"step-{number}": start + number * 0.1 for number in range(20)}
    with redis.pipeline() as pipe:
        pipe.multi()
        for job_id, moment in due.items():
            queues.arm(pipe, queues.WORK, "note", [f"ran-{job_id}"], job_id, moment)
        pipe.execute()
    until(lambda: redis.exists("ran-step-2") == 1, 10, lambda: "the third step did not run")

    named(running, victim).kill()

    until(lambda: exist(redis, [f"ran-{job_id}" for job_id in due]), 10, lambda: str(running.lines))
    for job_id, moment in due.items():
        [ran_at] = redis.lrange(f"ran-{job_id}", 0, -1)
        assert 0 <= float(ran_at) - moment < 5.0


def exist(redis: Redis, keys: list[str]) -> bool:
    """Whether all these keys are there; False while Redis is away."""
    try:
        return redis.exists(*keys) == len(keys)
    except RedisError:
        return False


def test_nothing_is_left_of_them_when_the_supervisor_is_killed_and_the_next_one_goes_on(running: Up) -> None:
    below = running.children()
    redis = servers.connect(servers.redis_url(running.data, {}))
    with redis.pipeline() as pipe:
        pipe.multi()
        queues.arm(pipe, queues.WORK, "note", ["ran"], "step-1", time.time() + 1.0)
        pipe.execute()

    running.popen.kill()
    running.popen.wait()
    running.popen = running.start()

    until(lambda: exist(redis, ["ran"]), 15, lambda: str(running.lines))
    assert left_after(below, within=0) == []
