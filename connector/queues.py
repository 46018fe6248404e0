"""RQ's queues as Escalator uses them: jobs carry a short name and ids, written inside the caller's transaction.

`arm`, `enqueue` and `disarm` write into a pipeline that has seen `multi()`, exactly the keys that RQ 3.0 would write
(tests/redis/test_rq_contract.py holds them to it), for three reasons:

- RQ cuts a due time to whole seconds, so that its jobs start up to a second early. Here the score keeps its fraction.
- RQ's own calls can't all join a transaction, and one of them asks the server for its version in between.
- They are on the path of every webhook and every step; this costs half of RQ's time (0.1 ms a job).

A job's id may be used again at any time, also by the running job itself: the last `arm` or `enqueue` counts.
"""

import json
import re
import threading
import time
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache

from redis.client import Pipeline
from rq.job import Job
from rq.queue import Queue
from rq.registry import ScheduledJobRegistry
from rq.serializers import JSONSerializer
from rq.utils import utcformat

WORK = "escalator-work"  # observe, wake: milliseconds each
DELIVER = "escalator-deliver"  # drain loops: seconds each, so that slow providers never delay a step
DESK = "escalator-desk"  # writes to the helpdesk
QUEUES = (WORK, DELIVER, DESK)

SERIALIZER = JSONSerializer  # RQ's default is pickle: code execution for whoever can write to Redis

JOB_TIMEOUT = 180  # seconds; a last resort, since it can't interrupt a thread: HTTP timeouts are the real bounds
RESULT_TTL = 0  # seconds; results are in our own records
FAILURE_TTL = 7 * 24 * 3600  # seconds that a failed job stays visible in `rq info`

stopping = threading.Event()
"""Set once this process has been asked to end: a drain loop then takes nothing new."""

_JOB_ID = re.compile(r"[A-Za-z0-9_-]+")

Argument = str | int | float | bool | None


def queue_key(queue: str) -> str:
    return f"{Queue.redis_queue_namespace_prefix}{queue}"


def scheduled_key(queue: str) -> str:
    """The sorted set of armed jobs: member job id, score the due time in Unix seconds with its fraction."""
    return ScheduledJobRegistry.key_template.format(queue)


def job_key(job_id: str) -> str:
    return f"{Job.redis_job_namespace_prefix}{job_id}"


def arm(pipeline: Pipeline, queue: str, name: str, args: Sequence[Argument], job_id: str, due: float) -> None:
    """Has the job run at `due` (Unix seconds, UTC), never before; arming an armed id moves its due time.

    `name` is one of jobs.JOBS. Raises ValueError for an id with other characters than A-Z a-z 0-9 _ -.
    """
    _write(pipeline, queue, name, args, job_id, "scheduled")
    pipeline.zadd(scheduled_key(queue), {job_id: due})


def enqueue(pipeline: Pipeline, queue: str, name: str, args: Sequence[Argument], job_id: str) -> None:
    """Has the job run as soon as a worker is free. The same id twice in a queue may run twice."""
    _write(pipeline, queue, name, args, job_id, "queued", enqueued_at=_moment(time.time()))
    pipeline.rpush(queue_key(queue), job_id)


def disarm(pipeline: Pipeline, queue: str, job_id: str) -> None:
    """Takes an armed job back. One that is already running goes on, so a job looks at the truth before it acts."""
    pipeline.zrem(scheduled_key(queue), job_id)
    pipeline.delete(job_key(job_id))


# KEYS: queue, counter for ids. ARGV: at most, name, prefix of job keys, data, moment, queue, timeout, TTLs.
NUDGE = """
if redis.call('LLEN', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
local id = ARGV[2] .. '-' .. redis.call('INCR', KEYS[2])
redis.call('HSET', ARGV[3] .. id, 'data', ARGV[4], 'created_at', ARGV[5], 'enqueued_at', ARGV[5], 'origin', ARGV[6],
  'description', ARGV[2], 'timeout', ARGV[7], 'result_ttl', ARGV[8], 'failure_ttl', ARGV[9], 'status', 'queued')
redis.call('RPUSH', KEYS[1], id)
return 1
"""


def nudge(pipeline: Pipeline, queue: str, name: str, at_most: int = 2) -> None:
    """Has a worker run the drain `name`, unless `at_most` jobs wait in its queue already.

    Decided inside the transaction: a job that waits now begins after it and so sees what the transaction wrote.
    """
    keys, arguments = nudging(queue, name, at_most)
    pipeline.eval(NUDGE, len(keys), *keys, *arguments)


def nudging(queue: str, name: str, at_most: int = 2) -> tuple[list[str], list[str | bytes | int]]:
    """Keys and arguments of NUDGE, for a script that does something first; its own ones come after these."""
    fixed = (JOB_TIMEOUT, RESULT_TTL, FAILURE_TTL)
    arguments: list[str | bytes | int] = [
        at_most,
        name,
        job_key(""),
        _packed(name, ()),
        _moment(time.time()),
        queue,
        *fixed,
    ]
    return [queue_key(queue), "escalator:jobs"], arguments


@cache
def _drain(name: str) -> bytes:
    """A call without arguments; webhooks make thousands of the same."""
    return _packed(name, ())


def _packed(name: str, args: Sequence[Argument]) -> bytes:
    """The call as RQ packs it."""
    return zlib.compress(json.dumps((name, None, list(args), {}), separators=(",", ":")).encode(), 1)


def _write(
    pipeline: Pipeline, queue: str, name: str, args: Sequence[Argument], job_id: str, status: str, **more: str
) -> None:
    if not _JOB_ID.fullmatch(job_id):
        raise ValueError("a job id holds only A-Z, a-z, 0-9, _ and -")
    fields: dict[str, str | bytes | int] = {
        "data": _packed(name, args),
        "created_at": _moment(time.time()),
        "origin": queue,
        "description": name,  # RQ would write the arguments too, and its workers log this
        "timeout": JOB_TIMEOUT,
        "result_ttl": RESULT_TTL,
        "failure_ttl": FAILURE_TTL,
        "status": status,
    }
    fields.update(more)
    pipeline.sadd(Queue.redis_queues_keys, queue_key(queue))
    pipeline.hset(job_key(job_id), mapping=fields)  # type: ignore[arg-type]  # its stub knows no mixed values


def _moment(seconds: float) -> str:
    return utcformat(datetime.fromtimestamp(seconds, UTC))
