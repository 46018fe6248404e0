"""Walks all live escalations and says what is overdue, from their records alone.

Which tickets are live is taken from the index, from what waits for the helpdesk, and from a look at a part of all keys
each time, so that no index has to be right. Of each record only what matters is decoded: 100,000 of them take 1.2 s of
one core, mostly Redis' answers.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import redis

from ..core.overdue import Late, Standing, What, overdue
from ..engine.keys import DESK, LIVE, PREFIX, case_key
from ..engine.records import NotOurs, to_item

AT_ONCE = 1000  # records in one answer: some milliseconds
KEYS_AT_ONCE = 5000  # keys of all that each walk looks at beside the index
NOTE_LATE = 30.0  # seconds for which the same note may stand first in the line of its ticket
NAMED = 100  # tickets that are remembered by id


@dataclass(frozen=True, slots=True)
class _Record:
    """A case, as far as it matters here."""

    escalation: Standing | None = None


@dataclass(frozen=True)
class Walked:
    """`oldest` of each kind; `spoiled` records can't be understood; `tickets` names some that are late."""

    live: int = 0
    counts: Mapping[What, int] = field(default_factory=dict)
    oldest: Mapping[What, Late] = field(default_factory=dict)
    spoiled: int = 0
    tickets: frozenset[str] = frozenset()
    took: float = 0.0  # seconds


class Walk:
    """One after the other, by one thread. Every walk may raise redis.RedisError."""

    def __init__(self, connection: redis.Redis, calls: frozenset[str] = frozenset()) -> None:
        self._redis: Any = connection
        self._calls = calls
        self._decoder = msgspec.json.Decoder(_Record)
        self._cursor = 0
        self._heads: dict[str, tuple[object, float]] = {}  # ticket -> its first note, and since when (monotonic)

    def walk(self, now: datetime) -> Walked:
        """All that is late at `now`, aware UTC."""
        began, live, spoiled = time.monotonic(), 0, 0
        counts: Counter[What] = Counter()
        oldest: dict[What, Late] = {}
        named: set[str] = set()
        waiting: list[str] = []
        for tickets in self._chunks():
            for ticket, raw in zip(tickets, self._redis.mget([case_key(ticket) for ticket in tickets]), strict=True):
                standing, broken = self._standing(raw)
                spoiled += broken
                if standing is None:
                    continue
                live += standing.live
                for late in overdue(standing, now, self._calls):
                    counts[late.what] += 1
                    oldest[late.what] = min(oldest.get(late.what, late), late, key=lambda one: one.since)
                    if len(named) < NAMED:
                        named.add(ticket)
            if self._redis.exists(*(desk_key(ticket) for ticket in tickets)):
                waiting += tickets
        notes = self._notes(waiting, now)
        if notes:
            counts[What.NOTE] += len(notes)
            oldest[What.NOTE] = min([*notes, oldest.get(What.NOTE, notes[0])], key=lambda one: one.since)
        return Walked(live, counts, oldest, spoiled, frozenset(named), time.monotonic() - began)

    def _standing(self, raw: bytes | None) -> tuple[Standing | None, bool]:
        """What a record says, and whether it can't be understood."""
        if raw is None:
            return None, False
        try:
            return self._decoder.decode(raw).escalation, False
        except NotOurs:
            return None, True

    def _chunks(self) -> Iterator[list[str]]:
        """Every ticket to look at, about so many at once; some may come twice."""
        cursor = 0
        while True:
            cursor, found = self._redis.hscan(LIVE, cursor, count=AT_ONCE)
            yield from _in_chunks(found)
            if cursor == 0:
                break
        beside = {raw for raw, _ in self._redis.zscan_iter(DESK, count=AT_ONCE)} | set(self._part_of_all_keys())
        known = self._redis.hmget(LIVE, list(beside)) if beside else []
        yield from _in_chunks([raw for raw, code in zip(beside, known, strict=True) if code is None])

    def _part_of_all_keys(self) -> Iterator[bytes]:
        """Tickets of the next few thousand keys: the whole of Redis comes by once in a while."""
        self._cursor, keys = self._redis.scan(self._cursor, count=KEYS_AT_ONCE)
        for key in keys:
            for prefix in (b"escalator:case:", b"escalator:desk:"):
                if key.startswith(prefix):
                    yield key[len(prefix) :]

    def _notes(self, tickets: Sequence[str], now: datetime) -> list[Late]:
        """Notes that have stood first in their line for too long; a try that fails changes nothing about that."""
        heads: dict[str, tuple[object, float]] = {}
        late = []
        for start in range(0, len(tickets), AT_ONCE):
            chunk = tickets[start : start + AT_ONCE]
            with self._redis.pipeline(transaction=False) as pipe:
                for ticket in chunk:
                    pipe.lindex(desk_key(ticket), 0)
                raws = pipe.execute()
            for ticket, raw in zip(chunk, raws, strict=True):
                if raw is None:
                    continue
                head, code = _identity(raw)
                before = self._heads.get(ticket)
                since = before[1] if before is not None and before[0] == head else time.monotonic()
                heads[ticket] = (head, since)
                waited = time.monotonic() - since
                if waited > NOTE_LATE:
                    late.append(Late(What.NOTE, code, datetime.fromtimestamp(now.timestamp() - waited, now.tzinfo)))
        self._heads = heads
        return late


def desk_key(ticket: str) -> str:
    """The list of what waits to be written to this ticket."""
    return f"{PREFIX}desk:{ticket}"


def _identity(raw: bytes) -> tuple[object, str]:
    """What tells a note from the next one, whatever the number of its tries; and its code."""
    try:
        item = to_item(raw)
    except NotOurs:
        return raw, ""
    return (item.code, item.lines, item.proof, item.assign), item.code


def _in_chunks(raws: Iterable[bytes]) -> Iterator[list[str]]:
    tickets = [raw.decode() for raw in raws if raw.isdigit()]
    for start in range(0, len(tickets), AT_ONCE):
        yield tickets[start : start + AT_ONCE]
