"""Locks in Redis that last as long as their holder lives: renewed each second, free some seconds after a kill.

A holder that was only paused may find that somebody else went on meanwhile: what a lock guards must bear that. It
saves work and keeps an order; it doesn't replace the look before a write.
"""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis

TTL = 4.0  # seconds without a word from the holder after which somebody else may have it
RENEW = 1.0  # seconds between two words

_UNLOCK = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
_RENEW = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0"


class Locks:
    """Thread-safe. One thread renews all locks that this process holds, and ends when there are none."""

    def __init__(self, connection: redis.Redis) -> None:
        self._redis: Any = connection
        self._held: dict[str, str] = {}
        self._guard = threading.Lock()
        self._renewing: threading.Thread | None = None

    @contextmanager
    def hold(self, key: str) -> Iterator[bool]:
        """Whether this block has the lock. Raises redis.RedisError when that can't be asked."""
        mine = secrets.token_hex(8)
        if not self._redis.set(key, mine, nx=True, px=int(TTL * 1000)):
            yield False
            return
        self._renew_from_now_on(key, mine)
        try:
            yield True
        finally:
            with self._guard:
                self._held.pop(key, None)
            self._redis.eval(_UNLOCK, 1, key, mine)

    def _renew_from_now_on(self, key: str, mine: str) -> None:
        with self._guard:
            self._held[key] = mine
            if self._renewing is None:
                self._renewing = threading.Thread(target=self._renew, name="locks", daemon=True)
                self._renewing.start()

    def _renew(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(RENEW)
            with self._guard:
                held = dict(self._held)
                if not held:
                    self._renewing = None
                    return
            try:
                with self._redis.pipeline(transaction=False) as pipe:
                    for key, mine in held.items():
                        pipe.eval(_RENEW, 1, key, mine, int(TTL * 1000))
                    pipe.execute()
            except redis.RedisError:
                continue  # it may be back in a second; the holder's own next command says so if not
