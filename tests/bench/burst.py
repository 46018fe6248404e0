"""Thousands of steps due in the same second, each for somebody else, when a provider's call takes 300 ms.

Their tickets have been read a moment before, as Escalator does; how long it takes until all are handed over, with a
Redis that writes every change to disk before it answers, and with one that does so once a second.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connector.core import observing
from connector.core.timetable import LOOK_AHEAD

from . import stage as stages
from . import waiting
from .sending import LATENCY, count

LEAD = 0.006  # seconds of writing that one escalation takes at most
DAY = timedelta(days=1)  # the window of the plan "later"


@dataclass(frozen=True)
class Burst:
    """Seconds from the common due time until the last step had fired and the last text was with the provider."""

    steps: int
    appendfsync: str
    fired: float
    handed_over: float


def measure(directory: Path, many: int, progress: Callable[[str], None]) -> list[Burst]:
    results = []
    for fsync in ("always", "everysec"):
        own = directory / fsync
        own.mkdir()
        with (
            stages.beside("tests.bench.helpdesk") as helpdesk,
            stages.beside("tests.bench.slow_twilio", str(LATENCY)) as twilio,
        ):
            there, url = json.loads(stages.line(helpdesk)), stages.line(twilio)
            config = stages.config({"url": there["url"], "token": there["token"]}, url)
            with stages.Stage(own, config, ["timers", "work", "deliver1", "deliver2"]) as stage:
                stage.redis.config_set("appendfsync", fsync)
                due = datetime.now(UTC) + timedelta(seconds=15 + many * LEAD)
                progress(f"{many:,} steps in one second ({fsync}): writing them")
                _write(stage, many, due)
                if datetime.now(UTC) > due - LOOK_AHEAD:
                    raise AssertionError("writing took longer than LEAD says")
                progress(f"{many:,} steps in one second ({fsync}): until all are with the provider")
                fired = _when(lambda: _fired(stage) >= many, due)
                _when(lambda at=url: int(count(at)["count"]) >= many, due)  # type: ignore[misc]
                results.append(Burst(many, fsync, fired, float(count(url)["last"]) - due.timestamp()))
    return results


def _write(stage: stages.Stage, many: int, due: datetime) -> None:
    services, since = stage.services, datetime.fromtimestamp(0, UTC)
    read_at = due - LOOK_AHEAD
    for start in range(0, many, waiting.AT_ONCE):
        with services.store.redis.pipeline() as pipe:
            pipe.multi()
            for number in range(start, min(start + waiting.AT_ONCE, many)):
                one = waiting.reading(number, "later", due - DAY, owned=True)
                observed = observing.observe(None, one, services.engine.policy, since, one.read_at)
                assert observed.case.escalation is not None
                looked = replace(observed.case.escalation, looked_at=read_at)
                case = replace(observed.case, escalation=looked, read_at=read_at)
                services.store._write(pipe, services.engine.writes(None, case, observed.commands))
            pipe.execute()


def _fired(stage: stages.Stage) -> int:
    """How many of the steps have fired: each has a history entry."""
    counted = stage.services.store.redis.hget("escalator:counters", "entries_step")
    return int(counted or 0)


def _when(true: Callable[[], bool], due: datetime) -> float:
    """Seconds from `due` until it is true."""
    until = due.timestamp() + 600
    while not true():
        if time.time() > until:
            raise TimeoutError("not within ten minutes")
        time.sleep(0.1)
    return time.time() - due.timestamp()
