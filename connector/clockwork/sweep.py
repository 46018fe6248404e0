"""Looks for what was missed: work that is overdue here, and tickets that changed in the helpdesk without a word."""

import json
import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from .. import queues
from ..core.case import Case
from ..engine import outage
from ..engine.operator import Operator
from ..engine.store import DESK, DUE, HINTS, OUT, PREFIX, Store, wake_job
from ..errors import HelpdeskError
from ..ports import Clock, Helpdesk, Row

log = logging.getLogger(__name__)

GRACE = 1.5  # seconds overdue before something counts as forgotten
AT_ONCE = 500
SWEPT = f"{PREFIX}swept"
SAME_SECOND = timedelta(seconds=2)
OVERLAP = timedelta(minutes=2)  # clocks differ, and rows are stored a little after they are stamped


@dataclass(frozen=True)
class Sweep:
    helpdesk: Helpdesk
    store: Store
    operator: Operator
    clock: Clock

    def overdue(self) -> int:
        """Wakes again what should have happened by now. Jobs are only alarm clocks: one may have been lost."""
        redis, now = self.store.redis, time.time()
        late = redis.zrangebyscore(DUE, "-inf", self._watermark(now) - GRACE, start=0, num=AT_ONCE)
        with redis.pipeline() as pipe:
            pipe.multi()
            for raw in late:
                ticket_id = raw.decode()
                queues.enqueue(pipe, queues.WORK, "wake", [ticket_id], wake_job(ticket_id))
            for key, queue, job in (
                (OUT, queues.DELIVER, "deliver"),
                (HINTS, queues.DESK, "desk"),
                (DESK, queues.DESK, "desk"),
            ):
                if redis.zcount(key, "-inf", now - GRACE):
                    queues.nudge(pipe, queue, job)
            if redis.llen("escalator:operator"):
                queues.nudge(pipe, queues.DELIVER, "operator")
            pipe.execute()
        return len(late)

    def _watermark(self, now: float) -> float:
        """While the queue is behind, what waits in it isn't lost: only what was due before its oldest job is."""
        head = self.store.redis.lindex(queues.queue_key(queues.WORK), 0)
        if head is None:
            return now
        enqueued = self.store.redis.hget(queues.job_key(head.decode()), "enqueued_at")
        if enqueued is None:
            return now
        return min(now, datetime.fromisoformat(enqueued.decode().replace("Z", "+00:00")).timestamp())

    def ask_for_helpdesk(self) -> None:
        """Has a worker look at the helpdesk; the timers process itself never waits for it."""
        with self.store.redis.pipeline() as pipe:
            pipe.multi()
            queues.nudge(pipe, queues.DESK, "sweep", at_most=3)
            pipe.execute()

    def look_at_helpdesk(self) -> list[str]:
        """Asks the helpdesk what changed since the last sweep, and has those tickets read that differ from what is
        known. Returns their ids."""
        began = self.clock.now()
        since = self._since(began)
        try:
            missed = self._missed(since)
        except HelpdeskError as error:
            log.warning("the sweep failed: %s", error)
            self.operator.tell("sweep", f"The helpdesk can't be asked for missed tickets: {error}")
            raise
        self.operator.settled("sweep")
        outage.answers(self.store.redis)
        self.store.forget_old(began)
        for start in range(0, len(missed), 500):
            self.store.hint(missed[start : start + 500], counter="swept")
        self.store.redis.set(SWEPT, json.dumps({"until": began.isoformat(), "found": len(missed)}))
        return missed

    def _missed(self, since: datetime) -> list[str]:
        missed: list[str] = []
        chunk: list[Row] = []
        for row in self.helpdesk.find_changed(since):
            chunk.append(row)
            if len(chunk) == 200:
                missed += self._different(chunk)
                chunk = []
        return missed + self._different(chunk)

    def _different(self, rows: list[Row]) -> list[str]:
        """Rows that tell something new: a saved SLA moves the time of every ticket, read or not."""
        known = self.store.cases([row.ticket_id for row in rows])
        found = []
        for row in rows:
            case = known.get(row.ticket_id)
            if case is None:
                if not row.closed:
                    found.append(row.ticket_id)
            elif row.updated_at > case.ticket.updated_at or _too_coarse(row, case):
                found.append(row.ticket_id)
        return found

    def _since(self, now: datetime) -> datetime:
        raw = self.store.redis.get(SWEPT)
        if raw is not None:
            return datetime.fromisoformat(json.loads(raw)["until"]) - OVERLAP
        return self.store.since() or now - OVERLAP


def _too_coarse(row: Row, case: Case) -> bool:
    """Whether the ticket may have changed again in the second in which it was read (Znuny counts whole seconds)."""
    whole = row.updated_at.microsecond == 0
    return whole and row.updated_at == case.ticket.updated_at and case.read_at - row.updated_at < SAME_SECOND
