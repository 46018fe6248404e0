"""The timers process: has every armed job start when it is due, never before, and calls the sweeps.

RQ's scheduler, with what a pager needs and RQ's own loop doesn't do:

- a fine tick and a clock with fractions (RQ counts whole seconds and is up to a second early or late);
- a lock of 5 s instead of 61, taken over at once from a process of this host that is dead, so that a second timers
  process leads within seconds (RQ: up to 13 minutes);
- due jobs move from the sorted set to their queue inside one Lua script, which looks at the lock itself. RQ reads,
  then writes: a timer that is set again or taken back in between is lost or comes back to life;
- Redis may go away and come back (RQ's scheduler ends with the first error).

Two may run; one leads. While none runs, nothing is lost: what is due moves as soon as one is back.
"""

import logging
import os
import socket
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import redis
from rq.job import Job
from rq.scheduler import RQScheduler
from rq.scripts import release_lock

from ..faults import describe
from ..points import reached
from ..queues import SERIALIZER, queue_key, scheduled_key

HEARTBEAT = "escalator:heartbeat:timers"
"""Redis key: when the leading timers process was last seen, Unix seconds. For /readyz."""

TICK = 0.05  # seconds between two looks at what is due
LOCK_TTL = 5.0  # seconds without a word from the leader after which another may lead
REFRESH = 1.0  # seconds between two words from the leader
CHUNK = 500  # jobs moved at once: some milliseconds during which Redis answers nobody else

# Takes or keeps the locks of all queues, or none of them. KEYS: locks, then the heartbeat. ARGV: owner, ttl in ms, now.
_LEAD = """
for i = 1, #KEYS - 1 do
  local owner = redis.call('GET', KEYS[i])
  if owner and owner ~= ARGV[1] then return owner end
end
for i = 1, #KEYS - 1 do redis.call('SET', KEYS[i], ARGV[1], 'PX', ARGV[2]) end
redis.call('SET', KEYS[#KEYS], ARGV[3])
return ARGV[1]
"""

# Moves what is due. KEYS: lock, scheduled set, queue. ARGV: owner, now, at most, enqueued_at, prefix of job keys.
# Answers how many were due, or -1 when somebody else leads. A job whose hash is gone was taken back.
_MOVE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
local due = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[2], 'LIMIT', 0, ARGV[3])
for _, id in ipairs(due) do
  local job = ARGV[5] .. id
  if redis.call('EXISTS', job) == 1 then
    redis.call('HSET', job, 'status', 'queued', 'enqueued_at', ARGV[4])
    redis.call('RPUSH', KEYS[3], id)
  end
  redis.call('ZREM', KEYS[2], id)
end
return #due
"""

log = logging.getLogger(__name__)


def this_host() -> str:
    """Where a process id means the same as here: host name and, on Linux, which boot and namespace of process ids.

    Containers, and hosts that nobody named, may share a name; one would take the lock from the other's living leader.
    """
    name = socket.gethostname()
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        processes = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return name
    return f"{name}~{zlib.crc32(f'{boot} {processes}'.encode()):08x}"


@dataclass(frozen=True, slots=True)
class Periodic:
    """Something to call while leading, first at once: short, since due jobs wait for it; may be called twice."""

    every: float  # seconds
    call: Callable[[], object]


class Timers(RQScheduler):
    """`work()` runs until SIGTERM or `request_stop()`."""

    def __init__(self, connection: redis.Redis, queues: Sequence[str], periodic: Sequence[Periodic] = ()) -> None:
        self._owner_of_this_host = f"{this_host()}/"
        super().__init__(
            list(queues),
            connection=connection,
            logging_level=logging.CRITICAL,
            serializer=SERIALIZER,
            name=f"{self._owner_of_this_host}{os.getpid()}/{time.time():.0f}",
        )
        self._connection = connection  # type: ignore[assignment]  # RQ would make one that repeats commands
        self._order = tuple(queues)
        self._lead = connection.register_script(_LEAD)
        self._move = connection.register_script(_MOVE)
        self._periodic = tuple(periodic)
        self._call_at = [0.0] * len(self._periodic)
        self._stop = threading.Event()
        self.leading = False

    def request_stop(self, signum: int | None = None, frame: object = None) -> None:
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]
        self._stop.set()

    def work(self) -> None:
        """Ticks until told to stop; must be called in the main thread (it takes SIGTERM and SIGINT)."""
        self._install_signal_handlers()  # type: ignore[no-untyped-call]
        self.run()

    def run(self) -> None:
        away = False
        refresh_at = 0.0
        while not self._stop.is_set():
            try:
                if time.monotonic() >= refresh_at:
                    self.acquire_locks()
                    refresh_at = time.monotonic() + REFRESH
                if self.leading:
                    self.enqueue_scheduled_jobs()
                    self._call_periodic()
                if away:
                    log.info("Redis is back")
                away = False
                self._stop.wait(TICK)
            except redis.RedisError as error:
                if not away:
                    log.warning("Redis is away (%s); nothing is due until it is back", type(error).__name__)
                away, refresh_at = True, 0.0
                self._stop.wait(0.5)
        self._step_down()

    def acquire_locks(self, auto_start: bool = False) -> set[str]:  # noqa: ARG002  RQ's signature
        """Leads if nobody else does; says so in the heartbeat. Returns the queues it leads: all or none."""
        locks = [self.get_locking_key(name) for name in self._order]
        for _ in range(2):
            owner = self._lead(keys=[*locks, HEARTBEAT], args=[self.name, int(LOCK_TTL * 1000), repr(time.time())])
            if owner.decode() == self.name or not self._is_dead(owner.decode()):
                break
            for lock in locks:
                release_lock(self.connection, lock, owner.decode())
        if self.leading != (owner.decode() == self.name):
            self.leading = not self.leading
            log.info("leading" if self.leading else "another timers process leads")
        self._acquired_locks = set(self._order) if self.leading else set()
        return self._acquired_locks

    def _is_dead(self, owner: str) -> bool:
        """Whether the lock's owner was a process of this host that has ended without giving it back."""
        if not owner.startswith(self._owner_of_this_host):
            return False
        try:
            os.kill(int(owner.split("/")[1]), 0)
        except ProcessLookupError:
            return True
        except (OSError, ValueError, IndexError):
            return False
        return False

    def enqueue_scheduled_jobs(self) -> None:
        """Moves every job that is due to its queue, 500 at a time."""
        for name in self._order:
            moved = CHUNK
            while moved == CHUNK and not self._stop.is_set():
                moved = self._move_due(name)
                if moved > 0:
                    reached("jobs moved")
            if moved < 0:
                self.leading = False
                return

    def _move_due(self, name: str) -> int:
        now = time.time()
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1e6):06d}Z"
        return int(
            self._move(
                keys=[self.get_locking_key(name), scheduled_key(name), queue_key(name)],
                args=[self.name, repr(now), CHUNK, moment, Job.redis_job_namespace_prefix],
            )
        )

    def _call_periodic(self) -> None:
        for index, each in enumerate(self._periodic):
            if time.monotonic() < self._call_at[index]:
                continue
            self._call_at[index] = time.monotonic() + each.every
            try:
                each.call()
            except redis.RedisError:
                raise
            except Exception as error:  # one broken sweep must not stop the clock
                log.error("a periodic call failed: %s", describe(error))

    def _step_down(self) -> None:
        try:
            self.release_locks()  # type: ignore[no-untyped-call]
        except redis.RedisError:
            log.warning("Redis is away; the lock ends by itself within %.0f s", LOCK_TTL)
        self.leading = False
