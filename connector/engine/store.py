"""The truth in Redis, and the only commit.

Every change of a case is one MULTI: the record, its history, its timer, what goes out. All or nothing, also when a
process dies anywhere in between. A commit on an emptied Redis (no epoch) is refused, so that nobody is paged again.
"""

import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import redis
from redis.client import Pipeline

from .. import queues
from ..core.case import Case
from ..core.events import Entry
from ..core.timetable import next_wake
from ..errors import EscalatorError
from ..faults import describe
from ..points import reached
from ..ports import Live
from . import outgoing
from .epoch import OTHER_MODE, Holds, held, new_epoch
from .hints import Hints
from .keys import COUNTERS, DESK, DUE, EPOCH, HINTS, LIVE, PAST, PREFIX, SINCE, case_key, wake_job
from .locks import Locks
from .records import DeskItem, Link, NotOurs, encode, to_case, to_entry, to_link
from .replication import Replication

log = logging.getLogger(__name__)

# Hands what waits for one ticket's desk over to another's. KEYS: from, to.
_HAND_OVER = """
for _, item in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do redis.call('RPUSH', KEYS[2], item) end
redis.call('DEL', KEYS[1])
"""


class Emptied(EscalatorError):
    """Redis holds no epoch: it is new or was emptied. Nothing may fire until that is settled."""


class OtherMode(Emptied):
    """What Redis holds belongs to a rehearsal and we are live, or the other way round: to us it is as good as empty."""


@dataclass(frozen=True)
class Writes:
    """One case's part of a commit."""

    old: Case | None
    new: Case
    entries: Sequence[tuple[str, Entry]] = ()
    desk: Sequence[DeskItem] = ()
    show: Live | None = None  # only when it changed
    look: bool = False  # read the ticket soon
    proof: str = ""  # of the last note in `desk`
    counters: Mapping[str, int] = field(default_factory=dict)


