"""Tells whoever runs Escalator that Escalator itself is in trouble: once a trouble and hour, not hundreds of times."""

import hashlib
import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..core.contact import Contact
from ..faults import describe
from ..ports import Channel, Message, Purpose
from .locks import Locks

log = logging.getLogger(__name__)

TROUBLES = "escalator:troubles"
TO_SEND = "escalator:operator"
SENDING = "escalator:operator-sending"
ONCE_IN = 3600  # seconds
AGAIN_IN = 600  # seconds; for what was over and comes back
UNTOLD_AGAIN_IN = 60  # seconds; when no way worked

# Remembers a trouble unless it was told lately. KEYS: guard, to send, troubles. ARGV: seconds, trouble, topic.
_TELL = """
if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[1]) then return 0 end
redis.call('RPUSH', KEYS[2], ARGV[2])
redis.call('HSET', KEYS[3], ARGV[3], ARGV[2])
return 1
"""
# A trouble is over. KEYS: guard, troubles. ARGV: topic, seconds after which it may be told again.
_SETTLED = """
if redis.call('HDEL', KEYS[2], ARGV[1]) == 1 and redis.call('TTL', KEYS[1]) > tonumber(ARGV[2]) then
  redis.call('EXPIRE', KEYS[1], ARGV[2])
end
"""


@dataclass(frozen=True)
class Operator:
    """`troubles` in Redis are what /readyz and `status` show; each topic is sent once an hour at most."""

    connection: Any
    contacts: Sequence[Contact] = ()
    channels: Mapping[str, Channel] = field(default_factory=dict)

    def tell(self, topic: str, sentence: str) -> None:
        """Remembers the trouble; a worker sends it (see `send_open`)."""
        log.warning("trouble: %s: %s", topic, sentence)
        trouble = {"id": _id(topic), "topic": topic, "sentence": sentence, "at": time.time()}
        self.connection.eval(_TELL, 3, _guard(topic), TO_SEND, TROUBLES, ONCE_IN, json.dumps(trouble), topic)

    def settled(self, topic: str) -> None:
        """The trouble is over; should it come back, it is told again, though not every minute."""
        self.connection.eval(_SETTLED, 2, _guard(topic), TROUBLES, topic, AGAIN_IN)

    def open(self) -> list[dict[str, object]]:
        """Troubles not settled, with topic, sentence and time."""
        return [json.loads(raw) for raw in self.connection.hvals(TROUBLES)]

    def send_open(self) -> None:
        """Sends what waits to the operator, by every way configured.

        A trouble leaves the list once it was sent, so a worker that dies over it has it sent once more. One that no
        way took may be told again after a minute.
        """
        with Locks(self.connection).hold(SENDING) as mine:
            for _ in range(20):
                raw = self.connection.lindex(TO_SEND, 0) if mine else None
                if raw is None:
                    return
                trouble = json.loads(raw)
                if not self._told(trouble["id"], trouble["sentence"]):
                    self.connection.expire(_guard(trouble["topic"]), UNTOLD_AGAIN_IN)
                self.connection.lrem(TO_SEND, 1, raw)

    def _told(self, id: str, sentence: str) -> bool:
        """Whether one way worked, or none is configured."""
        ways = [
            (contact, channel)
            for contact in self.contacts
            for channel in self.channels.values()
            if not channel.personal or channel.address(contact)
        ]
        worked = [self._send(contact, channel, id, sentence) for contact, channel in ways]
        return any(worked) or not ways

    def _send(self, contact: Contact, channel: Channel, id: str, sentence: str) -> bool:
        message = Message(
            id=f"operator-{id}-{int(time.time())}",
            purpose=Purpose.OPERATOR,
            code="",
            contacts=(contact,),
            sent_at=datetime.now(UTC),
            line=sentence,
        )
        try:
            channel.deliver(message)
        except Exception as error:  # a channel that is broken must not keep the others from being tried
            log.warning("the operator could not be told by %s: %s", channel.name, describe(error))
            return False
        return True


def _id(topic: str) -> str:
    return hashlib.sha256(topic.encode()).hexdigest()[:16]


def _guard(topic: str) -> str:
    return f"escalator:trouble:{_id(topic)}"
