"""A bad night: hundreds of tickets in a minute, one person on duty. What reaches the phone, and when all is noted."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connector.core.code import code_of
from connector.engine.keys import DESK, HINTS, OUT

from . import stage as stages
from .lateness import answers, post
from .sending import count

LATENCY = 0.3  # seconds of a provider's call


@dataclass(frozen=True)
class Night:
    """Times in seconds. `first_late`: from the first step's due time to the first text at the provider; `told` and
    `noted`: from the last step's due time until everybody was told of it, and until every note stood on its ticket."""

    tickets: int
    in_seconds: float
    messages: int
    first_late: float
    latest_step: float
    told: float
    noted: float


def measure(directory: Path, many: int, seconds: float, progress: Callable[[str], None]) -> Night:
    with (
        stages.beside("tests.bench.helpdesk") as helpdesk,
        stages.beside("tests.bench.slow_twilio", str(LATENCY)) as twilio,
    ):
        there, url = json.loads(stages.line(helpdesk)), stages.line(twilio)
        with stages.Stage(directory, stages.config({"url": there["url"], "token": there["token"]}, url)) as stage:
            stages.eventually(lambda: answers(stage.port), 30)
            made: dict[str, float] = {}
            began = time.monotonic()
            for number in range(many):
                progress(f"a night: {number + 1} of {many} tickets")
                while time.monotonic() < began + number * seconds / many:
                    time.sleep(0.005)
                ticket = stages.ask(helpdesk, f"Server outage {number} (soon)")
                made[ticket["id"]] = time.time()
                post(stage.port, ticket["body"].encode())
            took = time.monotonic() - began
            progress("a night: until all are told and noted")
            last_due = max(made.values()) + stages.WINDOW
            steps = stages.eventually(lambda: _steps(stage, list(made)), 180)
            stages.eventually(lambda: _empty(stage, OUT), 300)
            told = count(url)
            stages.eventually(lambda: _empty(stage, DESK) and _empty(stage, HINTS), 300)
            return Night(
                tickets=many,
                in_seconds=took,
                messages=told["count"],
                first_late=told["first"] - LATENCY - min(due for due, _ in steps),
                latest_step=max(late for _, late in steps),
                told=told["last"] - last_due,
                noted=time.time() - last_due,
            )


def _steps(stage: stages.Stage, tickets: list[str]) -> list[tuple[float, float]]:
    """(due, seconds late) of every ticket's first step; empty until all have fired."""
    found = []
    for ticket in tickets:
        fired: Any = [one for one in stage.services.store.history(code_of(ticket)) if one.kind == "step"]
        if not fired:
            time.sleep(1.0)  # hundreds of look-ups a time
            return []
        found.append((fired[0].at.timestamp() - fired[0].late_s, fired[0].late_s))
    return found


def _empty(stage: stages.Stage, key: str) -> bool:
    return int(stage.services.store.redis.zcard(key)) == 0
