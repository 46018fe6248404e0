"""Whether Escalator is doing its work, with every reason why not: for /readyz and for the heartbeat to the outside."""

import time
from collections.abc import Iterator
from typing import Any

import redis

from ..engine.epoch import OTHER_MODE, Holds
from ..engine.keys import DESK, DUE, HINTS, OUT, PREFIX
from ..engine.operator import Operator
from ..engine.store import Store
from .redis_health import redis_troubles
from .timers import HEARTBEAT

WATCHDOG = f"{PREFIX}watchdog"
"""Redis hash: what the watchdog's last look found; `at` is when, Unix seconds."""

HEARTBEAT_WITHIN = 10.0  # seconds
WATCHDOG_WITHIN = 60.0  # seconds; at least twice what a walk over 500,000 escalations takes
OVERDUE_AFTER = 60.0  # seconds
TROUBLE_LASTS = 2 * 3600.0  # seconds; one that goes on is seen again long before

BACKLOGS = {"due": DUE, "out": OUT, "hints": HINTS, "desk": DESK}
HARMLESS = frozenset({"heartbeat"})  # troubles that keep Escalator from nothing


def reasons(store: Store, operator: Operator, now: float | None = None) -> list[dict[str, Any]]:
    """Each with `reason` and `message`; none when all is well. `now` is Unix seconds. Never raises RedisError."""
    try:
        return list(_reasons(store, operator, time.time() if now is None else now))
    except redis.RedisError:
        return [{"reason": "redis", "message": "Redis does not answer."}]


def _reasons(store: Store, operator: Operator, now: float) -> Iterator[dict[str, Any]]:
    connection, holds = store.redis, store.holds()
    if holds is Holds.NOTHING:
        yield {"reason": "epoch", "message": "Redis is empty: nothing is sent until `escalator up` has begun."}
    elif holds is not store.mode:
        yield {"reason": "mode", "message": OTHER_MODE[store.mode]}
    for topic, sentence in redis_troubles(connection.info()).items():
        yield {"reason": "redis", "what": topic, "message": sentence}
    age = timers_age(connection, now)
    if age is None or age > HEARTBEAT_WITHIN:
        yield {"reason": "timers", "message": f"The timers process {_last_seen(age)}: no step fires."}
    watched = watchdog_age(connection, now)
    if watched is None or watched > WATCHDOG_WITHIN:
        yield {"reason": "watchdog", "message": f"The watchdog {_last_seen(watched)}: nobody looks after the others."}
    for name, key in BACKLOGS.items():
        late = int(connection.zcount(key, "-inf", now - OVERDUE_AFTER))
        if late:
            yield {"reason": "overdue", "what": name, "count": late, "message": f"{late} overdue in {name}."}
    for trouble in operator.open():
        if trouble["topic"] not in HARMLESS and now - float(str(trouble["at"])) < TROUBLE_LASTS:
            yield {"reason": "trouble", "what": trouble["topic"], "message": trouble["sentence"]}


def _last_seen(age: float | None) -> str:
    return "has never been seen" if age is None else f"was last seen {age:.0f} s ago"


def timers_age(connection: Any, now: float) -> float | None:
    """Seconds since the leading timers process was seen; None: never."""
    seen = connection.get(HEARTBEAT)
    return max(now - float(seen), 0.0) if seen else None


def watchdog_age(connection: Any, now: float) -> float | None:
    """Seconds since the watchdog's last look; None: never."""
    seen = connection.hget(WATCHDOG, "at")
    return max(now - float(seen), 0.0) if seen else None
