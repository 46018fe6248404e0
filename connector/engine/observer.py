"""Reads tickets that hints, the sweep or a coming step ask for, one reader a ticket, and takes in what is new.

A hint is forgotten only once a reading that began after it has been committed.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import redis

from ..core.events import DELETED, Closed
from ..core.observing import THE_HELPDESK, Observed
from ..core.ticket import Kind, Reading
from ..core.words import Words
from ..errors import HelpdeskAway, HelpdeskError, HelpdeskRefused, TicketGone
from ..points import reached
from ..ports import Clock, Helpdesk
from . import failures, outage
from .clocks import TOLD, apart, in_words, remembered
from .engine import Engine
from .keys import BEHIND, HINTS, KNOWN, PREFIX, SKEW
from .news import as_it_was, differing
from .store import Emptied, Store

log = logging.getLogger(__name__)

AGAIN = (2.0, 5.0, 10.0, 30.0)  # seconds until a ticket is read again while the helpdesk is away
REFUSED_AGAIN = 300.0  # seconds
REFUSED_AT_MOST = 30  # times: about a day
MERGES_AT_MOST = 10
COMPARED_AT_ONCE = 200  # tickets: one page of a search
LENT_FOR = 30.0  # seconds
LOOK_ALONE = 1.0  # score in `hints` of a fresh look that needs a reading
SKEW_KEPT = 86400  # seconds


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
            number = self.store.hints.last(ticket_id)
            try:
                done = self._read(ticket_id)
            except (redis.RedisError, Emptied):
                raise
            except Exception as error:  # one ticket that breaks us must not take up the room of the others
                done = False
                self._later(ticket_id, failures.failed(self.store, self.engine.operator, ticket_id, error))
            if done:
                self.store.hints.forget(ticket_id, number)
                reached("hint forgotten")

    def look_together(self, ticket_ids: Sequence[str]) -> None:
        """Fresh looks in one search: what wasn't saved since it was read is as it was; the others are read one by one.

        So is all of it while the helpdesk can't be searched.
        """
        at, known = self.clock.now(), self.store.cases(ticket_ids)
        numbers = {ticket_id: self.store.hints.last(ticket_id) for ticket_id in ticket_ids}
        try:
            rows = {row.ticket_id: row for row in self.helpdesk.rows(ticket_ids)}
        except HelpdeskError as error:
            log.info("fresh looks are made one by one: %s", error)
            rows = {}
        for ticket_id in ticket_ids:
            case, row = known.get(ticket_id), rows.get(ticket_id)
            if case is not None and row is not None and as_it_was(row, case):
                self.engine.confirm(ticket_id, case.ticket.updated_at, at)
                self.store.hints.forget(ticket_id, numbers[ticket_id])
            else:
                self.store.redis.zadd(HINTS, {ticket_id: LOOK_ALONE}, xx=True)

    def compare(self) -> None:
        """Asks in one search about known tickets with nothing running that hints named; what differs is read later."""
        now = self.clock.now().timestamp()
        lent = self.store.hints.lend(COMPARED_AT_ONCE, now, LENT_FOR)
        known = self.store.cases(list(lent))
        to_read = set(lent) - known.keys()
        if known:
            try:
                rows = self.helpdesk.rows(list(known))
                to_read |= known.keys() - {row.ticket_id for row in rows}
                policy = self.engine.policy
                to_read |= {row.ticket_id for row in differing(rows, known, policy, self.helpdesk.tagged)}
            except HelpdeskAway as error:
                log.info("hints wait: %s", error)
                return  # they are due again by themselves
            except HelpdeskError as error:
                log.warning("hinted tickets can't be searched for, and are read one by one: %s", error)
                to_read = set(lent)
        self.store.hints.compared(lent, to_read, now)
        self.store.count("hints_compared", len(lent))

    def _read(self, ticket_id: str) -> bool:
        """Whether the hint is done with."""
        try:
            reading = self.helpdesk.read(ticket_id)
            reached("ticket read")
            self._compare_clocks(reading)
            self.take_in(reading)
            reached("reading taken in")
        except TicketGone:
            self.engine.happen(ticket_id, Closed(self.clock.now(), THE_HELPDESK, DELETED))
            return True
        except HelpdeskAway as error:
            self._away(ticket_id, error)
            return False
        except HelpdeskRefused as error:
            if self.store.redis.exists(f"{PREFIX}deleted:{ticket_id}"):
                self.engine.happen(ticket_id, Closed(self.clock.now(), THE_HELPDESK, DELETED))
                return True
            return self._refused(ticket_id, error)
        self.store.redis.delete(f"{PREFIX}away:{ticket_id}", f"{PREFIX}refused:{ticket_id}")
        self.engine.operator.settled("helpdesk")
        outage.answers(self.store.redis)
        if not reading.whole:
            self._later(ticket_id, AGAIN[0])
        return reading.whole

    def take_in(self, reading: Reading) -> Observed | None:
        """Commits a reading; a merge moves the escalation to where the ticket went."""
        observed = self.engine.observe(reading, self.since())
        if observed is not None and observed.merged_into:
            self._merge(reading, observed.merged_into)
        return observed

    def _merge(self, source: Reading, target_id: str) -> None:
        """Where the ticket went is read and taken in first, so that the escalation comes to what stands there now."""
        merged = next(c for c in reversed(source.changes) if c.kind is Kind.MERGED)
        try:
            target = self._goal(target_id)
        except TicketGone:
            self.engine.happen(source.ticket.id, Closed(merged.at, merged.by, Words("merged away")))
            return
        except HelpdeskRefused as error:  # the escalation goes on where it is
            self._tell_unreadable(source.ticket.id, error)
            return
        self.engine.observe(target, self.since())
        self.engine.merge(source.ticket.id, target, merged.by, merged.at, self.since())

    def _goal(self, ticket_id: str) -> Reading:
        """The ticket that was merged into, which may have been merged into another one since."""
        reading = self.helpdesk.read(ticket_id)
        for _ in range(MERGES_AT_MOST):
            further = reading.ticket.merged_into
            if not further:
                break
            reading = self.helpdesk.read(further)
        return reading

    def _refused(self, ticket_id: str, error: HelpdeskRefused) -> bool:
        """A ticket that isn't ours to read: whether to forget it, after a day and unless something is running there."""
        self._tell_unreadable(ticket_id, error)
        case, key = self.store.case(ticket_id), f"{PREFIX}refused:{ticket_id}"
        if case is not None and case.escalation is not None and case.escalation.state.live:
            self._later(ticket_id, REFUSED_AGAIN)
            return False
        tries = int(self.store.redis.incr(key))
        self.store.redis.expire(key, 2 * 86400)
        if tries > REFUSED_AT_MOST:
            self.store.redis.delete(key)
            return True
        self._later(ticket_id, min(REFUSED_AGAIN * tries, 3600.0))
        return False

    def _compare_clocks(self, reading: Reading) -> None:
        by = apart(reading)
        if by is not None and remembered(by) != remembered(self._skew()):
            self.store.redis.set(SKEW, repr(remembered(by).total_seconds()), ex=SKEW_KEPT)
        if by is not None and abs(by) >= TOLD:
            self.engine.operator.tell("clock", f"The helpdesk's clock is {in_words(by)} Escalator's: set both by NTP.")
        elif by is not None:
            self.engine.operator.settled("clock")

    def _skew(self) -> timedelta:
        raw = self.store.redis.get(SKEW)
        return timedelta(seconds=float(raw)) if raw is not None else timedelta(0)

    def _tell_unreadable(self, ticket_id: str, error: HelpdeskRefused) -> None:
        self.engine.operator.tell("unreadable", f"A ticket can't be read: {error}", about=ticket_id)

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
        with self.store.redis.pipeline() as pipe:
            pipe.multi()
            pipe.zadd(HINTS, {ticket_id: at.timestamp()})
            for other in (KNOWN, BEHIND):
                pipe.zrem(other, ticket_id)
            pipe.execute()
