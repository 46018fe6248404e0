"""What is wrong with Escalator, judged from what an independent look has seen. Pure: from facts to sentences.

Topics are those of `Operator.tell`. Whoever looks is `watching.py`, a process of its own, so that neither stuck workers
nor stopped timers can silence it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..core.overdue import Late, What
from .redis_health import redis_troubles
from .rq_health import WAITED, QueueSeen
from .walk import Walked

TIMERS_WITHIN = 10.0  # seconds
SWEEP_PATIENCE = timedelta(seconds=55)  # one takes 40 s at most, and waits for what the desk's worker is at
JUMP = 5.0  # seconds
STEADY_AFTER = 60.0  # seconds

WORDS = {
    What.STEP: ("step", "due"),
    What.NOTIFICATION: ("notification", "not begun"),
    What.LEASE: ("notification", "begun, and never done with"),
    What.RECEIPT: ("notification", "waiting for a receipt"),
    What.NOTE: ("note", "not written"),
}

#: Every topic that the watchdog itself tells and settles.
OURS = (
    "timers",
    "workers",
    *(f"overdue-{what.value}" for what in What),
    "spoiled",
    "redis-disk",
    "redis-full",
    "sweep-late",
    "clock-jump",
    "heartbeat",
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One look. Ages in seconds, None: never seen. `jumped`: by how far our clock has lately jumped."""

    now: datetime
    begun: bool = True  # an `up` has begun on this Redis
    timers_age: float | None = 0.0
    queues: Sequence[QueueSeen] = ()
    walked: Walked = field(default_factory=Walked)
    redis: Mapping[str, Any] = field(default_factory=dict)
    saves: bool = True
    swept_at: datetime | None = None
    sweep_every: timedelta = timedelta(minutes=1)
    jumped: float = 0.0
    heartbeat: str = ""  # why the last one didn't get out


def judge(seen: Seen) -> dict[str, str]:
    """Topic -> one sentence, for everything that is wrong; empty when all is well."""
    found = redis_troubles(seen.redis, seen.saves)
    if abs(seen.jumped) > JUMP:
        way = "forward" if seen.jumped > 0 else "back"
        found["clock-jump"] = f"This machine's clock has jumped {way} by {abs(seen.jumped):.0f} s: is NTP running?"
    if seen.heartbeat:
        found["heartbeat"] = seen.heartbeat
    if not seen.begun:
        return found
    if seen.timers_age is None or seen.timers_age > TIMERS_WITHIN:
        when = f"for {seen.timers_age:.0f} s" if seen.timers_age is not None else "ever"
        found["timers"] = f"The timers process has not been seen {when}: no step fires."
    stuck = [sentence for queue in seen.queues for sentence in _stuck(queue)]
    if stuck:
        found["workers"] = " ".join(stuck)
    for what, late in seen.walked.oldest.items():
        found[f"overdue-{what.value}"] = _late(seen.walked.counts[what], late)
    if seen.walked.spoiled:
        found["spoiled"] = f"What is stored about {_many(seen.walked.spoiled, 'ticket')} can't be understood."
    if seen.swept_at is not None and seen.now - seen.swept_at > seen.sweep_every + SWEEP_PATIENCE:
        found["sweep-late"] = f"The helpdesk was last asked for missed tickets at {_clock(seen.swept_at)}."
    return found


def _stuck(queue: QueueSeen) -> list[str]:
    name = queue.queue.removeprefix("escalator-")
    stuck = [worker for worker in queue.workers if worker.stuck]
    if stuck:
        longest = max(worker.silent for worker in stuck)
        return [f"{_many(len(stuck), f'{name} worker')} stuck, silent for {longest:.0f} s."]
    if not any(worker.speaks for worker in queue.workers):
        return [f"No {name} worker is running."]
    if queue.waited > WAITED[queue.queue]:
        return [f"The {name} workers are behind: a job has waited for {queue.waited:.0f} s."]
    return []


def _late(count: int, oldest: Late) -> str:
    noun, state = WORDS[oldest.what]
    of = f" (of {oldest.code})" if oldest.code else ""
    verb = "is" if count == 1 else "are"
    return f"{_many(count, noun)} {verb} late: {state}; the oldest{of} since {_clock(oldest.since)}."


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _clock(at: datetime) -> str:
    return f"{at:%H:%M:%S} UTC"


class Steadiness:
    """Our wall clock against the monotonic one: how far it has jumped, until it was steady for a minute."""

    def __init__(self) -> None:
        self._offset: float | None = None
        self._jumped, self._at = 0.0, 0.0

    def look(self, wall: float, monotonic: float) -> float:
        """Seconds that `wall` (Unix seconds) has jumped by lately, since looks before."""
        offset = wall - monotonic
        by = offset - self._offset if self._offset is not None else 0.0
        self._offset = offset
        if abs(by) > JUMP:
            self._jumped, self._at = by, monotonic
        elif monotonic - self._at > STEADY_AFTER:
            self._jumped = 0.0
        return self._jumped
