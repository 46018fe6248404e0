"""Reads tickets that hints, the sweep or a coming step ask for, one reader a ticket, and takes in what is new.

A hint is forgotten only once a reading that began after it has been committed.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..core.events import Closed
from ..core.observing import THE_HELPDESK, Observed
from ..core.ticket import Kind, Reading
from ..errors import HelpdeskAway, HelpdeskError, HelpdeskRefused, TicketGone
from ..ports import Clock, Helpdesk
from . import outage
from .engine import Engine
from .store import HINTS, PREFIX, Store

log = logging.getLogger(__name__)

AGAIN = (2.0, 5.0, 10.0, 30.0)  # seconds until a ticket is read again while the helpdesk is away
REFUSED_AGAIN = 300.0  # seconds

# Forgets the hint if no other one came since. KEYS: hints, counter. ARGV: ticket, count as it was before reading.
_FORGET = """
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[2] then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2])
return 1
"""


@dataclass(frozen=True)
class Observer:
    """`since` is when Escalator was switched on: older tickets start nothing by themselves."""

    helpdesk: Helpdesk
    engine: Engine
    store: Store
    clock: Clock
    since: Callable[[], datetime]

    def look(self, ticket_id: str) -> None:
        """Reads this ticket unless somebody else is reading it; the hint then stays for them, or for the next drain."""
        with self.store.locks.hold(f"{PREFIX}reading:{ticket_id}") as mine:
            if not mine:
                self._later(ticket_id, 0.5)
                return
            count = self.store.redis.get(f"{PREFIX}hint:{ticket_id}") or b""
            if self._read(ticket_id):
                self.store.redis.eval(_FORGET, 2, HINTS, f"{PREFIX}hint:{ticket_id}", ticket_id, count)

    def _read(self, ticket_id: str) -> bool:
        """Whether the hint is done with."""
        try:
            reading = self.helpdesk.read(ticket_id)
        except TicketGone:
            self.engine.happen(ticket_id, Closed(self.clock.now(), THE_HELPDESK, "deleted"))
            return True
        except HelpdeskAway as error:
            self._away(ticket_id, error)
            return False
        except HelpdeskRefused as error:
            if self.store.redis.exists(f"{PREFIX}deleted:{ticket_id}"):
                self.engine.happen(ticket_id, Closed(self.clock.now(), THE_HELPDESK, "deleted"))
                return True
            self.engine.operator.tell("helpdesk", f"A ticket can't be read: {error}")
            self._later(ticket_id, REFUSED_AGAIN)
            return False
        self.store.redis.delete(f"{PREFIX}away:{ticket_id}")
        self.engine.operator.settled("helpdesk")
        outage.answers(self.store.redis)
        self.take_in(reading)
        return True

    def take_in(self, reading: Reading) -> Observed | None:
        """Commits a reading; a merge moves the escalation to where the ticket went."""
        observed = self.engine.observe(reading, self.since())
        if observed is not None and observed.merged_into:
            self._merge(reading, observed.merged_into)
        return observed

    def _merge(self, source: Reading, target_id: str) -> None:
        merged = next(c for c in reversed(source.changes) if c.kind is Kind.MERGED)
        try:
            target = self.helpdesk.read(target_id)
        except HelpdeskAway:
            raise
        except HelpdeskError as error:
            log.warning("the ticket merged into can't be read: %s", error)
            self.engine.happen(source.ticket.id, Closed(merged.at, merged.by, "merged away"))
            return
        self.engine.merge(source.ticket.id, target, merged.by, merged.at, self.since())

    def _away(self, ticket_id: str, error: HelpdeskAway) -> None:
        """Waits longer each time; what is due meanwhile fires without a fresh look, and says so."""
        tries = int(self.store.redis.incr(f"{PREFIX}away:{ticket_id}"))
        self.store.redis.expire(f"{PREFIX}away:{ticket_id}", 3600)
        self._later(ticket_id, AGAIN[min(tries, len(AGAIN)) - 1])
        outage.waits(self.store.redis, ticket_id)
        if tries >= 3:
            self.engine.operator.tell("helpdesk", f"The helpdesk does not answer: {error}")

    def _later(self, ticket_id: str, seconds: float) -> None:
        at = self.clock.now() + timedelta(seconds=seconds)
        self.store.redis.zadd(HINTS, {ticket_id: at.timestamp()})
