"""Everything that goes to the helpdesk: readings first, then notes and live state, at most four calls at a time.

Notes leave in order per ticket, however long the helpdesk was away. Before a second try a note is looked for by its
proof, because the first one may have arrived. A note that is refused for good is set aside and stays in the history.
"""

import itertools
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, field, replace
from functools import partial

import redis

from .. import queues
from ..core.events import Entry
from ..errors import HelpdeskAway, HelpdeskError, PermissionLost, TicketGone
from ..faults import describe
from ..points import reached
from ..ports import Clock, Helpdesk, Note
from . import outage
from .drain import Drain
from .engine import Engine
from .keys import BEHIND, DESK, HINTS, KNOWN, PREFIX
from .observer import Observer
from .places import AT_ONCE, FOR_FRESH_LOOKS, fresh_look
from .records import DeskItem, NotOurs, encode, to_item, to_live
from .store import Store

log = logging.getLogger(__name__)

CALLS_AT_ONCE = AT_ONCE
AGAIN = (2.0, 5.0, 15.0, 30.0, 60.0)  # seconds until the next try while the helpdesk is away
REFUSED_AGAIN = 300.0  # seconds
REFUSED_AT_MOST = 288  # times: a day
FAILED_AT_MOST = 5  # times
COMPARE = "compare"  # beside ids of tickets, which are digits
IDLE = 0.1  # seconds
FRESH_LOOK = 0.0  # what a coming step asks for stands before everything else in `hints`
NOTE_KIND = "note"
GONE = "the ticket does not exist any more"

