"""The devices that were paired with contacts: browsers for Web Push, tokens of an own app for Apple's push.

They are kept in Redis alone, for good: whoever loses Redis without a copy has to have them paired again, and the
operator is told so.
"""

import contextlib
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import msgspec
import redis

from ..core.contact import Contact, Subscription
from ..errors import EscalatorError, Undelivered
from ..ports import Channel, Message, Receipt
from .keys import PREFIX

PUSH, WEBPUSH = "push", "webpush"
KINDS = frozenset({PUSH, WEBPUSH})
#: Devices of one kind that one contact can have: each message goes to all of them.
MOST = 10
#: The operator's trouble after Redis was lost, until somebody pairs a device again.
LOST = "devices-lost"

_OWNERS = f"{PREFIX}devices"


class TooMany(EscalatorError):
    """One contact has as many devices as they may have."""


@dataclass(frozen=True, slots=True)
class Device:
    """`address` is a device token or an endpoint; `p256dh` and `auth` are a browser's keys. `name` is for people."""

    kind: str
    address: str
    added_at: datetime  # aware UTC
    name: str = ""
    p256dh: str = ""
    auth: str = ""

    @property
    def id(self) -> str:
        """What people and commands call it; it tells nothing of the address."""
        return hashlib.sha256(f"{self.kind} {self.address}".encode()).hexdigest()[:8]


_decoder = msgspec.json.Decoder(Device)


class Devices:
    """Thread-safe; every call may raise redis.RedisError."""

    def __init__(self, connection: redis.Redis) -> None:
        self._redis: Any = connection  # redis-py types every answer as bytes, text, list or None at once

    def add(self, contact: str, device: Device) -> None:
        """Pairs it with this contact (their key) and nobody else; again: only its keys and name change.

        Raises TooMany.
        """
        known = {each.id for each in self.of(contact) if each.kind == device.kind}
        if device.id not in known and len(known) >= MOST:
            raise TooMany(f"There are {MOST} devices already: remove one first.")
        with self._redis.pipeline() as pipe:
            pipe.multi()
            for other in self.contacts():
                if other != contact:  # whoever holds the phone now is told, nobody else
                    pipe.hdel(_key(other), device.id)
            pipe.sadd(_OWNERS, contact)
            pipe.hset(_key(contact), device.id, msgspec.json.encode(device))
            pipe.execute()

    def of(self, contact: str) -> list[Device]:
        """Oldest first. What can't be read is none: one spoiled record keeps no other device from ringing."""
        found = []
        for raw in self._redis.hvals(_key(contact)):
            try:
                found.append(_decoder.decode(raw))
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
        return sorted(found, key=lambda device: (device.added_at, device.id))

    def find(self, contact: str, kind: str, address: str) -> Device | None:
        return next((each for each in self.of(contact) if (each.kind, each.address) == (kind, address)), None)

    def contacts(self) -> list[str]:
        """Keys of those who have had a device."""
        return sorted(raw.decode() for raw in self._redis.smembers(_OWNERS))

    def remove(self, contact: str, id: str) -> bool:
        """Whether there was one."""
        return bool(self._redis.hdel(_key(contact), id))

    def drop(self, contact: str, addresses: Iterable[str]) -> int:
        """Forgets devices that a provider called dead; how many there were."""
        gone = set(addresses)
        ids = [device.id for device in self.of(contact) if device.address in gone] if gone else []
        return int(self._redis.hdel(_key(contact), *ids)) if ids else 0

    def join(self, contact: Contact) -> Contact:
        """The contact with their devices besides what the config lists; who is one browser already stays so."""
        if contact.webpush:
            return contact
        devices = self.of(contact.key)
        tokens = [each.address for each in devices if each.kind == PUSH]
        browsers = tuple(Subscription(each.address, each.p256dh, each.auth) for each in devices if each.kind == WEBPUSH)
        return replace(contact, push=tuple(dict.fromkeys((*contact.push, *tokens))), webpush=browsers)


def _key(contact: str) -> str:
    return f"{_OWNERS}:{contact}"


class Paired(Protocol):
    """What a channel has to know of devices."""

    def join(self, contact: Contact) -> Contact: ...

    def drop(self, contact: str, addresses: Iterable[str]) -> int: ...


class WithDevices:
    """A channel that tells contacts on their paired devices, too, and forgets those that are gone for good.

    Besides what the channel raises, every call may raise redis.RedisError.
    """

    def __init__(self, channel: Channel, devices: Paired) -> None:
        self._channel, self._devices = channel, devices
        self.name, self.kind, self.personal = channel.name, channel.kind, channel.personal
        self.acknowledges, self.lease = channel.acknowledges, channel.lease

    def address(self, contact: Contact) -> str:
        return self._channel.address(self._devices.join(contact))

    def deliver(self, message: Message) -> Receipt:
        """Raises Undelivered."""
        joined = self._join(message)
        try:
            receipt = self._channel.deliver(joined)
        except Undelivered as error:
            self._drop(joined.contacts, error.dead)
            raise
        self._drop(joined.contacts, receipt.dead)
        return receipt

    def find(self, message: Message) -> Receipt | None:
        return self._channel.find(self._join(message))

    def _join(self, message: Message) -> Message:
        return replace(message, contacts=tuple(self._devices.join(contact) for contact in message.contacts))

    def _drop(self, contacts: Sequence[Contact], dead: Sequence[str]) -> None:
        for contact in contacts if dead else ():
            with contextlib.suppress(redis.RedisError):  # what was delivered stays so; the next push finds them again
                self._devices.drop(contact.key, dead)
