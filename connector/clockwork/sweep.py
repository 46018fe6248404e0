"""Looks for what was missed: work that is overdue here, and tickets that changed in the helpdesk without a word."""

import json
import logging
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .. import queues
from ..core.case import Case
from ..engine import outage
from ..engine.keys import DESK, DUE, HINTS, OUT, PREFIX, wake_job
from ..engine.operator import TO_SEND, Operator
from ..engine.store import Store
from ..errors import HelpdeskError
from ..points import reached
from ..ports import Clock, Helpdesk, Row

log = logging.getLogger(__name__)

GRACE = 1.5  # seconds overdue before something counts as forgotten
AT_ONCE = 500
SWEPT = f"{PREFIX}swept"
SAME_SECOND = timedelta(seconds=2)
OVERLAP = timedelta(minutes=2)  # rows are stored a little after they are stamped
WEBHOOK_WITHIN = timedelta(seconds=10)  # what was told later than this was told late


@dataclass(frozen=True)
class Sweep:
    helpdesk: Helpdesk
    store: Store
    operator: Operator
    clock: Clock

    def overdue(self) -> int:
        """Wakes again what should have happened by now. Jobs are only alarm clocks: one may have been lost."""
        redis, now = self.store.redis, time.time()
        head = self._head()
        until = min(now, head) if head is not None else now
        found = redis.zrangebyscore(DUE, "-inf", until - GRACE, start=0, num=AT_ONCE)
        late = [ticket_id for ticket_id in (raw.decode() for raw in found) if not self._waits(ticket_id, head)]
        with redis.pipeline() as pipe:
            pipe.multi()
            for ticket_id in late:
                queues.enqueue(pipe, queues.WORK, "wake", [ticket_id], wake_job(ticket_id))
            for key, queue, job in (
                (OUT, queues.DELIVER, "deliver"),
                (HINTS, queues.DESK, "desk"),
                (DESK, queues.DESK, "desk"),
            ):
                if redis.zcount(key, "-inf", now - GRACE):
                    queues.nudge(pipe, queue, job)
            if redis.llen(TO_SEND):
                queues.nudge(pipe, queues.DESK, "operator")  # a way that hangs keeps no notification waiting
            pipe.execute()
        if late:
            reached("overdue woken")
        return len(late)

    def _head(self) -> float | None:
        """When the oldest job that waits was queued. While the queue is behind, what waits in it isn't lost."""
        head = self.store.redis.lindex(queues.queue_key(queues.WORK), 0)
        return self._queued_at(head.decode()) if head is not None else None

    def _queued_at(self, job_id: str) -> float | None:
        """When this job was queued; None: it isn't, or has begun."""
        status, moment = self.store.redis.hmget(queues.job_key(job_id), "status", "enqueued_at")
        if status != b"queued" or moment is None:
            return None
        return datetime.fromisoformat(moment.decode().replace("Z", "+00:00")).timestamp()

    def _waits(self, ticket_id: str, head: float | None) -> bool:
        """Whether its wake stands in the queue, behind the oldest one."""
        queued_at = self._queued_at(wake_job(ticket_id)) if head is not None else None
        return queued_at is not None and head is not None and queued_at >= head

    def ask_for_helpdesk(self) -> None:
        """Has a worker look at the helpdesk; the timers process itself never waits for it."""
        with self.store.redis.pipeline() as pipe:
            pipe.multi()
            queues.nudge(pipe, queues.DESK, "sweep", at_most=3)
            pipe.execute()

    def ask_again_while_late(self) -> None:
        """For every few seconds: asks for another sweep while the last one found what a webhook should have told."""
        raw = self.store.redis.get(SWEPT)
        if raw is not None and json.loads(raw).get("late"):
            self.ask_for_helpdesk()

    def look_at_helpdesk(self) -> list[str]:
        """Asks the helpdesk what changed since the last sweep, and has those tickets read that differ from what is
        known. Returns their ids. On an emptied Redis hints wait, and the next sweep asks for the same again.
        """
        began = self.clock.now()
        last = self._swept_until(began)
        try:
            found = self._found(last - OVERLAP)
        except HelpdeskError as error:
            log.warning("the sweep failed: %s", error)
            self.operator.tell("sweep", f"The helpdesk can't be asked for missed tickets: {error}")
            raise
        self.operator.settled("sweep")
        outage.answers(self.store.redis)
        self.store.forget_old(began)
        missed = [row.ticket_id for row in found.missed]
        reached("sweep found")
        for start in range(0, len(missed), AT_ONCE):
            self.store.hints.add(missed[start : start + AT_ONCE], counter="swept")
        reached("sweep hinted")
        # by the helpdesk's clock, which may be behind ours; never by a moment that hasn't come
        until = min(began, max(last, found.newest or last))
        late = sum(row.updated_at < began - WEBHOOK_WITHIN for row in found.missed)
        if self.store.begun():
            swept = {"until": until.isoformat(), "found": len(missed), "late": late, "at": began.isoformat()}
            self.store.redis.set(SWEPT, json.dumps(swept))
        return missed

    def _found(self, since: datetime) -> "_Found":
        found = _Found()
        chunk: list[Row] = []
        for row in self.helpdesk.find_changed(since):
            found.newest = max(row.updated_at, found.newest or row.updated_at)
            chunk.append(row)
            if len(chunk) == 200:
                found.missed += self._different(chunk)
                chunk = []
        found.missed += self._different(chunk)
        return found

    def _different(self, rows: list[Row]) -> list[Row]:
        """Rows that tell something new."""
        known = self.store.cases([row.ticket_id for row in rows])
        found = []
        for row in rows:
            case = known.get(row.ticket_id)
            if case is None:
                if not row.closed:
                    found.append(row)
            elif not case.moved_to and (row.updated_at > case.ticket.updated_at or _too_coarse(row, case)):
                found.append(row)
        return found

    def _swept_until(self, now: datetime) -> datetime:
        """What changed up to then, by the helpdesk's clock, has been seen."""
        raw = self.store.redis.get(SWEPT)
        return datetime.fromisoformat(json.loads(raw)["until"]) if raw is not None else self.store.since() or now


@dataclass
class _Found:
    missed: list[Row] = field(default_factory=list)
    newest: datetime | None = None  # change of all, missed or not


def _too_coarse(row: Row, case: Case) -> bool:
    """Whether the ticket may have changed again in the second in which it was read (Znuny counts whole seconds)."""
    whole = row.updated_at.microsecond == 0
    return whole and row.updated_at == case.ticket.updated_at and case.read_at - row.updated_at < SAME_SECOND
