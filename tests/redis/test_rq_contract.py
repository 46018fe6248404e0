"""What we use of RQ 3.0's inside, held against RQ itself: a new RQ that differs fails here, not at night."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import rq
from redis import Redis, WatchError
from rq.job import Job, JobStatus
from rq.queue import Queue
from rq.registry import ScheduledJobRegistry
from rq.scheduler import RQScheduler

from connector import queues
from connector.worker import ListedJob, Worker

NOON = 1_900_000_000.25  # a quarter past a whole second, UTC


def rq_queue(redis: Redis) -> Queue:
    return Queue(queues.WORK, connection=redis, serializer=queues.SERIALIZER)


def write(redis: Redis, how: Callable[..., None], *args: object) -> None:
    with redis.pipeline() as pipe:
        pipe.multi()
        how(pipe, queues.WORK, *args)
        pipe.execute()


def as_rq_sees_it(redis: Redis, job_id: str) -> dict[str, object]:
    """A job's fields as RQ reads and would write them, without those that name a moment or a job."""
    job = Job.fetch(job_id, connection=redis, serializer=queues.SERIALIZER)
    call = (job.func_name, job.instance, list(job.args), job.kwargs)
    return {k: v for k, v in job.to_dict().items() if k not in ("created_at", "enqueued_at", "data")} | {"call": call}


def test_arm_writes_what_enqueue_at_writes_but_keeps_the_fraction(redis: Redis) -> None:
    write(redis, queues.arm, "ping", ["E-1A", 2], "ours", NOON)
    rq_queue(redis).enqueue_at(
        datetime.fromtimestamp(NOON, UTC),
        "ping",
        "E-1A",
        2,
        job_id="theirs",
        description="ping",
        result_ttl=queues.RESULT_TTL,
        failure_ttl=queues.FAILURE_TTL,
        job_timeout=queues.JOB_TIMEOUT,
    )

    registry = ScheduledJobRegistry(queue=rq_queue(redis))
    theirs = as_rq_sees_it(redis, "theirs")
    assert as_rq_sees_it(redis, "ours") == theirs
    assert set(registry.get_job_ids()) == {"ours", "theirs"}
    assert redis.zscore(registry.key, "ours") == NOON
    assert redis.zscore(registry.key, "theirs") == int(NOON)  # RQ would start it a quarter of a second early
    assert redis.smembers(Queue.redis_queues_keys) == {rq_queue(redis).key.encode()}


def test_enqueue_writes_what_enqueue_writes(redis: Redis) -> None:
    write(redis, queues.enqueue, "ping", ["E-1A", 2], "ours")
    rq_queue(redis).enqueue(
        "ping",
        "E-1A",
        2,
        job_id="theirs",
        description="ping",
        result_ttl=queues.RESULT_TTL,
        failure_ttl=queues.FAILURE_TTL,
        job_timeout=queues.JOB_TIMEOUT,
    )

    assert as_rq_sees_it(redis, "ours") == as_rq_sees_it(redis, "theirs")
    assert rq_queue(redis).job_ids == ["ours", "theirs"]
    enqueued_at = Job.fetch("ours", connection=redis, serializer=queues.SERIALIZER).enqueued_at
    assert enqueued_at is not None
    assert abs(enqueued_at.timestamp() - time.time()) < 5


def test_disarm_leaves_nothing_behind(redis: Redis) -> None:
    write(redis, queues.arm, "ping", [], "wake-1", NOON)

    write(redis, queues.disarm, "wake-1")

    assert redis.keys("*") == [b"rq:queues"]


def test_arming_an_armed_job_moves_it(redis: Redis) -> None:
    write(redis, queues.arm, "ping", [1], "wake-1", NOON)
    write(redis, queues.arm, "ping", [2], "wake-1", NOON + 60)

    assert redis.zrange(queues.scheduled_key(queues.WORK), 0, -1, withscores=True) == [(b"wake-1", NOON + 60)]
    assert Job.fetch("wake-1", connection=redis, serializer=queues.SERIALIZER).args == [2]


def test_nothing_is_written_before_the_transaction_and_nothing_of_it_when_it_fails(redis: Redis) -> None:
    pipe = redis.pipeline()
    pipe.watch("truth")
    pipe.multi()
    queues.arm(pipe, queues.WORK, "ping", [], "wake-1", NOON)
    queues.enqueue(pipe, queues.WORK, "ping", [], "wake-2")
    assert redis.keys("*") == []

    redis.set("truth", "changed by somebody else")

    with pytest.raises(WatchError):
        pipe.execute()
    assert redis.keys("*") == [b"truth"]


@pytest.mark.parametrize("job_id", ["E-1A:2", "wake 1", "", "wache-ü"])
def test_an_id_that_rq_would_refuse_is_refused_when_it_is_written(redis: Redis, job_id: str) -> None:
    with pytest.raises(ValueError, match="job id"):
        queues.arm(redis.pipeline(), queues.WORK, "ping", [], job_id, NOON)


def test_a_worker_with_one_queue_takes_jobs_over_the_intermediate_list(redis: Redis) -> None:
    """With several queues RQ uses BLPOP, and a worker killed at that moment takes the job with it."""
    write(redis, queues.enqueue, "ping", [], "wake-1")
    queue = rq_queue(redis)

    taken = Queue.dequeue_any([queue], None, connection=redis, job_class=ListedJob, serializer=queues.SERIALIZER)

    assert taken is not None
    assert taken[0].id == "wake-1"
    assert redis.lrange(queue.intermediate_queue_key, 0, -1) == [b"wake-1"]


def test_a_finished_job_leaves_nothing_behind(redis: Redis) -> None:
    write(redis, queues.enqueue, "ping", [], "wake-1")

    Worker(queues.WORK, redis).work(burst=True, logging_level="CRITICAL")

    assert redis.keys("rq:job:*") == redis.keys("rq:results:*") == redis.keys("rq:finished:*") == []
    assert redis.keys("rq:executions*") == redis.keys("rq:wip:*") == redis.keys("rq:queue:*") == []


def test_a_job_whose_hash_was_taken_back_is_passed_over(redis: Redis) -> None:
    write(redis, queues.enqueue, "ping", [], "gone")
    write(redis, queues.enqueue, "ping", [], "here")
    write(redis, queues.disarm, "gone")

    worker = Worker(queues.WORK, redis)
    worker.work(burst=True, logging_level="CRITICAL")

    assert worker.connection.hget(worker.key, "successful_job_count") == b"1"


def test_names_and_hooks_that_are_overridden_still_exist_in_rq() -> None:
    """An override that RQ no longer calls would be silently without effect."""
    for name in ("func", "success_callback", "failure_callback", "stopped_callback", "send_webhooks", "cleanup"):
        assert hasattr(Job, name)
    overridden = ("subscribe", "unsubscribe", "request_stop", "handle_exception", "handle_job_failure")
    for name in (*overridden, "set_state", "heartbeat", "handle_execution_ended"):
        assert hasattr(rq.SimpleWorker, name)
    for name in ("acquire_locks", "enqueue_scheduled_jobs", "work", "request_stop", "release_locks"):
        assert hasattr(RQScheduler, name)
    assert RQScheduler.get_locking_key("q") == "rq:scheduler-lock:q"
    assert {JobStatus.SCHEDULED.value, JobStatus.QUEUED.value, JobStatus.STARTED.value} == {
        "scheduled",
        "queued",
        "started",
    }
    assert rq.__version__.startswith("3.0.")
