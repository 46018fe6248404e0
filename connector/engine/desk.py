"""Everything that goes to the helpdesk: readings first, then notes and live state, at most four calls at a time.

Notes leave in order per ticket, however long the helpdesk was away (noting.py).
"""

import itertools
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, field
from functools import partial

from .. import queues
from ..errors import HelpdeskAway, HelpdeskError, PermissionLost, TicketGone
from ..faults import describe
from ..points import reached
from ..ports import Clock, Helpdesk
from . import observer as observing
from . import outage
from .drain import Drain
from .engine import Engine
from .keys import BEHIND, DESK, HINTS, KNOWN, PREFIX
from .noting import Notes
from .observer import Observer
from .places import AT_ONCE, FOR_FRESH_LOOKS, fresh_look
from .records import to_live
from .store import Store

log = logging.getLogger(__name__)

CALLS_AT_ONCE = AT_ONCE
AGAIN = (2.0, 5.0, 15.0, 30.0, 60.0)  # seconds until the next try while the helpdesk is away
REFUSED_AGAIN = 300.0  # seconds
COMPARE = "compare"  # beside ids of tickets, which are digits
LOOKS = "looks"
TOGETHER = 3  # fresh looks from which on they are one search: a reading takes four calls
IDLE = 0.1  # seconds
FRESH_LOOK = 0.0  # what a coming step asks for stands before everything else in `hints`

