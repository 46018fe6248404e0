"""Everything that goes to the helpdesk: readings first, then notes and live state, at most four calls at a time.

Notes leave in order per ticket, however long the helpdesk was away. Before a second try a note is looked for by its
proof, because the first one may have arrived. A note that is refused for good is set aside and stays in the history.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, replace

import redis

from .. import queues
from ..core.events import Entry
from ..errors import HelpdeskAway, HelpdeskError, TicketGone
from ..faults import describe
from ..ports import Clock, Helpdesk, Note
from . import outage
from .engine import Engine
from .observer import Observer
from .records import DeskItem, encode, to_item, to_live
from .store import DESK, HINTS, PREFIX, Store

log = logging.getLogger(__name__)

CALLS_AT_ONCE = 4
DRAIN_FOR = 20.0  # seconds; then another job goes on, so that a worker can end or be looked after
REST = 2.0  # seconds until what failed in an unexpected way is tried again
LINGER = 0.3  # seconds without work after which a drain ends
AGAIN = (2.0, 5.0, 15.0, 30.0, 60.0)  # seconds until the next try while the helpdesk is away
NOTE_KIND = "note"

# Marks the next one as begun, unless somebody else has gone on. KEYS: list. ARGV: as it was read, as begun.
_BEGIN = """
if redis.call('LINDEX', KEYS[1], 0) ~= ARGV[1] then return 0 end
redis.call('LSET', KEYS[1], 0, ARGV[2])
return 1
"""
_FORGET_SAME = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


@dataclass(frozen=True)
class Desk:
    helpdesk: Helpdesk
    observer: Observer
    engine: Engine
    store: Store
    clock: Clock

    def drain(self) -> None:
        """Works off hints and writes until there is nothing left for a moment; on an emptied Redis nothing at all."""
        if not self.store.begun():
            return
        with ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="desk") as pool:
            Drain(self._due, pool, CALLS_AT_ONCE).run()

    def _due(self, busy: set[str], room: int) -> dict[str, Callable[[], None]]:
        """What can be done now: fresh looks, then hints, then writes; one thing a ticket at a time."""
        now = self.clock.now().timestamp()
        work: dict[str, Callable[[], None]] = {}
        for key, act in ((HINTS, self.observer.look), (DESK, self.write)):
            for raw in self.store.redis.zrangebyscore(key, "-inf", now, start=0, num=room + len(busy)):
                ticket_id = raw.decode()
                if ticket_id not in busy and ticket_id not in work and len(work) < room:
                    work[ticket_id] = lambda act=act, ticket_id=ticket_id: act(ticket_id)  # type: ignore[misc]
        return work

    # --- writing -----------------------------------------------------------------------------------------------

    def write(self, ticket_id: str) -> None:
        """Writes what waits for this ticket, in order, until all is there or the helpdesk is away."""
        with self.store.locks.hold(f"{PREFIX}writing:{ticket_id}") as mine:
            if mine:
                self._write_all(ticket_id)
            else:
                self._later(ticket_id, 1.0)

    def _write_all(self, ticket_id: str) -> None:
        try:
            before = self.store.redis.zscore(DESK, ticket_id)
            while self._write_next(ticket_id):
                pass
            self._show(ticket_id)
            self._done(ticket_id, before)
            outage.answers(self.store.redis)
        except HelpdeskAway:
            tries = int(self.store.redis.incr(f"{PREFIX}unwritten:{ticket_id}"))
            self.store.redis.expire(f"{PREFIX}unwritten:{ticket_id}", 86400)
            self._later(ticket_id, AGAIN[min(tries, len(AGAIN)) - 1])
            outage.waits(self.store.redis, ticket_id)
            if tries >= 3:
                self.engine.operator.tell("notes", "Notes wait: the helpdesk does not take them.")

    def _done(self, ticket_id: str, before: float | None) -> None:
        """Forgets the ticket unless something came meanwhile."""
        with self.store.redis.pipeline() as pipe:
            pipe.watch(DESK, f"{PREFIX}desk:{ticket_id}")
            if pipe.zscore(DESK, ticket_id) == before and pipe.llen(f"{PREFIX}desk:{ticket_id}") == 0:
                pipe.multi()
                pipe.zrem(DESK, ticket_id)
                pipe.delete(f"{PREFIX}unwritten:{ticket_id}")
                with_watch_lost(pipe.execute)

    def _write_next(self, ticket_id: str) -> bool:
        key = f"{PREFIX}desk:{ticket_id}"
        raw = self.store.redis.lindex(key, 0)
        if raw is None:
            return False
        item = to_item(raw)
        begun = encode(replace(item, attempts=item.attempts + 1))
        if not self.store.redis.eval(_BEGIN, 1, key, raw, begun):
            return False  # we were paused for long, and somebody else goes on here
        try:
            self._carry_out(ticket_id, item)
        except TicketGone:
            self._set_aside(ticket_id, item, "the ticket does not exist any more")
        except HelpdeskAway:
            raise
        except HelpdeskError as error:
            self._set_aside(ticket_id, item, str(error))
        self.store.redis.lrem(key, 1, begun)
        return True

    def _carry_out(self, ticket_id: str, item: DeskItem) -> None:
        lines = item.lines
        if item.assign:
            assigned = self._assign(ticket_id, item)
            if lines and not assigned:
                lines = (*lines, f"{item.assign_name or item.assign} is not assigned: please set the owner.")
        if not lines:
            return
        if item.attempts and item.proof and self.helpdesk.find_note(ticket_id, item.proof) is not None:
            return
        self.helpdesk.add_note(ticket_id, Note(lines, item.proof, item.link))
        self.store.count("notes_written")

    def _assign(self, ticket_id: str, item: DeskItem) -> bool:
        try:
            return self.helpdesk.assign(ticket_id, item.assign)
        except HelpdeskAway:
            raise
        except HelpdeskError as error:
            log.warning("ticket %s was not assigned: %s", ticket_id, error)
            return False

    def _show(self, ticket_id: str) -> None:
        """The newest live state; older ones that waited are skipped."""
        key = f"{PREFIX}show:{ticket_id}"
        raw = self.store.redis.get(key)
        live = to_live(raw)
        if live is None:
            return
        try:
            self.helpdesk.show(ticket_id, live)
        except HelpdeskAway:
            raise
        except HelpdeskError as error:
            log.warning("the live state of ticket %s was refused: %s", ticket_id, error)
            self.engine.operator.tell("live-state", f"The helpdesk refuses the live state: {error}")
        self.store.redis.eval(_FORGET_SAME, 1, key, raw)

    def _set_aside(self, ticket_id: str, item: DeskItem, why: str) -> None:
        """It stays in our history, and the operator hears of it; the next ones go on."""
        log.warning("a note for ticket %s is set aside: %s", ticket_id, why)
        headline = item.lines[0] if item.lines else "an owner"
        entry = Entry(self.clock.now(), NOTE_KIND, f'not written, "{headline}": {why}')
        self.store.redis.rpush(f"{PREFIX}history:{item.code}", encode(entry))
        self.store.count("notes_refused")
        self.engine.operator.tell("notes-refused", f"The helpdesk refused a note: {why}")

    def _later(self, ticket_id: str, seconds: float) -> None:
        self.store.redis.zadd(DESK, {ticket_id: time.time() + seconds})


def with_watch_lost(execute: Callable[[], object]) -> None:
    """Runs EXEC; when somebody was quicker, what they wrote is worked off by the next round."""
    try:
        execute()
    except redis.WatchError:
        return


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
