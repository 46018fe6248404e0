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
from ..errors import EscalatorError
from ..ports import Channel, Message, Purpose

log = logging.getLogger(__name__)

TROUBLES = "escalator:troubles"
ONCE_IN = 3600  # seconds


@dataclass(frozen=True)
class Operator:
    """`troubles` in Redis are what /readyz and `status` show; each is sent once an hour at most."""

    connection: Any
    contacts: Sequence[Contact] = ()
    channels: Mapping[str, Channel] = field(default_factory=dict)

    def tell(self, topic: str, sentence: str) -> None:
        """Remembers the trouble; a worker sends it (see `send_open`)."""
        log.warning("trouble: %s: %s", topic, sentence)
        id = hashlib.sha256(f"{topic}|{sentence}".encode()).hexdigest()[:16]
        if self.connection.set(f"escalator:trouble:{id}", "1", ex=ONCE_IN, nx=True):
            trouble = {"id": id, "topic": topic, "sentence": sentence, "at": time.time()}
            with self.connection.pipeline() as pipe:
                pipe.rpush("escalator:operator", json.dumps(trouble))
                pipe.hset(TROUBLES, topic, json.dumps(trouble))
                pipe.execute()

    def settled(self, topic: str) -> None:
        """The trouble is over."""
        self.connection.hdel(TROUBLES, topic)

    def open(self) -> list[dict[str, object]]:
        """Troubles not settled, with topic, sentence and time."""
        return [json.loads(raw) for raw in self.connection.hvals(TROUBLES)]

    def send_open(self) -> None:
        """Sends what waits to the operator, by every way configured; a way that fails is only logged."""
        for _ in range(20):
            raw = self.connection.lpop("escalator:operator")
            if raw is None:
                return
            trouble = json.loads(raw)
            for contact in self.contacts:
                for channel in self.channels.values():
                    self._send(contact, channel, trouble["id"], trouble["sentence"])

    def _send(self, contact: Contact, channel: Channel, id: str, sentence: str) -> None:
        if channel.personal and not channel.address(contact):
            return
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
        except EscalatorError as error:
            log.warning("the operator could not be told by %s: %s", channel.name, error)
