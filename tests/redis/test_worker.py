"""Workers run what `jobs.JOBS` lists and nothing else, and say little."""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis
from rq.exceptions import StopRequested
from rq.job import Job
from rq.queue import Queue

from connector import queues
from connector.clockwork.timers import Timers
from connector.jobs import JOBS
from connector.redis_server import EmbeddedRedis
from connector.worker import ListedJob, Worker

from .processes import until, worker


def enqueue(redis: Redis, name: str, *args: str, job_id: str = "job-1") -> None:
    with redis.pipeline() as pipe:
        pipe.multi()
        queues.enqueue(pipe, queues.WORK, name, args, job_id)
        pipe.execute()


def work(redis: Redis) -> None:
    """Runs what is in the queue, here."""
    Worker(queues.WORK, redis).work(burst=True, logging_level="CRITICAL")


def test_a_listed_job_runs_with_its_arguments(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, ...]] = []
    monkeypatch.setitem(JOBS, "observe", lambda *args: seen.append(args))
    enqueue(redis, "observe", "42", "E-1A")

    work(redis)

    assert seen == [("42", "E-1A")]


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that would be imported by its dotted name."""
    (tmp_path / "escalator_trap.py").write_text("def spring(*_): raise SystemExit('sprung')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "escalator_trap.spring"


def test_an_unlisted_job_fails_with_one_line_and_imports_nothing(
    redis: Redis, trap: str, caplog: pytest.LogCaptureFixture
) -> None:
    enqueue(redis, trap)

    work(redis)

    assert "escalator_trap" not in sys.modules
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith("job job-1 (unlisted) failed: Unlisted")
    assert "it names no job of ours, so it was not run" in line


def test_callbacks_and_webhooks_in_a_job_are_ignored(redis: Redis, trap: str, caplog: pytest.LogCaptureFixture) -> None:
    """RQ would import a callback's dotted name, and post to any URL, even for a listed job."""
    enqueue(redis, "ping")
    callbacks = dict.fromkeys(("success_callback_name", "failure_callback_name", "stopped_callback_name"), trap)
    webhook = '[{"url": "http://127.0.0.1:9/", "job_status": "finished", "method": "POST", "timeout": 1}]'
    redis.hset("rq:job:job-1", mapping={**callbacks, "webhooks": webhook})

    work(redis)

    assert "escalator_trap" not in sys.modules
    assert caplog.records == []
    assert redis.exists("rq:job:job-1") == 0


