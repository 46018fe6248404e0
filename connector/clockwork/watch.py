"""The watchdog's look: sees, judges, tells, and settles what is over. One look after the other, by one thread.

What has to wait (a channel, the heartbeat's address) happens in threads of its own, one at a time for each purpose, so
that no look waits for it.
"""

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import redis

from ..engine.operator import Operator
from ..engine.store import Store
from ..faults import describe
from . import readiness, settling
from .heartbeat import EVERY, beat
from .redis_health import REFUSALS, refusal
from .rq_health import Workers
from .sweep import SWEPT
from .walk import Walk, Walked
from .watchdog import OURS, Seen, Steadiness, judge

log = logging.getLogger(__name__)

SETTLE_IN = 20.0  # seconds after the start in which others may still be starting, too
SEEN_TWICE = 4.0  # seconds for which something must be wrong before it is told
TELL_AGAIN = 60.0  # seconds; an open trouble's words and time are kept young
UNSENT = 5.0  # seconds that a trouble waits for a worker to send it
CALM = 20.0  # seconds without any trouble before all is well
GONE_FOR = 30.0  # seconds without Redis before the operator hears of it
ONCE_IN = 3600.0  # seconds between two times that the same is said without Redis

REFUSES, GONE = "redis-refuses", "redis-gone"


