"""How often somebody is told, and how often a provider that fails is tried.

Pace: what asks one person to come by one way goes out at once; what follows within a short while waits and goes out as
one message, the next one later still, until a minute was quiet. Ceiling: so many messages an hour. Breaker: after some
failures in a row a channel is tried every few seconds until it answers. Each is a small record in Redis that expires.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ..core.words import Words
from .keys import PREFIX
from .scripts import Script

WORDS: Mapping[str, Words] = {
    "sms": Words("texts"),
    "phone": Words("calls"),
    "push": Words("pushes"),
    "webpush": Words("pushes"),
    "email": Words("mails"),
}
GROWS = (1, 2, 4, 8, 12)  # how the time between two messages grows while it goes on
QUIET = 60.0  # seconds after which somebody is told at once again
TRIES = 3  # failures in a row after which a provider counts as away
IN_A_ROW = 60  # seconds between two failures, at most
PROBE = 3.0  # seconds between two tries of a provider that is away
HOUR = 3600

# KEYS: pace, spent, breaker. ARGV: now, limit, message, whether it counts, quiet, tries, probe, hour, gaps...
# Answers: why not ("", "away", "ceiling"), until when it is the last one, what went wrong last, whether tries failed.
_BEGIN = Script("""
local now, gaps = tonumber(ARGV[1]), #ARGV - 8
if gaps > 0 then
  local level, quiet = unpack(redis.call('HMGET', KEYS[1], 'level', 'quiet'))
  level = (level and now < tonumber(quiet)) and tonumber(level) or 0
  local open = now + tonumber(ARGV[9 + level])
  redis.call('HSET', KEYS[1], 'open', open, 'level', math.min(level + 1, gaps - 1), 'quiet', open + ARGV[5], 'held', '')
  redis.call('EXPIRE', KEYS[1], math.ceil(open - now + ARGV[5]))
end
local failed, probe, words = unpack(redis.call('HMGET', KEYS[3], 'failed', 'probe', 'words'))
if failed and tonumber(failed) >= tonumber(ARGV[6]) then
  if probe and tonumber(probe) > now then return {'away', '', words or '', failed} end
  redis.call('HSET', KEYS[3], 'probe', now + ARGV[7])
end
failed = failed or ''
local limit = tonumber(ARGV[2])
if limit == 0 then return {'', '', '', failed} end
local till, count, last = unpack(redis.call('HMGET', KEYS[2], 'until', 'count', 'last'))
if not till or now >= tonumber(till) then
  redis.call('DEL', KEYS[2])
  till, count, last = tostring(now + ARGV[8]), 0, false
end
if redis.call('HEXISTS', KEYS[2], 'of ' .. ARGV[3]) == 1 then
  return {'', last == ARGV[3] and till or '', '', failed}
end
if ARGV[4] == '' then return {'', '', '', failed} end
if tonumber(count) >= limit then return {'ceiling', '', '', failed} end
redis.call('HSET', KEYS[2], 'until', till, 'count', count + 1, 'of ' .. ARGV[3], '1')
redis.call('EXPIRE', KEYS[2], ARGV[8])
if count + 1 < limit then return {'', '', '', failed} end
redis.call('HSET', KEYS[2], 'last', ARGV[3])
return {'', till, '', failed}
""")
# It did not go out, for certain. KEYS: spent. ARGV: message.
_GIVE_BACK = """
if redis.call('HDEL', KEYS[1], 'of ' .. ARGV[1]) == 1 then redis.call('HINCRBY', KEYS[1], 'count', -1) end
if redis.call('HGET', KEYS[1], 'last') == ARGV[1] then redis.call('HDEL', KEYS[1], 'last') end
"""


@dataclass(frozen=True, slots=True)
class Begin:
    """Whether a message may be handed to its provider now.

    `away`: the provider's last words, when it is not to be asked at this moment; `ceiling`: the person was told often
    enough by this way. `rests_until`: this message reaches the ceiling, and says so; aware UTC. `failing`: the tries
    before this one failed.
    """

    away: str | None = None
    ceiling: bool = False
    rests_until: datetime | None = None
    failing: bool = False


@dataclass(frozen=True)
class Pacing:
    """`within`: how long what follows a message waits for the next one; zero: nothing waits and nothing is bundled.

    `limits`: messages an hour to one person by one kind of channel; a kind that is missing, or 0, has no ceiling.
    """

    within: timedelta = timedelta(seconds=5)
    limits: Mapping[str, int] = field(default_factory=dict)

    @property
    def bundles(self) -> bool:
        return self.within > timedelta(0)

    def begin(
        self, redis: Any, now: datetime, channel: str, kind: str, *, person: str, group: str, id: str, counts: bool
    ) -> Begin:
        """Enters that a message is handed over now; one that was entered before counts once.

        `person` "": no ceiling; `counts` False: what was entered before may be forgotten, so nothing is refused.
        """
        gaps = [self.within.total_seconds() * grows for grows in GROWS] if self.bundles and group else []
        keys = (pace_key(group) if gaps else "", _spent_key(kind, person), _breaker_key(channel))
        limit = self.limits.get(kind, 0) if person else 0
        fixed = (now.timestamp(), limit, id, "1" if counts else "", QUIET, TRIES, PROBE, HOUR)
        why, until, words, failing = _BEGIN(redis, keys, *fixed, *gaps)
        if why == b"away":
            return Begin(away=words.decode(), failing=True)
        rests_until = datetime.fromtimestamp(float(until), UTC) if until else None
        return Begin(ceiling=why == b"ceiling", rests_until=rests_until, failing=bool(failing))

    def give_back(self, redis: Any, kind: str, person: str, id: str) -> None:
        """A message that was begun reached nobody: it counts for no ceiling."""
        if person and self.limits.get(kind, 0):
            redis.eval(_GIVE_BACK, 1, _spent_key(kind, person), id)

    def over_the_ceiling(self, kind: str) -> Words:
        """What stands on the ticket instead of an outcome."""
        limit, what = self.limits.get(kind, 0), WORDS.get(kind) or Words("messages")
        return Words("not sent: more than {limit} {what} an hour", limit=limit, what=what)


def failed(redis: Any, channel: str, words: str) -> bool:
    """Enters that the provider failed; whether it counts as away now. `words` may stand on a ticket."""
    key = _breaker_key(channel)
    with redis.pipeline() as pipe:
        pipe.multi()
        pipe.hincrby(key, "failed", 1)
        pipe.hset(key, "words", words)
        pipe.expire(key, IN_A_ROW)
        return bool(pipe.execute()[0] >= TRIES)


def answered(redis: Any, channel: str) -> None:
    """Enters that the provider did what it was asked, or refused for a reason that concerns one address only."""
    redis.delete(_breaker_key(channel))


def pace_key(group: str) -> str:
    """When the next message to one person by one way may go out; see outgoing.group_of."""
    return f"{PREFIX}pace:{group}"


def _spent_key(kind: str, person: str) -> str:
    return f"{PREFIX}spent:{hashlib.sha256(f'{kind}|{person}'.encode()).hexdigest()[:20]}"


def _breaker_key(channel: str) -> str:
    return f"{PREFIX}breaker:{channel}"
