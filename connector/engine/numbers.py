"""What is kept by phone number: which escalations it was texted, and whether a call is under way there.

The number itself stands in no key.
"""

import hashlib
import json
import math
import time
from dataclasses import astuple, dataclass
from typing import Any

PREFIX = "escalator:"
REPLY_WITHIN = 12 * 3600  # seconds in which an SMS reply "1" may mean this text
ASKED_WITHIN = 3600  # seconds in which a provider may be asked for what it has of a message


@dataclass(frozen=True, slots=True)
class Texted:
    """One notification that was texted: of which escalation, and to whom (contact key and name).

    All but the code is "" where it isn't known.
    """

    code: str
    notification: str = ""
    key: str = ""
    name: str = ""


def texted_key(number: str) -> str:
    """What was texted to a number: `Texted` by time."""
    return f"{PREFIX}texted:{_hashed(number)}"


def texted(redis: Any, number: str, *new: Texted) -> list[Texted]:
    """Remembers that these were texted there; all that were within the time for replies, the newest first."""
    key, now = texted_key(number), time.time()
    with redis.pipeline() as pipe:
        pipe.multi()
        pipe.zremrangebyscore(key, "-inf", now - REPLY_WITHIN)
        if new:
            pipe.zadd(key, {json.dumps(astuple(one)): now for one in new})
            pipe.expire(key, REPLY_WITHIN)
        pipe.zrevrange(key, 0, -1)
        return [_texted(raw) for raw in pipe.execute()[-1]]


def texted_lately(redis: Any, number: str) -> list[Texted]:
    """What was texted there within the time for replies, the newest first; changes nothing."""
    since = time.time() - REPLY_WITHIN
    return [_texted(raw) for raw in redis.zrevrangebyscore(texted_key(number), "+inf", since)]


def not_texted(redis: Any, number: str, *notifications: str) -> None:
    """These were not texted there after all; what else was texted of the same escalation stands."""
    gone = [raw for raw in redis.zrange(texted_key(number), 0, -1) if _texted(raw).notification in notifications]
    if gone:
        redis.zrem(texted_key(number), *gone)


def _texted(raw: bytes) -> Texted:
    """An earlier version wrote the code alone."""
    written = raw.decode()
    return Texted(*json.loads(written)) if written.startswith("[") else Texted(written)


def own(redis: Any, number: str, provider_id: str, message: str) -> None:
    """Remembers which message a provider's id stands for, so that no look-up takes it for another one."""
    _remember(redis, _owned_key(number), f"{provider_id} {message}", time.time())


def owned_by_others(redis: Any, number: str, message: str) -> tuple[str, ...]:
    """The provider's ids of other messages to this number than this one."""
    pairs = (raw.decode().partition(" ") for raw in redis.zrange(_owned_key(number), 0, -1))
    return tuple(provider_id for provider_id, _, whose in pairs if whose != message)


def _owned_key(number: str) -> str:
    return f"{PREFIX}owned:{_hashed(number)}"


def called(redis: Any, number: str, message: str, now: float) -> None:
    """Remembers that this message's call is asked for now (Unix seconds)."""
    _remember(redis, _called_key(number), message, now)


def called_by_others(redis: Any, number: str, message: str, since: float) -> float | None:
    """When the first call there of another message was asked for, after this one's was, or since then (Unix seconds).

    Since one at a time calls a number, what was made from that moment on isn't this one's.
    """
    asked = {raw.decode(): at for raw, at in redis.zrange(_called_key(number), 0, -1, withscores=True)}
    mine = asked.pop(message, since)
    return min((at for at in asked.values() if at > mine), default=None)


def _called_key(number: str) -> str:
    return f"{PREFIX}called:{_hashed(number)}"


def _remember(redis: Any, key: str, what: str, now: float) -> None:
    """For as long as a provider may be asked about it."""
    with redis.pipeline() as pipe:
        pipe.multi()
        pipe.zremrangebyscore(key, "-inf", now - ASKED_WITHIN)
        pipe.zadd(key, {what: now})
        pipe.expire(key, ASKED_WITHIN)
        pipe.execute()


def line_key(number: str) -> str:
    """Held by the one message whose call is under way to this number (the id of its link)."""
    return f"{PREFIX}line:{_hashed(number)}"


def hold(redis: Any, line: str, id: str, seconds: float) -> bool:
    """Whether nobody else is calling there."""
    return bool(redis.set(line, id, nx=True, ex=math.ceil(seconds)))


def held_for(redis: Any, line: str, id: str) -> bool:
    return bool(redis.get(line) == id.encode())


def keep(redis: Any, line: str, seconds: float) -> None:
    """Holds it for longer; a line that a receipt has freed meanwhile stays free."""
    if line:
        redis.expire(line, math.ceil(seconds))


def release(redis: Any, line: str, id: str) -> None:
    if line and held_for(redis, line, id):
        redis.delete(line)


def _hashed(number: str) -> str:
    return hashlib.sha256(f"escalator|{number}".encode()).hexdigest()[:20]
