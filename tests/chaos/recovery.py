"""How late the next due steps are after one kill in an otherwise quiet world."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from connector.core.code import code_of
from connector.redis_server import answers, redis_url

from ..stories.world import eventually
from .campaign import Killer, Report
from .crowd import Crowd
from .world import ChaosWorld

#: Seconds that a step may be late after such a kill; for Redis and `up` from the moment at which they are back.
AT_MOST = {"work": 3.0, "desk": 3.0, "deliver": 3.0, "timers": 7.0, "redis": 5.0, "up": 3.0}
WATCHED = 10.0  # seconds after a kill in which steps are looked at


@dataclass(frozen=True, slots=True)
class Death:
    """Unix seconds; `back_at` is when it answered again, where that counts."""

    victim: str
    at: float
    back_at: float


@dataclass(frozen=True, slots=True)
class Step:
    due_at: float
    fired_at: float


def slowest(deaths: Iterable[Death], steps: Sequence[Step]) -> dict[str, float]:
    """By victim: the most seconds that a step which was due soon after its death was late. Pure."""
    found: dict[str, float] = {}
    for death in deaths:
        soon = [step for step in steps if death.at <= step.due_at <= death.at + WATCHED]
        late = [max(0.0, step.fired_at - max(step.due_at, death.back_at)) for step in soon]
        found[death.victim] = max([found.get(death.victim, 0.0), *late])
    return found


def one_by_one(world: ChaosWorld, crowd: Crowd, report: Report, *, times: int = 3) -> None:
    """Kills each kind of process so often, with time to recover in between."""
    deaths = []
    time.sleep(6.0)  # until steps are due all the time
    for _ in range(times):
        for victim in AT_MOST:
            deaths.append(_kill(world, crowd, report, victim))
            time.sleep(WATCHED + 2.0)
    crowd.settle(120)
    report.recovery = slowest(deaths, _steps(world, crowd))


def _kill(world: ChaosWorld, crowd: Crowd, report: Report, victim: str) -> Death:
    began = time.time()
    if victim == "up":
        Killer(world, crowd, report).kill_up()
        return Death(victim, began, time.time())
    process = world.processes(victim)[0]
    process.kill()
    report.processes[victim] += 1
    if victim == "redis":
        process.wait(10)
        eventually(lambda: answers(redis_url(world.directory / "data", {})), 20, "Redis is back")
        return Death(victim, began, time.time())
    return Death(victim, began, began)


def _steps(world: ChaosWorld, crowd: Crowd) -> list[Step]:
    """All but the first of each ticket, which also waits for a webhook or a sweep."""
    return [
        Step((entry.at - timedelta(seconds=entry.late_s or 0.0)).timestamp(), entry.at.timestamp())
        for life in crowd.lives
        for entry in world.store.history(code_of(life.ticket))
        if entry.kind == "step" and entry.text.startswith(("step 2", "step 3"))
    ]