class Store:
    """Thread-safe; every call may raise redis.RedisError. `rehearsal`: the mode that we are of (see `epoch`)."""

    def __init__(self, connection: redis.Redis, keep: timedelta, *, rehearsal: bool = False) -> None:
        self.redis: Any = connection  # redis-py types every answer as bytes, text, list or None at once
        self.locks = Locks(connection)
        self._keep = int(keep.total_seconds())
        self.mode = Holds.REHEARSAL if rehearsal else Holds.LIVE
        self.hints = Hints(connection)
        self.replication = Replication(connection)

    # --- reading -----------------------------------------------------------------------------------------------

    def case(self, ticket_id: str) -> Case | None:
        return to_case(self.redis.get(case_key(ticket_id)))

    def cases(self, ticket_ids: Sequence[str]) -> dict[str, Case]:
        """Those that are known, in few round trips. One that can't be understood stops no other."""
        found: dict[str, Case] = {}
        for start in range(0, len(ticket_ids), 200):
            chunk = ticket_ids[start : start + 200]
            for ticket_id, raw in zip(chunk, self.redis.mget([case_key(t) for t in chunk]), strict=True):
                try:
                    case = to_case(raw)
                except NotOurs as error:
                    log.error("what is stored about ticket %s can't be understood: %s", ticket_id, describe(error))
                    continue
                if case is not None:
                    found[ticket_id] = case
        return found

    def history(self, code: str) -> tuple[Entry, ...]:
        return tuple(to_entry(raw) for raw in self.redis.lrange(f"{PREFIX}history:{code}", 0, -1))

    def last_proof(self, code: str) -> str:
        raw = self.redis.get(f"{PREFIX}proof:{code}")
        return raw.decode() if raw else ""

    def live_tickets(self) -> list[str]:
        return sorted((raw.decode() for raw in self.redis.hkeys(LIVE) if raw.isdigit()), key=int)

    def tickets_due(self, key: str, now: float, limit: int, *, newest: bool = False) -> list[tuple[str, float]]:
        """(ticket, since when) of what is due in `hints` or `desk`, oldest first, or `newest`; a member that is no
        ticket id is dropped.
        """
        due: list[tuple[str, float]] = []
        reach: tuple[float | str, float | str] = (now, "-inf") if newest else ("-inf", now)
        found = self.redis.zrange(key, *reach, desc=newest, byscore=True, offset=0, num=limit, withscores=True)
        for raw, since in found:
            if raw.isdigit():
                due.append((raw.decode(), since))
            else:
                log.error("what is stored as a ticket to be read or written is none")
                self.redis.zrem(key, raw)
        return due

    def past_codes(self) -> list[tuple[str, str]]:
        """(code, ticket id) of ended escalations, newest first."""
        return [
            (code.decode(), ticket.decode())
            for code, _, ticket in (raw.partition(b" ") for raw in self.redis.zrevrange(PAST, 0, -1))
        ]

    def begun(self) -> bool:
        """Whether an `up` of our mode has begun on this Redis; False also when it was emptied since."""
        return self.holds() is self.mode

    def holds(self) -> Holds:
        """What an `up` has begun on this Redis, of whatever mode."""
        return held(self.redis.get(EPOCH))

    def since(self) -> datetime | None:
        raw = self.redis.get(SINCE)
        return datetime.fromisoformat(raw.decode()) if raw else None

    def link(self, id: str) -> Link | None:
        return to_link(self.redis.get(f"{PREFIX}link:{id}"))

    # --- the commit --------------------------------------------------------------------------------------------

    def commit(
        self, ticket_ids: Sequence[str], decide: Callable[[Mapping[str, Case | None]], Sequence[Writes]]
    ) -> Sequence[Writes]:
        """Reads the cases, lets `decide` say what becomes of them, and writes all of it or nothing.

        `decide` is called again when somebody else was quicker, so it must be free of side effects. Raises Emptied.
        A lost connection leaves open whether it was written: events may be repeated, the core ignores the second.
        """
        keys = [case_key(ticket_id) for ticket_id in ticket_ids]
        tries = 0
        while True:
            with self.redis.pipeline() as pipe:
                pipe.watch(*keys, EPOCH)
                *raws, epoch = pipe.mget([*keys, EPOCH])
                if epoch is None:
                    raise Emptied("Redis is empty although Escalator ran before: nothing is sent until it is rebuilt.")
                if held(epoch) is not self.mode:
                    raise OtherMode(OTHER_MODE[self.mode])
                cases = {ticket_id: to_case(raw) for ticket_id, raw in zip(ticket_ids, raws, strict=True)}
                writes = decide(cases)
                if not writes:
                    return writes
                pipe.multi()
                for one in writes:
                    self._write(pipe, one)
                reached("commit decided")
                try:
                    pipe.execute()
                    reached("commit written")
                    return writes
                except redis.WatchError:
                    tries += 1
                    time.sleep(random.uniform(0, min(0.002 * 2**tries, 0.1)))  # noqa: S311  # jitter is no secret

    def _write(self, pipe: Pipeline, one: Writes) -> None:
        case, escalation = one.new, one.new.escalation
        ticket_id = case.ticket.id
        live = escalation is not None and escalation.state.live
        pipe.set(case_key(ticket_id), encode(case), ex=None if live else self._keep)
        self._index(pipe, one, live)
        self._timer(pipe, one)
        outgoing.write(pipe, ticket_id, one.old, one.new)
        for code, entry in one.entries:
            self._add_entry(pipe, code, entry)
        if case.moved_to and (one.old is None or one.old.moved_to != case.moved_to):
            self._hand_over(pipe, ticket_id, case.moved_to)
        for item in one.desk:
            pipe.rpush(f"{PREFIX}desk:{ticket_id}", encode(item))
        if one.proof and one.desk:
            pipe.set(f"{PREFIX}proof:{one.desk[-1].code}", one.proof, ex=self._keep)
        if one.show is not None:
            pipe.set(f"{PREFIX}show:{ticket_id}", encode(one.show))
        if one.desk or one.show is not None:
            pipe.zadd(DESK, {ticket_id: time.time()})
        if one.look:
            pipe.zadd(HINTS, {ticket_id: 0})
        if one.look or one.desk or one.show is not None:
            queues.nudge(pipe, queues.DESK, "desk")
        for name, by in one.counters.items():
            pipe.hincrby(COUNTERS, name, by)

    def _add_entry(self, pipe: Pipeline, code: str, entry: Entry) -> None:
        key = f"{PREFIX}history:{code}"
        pipe.rpush(key, encode(entry))
        pipe.expire(key, self._keep)

    def add_entry(self, code: str, entry: Entry) -> None:
        """One more line in a history, beside any commit."""
        with self.redis.pipeline() as pipe:
            self._add_entry(pipe, code, entry)
            pipe.execute()

    def _hand_over(self, pipe: Pipeline, source: str, target: str) -> None:
        """Notes that wait for a ticket that was merged away are written where people look now."""
        pipe.eval(_HAND_OVER, 2, f"{PREFIX}desk:{source}", f"{PREFIX}desk:{target}")
        pipe.zadd(DESK, {target: time.time()})

    def _index(self, pipe: Pipeline, one: Writes, live: bool) -> None:
        escalation, ticket_id = one.new.escalation, one.new.ticket.id
        before = one.old.escalation if one.old is not None else None
        if escalation is not None and live:
            pipe.hset(LIVE, ticket_id, escalation.code)
            pipe.zrem(PAST, f"{escalation.code} {ticket_id}")
        elif before is not None and before.state.live:
            pipe.hdel(LIVE, ticket_id)
        if escalation is not None and not live:
            pipe.zadd(PAST, {f"{escalation.code} {ticket_id}": (escalation.ended_at or one.new.read_at).timestamp()})
        former = {code for code, _ in one.entries if escalation is not None and code != escalation.code}
        if escalation is not None and former:  # lives that ended in this very commit
            pipe.zadd(PAST, {f"{code} {ticket_id}": escalation.created_at.timestamp() for code in former})

    def _timer(self, pipe: Pipeline, one: Writes) -> None:
        """One armed job a ticket, for the next moment at which a tick can do something."""
        ticket_id = one.new.ticket.id
        wake = next_wake(one.new.escalation, one.new.read_at) if one.new.escalation else None
        old = next_wake(one.old.escalation, one.old.read_at) if one.old and one.old.escalation else None
        if wake == old and one.old is not None:
            return
        if wake is None:
            pipe.zrem(DUE, ticket_id)
            queues.disarm(pipe, queues.WORK, wake_job(ticket_id))
            return
        due = wake.timestamp()
        pipe.zadd(DUE, {ticket_id: due})
        queues.arm(pipe, queues.WORK, "wake", [ticket_id], wake_job(ticket_id), due)

    def wake_later(self, ticket_id: str, at: datetime) -> None:
        """Another wake for what failed now; unless nothing is due there any more."""
        due = at.timestamp()
        with self.redis.pipeline() as pipe:
            pipe.multi()
            pipe.zadd(DUE, {ticket_id: due}, xx=True)
            queues.arm(pipe, queues.WORK, "wake", [ticket_id], wake_job(ticket_id), due)
            pipe.execute()

    # --- beginning, and beginning again ------------------------------------------------------------------------

    def restore(self, one: Writes) -> bool:
        """Writes what was lost, before there is an epoch. False, and nothing is written, for a case that is known.

        Nothing fires by it: what is due stays so until Escalator has begun here.
        """
        key = case_key(one.new.ticket.id)
        with self.redis.pipeline() as pipe:
            pipe.watch(key)
            if pipe.exists(key):
                return False
            pipe.multi()
            self._write(pipe, one)
            try:
                pipe.execute()
            except redis.WatchError:
                return False
            return True

    def remember_proof(self, code: str, proof: str) -> None:
        """Has the next note of this escalation name this one as the one before it."""
        if proof:
            self.redis.set(f"{PREFIX}proof:{code}", proof, ex=self._keep)

    def remember_since(self, since: datetime) -> None:
        """When Escalator was switched on."""
        self.redis.set(SINCE, since.isoformat())

    def begin(self, since: datetime) -> None:
        """From now on, whatever is due here fires."""
        with self.redis.pipeline() as pipe:
            pipe.multi()
            pipe.set(SINCE, since.isoformat())
            pipe.set(EPOCH, new_epoch(self.mode), nx=True)
            pipe.execute()

    # --- beside any commit ---------------------------------------------------------------------------------------

    def remember_link(self, link: Link, valid: timedelta) -> Link:
        """Writes it unless it is there, and returns the one that is: the first try's time counts."""
        key = f"{PREFIX}link:{link.id}"
        with self.redis.pipeline() as pipe:
            pipe.set(key, encode(link), ex=int(valid.total_seconds()), nx=True)
            pipe.get(key)
            return to_link(pipe.execute()[1]) or link

    def change_link(self, link: Link, valid: timedelta) -> None:
        """Writes it in the place of the one that is there."""
        self.redis.set(f"{PREFIX}link:{link.id}", encode(link), ex=int(valid.total_seconds()))

    def forget_old(self, now: datetime) -> None:
        """Ended escalations older than `keep` leave the index; their records expire by themselves."""
        self.redis.zremrangebyscore(PAST, "-inf", now.timestamp() - self._keep)

    def count(self, name: str, by: int = 1) -> None:
        self.redis.hincrby(COUNTERS, name, by)
