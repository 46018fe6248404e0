"""No more than four calls at a time to the helpdesk, in all processes on all hosts together.

Places are members of a sorted set in Redis that end with their holder: a score says until when a place is held, and a
thread of the holder's process moves it on. A place is held for one question of the port, which makes its calls one
after the other. When Redis can't be asked, nobody is counted: little but a look by hand goes on then.
"""

import logging
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from typing import Any, cast

import redis

from ..errors import HelpdeskAway
from ..ports import Helpdesk
from .keys import PREFIX

log = logging.getLogger(__name__)

CALLS = f"{PREFIX}helpdesk-calls"
AT_ONCE = 4  # a helpdesk's web server has few workers, and people use them too
FOR_FRESH_LOOKS = 1  # of these: who is about to be woken must not wait behind a storm of notes
TTL = 4.0  # seconds without a word from the holder after which its place is free
RENEW = 1.0  # seconds between two words
ASK_AGAIN = 0.02  # seconds
PATIENCE = 60.0  # seconds; more than any call takes, so that only a crowd can use it up
PAGE = 200  # of what a search finds, as the helpdesks give it
OPEN = frozenset({"prove", "parse", "clock_skew"})  # they make no call

# Takes a place. KEYS: places. ARGV: token, seconds, at most. The clock is that of Redis: the holders' may differ.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('EXPIRE', KEYS[1], 60)
return 1
"""
# Keeps places. KEYS: places. ARGV: seconds, tokens. One that was lost meanwhile (its holder was paused) stays lost.
_KEEP = """
local time = redis.call('TIME')
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], 'XX', time[1] + time[2] / 1000000 + ARGV[1], ARGV[i]) end
redis.call('EXPIRE', KEYS[1], 60)
"""

_fresh_look: ContextVar[bool] = ContextVar("fresh_look", default=False)


@contextmanager
def fresh_look() -> Iterator[None]:
    """What this block asks goes before everything else."""
    token = _fresh_look.set(True)
    try:
        yield
    finally:
        _fresh_look.reset(token)


class Places:
    """Thread-safe. One thread keeps all places that this process holds, and ends when there are none."""

    def __init__(self, connection: redis.Redis) -> None:
        self._redis: Any = connection
        self._held: set[str] = set()
        self._guard = threading.Lock()
        self._keeping: threading.Thread | None = None

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Waits for a place and holds it. Raises HelpdeskAway when none came free."""
        token = self._wait()
        try:
            yield
        finally:
            self._give_back(token)

    def _wait(self) -> str:
        token = secrets.token_hex(8)
        at_most = AT_ONCE if _fresh_look.get() else AT_ONCE - FOR_FRESH_LOOKS
        until = time.monotonic() + PATIENCE
        try:
            while not self._redis.eval(_TAKE, 1, CALLS, token, TTL, at_most):
                if time.monotonic() > until:
                    raise HelpdeskAway("Too many other calls to the helpdesk wait.")
                time.sleep(random.uniform(ASK_AGAIN, 2 * ASK_AGAIN))  # noqa: S311  # jitter is no secret
        except redis.RedisError:
            return ""
        with self._guard:
            self._held.add(token)
            if self._keeping is None:
                self._keeping = threading.Thread(target=self._keep, name="places", daemon=True)
                self._keeping.start()
        return token

    def _give_back(self, token: str) -> None:
        if not token:
            return
        with self._guard:
            self._held.discard(token)
        try:
            self._redis.zrem(CALLS, token)
        except redis.RedisError:
            log.info("Redis is away; a place ends by itself within %.0f s", TTL)

    def _keep(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(RENEW)
            with self._guard:
                if not self._held:
                    self._keeping = None
                    return
                held = list(self._held)
            try:
                self._redis.eval(_KEEP, 1, CALLS, TTL, *held)
            except redis.RedisError:
                continue  # it may be back in a second


class _Rationed:
    """A helpdesk each of whose questions takes a place."""

    def __init__(self, helpdesk: Helpdesk, places: Places) -> None:
        self._helpdesk, self._places = helpdesk, places

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._helpdesk, name)
        if name in OPEN or name.startswith("_") or not callable(found):
            return found
        return self._asked(found)

    def _asked(self, ask: Callable[..., Any]) -> Callable[..., Any]:
        def question(*given: Any, **named: Any) -> Any:
            with self._places.hold():
                answer = ask(*given, **named)
                if not isinstance(answer, Iterator):
                    return answer
                page = list(islice(answer, PAGE))
            return self._pages(page, answer)

        return question

    def _pages(self, page: list[Any], answer: Iterator[Any]) -> Iterable[Any]:
        """A search goes on asking while it is gone through; between two pages it holds no place."""
        while page:
            yield from page
            with self._places.hold():
                page = list(islice(answer, PAGE))


def rationed(helpdesk: Helpdesk, places: Places) -> Helpdesk:
    """The same helpdesk, of which no more than four questions are asked at a time."""
    return cast(Helpdesk, _Rationed(helpdesk, places))
