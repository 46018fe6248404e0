"""Says one sentence to the operator by every way at once, without Redis, workers or queues.

Each way has a thread of its own, at most one at a time: a channel that hangs keeps neither the other ways nor the
caller waiting.
"""

import logging
import queue
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from ..core.contact import Contact
from ..faults import describe
from ..ports import Channel, Message, Purpose

log = logging.getLogger(__name__)

SAID_WITHIN = 25.0  # seconds; a way that takes longer counts as failed, and goes on by itself


class Ways:
    """Thread-safe. `channels` that have no address of a contact, when there is something to say, are no way to them."""

    def __init__(self, contacts: Sequence[Contact] = (), channels: Mapping[str, Channel] | None = None) -> None:
        self._all = [(contact, channel) for contact in contacts for channel in (channels or {}).values()]
        self._busy: set[tuple[str, str]] = set()
        self._guard = threading.Lock()

    def say(self, id: str, sentence: str, within: float = SAID_WITHIN) -> bool:
        """Whether one way took it within so many seconds, or none is configured. Never raises.

        `id` ([a-z0-9-]) names what is said; the same thing said later is another message.
        """
        answers: queue.SimpleQueue[bool] = queue.SimpleQueue()
        ways = [(contact, channel) for contact, channel in self._all if _reaches(channel, contact)]
        begun = sum(self._begin(contact, channel, id, sentence, answers) for contact, channel in ways)
        until, worked = time.monotonic() + within, False
        for _ in range(begun):
            try:
                worked |= answers.get(timeout=max(until - time.monotonic(), 0.0))
            except queue.Empty:
                break
        return worked or not ways

    def _begin(
        self, contact: Contact, channel: Channel, id: str, sentence: str, answers: "queue.SimpleQueue[bool]"
    ) -> bool:
        """Whether a thread has begun; not while an earlier one still hangs on this way."""
        way = (contact.key, channel.name)
        with self._guard:
            if way in self._busy:
                return False
            self._busy.add(way)

        def send() -> None:
            worked = _sent(contact, channel, id, sentence)
            with self._guard:
                self._busy.discard(way)
            answers.put(worked)

        threading.Thread(target=send, name="operator", daemon=True).start()
        return True


def _reaches(channel: Channel, contact: Contact) -> bool:
    """Where that can't be told now (their paired devices are stored away), it is tried."""
    try:
        return not channel.personal or bool(channel.address(contact))
    except Exception as error:
        log.warning("whom %s reaches can't be told: %s", channel.name, describe(error))
        return True


def _sent(contact: Contact, channel: Channel, id: str, sentence: str) -> bool:
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