@pytest.mark.parametrize(
    "data",
    [
        b'["ping", "an instance whose method it would be", [], {}]',
        b'["upper", "an instance", [], {}]',
        b'[["ping"], null, [], {}]',
        b"[null, null, [], {}]",
        b"not JSON",
        b"\x80\x04\x95 a pickle",
    ],
)
def test_odd_job_data_fails_quietly(redis: Redis, data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    enqueue(redis, "ping")
    redis.hset("rq:job:job-1", "data", data)

    work(redis)

    assert len(caplog.records) == 1
    assert redis.hget("rq:job:job-1", "status") == b"failed"


def test_a_failed_job_tells_where_but_no_values(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def call(number: str) -> None:
        raise ValueError(f"no such number: {number}")

    monkeypatch.setitem(JOBS, "call", call)
    enqueue(redis, "call", "+4915112345678")

    work(redis)

    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage().startswith("job job-1 (call) failed: ValueError at test_worker.py:")
    assert "4915112345678" not in caplog.text
    result = Job.fetch("job-1", connection=redis, serializer=queues.SERIALIZER).latest_result()
    assert result is not None
    assert result.exc_string is not None
    assert "4915112345678" not in result.exc_string


def rearm(redis: Redis, then: Callable[[], None] = lambda: None) -> Callable[[], None]:
    def job() -> None:
        with redis.pipeline() as pipe:
            pipe.multi()
            queues.arm(pipe, queues.WORK, "wake", [], "job-1", 1_900_000_000.0)
            pipe.execute()
        then()

    return job


def fail() -> None:
    raise RuntimeError


@pytest.mark.parametrize("then", [lambda: None, fail], ids=["and succeeds", "and fails"])
def test_a_job_that_arms_itself_again_under_its_own_id_stays_armed(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, then: Callable[[], None]
) -> None:
    """RQ alone would delete the job at its end, and the timer with it."""
    monkeypatch.setitem(JOBS, "wake", rearm(redis, then))
    enqueue(redis, "wake")

    work(redis)

    assert redis.zscore(queues.scheduled_key(queues.WORK), "job-1") == 1_900_000_000.0
    assert ListedJob.fetch("job-1", connection=redis, serializer=queues.SERIALIZER).is_scheduled
    assert redis.keys("rq:wip:*") == redis.keys("rq:failed:*") == []


@pytest.mark.parametrize("then", [lambda: None, fail], ids=["and succeeds", "and fails"])
def test_a_job_that_was_armed_again_while_it_stood_in_the_queue_stays_armed_and_starts_when_due(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, then: Callable[[], None]
) -> None:
    """A hint read while a ticket's wake waits for a worker sets the timer of its next step."""
    ran: list[float] = []

    def job() -> None:
        ran.append(time.time())
        then()

    monkeypatch.setitem(JOBS, "wake", job)
    enqueue(redis, "wake")
    due = time.time() + 2.0
    with redis.pipeline() as pipe:
        pipe.multi()
        queues.arm(pipe, queues.WORK, "wake", [], "job-1", due)
        pipe.execute()

    work(redis)
    timers = Timers(redis, [queues.WORK])
    ticking = threading.Thread(target=timers.run)
    ticking.start()
    try:
        until(lambda: not redis.zcard(queues.scheduled_key(queues.WORK)), within=30)
    finally:
        timers.request_stop()
        ticking.join()
    work(redis)

    assert [moment >= due for moment in ran] == [False, True]


def test_sigterm_lets_the_running_job_end_and_says_so_to_it(
    redis: Redis, redis_server: EmbeddedRedis, tmp_path: Path
) -> None:
    with worker(queues.WORK, url=redis_server.url, log=tmp_path / "log") as process:
        enqueue(redis, "linger", "seen")
        until(lambda: redis.lrange("seen", 0, -1) == [b"started"], within=10)

        process.terminate()

        assert process.wait(timeout=10) == 0
    assert redis.lrange("seen", 0, -1) == [b"started", b"ended"]
    assert (tmp_path / "log").read_text() == ""


def test_a_call_that_outlives_its_job_keeps_no_job_waiting_and_is_seen_out_on_sigterm(
    redis: Redis, redis_server: EmbeddedRedis, tmp_path: Path
) -> None:
    with worker(queues.WORK, url=redis_server.url, log=tmp_path / "log") as process:
        enqueue(redis, "outlive", "seen", job_id="job-1")
        enqueue(redis, "note", "later", job_id="job-2")
        until(lambda: redis.exists("later"), within=30)
        assert redis.lrange("seen", 0, -1) == [b"started"]

        process.terminate()

        until(lambda: redis.lrange("seen", 0, -1) == [b"started", b"ended"], within=30)
        assert redis.scard("rq:workers") == 1  # else the operator would be told that there is none
        assert process.wait(timeout=30) == 0
    assert redis.lrange("seen", 0, -1) == [b"started", b"ended", b"answered"]
    assert (tmp_path / "log").read_text() == ""


def test_an_idle_worker_ends_at_once_on_sigterm(redis: Redis, redis_server: EmbeddedRedis) -> None:
    with worker(queues.WORK, url=redis_server.url) as process:
        until(lambda: "blmove" in [client["cmd"] for client in redis.client_list()], within=10)
        process.terminate()
        assert process.wait(timeout=10) == 0


def test_a_worker_whose_sigterm_was_lost_ends_with_its_next_sign_of_life(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = Worker("escalator-work", redis)
    idle.heartbeat()
    monkeypatch.setattr(queues, "stopping", threading.Event())
    queues.stopping.set()
    with pytest.raises(StopRequested):
        idle.heartbeat()


def test_so_does_one_whose_up_is_gone(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    child = Worker("escalator-work", redis)
    monkeypatch.setenv("ESCALATOR_CHILD_OF", str(os.getppid()))
    child.heartbeat()
    monkeypatch.setenv("ESCALATOR_CHILD_OF", str(os.getpid()))
    with pytest.raises(StopRequested):
        child.heartbeat()


def test_after_a_kill_in_the_middle_of_a_job_the_next_worker_goes_on(redis: Redis, redis_server: EmbeddedRedis) -> None:
    with worker(queues.WORK, url=redis_server.url) as process:
        enqueue(redis, "stay", "seen", job_id="job-1")
        enqueue(redis, "note", "later", job_id="job-2")
        until(lambda: redis.exists("seen"), within=10)
        process.kill()

    with worker(queues.WORK, url=redis_server.url):
        until(lambda: redis.exists("later"), within=5)


def test_a_worker_without_redis_ends_with_one_line(tmp_path: Path) -> None:
    with worker(queues.WORK, url=f"unix://{tmp_path}/none.sock", log=tmp_path / "log") as process:
        assert process.wait(timeout=10) == 1

    assert (tmp_path / "log").read_text() == (
        "Redis is away (ConnectionError); this worker ends and is to be started again\n"
    )


def test_queue_names_reach_rq_as_they_are(redis: Redis) -> None:
    assert [queue.name for queue in Worker(queues.DESK, redis).queues] == ["escalator-desk"]
    assert queues.queue_key(queues.DESK) == Queue("escalator-desk", connection=redis).key


@pytest.mark.parametrize(
    "spoiled",
    [
        {"created_at": "never", "data": b"x", "status": "queued"},
        {"created_at": "2026-01-01T00:00:00.000000Z", "data": b"x", "status": "queued", "timeout": "soon"},
        {"created_at": b"\xff\xfe", "status": b"\xff"},
        {"created_at": "2026-01-01T00:00:00.000000Z", "data": b"x", "status": "no status"},
        None,
    ],
)
def test_a_record_that_is_no_job_ends_no_worker(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, spoiled: dict[str, str | bytes] | None
) -> None:
    seen: list[str] = []
    monkeypatch.setitem(JOBS, "observe", seen.append)
    if spoiled is None:
        redis.set("rq:job:spoiled", "not even a hash")
    else:
        redis.hset("rq:job:spoiled", mapping=spoiled)  # type: ignore[arg-type]
    redis.rpush(queues.queue_key(queues.WORK), "spoiled")
    redis.rpush(f"{queues.queue_key(queues.WORK)}:intermediate", "spoiled")  # of a worker that was killed there
    enqueue(redis, "observe", "42")

    work(redis)

    assert seen == ["42"]
