"""Tells whoever runs Escalator that Escalator itself is in trouble: once a trouble and hour, not hundreds of times.

A trouble is a state: it is open from `tell` to `settled`, and one line says so when the last one is over. One that
concerns several tickets (`about`) is over when it is over for each of them.
"""

import hashlib
import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import queues
from ..core.contact import Contact
from ..ports import Channel
from .locks import Locks
from .ways import Ways

log = logging.getLogger(__name__)

TROUBLES = "escalator:troubles"
TO_SEND = "escalator:operator"
SENDING = "escalator:operator-sending"
TOLD = "escalator:troubles-told"  # guards of what was told since all was well last
WELL = "escalator:trouble-over"
ONCE_IN = 3600  # seconds
AGAIN_IN = 600  # seconds; for what was over and comes back, and between two lines that all is well
UNTOLD_AGAIN_IN = 60  # seconds; when no way worked
SEND_FOR = 40.0  # seconds; then another job goes on, so that a worker can end or be looked after
ALL_IS_WELL = "All is well again: nothing that was told is in trouble any more."

# Opens a trouble, and has it sent unless it was told lately. KEYS: guard, to send, troubles, told, about. ARGV:
# seconds, trouble, topic, what it is about.
_TELL = """
redis.call('HSET', KEYS[3], ARGV[3], ARGV[2])
if ARGV[4] ~= '' then redis.call('SADD', KEYS[5], ARGV[4]) end
if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[1]) then return 0 end
redis.call('RPUSH', KEYS[2], ARGV[2])
redis.call('SADD', KEYS[4], KEYS[1])
return 1
"""
# A trouble is over, for what is named or altogether. KEYS: guard, troubles, about. ARGV: topic, seconds after which it
# may be told again, what it was about.
_SETTLED = """
if ARGV[3] ~= '' then
  redis.call('SREM', KEYS[3], ARGV[3])
  if redis.call('EXISTS', KEYS[3]) == 1 then return 0 end
end
redis.call('DEL', KEYS[3])
if redis.call('HDEL', KEYS[2], ARGV[1]) == 0 then return 0 end
if redis.call('TTL', KEYS[1]) > tonumber(ARGV[2]) then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return 1
"""
# Says that all is well, if that is news; what comes back after it is told at once. KEYS: troubles, told, to send,
# guard. ARGV: line, seconds.
_WELL = """
if redis.call('EXISTS', KEYS[1]) == 1 or redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
if not redis.call('SET', KEYS[4], '1', 'NX', 'EX', ARGV[2]) then return 0 end
redis.call('DEL', KEYS[2], unpack(redis.call('SMEMBERS', KEYS[2])))
redis.call('RPUSH', KEYS[3], ARGV[1])
return 1
"""


@dataclass(frozen=True)
class Operator:
    """`troubles` in Redis are what /readyz and `status` show. Every call but `say` may raise redis.RedisError."""

    connection: Any
    contacts: Sequence[Contact] = ()
    channels: Mapping[str, Channel] = field(default_factory=dict)
    ways: Ways = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ways", Ways(self.contacts, self.channels))

    def tell(self, topic: str, sentence: str, about: str = "") -> None:
        """Opens the trouble, or keeps it open; a worker or the watchdog sends it (see `send_open`).

        `about`: a ticket's id, where each of several may be in this trouble by itself.
        """
        log.warning("trouble: %s: %s", topic, sentence)
        keys = (_guard(topic), TO_SEND, TROUBLES, TOLD, about_key(topic))
        self.connection.eval(_TELL, len(keys), *keys, ONCE_IN, _record(topic, sentence), topic, about)

    def settled(self, topic: str, about: str = "") -> bool:
        """The trouble is over, for `about` or altogether; True when it was open and is no more.

        Should it come back, it is told again, though not every minute.
        """
        keys = (_guard(topic), TROUBLES, about_key(topic))
        return bool(self.connection.eval(_SETTLED, len(keys), *keys, topic, AGAIN_IN, about))

    def well(self) -> bool:
        """Has the operator told that all is well, if troubles were told and none is open; at most every ten minutes."""
        keys = (TROUBLES, TOLD, TO_SEND, WELL)
        return bool(self.connection.eval(_WELL, len(keys), *keys, _record("well", ALL_IS_WELL), AGAIN_IN))

    def open(self) -> list[dict[str, object]]:
        """Troubles not settled, with topic, sentence and time (Unix seconds) when they were last seen."""
        return list(self._open())

    def _open(self) -> Iterator[dict[str, object]]:
        for topic, raw in self.connection.hgetall(TROUBLES).items():
            trouble = _read(raw)
            if trouble is None:
                log.error("what is stored as a trouble is none")
                self.connection.hdel(TROUBLES, topic)
            else:
                yield trouble

    def waiting_since(self) -> float | None:
        """When the oldest trouble that isn't sent yet was told, Unix seconds; None when nothing waits."""
        raw = self.connection.lindex(TO_SEND, 0)
        if raw is None:
            return None
        trouble = _read(raw)
        return float(trouble["at"]) if trouble else 0.0

    def send_open(self) -> None:
        """Sends what waits to the operator, by every way configured.

        A trouble leaves the list once it was sent, so a worker that dies over it has it sent once more. One that no
        way took may be told again after a minute. Where ways take long, the next call goes on with what is left.
        """
        until = time.monotonic() + SEND_FOR
        with Locks(self.connection).hold(SENDING) as mine:
            while time.monotonic() < until and not queues.stopping.is_set():
                raw = self.connection.lindex(TO_SEND, 0) if mine else None
                if raw is None:
                    return
                trouble = _read(raw)
                if trouble is None:
                    log.error("what is stored as a trouble to be told is none")
                elif not self.say(trouble["id"], trouble["sentence"]):
                    self.connection.expire(_guard(trouble["topic"]), UNTOLD_AGAIN_IN)
                self.connection.lrem(TO_SEND, 1, raw)

    def say(self, id: str, sentence: str) -> bool:
        """Sends it by every way at once, without Redis; whether one way worked, or none is configured."""
        return self.ways.say(id, sentence)


def about_key(topic: str) -> str:
    """The set of what a trouble is about."""
    return f"escalator:trouble-about:{topic}"


def _record(topic: str, sentence: str) -> str:
    return json.dumps({"id": id_of(topic), "topic": topic, "sentence": sentence, "at": time.time()})


def _read(raw: bytes) -> dict[str, Any] | None:
    """A trouble as stored, or None for what isn't one: anybody may have written into Redis."""
    try:
        found = json.loads(raw)
        known = {"id": str(found["id"]), "topic": str(found["topic"]), "sentence": str(found["sentence"])}
        return {**known, "at": float(found["at"])}
    except (ValueError, TypeError, KeyError):
        return None


def id_of(topic: str) -> str:
    """What names a topic in the ids of messages."""
    return hashlib.sha256(topic.encode()).hexdigest()[:16]


def _guard(topic: str) -> str:
    return f"escalator:trouble:{id_of(topic)}"