# Forgets the ticket unless something came since. KEYS: desk, and the ticket's list, live state and counters.
# ARGV: ticket, score before.
_DONE = """
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score or tonumber(score) ~= tonumber(ARGV[2]) then return 0 end
if redis.call('LLEN', KEYS[2]) > 0 or redis.call('EXISTS', KEYS[3]) == 1 then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[4], KEYS[5])
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
    turns: Iterator[int] = field(default_factory=itertools.count)
    drained: Drain = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "drained", Drain(self._due, CALLS_AT_ONCE, "desk"))

    @property
    def notes(self) -> Notes:
        return Notes(self.helpdesk, self.engine, self.store, self.clock)

    def drain(self, beside: Callable[[], object] | None = None) -> None:
        """Works off hints and writes until there is nothing left for a moment; on an emptied Redis nothing at all.

        `beside` runs meanwhile, and that long the drain goes on: a sweep over a large helpdesk takes minutes, and a
        step waits for its fresh look no longer than seconds. Raises what `beside` raised.
        """
        with ThreadPoolExecutor(1, thread_name_prefix="beside") as pool:
            aside = pool.submit(beside) if beside is not None else None
            while True:
                if self.store.begun():
                    self.drained.run()
                if aside is None or queues.stopping.is_set() or wait_for([aside], IDLE).done:
                    break
        if aside is not None:
            aside.result()

    def _due(self, busy: set[str], room: int) -> dict[str, Callable[[], None]]:
        """What can be done now: fresh looks, then hints, then writes; one thing a ticket at a time.

        One place is always left for fresh looks. Every fourth time writes go before hints, so that a storm of hints
        doesn't keep notes from being written, and every fourth time the newest hint goes before the oldest: thousands
        of tickets that were never read may wait, and one that was made just now must not stand behind them. Known
        tickets with nothing running are compared one search at a time, and those that differ are read when nothing
        else waits, or by every eighth turn.
        """
        now = self.clock.now().timestamp()
        hints, writes, behind = (self.store.tickets_due(key, now, room + len(busy)) for key in (HINTS, DESK, BEHIND))
        work = self._looks(hints, busy, room)
        if COMPARE not in busy and self.store.tickets_due(KNOWN, now, 1) and len(work) < room - FOR_FRESH_LOOKS:
            work[COMPARE] = self.observer.compare
        turn = next(self.turns)
        if turn % 4 == 2:
            hints = self.store.tickets_due(HINTS, now, room + len(busy), newest=True) + hints
        hints = [(ticket_id, since) for ticket_id, since in hints if since > observing.LOOK_ALONE]
        read, write, last = (self.observer.look, hints), (self.write, writes), (self.observer.look, behind)
        order = (write, read, last) if turn % 4 == 0 else (last, read, write) if turn % 8 == 5 else (read, write, last)
        for act, found in order:
            for ticket_id, _ in found:
                if ticket_id not in busy and ticket_id not in work and len(work) < room - FOR_FRESH_LOOKS:
                    work[ticket_id] = partial(act, ticket_id)
        return work

    def _looks(self, hints: list[tuple[str, float]], busy: set[str], room: int) -> dict[str, Callable[[], None]]:
        """Fresh looks: several in one search first, and those that it can't tell of one by one."""
        work: dict[str, Callable[[], None]] = {}
        asked = [ticket_id for ticket_id, since in hints if since <= FRESH_LOOK]
        together = LOOKS in busy or len(asked) >= TOGETHER
        if together and LOOKS not in busy and room:
            work[LOOKS] = partial(self._first, self._look_together)
        for ticket_id, since in hints:
            alone = since == observing.LOOK_ALONE or (since <= FRESH_LOOK and not together)
            if alone and ticket_id not in busy and len(work) < room:
                work[ticket_id] = partial(self._first, partial(self.observer.look, ticket_id))
        return work

    def _look_together(self) -> None:
        due = self.store.tickets_due(HINTS, FRESH_LOOK, observing.COMPARED_AT_ONCE)
        self.observer.look_together([ticket_id for ticket_id, _ in due])

    def _first(self, look: Callable[[], None]) -> None:
        with fresh_look():
            look()

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
            waits = self.notes.write(ticket_id)
            self._show(ticket_id)
            if waits is None:
                self._done(ticket_id, before)
            else:
                self._later(ticket_id, (waits - self.clock.now()).total_seconds())
            self.engine.operator.settled("notes", about=ticket_id)
            outage.answers(self.store.redis)
        except PermissionLost as error:
            self._later(ticket_id, REFUSED_AGAIN)
            self.engine.operator.tell("notes", f"Notes wait: {error}", about=ticket_id)
        except HelpdeskAway:
            tries = int(self.store.redis.incr(f"{PREFIX}unwritten:{ticket_id}"))
            self.store.redis.expire(f"{PREFIX}unwritten:{ticket_id}", 86400)
            self._later(ticket_id, AGAIN[min(tries, len(AGAIN)) - 1])
            outage.waits(self.store.redis, ticket_id)
            if tries >= 3:
                self.engine.operator.tell("notes", "Notes wait: the helpdesk does not take them.", about=ticket_id)

    def _done(self, ticket_id: str, before: float | None) -> None:
        """Forgets the ticket unless something came meanwhile."""
        keys = (DESK, *(f"{PREFIX}{what}:{ticket_id}" for what in ("desk", "show", "unwritten", "unwritable")))
        if before is not None:
            self.store.redis.eval(_DONE, len(keys), *keys, ticket_id, repr(before))

    def _show(self, ticket_id: str) -> None:
        """The newest live state; older ones that waited are skipped."""
        key = f"{PREFIX}show:{ticket_id}"
        raw = self.store.redis.get(key)
        live = to_live(raw)
        if live is None:
            return
        try:
            self.helpdesk.show(ticket_id, live)
            reached("live state shown")
        except HelpdeskAway:
            raise
        except TicketGone:
            log.info("ticket %s is gone, and its live state with it", ticket_id)
        except Exception as error:
            log.warning("the live state of ticket %s was refused: %s", ticket_id, describe(error))
            said = str(error) if isinstance(error, HelpdeskError) else "Escalator failed to write it."
            self.engine.operator.tell("live-state", f"The helpdesk refuses the live state: {said}", about=ticket_id)
        else:
            self.engine.operator.settled("live-state", about=ticket_id)
        self.store.redis.eval(_FORGET_SAME, 1, key, raw)

    def _later(self, ticket_id: str, seconds: float) -> None:
        self.store.redis.zadd(DESK, {ticket_id: self.clock.now().timestamp() + seconds})
