"""`python -m connector.worker QUEUE`: takes jobs from one queue and runs those that `jobs.JOBS` lists.

One queue per worker: with several, RQ takes a job in a way that loses it when the worker is killed at that moment.
The job runs in this process (no fork per job), so that connections stay open and a job costs milliseconds. SIGTERM
lets the running job end. RQ's own recovery of jobs lost by a kill takes minutes; our sweep doesn't wait for it.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import click
import redis
from redis.client import Pipeline
from rq import SimpleWorker
from rq.exceptions import NoSuchJobError, StopRequested
from rq.executions import Execution
from rq.job import Job, JobStatus
from rq.queue import Queue
from rq.registry import StartedJobRegistry
from rq.results import Result
from rq.worker import WorkerStatus

from . import queues
from ._child import orphaned
from .engine.drain import await_all
from .errors import ConfigError, EscalatorError
from .faults import describe
from .jobs import JOBS, prepare
from .redis_server import connect, redis_url

WORKER_TTL = 20  # seconds; RQ waits this long minus 15 for a job before it looks after itself again
MAINTENANCE = 10  # seconds between RQ's clean-ups

log = logging.getLogger(__name__)


class Unlisted(EscalatorError):
    """A job in Redis names something that `jobs.JOBS` doesn't list."""


class ListedJob(Job):
    """A job that can only run what `jobs.JOBS` lists, and that may be armed again under its own id.

    RQ would import and call any dotted name, as the job itself or as one of its callbacks, and post to any URL
    ("webhooks"), for whoever can write to Redis.
    """

    @property
    def func(self) -> Callable[..., Any]:
        name = self.func_name
        if isinstance(name, str) and self.instance is None and (function := JOBS.get(name)):
            return function
        raise Unlisted("it names no job of ours, so it was not run")

    @property
    def success_callback(self) -> None:
        return None

    @property
    def failure_callback(self) -> None:
        return None

    @property
    def stopped_callback(self) -> None:
        return None

    def send_webhooks(self, status: str | JobStatus, *, exc_string: str | None = None) -> None:
        """Never: see the class."""

    def refresh(self) -> None:
        """A record that can't be understood is no job: RQ would end this worker, and each that comes after it."""
        try:
            super().refresh()  # type: ignore[no-untyped-call]
        except NoSuchJobError:
            raise
        except Exception as error:
            if isinstance(error, redis.RedisError) and not str(error).startswith("WRONGTYPE"):
                raise
            log.error("what is stored as a job is none: %s", describe(error))
            raise NoSuchJobError("what is stored as a job is none") from None

    # KEYS: what is armed, then the job and what RQ keeps beside it. ARGV: its id. A job that was armed or queued again
    # while it ran stays; so does one that was armed while it still stood in the queue, though RQ calls it started.
    _FORGET = """
    local status = redis.call('HGET', KEYS[2], 'status')
    if status == 'scheduled' or status == 'queued' or redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
    return redis.call('DEL', unpack(KEYS, 2))
    """

    def cleanup(self, ttl: int | None = None, pipeline: Pipeline | None = None, remove_from_queue: bool = True) -> None:
        """RQ deletes a finished job with result_ttl 0, and with it a timer that was set under the same id."""
        if ttl != 0:
            super().cleanup(ttl, pipeline, remove_from_queue)
            return
        results = Result.get_key(self.id)  # type: ignore[no-untyped-call]
        armed = queues.scheduled_key(self.origin)
        keys = [armed, self.key, self.dependents_key, self.dependencies_key, results]
        (pipeline if pipeline is not None else self.connection).eval(self._FORGET, len(keys), *keys, self.id)


