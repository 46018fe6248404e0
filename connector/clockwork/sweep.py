"""Looks for what was missed: work that is overdue here, and tickets that changed in the helpdesk without a word."""

import logging
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from .. import queues
from ..core.plan import Policy
from ..engine import hints, outage
from ..engine.keys import BEHIND, DESK, DUE, HINTS, KNOWN, OUT, PREFIX, wake_job
from ..engine.news import differing
from ..engine.operator import TO_SEND, Operator
from ..engine.records import NotOurs, encode
from ..engine.store import Store
from ..errors import HelpdeskError
from ..points import reached
from ..ports import Clock, Helpdesk, Row

log = logging.getLogger(__name__)

GRACE = 1.5  # seconds overdue before something counts as forgotten
AT_ONCE = 500
SWEPT = f"{PREFIX}swept"
CHUNK = 200  # rows, as many as a search brings at once
SWEEP_FOR = 40.0  # seconds; then another job goes on, so that a worker can end or be looked after
OVERLAP = timedelta(minutes=2)  # rows are stored a little after they are stamped, at times long after
SHORT_OVERLAP = timedelta(seconds=15)  # for a sweep every few seconds: a storm's rows take seconds to be searched for
GO_BACK_EVERY = timedelta(seconds=45)
WEBHOOK_WITHIN = timedelta(seconds=hints.WEBHOOK_WITHIN)  # what was told later than this was told late


@dataclass(frozen=True)
class Sweep:
    helpdesk: Helpdesk
    store: Store
    operator: Operator
    clock: Clock
    policy: Policy = field(default_factory=Policy)

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
                (KNOWN, queues.DESK, "desk"),
                (BEHIND, queues.DESK, "desk"),
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
        """For every few seconds: asks for another sweep while hints come late, or the last sweep was before them."""
        last = self._last()
        if self.store.hints.late() or (last is not None and last.late):
            self.ask_for_helpdesk()

    def look_in_turn(self) -> list[str]:
        """As `look_at_helpdesk`, unless another worker is at it; what was swept lately is not gone through again."""
        with self.store.locks.hold(f"{SWEPT}:by") as mine:
            return self.look_at_helpdesk(thorough=False) if mine else []

    def look_at_helpdesk(self, *, thorough: bool = True) -> list[str]:
        """Asks the helpdesk what changed since the last sweep, and has those tickets read that differ from what is
        known. Returns their ids. On an emptied Redis hints wait, and the next sweep asks for the same again.

        A sweep that takes long ends where it is, and asks for another one that goes on from there.
        """
        began, last = self.clock.now(), self._last()
        skew = self.helpdesk.clock_skew()
        go_back = thorough or last is None or last.went_back is None or began - last.went_back >= GO_BACK_EVERY
        since = self._since(last, began, skew)
        overlap = timedelta(0) if last is not None and last.unfinished else OVERLAP if go_back else SHORT_OVERLAP
        try:
            found = self._find(since - overlap)
        except HelpdeskError as error:
            log.warning("the sweep failed: %s", error)
            self.operator.tell("sweep", f"The helpdesk can't be asked for missed tickets: {error}")
            raise
        self.operator.settled("sweep")
        outage.answers(self.store.redis)
        self.store.forget_old(began)
        if self.store.begun():
            late = sum(row.updated_at - (skew or timedelta(0)) < began - WEBHOOK_WITHIN for row in found.missed)
            until = found.newest if found.unfinished and found.newest else self._until(since, began, skew, found)
            went_back = began if go_back else last.went_back if last else None
            swept = Swept(until, began, len(found.missed), late, went_back, found.unfinished)
            self.store.redis.set(SWEPT, encode(swept))
        if found.unfinished:
            self.ask_for_helpdesk()
        return [row.ticket_id for row in found.missed]

    def _since(self, last: "Swept | None", began: datetime, skew: timedelta | None) -> datetime:
        """What changed up to then, by the helpdesk's clock, has been seen; its clock may have been set back since."""
        if last is None:
            return (self.store.since() or began) + (skew or timedelta(0))
        return last.until if skew is None or last.at is None else min(last.until, last.at + skew)

    def _until(self, since: datetime, began: datetime, skew: timedelta | None, found: "_Found") -> datetime:
        """The moment of this sweep by the helpdesk's clock. Where that is not known it may be behind ours, so that the
        newest change counts; never by a moment that hasn't come.
        """
        return began + skew if skew is not None else min(began, max(since, found.newest or since))

    def _find(self, since: datetime) -> "_Found":
        found, began = _Found(), time.monotonic()
        chunk: list[Row] = []
        for row in self.helpdesk.find_changed(since):
            found.newest = max(row.updated_at, found.newest or row.updated_at)
            chunk.append(row)
            if len(chunk) == CHUNK:
                self._take_in(chunk, found)
                chunk = []
                goes_on = time.monotonic() - began < SWEEP_FOR and not queues.stopping.is_set()
                if not goes_on and found.newest > since:
                    found.unfinished = True
                    return found
        self._take_in(chunk, found)
        return found

    def _take_in(self, rows: list[Row], found: "_Found") -> None:
        """Has those tickets read that tell something new."""
        known = self.store.cases([row.ticket_id for row in rows])
        missed = differing(rows, known, self.policy, self.helpdesk.tagged)
        reached("sweep found")
        if missed:
            self.store.hints.add([row.ticket_id for row in missed], counter="swept", compared=True)
        reached("sweep hinted")
        found.missed += missed

    def _last(self) -> "Swept | None":
        raw = self.store.redis.get(SWEPT)
        try:
            return _swept.decode(raw) if raw is not None else None
        except NotOurs:
            log.error("what is remembered of the last sweep can't be understood")
            return None


@dataclass(frozen=True, slots=True)
class Swept:
    """The last sweep. `until` is by the helpdesk's clock: what changed before it has been seen. The rest is by ours."""

    until: datetime
    at: datetime | None = None
    found: int = 0
    late: int = 0  # of those found: what a webhook should have told by then
    went_back: datetime | None = None  # when the two minutes before were gone through last
    unfinished: bool = False


@dataclass
class _Found:
    missed: list[Row] = field(default_factory=list)
    newest: datetime | None = None  # change of all, missed or not
    unfinished: bool = False


_swept = msgspec.json.Decoder(Swept)
