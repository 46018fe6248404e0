"""What several channels need and none of them owns."""

import os
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from connector.errors import ConfigError, Undelivered
from connector.ports import Message, Receipt

from ._templates import BUILT_IN, Texts

CONNECT_TIMEOUT = 4.0  # seconds, every provider
READ_TIMEOUT = 10.0  # seconds between two bytes of an answer

T = TypeVar("T")


def repeat(message: Message) -> Receipt | None:
    """`Channel.find` where whoever receives it knows a repeat by its id, so that sending again is safe.

    Raises Undelivered (maybe sent) where what went out before may have had another id.
    """
    if message.elsewhere:
        raise Undelivered("It may have gone out in a message about several tickets.", maybe_sent=True)
    return None


@dataclass(frozen=True, slots=True)
class TwilioSettings:
    """The config's `twilio` section. The first token signs in; all of them verify callbacks (rotation)."""

    account_sid: str
    auth_tokens: tuple[str, ...] = field(repr=False)
    api_url: str = "https://api.twilio.com"


@dataclass(frozen=True, slots=True)
class Shared:
    """Settings that stand outside a channel's own options."""

    twilio: TwilioSettings | None = None
    texts: Texts = BUILT_IN


class PerProcess(Generic[T]):
    """One `T` in each process, closed with its owner: no connection is used on both sides of a fork. Thread-safe."""

    def __init__(self, make: Callable[[], T], close: Callable[[T], None]) -> None:
        self._make, self._close = make, close
        self._lock = threading.Lock()
        self._made: tuple[int, T] | None = None

    def get(self) -> T:
        with self._lock:
            if self._made is None or self._made[0] != os.getpid():
                made = self._make()
                weakref.finalize(self, _close_in, os.getpid(), self._close, made)
                self._made = (os.getpid(), made)
            return self._made[1]


def _close_in(process: int, close: Callable[[T], None], made: T) -> None:
    # A forked child that said goodbye on its parent's connection would end it for both.
    if process == os.getpid():
        close(made)


def read_file(channel: str, key: str, path: str) -> bytes:
    """The bytes of a file that an option names. Raises ConfigError."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise ConfigError(f"Channel {channel}: {key} {path} can't be read ({reason}).") from error