# Marks the next one as begun, unless somebody else has gone on. KEYS: list. ARGV: as it was read, as begun.
_BEGIN = """
if redis.call('LINDEX', KEYS[1], 0) ~= ARGV[1] then return 0 end
redis.call('LSET', KEYS[1], 0, ARGV[2])
return 1
"""
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

    def drain(self, beside: Callable[[], object] | None = None) -> None:
        """Works off hints and writes until there is nothing left for a moment; on an emptied Redis nothing at all.

        `beside` runs meanwhile, and that long the drain goes on: a sweep over a large helpdesk takes minutes, and a
        step waits for its fresh look no longer than seconds. Raises what `beside` raised.
        """
        begun = self.store.begun()
        with ThreadPoolExecutor(CALLS_AT_ONCE + 1, thread_name_prefix="desk") as pool:
            aside = pool.submit(beside) if beside is not None else None
            while True:
                if begun:
                    Drain(self._due, pool, CALLS_AT_ONCE).run()
                if aside is None or queues.stopping.is_set() or wait_for([aside], IDLE).done:
                    break
        if aside is not None:
            aside.result()

    def _due(self, busy: set[str], room: int) -> dict[str, Callable[[], None]]:
        """What can be done now: fresh looks, then hints, then writes; one thing a ticket at a time.

        One place is always left for fresh looks. Every fourth time writes go before hints, so that a storm of hints
        doesn't keep notes from being written; known tickets with nothing running are compared one search at a time,
        and those that differ are read when nothing else waits, or by every eighth turn.
        """
        now = self.clock.now().timestamp()
        hints, writes, behind = (self.store.tickets_due(key, now, room + len(busy)) for key in (HINTS, DESK, BEHIND))
        work: dict[str, Callable[[], None]] = {}
        for ticket_id, since in hints:
            if since <= FRESH_LOOK and ticket_id not in busy and len(work) < room:
                work[ticket_id] = partial(self._look_first, ticket_id)
        if COMPARE not in busy and self.store.tickets_due(KNOWN, now, 1) and len(work) < room - FOR_FRESH_LOOKS:
            work[COMPARE] = self.observer.compare
        read, write, last = (self.observer.look, hints), (self.write, writes), (self.observer.look, behind)
        turn = next(self.turns)
        order = (write, read, last) if turn % 4 == 0 else (last, read, write) if turn % 8 == 5 else (read, write, last)
        for act, found in order:
            for ticket_id, _ in found:
                if ticket_id not in busy and ticket_id not in work and len(work) < room - FOR_FRESH_LOOKS:
                    work[ticket_id] = partial(act, ticket_id)
        return work

    def _look_first(self, ticket_id: str) -> None:
        with fresh_look():
            self.observer.look(ticket_id)

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

    def _write_next(self, ticket_id: str) -> bool:
        key = f"{PREFIX}desk:{ticket_id}"
        raw = self.store.redis.lindex(key, 0)
        if raw is None:
            return False
        try:
            item = to_item(raw)
        except NotOurs as error:
            log.error("a note that waits for ticket %s can't be understood: %s", ticket_id, describe(error))
            self.store.redis.lrem(key, 1, raw)
            self.store.count("notes_refused")
            spoiled = "A note that waited was spoiled in Redis, and is lost."
            self.engine.operator.tell("notes-refused", spoiled, about=ticket_id)
            return True
        begun = encode(replace(item, attempts=item.attempts + 1))
        if not self.store.redis.eval(_BEGIN, 1, key, raw, begun):
            return False  # we were paused for long, and somebody else goes on here
        reached("note begun")
        try:
            self._carry_out(ticket_id, item)
        except Exception as error:
            self._set_aside(ticket_id, item, self._refusal(ticket_id, error))
        self.store.redis.lrem(key, 1, begun)
        reached("note crossed off")
        return True

    def _refusal(self, ticket_id: str, error: Exception) -> str:
        """Why it will never be written; raises the error again where another try may help.

        A permission may come back: a token that ran out, a group that was taken away.
        """
        lost = isinstance(error, PermissionLost)
        if isinstance(error, TicketGone) or (lost and self.store.redis.exists(f"{PREFIX}deleted:{ticket_id}")):
            return GONE
        if isinstance(error, HelpdeskAway | redis.RedisError):
            raise error
        known = isinstance(error, HelpdeskError)
        if lost or not known:
            at_most = REFUSED_AT_MOST if lost else FAILED_AT_MOST
            if self._tries(ticket_id) < at_most:
                raise error
        return str(error) if known else "Escalator failed to write it"

    def _tries(self, ticket_id: str) -> int:
        """How often the first one that waits for this ticket couldn't be written, this time included."""
        key = f"{PREFIX}unwritable:{ticket_id}"
        tries = int(self.store.redis.incr(key))
        self.store.redis.expire(key, 2 * 86400)
        return tries

    def _carry_out(self, ticket_id: str, item: DeskItem) -> None:
        lines = item.lines
        if item.assign:
            assigned = self._assign(ticket_id, item)
            if lines and not assigned:
                lines = (*lines, f"{item.assign_name or item.assign} is not assigned: please set the owner.")
        if not lines:
            return
        replication = self.store.replication
        if (item.attempts or replication.in_doubt()) and item.proof:
            found = self.helpdesk.find_note(ticket_id, item.proof)
            reached("note looked for")
            if found is not None:
                return
        replication.safe()  # or not: the next try looks for it
        self.helpdesk.add_note(ticket_id, Note(lines, item.proof, item.link))
        reached("note answered")
        self.store.count("notes_written")
        self.engine.operator.settled("notes-refused", about=ticket_id)

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

    def _set_aside(self, ticket_id: str, item: DeskItem, why: str) -> None:
        """It stays in our history, and the operator hears of it; the next ones go on."""
        log.warning("a note for ticket %s is set aside: %s", ticket_id, why)
        self.store.redis.delete(f"{PREFIX}unwritable:{ticket_id}")
        headline = item.lines[0] if item.lines else "an owner"
        self.store.add_entry(item.code, Entry(self.clock.now(), NOTE_KIND, f'not written, "{headline}": {why}'))
        self.store.count("notes_refused")
        if why != GONE:
            self.engine.operator.tell("notes-refused", f"The helpdesk refused a note: {why}", about=ticket_id)

    def _later(self, ticket_id: str, seconds: float) -> None:
        self.store.redis.zadd(DESK, {ticket_id: time.time() + seconds})
