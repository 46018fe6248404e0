"""A Redis with replicas: what the loss of a machine can't take back, and what a change of master puts in doubt.

Replicas follow the master at a short distance, so a failover takes back the last moment: Redis is then as it was an
instant before, in itself complete, and goes on from there. Only what has left the house by then can't be taken back. So
what says that it will be done waits until one replica has it: the hint before the webhook's answer, the claim before
the provider's call, the note's beginning before the note. Where no replica was in time, the call is made all the same,
since a person waits; should that master be lost, the provider is asked before the same thing is sent again.

All of this is for a Redis found by Sentinels; a single one has its append-only file, and nothing here costs anything.
"""

import time
from datetime import UTC, datetime
from typing import Any

import redis
from redis.sentinel import SentinelConnectionPool

from .. import queues
from .keys import PREFIX
from .operator import Operator

REPLICAS = 1  # that must have a write
WAIT_AT_MOST = 1.0  # seconds
IN_DOUBT = 120  # seconds after a change of master, during which what was due before it is asked about first
KEEPS_UP = 10  # seconds since a replica's last word, at most
ALONE_AT_MOST = 15.0  # seconds without such a replica; after a change of master they need some to follow
TROUBLE = "replicas"
NO_REPLICA = (
    "No replica keeps up with Redis' master: what is done now would be lost with that machine, and might be done twice."
)

WRITTEN = f"{PREFIX}written"
MASTER = f"{PREFIX}master"  # run id of the master that was seen last
CHANGED = f"{PREFIX}master-changed"  # when another one was noticed, Unix seconds; for as long as that matters


class Replication:
    """Thread-safe; every call may raise redis.RedisError."""

    def __init__(self, connection: redis.Redis) -> None:
        self._redis: Any = connection
        self.on = isinstance(connection.connection_pool, SentinelConnectionPool)
        self._alone_since: float | None = None  # monotonic

    def safe(self) -> bool:
        """Whether all that was written until now is on a second machine; waits for that, a second at most.

        A single Redis has none, and is as safe as it will ever be.
        """
        if not self.on:
            return True
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.set(WRITTEN, repr(time.time()))  # WAIT is about its own connection's writes, and all that came before
            pipe.wait(REPLICAS, int(WAIT_AT_MOST * 1000))
            return int(pipe.execute()[-1]) >= REPLICAS

    def in_doubt(self, due_at: datetime | None = None) -> bool:
        """Whether what was due then (None: at any time) may have been done without Redis knowing of it any more."""
        if not self.on:
            return False
        changed = self.notice()
        return changed is not None and (due_at is None or due_at <= changed)

    def notice(self) -> datetime | None:
        """When another master took over, if that was lately. Who notices it first has the helpdesk swept at once."""
        if not self.on:
            return None
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.get(MASTER)
            pipe.get(CHANGED)
            pipe.info("server")
            known, changed, server = pipe.execute()
        run_id = str(server["run_id"]).encode()
        if known != run_id:
            changed = self._note(run_id)
        return datetime.fromtimestamp(float(changed), UTC) if changed is not None else None

    def _note(self, run_id: bytes) -> float | None:
        now = time.time()
        with self._redis.pipeline() as pipe:
            pipe.watch(MASTER)
            known, changed = pipe.mget(MASTER, CHANGED)
            if known == run_id:  # somebody else was quicker
                return float(changed) if changed is not None else None
            pipe.multi()
            pipe.set(MASTER, run_id)
            if known is not None:
                pipe.set(CHANGED, repr(now), ex=IN_DOUBT)
                queues.nudge(pipe, queues.DESK, "sweep", at_most=3)
            try:
                pipe.execute()
            except redis.WatchError:
                return now
        return now if known is not None else None

    def look(self, operator: Operator) -> None:
        """For every few seconds: notices another master, and tells the operator when no replica keeps up."""
        if not self.on:
            return
        self.notice()
        if self._followed():
            self._alone_since = None
            operator.settled(TROUBLE)
            return
        self._alone_since = self._alone_since or time.monotonic()
        if time.monotonic() - self._alone_since > ALONE_AT_MOST:
            operator.tell(TROUBLE, NO_REPLICA)

    def _followed(self) -> bool:
        told = self._redis.info("replication")
        replicas = [each for name, each in told.items() if name.startswith("slave") and isinstance(each, dict)]
        return any(each.get("state") == "online" and each.get("lag", KEEPS_UP) < KEEPS_UP for each in replicas)
