"""For operations: `/healthz` (the process lives), `/readyz` (all of Escalator works), `/metrics`. Counts only.

A load balancer looks at /healthz: webhooks are taken in as long as they can be stored, whatever else is wrong.
Monitoring looks at /readyz.
"""

from __future__ import annotations

import json
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
from ..clockwork import readiness
from ..clockwork.readiness import BACKLOGS, OVERDUE_AFTER
from ..clockwork.redis_health import redis_troubles
from ..clockwork.watchdog import OURS
from ..core.escalation import State
from ..core.overdue import What
from ..engine.documents import of_mode
from ..engine.keys import COUNTERS, LIVE

if TYPE_CHECKING:
    from ..services import Services

blueprint = Blueprint("ops", __name__)


@blueprint.get("/healthz")
def alive() -> Response:
    """This process answers; nothing else is looked at."""
    return jsonify({"status": "ok"})


@blueprint.get("/readyz")
def ready() -> Response:
    """503 with every reason why Escalator isn't doing its work."""
    services: Services = current_app.config["SERVICES"]()
    reasons = readiness.reasons(services.store, services.operator)
    said = {"status": "not ready" if reasons else "ready", "reasons": reasons}
    answer = jsonify(of_mode(said, services.store.mode))
    answer.status_code = 503 if reasons else 200
    return answer


@blueprint.get("/metrics")
def metrics() -> Response:
    """Prometheus' text format, from the counters in Redis, so that all processes count."""
    services: Services = current_app.config["SERVICES"]()
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Counts(services))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


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
        age = readiness.timers_age(connection, now)
        if age is not None:
            yield GaugeMetricFamily("escalator_timers_heartbeat_age_seconds", "Since the timers were seen.", value=age)
        yield from self._watchdog(connection, now)

    def _watchdog(self, connection: Any, now: float) -> Iterator[Metric]:
        """What its last look found; what Redis can't take any more is asked of Redis itself."""
        look = {raw.decode(): value.decode() for raw, value in connection.hgetall(readiness.WATCHDOG).items()}
        if "at" not in look:
            return
        found = {*json.loads(look.get("found", "[]")), *redis_troubles(connection.info())}
        trouble = GaugeMetricFamily("escalator_watchdog_trouble", "Whether this is wrong now.", labels=["what"])
        for topic in OURS:
            trouble.add_metric([topic], int(topic in found))
        yield trouble
        late = GaugeMetricFamily("escalator_watchdog_overdue", "Late by what the records say.", labels=["what"])
        for what in What:
            late.add_metric([what.value], int(look.get(f"overdue_{what.value}", 0)))
        yield late
        for name, key, said in (
            ("escalator_watchdog_look_seconds", "took", "What the last look at all escalations took."),
            ("escalator_watchdog_live", "live", "Live escalations that it looked at."),
            ("escalator_watchdog_spoiled", "spoiled", "Records that can't be understood."),
            ("escalator_watchdog_clock_jump_seconds", "jumped", "By how far this machine's clock has lately jumped."),
        ):
            yield GaugeMetricFamily(name, said, value=float(look.get(key, 0)))
        age = max(now - float(look["at"]), 0.0)
        yield GaugeMetricFamily("escalator_watchdog_age_seconds", "Since the watchdog's last look.", value=age)

    def _states(self) -> GaugeMetricFamily:
        store = self._services.store
        tickets = [raw.decode() for raw in store.redis.hkeys(LIVE)]
        found = Counter(case.escalation.state for case in store.cases(tickets).values() if case.escalation is not None)
        states = GaugeMetricFamily("escalator_escalations", "Live escalations by state.", labels=["state"])
        for state in State:
            if state.live:
                states.add_metric([state.value], found[state])
        return states