@dataclass
class Watch:
    """`alone`: nobody else (`up`) tells the operator when Redis is gone. `probe` settles what channels can be asked."""

    store: Store
    operator: Operator
    calls: frozenset[str]
    sweep_every: timedelta
    heartbeat_url: str = ""
    heartbeat_allow_private: bool = False
    alone: bool = False
    probe: Callable[[str], bool] = lambda _: False
    wall: Callable[[], float] = time.time
    steadiness: Steadiness = field(default_factory=Steadiness)

    def __post_init__(self) -> None:
        self._redis: Any = self.store.redis
        self._walk = Walk(self._redis, self.calls)
        self._workers = Workers(self._redis)
        self._host = socket.gethostname()
        self._began = self._last_seen = time.monotonic()
        self._first: dict[str, float] = {}  # topic -> since when it is wrong, monotonic
        self._told: dict[str, float] = {}  # topic -> when it was told last, monotonic
        self._said: dict[str, float] = {}  # the same for what was said without Redis
        self._calm_since: float | None = None
        self._beat_at, self._beat = 0.0, ""
        self._config_is_new, self._blind = True, False
        self._busy: dict[str, threading.Thread] = {}

    def look(self) -> float:
        """One look; the seconds it took. Never raises RedisError: a Redis that is away is what it has seen then."""
        began = time.monotonic()
        try:
            self._look()
        except redis.RedisError as error:
            self._away(error)
        return time.monotonic() - began

    def _look(self) -> None:
        jumped = self.steadiness.look(self.wall(), time.monotonic())
        refused = self._refused()
        self._last_seen, self._blind = time.monotonic(), False
        self._over(GONE, "Redis answers again.")
        if refused:
            self._say(REFUSES, f"Redis refuses writes: {refused}. Nothing is taken in or sent.")
            return
        self._over(REFUSES, "Redis takes writes again.")
        walked = self._walk.walk(datetime.now(UTC))
        found = self._late_enough(judge(self._see(walked, jumped)))
        self._config_read_anew()
        self._tell(found)
        settling.settle_tickets(self.store, self.operator, walked)
        self._keep(walked, found, jumped)
        self._send()
        self._beat_if_well()

    def _refused(self) -> str:
        """Why Redis refuses our sign of life; "" when it takes it."""
        try:
            self._redis.hset(readiness.WATCHDOG, "at", repr(time.time()))
        except (redis.ConnectionError, redis.TimeoutError) as error:
            if str(error).partition(" ")[0] not in REFUSALS:  # else it answers, and our connections call that away
                raise
            return refusal(error)
        except redis.ResponseError as error:
            return refusal(error)
        return ""

    def _see(self, walked: Walked, jumped: float) -> Seen:
        info = self._redis.info()
        return Seen(
            now=datetime.now(UTC),
            begun=self.store.begun(),
            timers_age=readiness.timers_age(self._redis, time.time()),
            queues=self._workers.look(),
            walked=walked,
            redis=info,
            saves=bool(info.get("aof_enabled")) or self._saves(),
            swept_at=self._swept_at(),
            sweep_every=self.sweep_every,
            jumped=jumped,
            heartbeat=self._beat,
        )

    def _saves(self) -> bool:
        """Whether Redis takes snapshots, as far as it lets us ask."""
        try:
            return bool(self._redis.config_get("save").get("save", "?"))
        except redis.ResponseError:
            return True

    def _swept_at(self) -> datetime | None:
        raw = self._redis.get(SWEPT)
        try:
            return datetime.fromisoformat(json.loads(raw)["at"]) if raw is not None else None
        except (ValueError, TypeError, KeyError):
            return None

    def _late_enough(self, wrong: Mapping[str, str]) -> dict[str, str]:
        """Without what may be over in a moment: a process that starts again, a look in the middle of a reload."""
        now = time.monotonic()
        self._first = {topic: self._first.get(topic, now) for topic in wrong}
        if now - self._began < SETTLE_IN:
            return {}
        return {topic: words for topic, words in wrong.items() if now - self._first[topic] >= SEEN_TWICE}

    # --- what follows from it ----------------------------------------------------------------------------------------

    def _tell(self, found: Mapping[str, str]) -> None:
        now, opened = time.monotonic(), {str(trouble["topic"]) for trouble in self.operator.open()}
        for topic, sentence in found.items():
            if topic not in opened or now - self._told.get(topic, 0.0) > TELL_AGAIN:
                self.operator.tell(topic, sentence, about=self._host)
                self._told[topic] = now
        for topic in opened & set(OURS) - set(self._first):
            self.operator.settled(topic, about=self._host)
        self._settle_others()

    def _config_read_anew(self) -> None:
        """With the credentials that this process was started with nobody has been refused yet."""
        if self._config_is_new:
            for topic in (str(trouble["topic"]) for trouble in self.operator.open()):
                if topic.startswith(settling.CHANNEL):
                    self.operator.settled(topic)
            self._config_is_new = False

    def _settle_others(self) -> None:
        """What nobody has seen for long, and channels whose provider takes us again."""
        now = time.time()
        for trouble in self.operator.open():
            topic, age = str(trouble["topic"]), now - float(str(trouble["at"]))
            if age > readiness.TROUBLE_LASTS:
                self.operator.settled(topic)
            elif topic.startswith(settling.CHANNEL) and age > TELL_AGAIN:
                self._in_background(f"probe {topic}", lambda topic=topic: self._probe(topic))  # type: ignore[misc]

    def _probe(self, topic: str) -> None:
        if self.probe(topic.removeprefix(settling.CHANNEL)):
            self.operator.settled(topic)

    def _keep(self, walked: Walked, found: Mapping[str, str], jumped: float) -> None:
        """The look in figures, for /metrics."""
        figures: dict[str, str | float | int] = {
            "took": walked.took,
            "live": walked.live,
            "spoiled": walked.spoiled,
            "jumped": jumped,
            "found": json.dumps(sorted(found)),
            **{f"overdue_{what.value}": count for what, count in walked.counts.items()},
        }
        with self._redis.pipeline() as pipe:
            pipe.delete(readiness.WATCHDOG)
            pipe.hset(readiness.WATCHDOG, mapping={"at": repr(time.time()), **figures})
            pipe.execute()

    def _send(self) -> None:
        """Troubles that no worker has sent, and the line that all is well."""
        if self.operator.open():
            self._calm_since = None
        elif self._calm_since is None:
            self._calm_since = time.monotonic()
        elif time.monotonic() - self._calm_since > CALM:
            self.operator.well()
        since = self.operator.waiting_since()
        if since is not None and time.time() - since > UNSENT:
            self._in_background("send", self.operator.send_open)

    def _beat_if_well(self) -> None:
        if not self.heartbeat_url or time.monotonic() < self._beat_at or time.monotonic() - self._began < SETTLE_IN:
            return
        if readiness.reasons(self.store, self.operator):
            return

        def send() -> None:
            self._beat = beat(self.heartbeat_url, allow_private=self.heartbeat_allow_private)

        if self._in_background("heartbeat", send):
            self._beat_at = time.monotonic() + EVERY

    # --- without Redis ------------------------------------------------------------------------------------------------

    def _away(self, error: redis.RedisError) -> None:
        gone = time.monotonic() - self._last_seen
        if not self._blind:
            log.warning("the watchdog can't look: Redis is away (%s)", type(error).__name__)
        self._blind = True
        if self.alone and gone > GONE_FOR:
            self._say(GONE, f"Redis has not answered for {gone:.0f} s: nothing is taken in or sent.")

    def _say(self, topic: str, sentence: str) -> None:
        """Tells the operator without Redis, once an hour."""
        said = self._said.get(topic)
        if said is not None and time.monotonic() - said < ONCE_IN:
            return

        def send() -> None:
            if self.operator.say(topic, sentence):
                self._said[topic] = time.monotonic()

        self._in_background(f"say {topic}", send)

    def _over(self, topic: str, sentence: str) -> None:
        if topic in self._said:
            del self._said[topic]
            self._in_background(f"over {topic}", lambda: self.operator.say(f"{topic}-over", sentence))

    def _in_background(self, name: str, act: Callable[[], object]) -> bool:
        """Whether it has begun; not while the last one of this name still runs."""
        running = self._busy.get(name)
        if running is not None and running.is_alive():
            return False

        def safely() -> None:
            try:
                act()
            except Exception as error:  # the next look tries again
                log.error("%s failed: %s", name, describe(error))

        self._busy[name] = threading.Thread(target=safely, name=name, daemon=True)
        self._busy[name].start()
        return True
