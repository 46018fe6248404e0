"""A drain: one job that works off all that is due with a pool of threads, whose slots are refilled as they free."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for

from .. import queues
from ..faults import describe

log = logging.getLogger(__name__)

DRAIN_FOR = 20.0  # seconds; then another job goes on, so that a worker can end or be looked after
REST = 2.0  # seconds until what failed in an unexpected way is tried again
LINGER = 0.3  # seconds without work after which a drain ends


class Drain:
    """Keeps a pool's slots filled with what `due` offers; ends when idle, after a while, or on SIGTERM.

    due(busy keys, free slots) -> {key: work}. A piece of work that raises is logged, and rests before its next try.
    """

    def __init__(
        self, due: Callable[[set[str], int], dict[str, Callable[[], None]]], pool: ThreadPoolExecutor, slots: int
    ) -> None:
        self._due, self._pool, self._slots = due, pool, slots
        self._freed = threading.Event()
        self._resting: dict[str, float] = {}  # key -> until, monotonic

    def run(self) -> None:
        running: dict[Future[None], str] = {}
        ends, idle_since = time.monotonic() + DRAIN_FOR, time.monotonic()
        while not queues.stopping.is_set() and time.monotonic() < ends:
            self._freed.clear()
            for done in [future for future in running if future.done()]:
                self._report(done, running.pop(done))
            room = self._slots - len(running)
            work = self._due({*running.values(), *self._rest()}, room) if room else {}
            for key, act in work.items():
                future = self._pool.submit(act)
                running[future] = key
                future.add_done_callback(lambda _: self._freed.set())
            if work or running:
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since > LINGER:
                break
            if not work:
                self._freed.wait(0.05)
        wait_for(running)
        for future, key in running.items():
            self._report(future, key)

    def _rest(self) -> list[str]:
        now = time.monotonic()
        self._resting = {key: until for key, until in self._resting.items() if until > now}
        return list(self._resting)

    def _report(self, future: "Future[None]", key: str) -> None:
        error = future.exception()
        if error is not None:
            self._resting[key] = time.monotonic() + REST
            log.error("work on %s failed: %s", key, describe(error))