class Worker(SimpleWorker):
    """One queue, listed jobs, JSON, quiet; Redis may go away and come back while it waits."""

    job_class = ListedJob
    log_result_lifespan = False
    exponential_backoff_factor = 1.0  # Redis away: asks again each second
    max_connection_wait_time = 1.0
    _beat_at: float | None = None  # monotonic

    def __init__(self, queue: str, connection: redis.Redis) -> None:
        super().__init__(
            [queue],
            connection=connection,
            serializer=queues.SERIALIZER,
            worker_ttl=WORKER_TTL,
            maintenance_interval=MAINTENANCE,
            default_result_ttl=queues.RESULT_TTL,
            log_job_description=False,
        )

    def subscribe(self) -> None:
        """No commands (`rq` could stop jobs and workers) are taken from Redis."""

    def unsubscribe(self) -> None:
        """Nothing was subscribed."""

    def set_state(self, state: str, pipeline: Pipeline | None = None) -> None:
        """Written with what is written anyway: RQ alone would spend a write, so a sync to disk, on each change."""
        self._state = state
        if pipeline is not None:
            super().set_state(state, pipeline)

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """At most once a second outside of a transaction; RQ alone writes three times before and after each job.

        Raises StopRequested where this should have ended already: RQ raises it in the signal's own handler, and Python
        throws away what is raised while a destructor runs. A worker that goes on would keep a new `up` from starting.
        """
        if pipeline is not None:
            super().heartbeat(timeout, pipeline)
            return
        if self._state != WorkerStatus.BUSY and (queues.stopping.is_set() or orphaned()):
            raise StopRequested
        if self._beat_at is not None and time.monotonic() - self._beat_at < 1.0:
            return
        with self.connection.pipeline() as own:
            super().set_state(self._state, own)
            super().heartbeat(timeout, own)
            own.execute()
        self._beat_at = time.monotonic()

    def handle_execution_ended(self, job: Job, *_: object) -> None:
        """Without the sign of life that RQ writes here: the job's end is written at once, in a transaction."""
        job.ended_at = datetime.now(UTC)

    def teardown(self) -> None:
        """Dead, and said to be missing, only once what drains have left running is done."""
        await_all()
        super().teardown()  # type: ignore[no-untyped-call]

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        queues.stopping.set()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def handle_exception(
        self,
        job: Job,
        *exc_info: type[BaseException] | BaseException | TracebackType | None,
    ) -> None:
        """One line, without arguments and without the text of foreign exceptions: those may hold anything."""
        error = exc_info[1]
        assert isinstance(error, BaseException)
        log.error("job %s (%s) failed: %s", job.id, _name_of(job), describe(error))

    def handle_job_failure(
        self,
        job: Job,
        queue: Queue,
        started_job_registry: StartedJobRegistry | None = None,
        exc_string: str = "",
        execution: Execution | None = None,
    ) -> None:
        """Keeps the failed job for `rq info`, with the same one line instead of the traceback's text.

        One that was armed or queued again while it ran, or armed before, keeps that life instead.
        """
        error = sys.exception()
        again = self.connection.hget(job.key, "status") in (b"scheduled", b"queued")
        armed = self.connection.zscore(queues.scheduled_key(job.origin), job.id) is not None
        if (again or armed) and execution is not None:
            with self.connection.pipeline() as pipeline:
                self.cleanup_execution(job, pipeline=pipeline, execution=execution)
                self.increment_failed_job_count(pipeline)
                pipeline.execute()
            return
        super().handle_job_failure(
            job, queue, started_job_registry, exc_string if error is None else describe(error), execution
        )


def _name_of(job: Job) -> str:
    return job.description if job.description in JOBS else "unlisted"


def run(queue: str, connection: redis.Redis) -> int:
    """Works until SIGTERM (0) or until Redis is lost in the middle of a job (1: the supervisor starts it again)."""
    logging.getLogger("rq").setLevel(logging.CRITICAL)  # it logs arguments, and tracebacks with values in them
    try:
        worker = Worker(queue, connection)
        worker.work(logging_level="CRITICAL")
    except redis.RedisError as error:
        log.warning("Redis is away (%s); this worker ends and is to be started again", type(error).__name__)
        return 1
    return 0 if queues.stopping.is_set() else 1


@click.command()
@click.argument("queue", type=click.Choice(queues.QUEUES))
@click.option(
    "--data", type=click.Path(path_type=Path), default="data", help="Where the embedded Redis keeps its data."
)
def main(queue: str, data: Path, environ: Mapping[str, str] = os.environ) -> None:
    """Takes jobs from QUEUE until SIGTERM."""
    if not logging.getLogger().handlers:
        logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        connection = connect(redis_url(data, environ))
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    prepare()
    sys.exit(run(queue, connection))


if __name__ == "__main__":
    main()
