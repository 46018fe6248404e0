"""How late steps are, through everything: webhook, reading, timer, fresh look, worker. And how much one waits for."""

import json
import subprocess
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connector.core.code import code_of
from connector.engine.keys import LIVE

from . import stage as stages
from . import waiting

RATE = 10.0  # tickets a second


@dataclass(frozen=True)
class Lateness:
    """Seconds from due to fired; `decided`: from before the webhook's POST to the escalation in the store."""

    waiting: int
    steps: int
    p50: float
    p99: float
    latest: float
    earliest: float
    decided_p50: float
    decided_p99: float
    bytes_each: float  # memory of one waiting escalation


def measure(directory: Path, sizes: tuple[int, ...], steps: int, progress: Callable[[str], None]) -> list[Lateness]:
    with stages.beside("tests.bench.helpdesk") as helpdesk, stages.beside("tests.bench.slow_twilio", "0.02") as twilio:
        there = json.loads(stages.line(helpdesk))
        config = stages.config({"url": there["url"], "token": there["token"]}, stages.line(twilio))
        with stages.Stage(directory, config) as stage:
            at = datetime.now(UTC)
            if not waiting.same_as_usual(stage.services, at):
                raise AssertionError("what is written in bulk differs from what a webhook leaves")
            stages.eventually(lambda: answers(stage.port), 30)
            known, results = 0, []
            for size in sizes:
                before = _memory(stage)
                progress(f"{size:,} waiting: writing them")
                readings = [waiting.reading(number, "later", at) for number in range(known, size)]
                waiting.write(stage.services, readings, False, lambda _: None)
                each = (_memory(stage) - before) / max(size - known, 1)
                known = size
                progress(f"{size:,} waiting: {steps} steps at {RATE:g} a second")
                results.append(_one(stage, helpdesk, size, steps, each))
            return results


def _one(stage: stages.Stage, helpdesk: "subprocess.Popen[str]", size: int, steps: int, each: float) -> Lateness:
    posted: dict[str, float] = {}
    decided: dict[str, float] = {}
    began = time.monotonic()
    for number in range(steps):
        while time.monotonic() < began + number / RATE:
            _watch(stage, posted, decided)
        made = stages.ask(helpdesk, f"Server outage {number} (soon)")
        posted[made["id"]] = time.time()
        post(stage.port, made["body"].encode())
    stages.eventually(lambda: _watch(stage, posted, decided) == len(posted), 30)
    late = stages.eventually(lambda: _fired(stage, posted), stages.WINDOW + 60)
    took = [decided[ticket] - at for ticket, at in posted.items()]
    return Lateness(
        size,
        len(late),
        stages.quantile(late, 0.5),
        stages.quantile(late, 0.99),
        max(late),
        min(late),
        stages.quantile(took, 0.5),
        stages.quantile(took, 0.99),
        each,
    )


def _fired(stage: stages.Stage, tickets: dict[str, float]) -> list[float]:
    """Seconds from due to fired of every ticket's step; empty until all have fired."""
    late = []
    for ticket, case in stage.services.store.cases(list(tickets)).items():
        steps = [entry for entry in stage.services.store.history(code_of(ticket)) if entry.kind == "step"]
        if not steps:
            return []
        late.append(steps[0].at.timestamp() - case.ticket.created_at.timestamp() - stages.WINDOW)
    return late if len(late) == len(tickets) else []


def _watch(stage: stages.Stage, posted: dict[str, float], decided: dict[str, float]) -> int:
    """Notes which tickets have an escalation by now (to 10 ms); returns how many have."""
    time.sleep(0.01)
    open = [ticket for ticket in posted if ticket not in decided]
    if open:
        codes: Any = stage.services.store.redis.hmget(LIVE, open)
        decided.update({ticket: time.time() for ticket, code in zip(open, codes, strict=True) if code})
    return len(decided)


def _memory(stage: stages.Stage) -> float:
    info: Any = stage.redis.info("memory")
    return float(info["used_memory"])


def post(port: int, body: bytes) -> None:
    url, headers = f"http://127.0.0.1:{port}/webhooks/zammad", {"X-Hub-Signature": stages.signed(body)}
    with urllib.request.urlopen(urllib.request.Request(url, body, {**headers, "Content-Type": "application/json"})):
        return


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
