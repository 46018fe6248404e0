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

_under_way: set[Future[None]] = set()  # what the drains of this process have begun


class Drain:
    """Keeps a pool's slots filled with what `due` offers; ends when idle, after a while, or on SIGTERM.

    due(busy keys, free slots) -> {key: work}. A piece of work that raises is logged, and rests before its next try.
    What still runs when a run ends after its while goes on, and its key is busy in the next run: one slow call must not
    keep all others waiting. On SIGTERM it is waited for. `run` is for one thread at a time.
    """

    def __init__(self, due: Callable[[set[str], int], dict[str, Callable[[], None]]], slots: int, name: str) -> None:
        self._due, self._slots, self._name = due, slots, name
        self._pool: ThreadPoolExecutor | None = None  # only as long as there is work
        self._running: dict[Future[None], str] = {}
        self._freed = threading.Event()
        self._resting: dict[str, float] = {}  # key -> until, monotonic

    def run(self) -> None:
        pool = self._pool = self._pool or ThreadPoolExecutor(self._slots, thread_name_prefix=self._name)
        ends, idle_since = time.monotonic() + DRAIN_FOR, time.monotonic()
        while not queues.stopping.is_set() and time.monotonic() < ends:
            self._freed.clear()
            self._take_back()
            room = self._slots - len(self._running)
            work = self._due({*self._running.values(), *self._rest()}, room) if room else {}
            for key, act in work.items():
                future = pool.submit(act)
                self._running[future] = key
                _under_way.add(future)
                future.add_done_callback(self._ended)
            if work or self._running:
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since > LINGER:
                break
            if not work:
                self._freed.wait(0.05)
        if queues.stopping.is_set():
            wait_for(self._running)
        self._take_back()
        if not self._running:
            pool.shutdown()
            self._pool = None

    def _ended(self, future: "Future[None]") -> None:
        _under_way.discard(future)
        self._freed.set()

    def _take_back(self) -> None:
        for done in [future for future in self._running if future.done()]:
            self._report(done, self._running.pop(done))

    def _rest(self) -> list[str]:
        now = time.monotonic()
        self._resting = {key: until for key, until in self._resting.items() if until > now}
        return list(self._resting)

    def _report(self, future: "Future[None]", key: str) -> None:
        error = future.exception()
        if error is not None:
            self._resting[key] = time.monotonic() + REST
            log.error("work on %s failed: %s", key, describe(error))


def await_all() -> None:
    """Waits for what drains have left running: before this process ends."""
    wait_for(set(_under_way))
