"""Whether workers take jobs: from what RQ keeps of them in Redis, and from the processes of this host."""

import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import redis
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

from .. import queues

IDLE_SILENT = 25.0  # seconds; an idle worker says a word every 5 s
# It says none while a job runs: a drain takes 20 s and a call, a sweep over a large helpdesk minutes.
BUSY_SILENT = {queues.WORK: 25.0, queues.DELIVER: 100.0, queues.DESK: 200.0}
WAITED = {queues.WORK: 15.0, queues.DELIVER: 45.0, queues.DESK: 200.0}  # seconds


@dataclass(frozen=True, slots=True)
class WorkerSeen:
    """`silent`: seconds since its last word. `here`: it is a living process of this host.

    Whether a silent one of another host is stuck or was killed is for the watchdog of that host to say. `stopped`: by
    a signal, as far as this host's kernel tells.
    """

    name: str
    queue: str
    busy: bool
    silent: float
    here: bool
    stopped: bool = False

    @property
    def speaks(self) -> bool:
        return self.silent <= (BUSY_SILENT[self.queue] if self.busy else IDLE_SILENT)

    @property
    def stuck(self) -> bool:
        return self.here and (self.stopped or not self.speaks)


@dataclass(frozen=True, slots=True)
class QueueSeen:
    """`waited`: seconds that its oldest job has waited, 0 when there is none."""

    queue: str
    waited: float
    workers: tuple[WorkerSeen, ...]


class Workers:
    """Remembers who has been seen: RQ forgets a worker that is stopped, and then nobody would miss it."""

    def __init__(self, connection: redis.Redis) -> None:
        self._redis: Any = connection
        self._known: dict[str, tuple[str, bool, float, str, int]] = {}  # name: queue, busy, last word, host, process
        self._host = socket.gethostname()

    def look(self) -> list[QueueSeen]:
        """Each queue as it is now. May raise redis.RedisError."""
        now = time.time()
        for queue in queues.QUEUES:
            for key in self._redis.smembers(WORKERS_BY_QUEUE_KEY % queue):
                self._remember(key, queue)
        self._known = {
            name: one
            for name, one in self._known.items()
            if (_alive(one[4]) if one[3] == self._host else now - one[2] < queues.JOB_TIMEOUT)
        }
        return [QueueSeen(queue, self._waited(queue, now), tuple(self._of(queue, now))) for queue in queues.QUEUES]

    def _remember(self, key: bytes, queue: str) -> None:
        state, seen, host, process, death = self._redis.hmget(
            key, "state", "last_heartbeat", "hostname", "pid", "death"
        )
        name = key.decode(errors="replace")
        if death is not None or seen is None or process is None or not process.isdigit():
            if death is not None:
                self._known.pop(name, None)
            return
        last = _seconds(seen)
        if last is not None:
            self._known[name] = (queue, state == b"busy", last, (host or b"").decode(errors="replace"), int(process))

    def _of(self, queue: str, now: float) -> Iterator[WorkerSeen]:
        for name, (its, busy, last, host, process) in self._known.items():
            if its == queue:
                here = host == self._host
                yield WorkerSeen(name, queue, busy, now - last, here, here and _stopped(process))

    def _waited(self, queue: str, now: float) -> float:
        head = self._redis.lindex(queues.queue_key(queue), 0)
        if head is None:
            return 0.0
        queued = self._redis.hget(queues.job_key(head.decode(errors="replace")), "enqueued_at")
        at = _seconds(queued) if queued is not None else None
        return max(now - at, 0.0) if at is not None else 0.0


def _seconds(moment: bytes) -> float | None:
    """RQ's `2026-01-31T20:15:00.000000Z` as Unix seconds."""
    try:
        return datetime.fromisoformat(moment.decode().replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None


def _stopped(process: int) -> bool:
    """Whether SIGSTOP or a debugger holds it (proc(5), the field after the name); False where nobody tells."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] in ("T", "t")
    except (OSError, IndexError):
        return False


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is somebody else's
        return True
    return True
