"""For operations: `/healthz` (the process lives), `/readyz` (all of Escalator works), `/metrics`. Counts only.

A load balancer looks at /healthz: webhooks are taken in as long as they can be stored, whatever else is wrong.
Monitoring looks at /readyz.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import redis
from flask import Blueprint, Response, current_app, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from .. import queues
from ..clockwork.timers import HEARTBEAT
from ..core.escalation import State
from ..engine.keys import COUNTERS, DESK, DUE, EPOCH, HINTS, LIVE, OUT

if TYPE_CHECKING:
    from ..services import Services

blueprint = Blueprint("ops", __name__)

HEARTBEAT_WITHIN = 10.0  # seconds
OVERDUE_AFTER = 60.0  # seconds
TROUBLE_LASTS = 2 * 3600.0  # seconds; one that goes on is told again every hour

BACKLOGS = {"due": DUE, "out": OUT, "hints": HINTS, "desk": DESK}


@blueprint.get("/healthz")
def alive() -> Response:
    """This process answers; nothing else is looked at."""
    return jsonify({"status": "ok"})


@blueprint.get("/readyz")
def ready() -> Response:
    """503 with every reason why Escalator isn't doing its work."""
    services: Services = current_app.config["SERVICES"]()
    try:
        reasons = list(_reasons(services, time.time()))
    except redis.RedisError:
        reasons = [{"reason": "redis", "message": "Redis does not answer."}]
    answer = jsonify({"status": "not ready" if reasons else "ready", "reasons": reasons})
    answer.status_code = 503 if reasons else 200
    return answer


@blueprint.get("/metrics")
def metrics() -> Response:
    """Prometheus' text format, from the counters in Redis, so that all processes count."""
    services: Services = current_app.config["SERVICES"]()
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Counts(services))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _reasons(services: Services, now: float) -> Iterator[dict[str, Any]]:
    connection: Any = services.redis
    if not connection.exists(EPOCH):
        yield {"reason": "epoch", "message": "Redis is empty: nothing is sent until `escalator up` has begun."}
    age = _heartbeat_age(connection, now)
    if age is None or age > HEARTBEAT_WITHIN:
        said = "has never been seen" if age is None else f"was last seen {age:.0f} s ago"
        yield {"reason": "timers", "message": f"The timers process {said}: no step fires."}
    for name, key in BACKLOGS.items():
        late = int(connection.zcount(key, "-inf", now - OVERDUE_AFTER))
        if late:
            yield {"reason": "overdue", "what": name, "count": late, "message": f"{late} overdue in {name}."}
    for trouble in services.operator.open():
        if now - float(str(trouble["at"])) < TROUBLE_LASTS:
            yield {"reason": "trouble", "what": trouble["topic"], "message": trouble["sentence"]}


def _heartbeat_age(connection: Any, now: float) -> float | None:
    seen = connection.get(HEARTBEAT)
    return max(now - float(seen), 0.0) if seen else None


class _Counts:
    """Collected anew for each request."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        try:
            yield from self._from_redis(time.time())
            up = 1
        except redis.RedisError:
            up = 0
        yield GaugeMetricFamily("escalator_redis_up", "Whether Redis answers.", value=up)

    def _from_redis(self, now: float) -> Iterator[Metric]:
        connection: Any = self._services.redis
        counters = connection.hgetall(COUNTERS)
        for name, value in sorted((raw.decode(), int(count)) for raw, count in counters.items()):
            safe = re.sub(r"[^a-z0-9_]", "_", name.lower())
            yield CounterMetricFamily(f"escalator_{safe}", f"Counted since Redis began: {safe}.", value=value)
        yield self._states()
        waiting = GaugeMetricFamily("escalator_queue_jobs", "Jobs that wait for a worker.", labels=["queue"])
        for queue in queues.QUEUES:
            waiting.add_metric([queue.removeprefix("escalator-")], connection.llen(queues.queue_key(queue)))
        yield waiting
        backlog = GaugeMetricFamily("escalator_backlog", "Things to do, now or later.", labels=["what"])
        overdue = GaugeMetricFamily("escalator_overdue", "Of these, due for more than a minute.", labels=["what"])
        for name, key in BACKLOGS.items():
            backlog.add_metric([name], connection.zcard(key))
            overdue.add_metric([name], connection.zcount(key, "-inf", now - OVERDUE_AFTER))
        yield backlog
        yield overdue
        troubles = len(self._services.operator.open())
        yield GaugeMetricFamily("escalator_troubles", "Troubles told to the operator, not settled.", value=troubles)
        age = _heartbeat_age(connection, now)
        if age is not None:
            yield GaugeMetricFamily("escalator_timers_heartbeat_age_seconds", "Since the timers were seen.", value=age)

    def _states(self) -> GaugeMetricFamily:
        store = self._services.store
        tickets = [raw.decode() for raw in store.redis.hkeys(LIVE)]
        found = Counter(case.escalation.state for case in store.cases(tickets).values() if case.escalation is not None)
        states = GaugeMetricFamily("escalator_escalations", "Live escalations by state.", labels=["state"])
        for state in State:
            if state.live:
                states.add_metric([state.value], found[state])
        return states
