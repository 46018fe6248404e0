"""Notifications a second, each to somebody else, when every provider call takes 300 ms, with the senders of `up`."""

import json
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connector import queues

from . import stage as stages
from . import waiting

LATENCY = 0.3  # seconds


@dataclass(frozen=True)
class Sending:
    """`cpu_each`: seconds of CPU of Redis, timers and senders for one notification, from claim to outcome."""

    sent: int
    rate: float
    cpu_each: float
    connections_each: float  # 1: every call opens one (with the real Twilio a TLS handshake), 0: they are kept


def measure(directory: Path, many: int, progress: Callable[[str], None]) -> Sending:
    with (
        stages.beside("tests.bench.helpdesk") as helpdesk,  # idle: a new service begins once one answers
        stages.beside("tests.bench.slow_twilio", str(LATENCY)) as twilio,
    ):
        url = stages.line(twilio)
        config = stages.config(json.loads(stages.line(helpdesk)), url)
        with stages.Stage(directory, config, ["timers", "deliver1", "deliver2"]) as stage:
            at = datetime.now(UTC)
            progress(f"sending: warming up, then {many} notifications")
            _send(stage, url, [waiting.reading(number, "later", at, owned=True) for number in range(64)], 64)
            readings = [waiting.reading(number, "later", at, owned=True) for number in range(64, 64 + many)]
            cpu, before = stage.cpu(), count(url)
            began = time.time()
            last = _send(stage, url, readings, 64 + many)
            after = count(url)
            return Sending(
                sent=many,
                rate=(after["count"] - before["count"]) / (last - began),
                cpu_each=(stage.cpu() - cpu) / many,
                connections_each=(after["connections"] - before["connections"]) / many,
            )


def _send(stage: stages.Stage, url: str, readings: list[Any], until: int) -> float:
    """Has them sent; returns when the last answer was given (Unix seconds)."""
    store = stage.services.store
    waiting.write(stage.services, readings, True, lambda _: None)
    with store.redis.pipeline() as pipe:
        pipe.multi()
        queues.nudge(pipe, queues.DELIVER, "deliver")
        pipe.execute()
    stages.eventually(lambda: count(url)["count"] >= until, 120)
    stages.eventually(lambda: store.redis.zcard("escalator:out") == 0, 30)
    return float(count(url)["last"])


def count(url: str) -> Any:
    with urllib.request.urlopen(f"{url}/count", timeout=5) as answer:
        return json.load(answer)
