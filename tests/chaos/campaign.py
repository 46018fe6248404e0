"""The campaign: kills at every labelled point and at random instants, while people make tickets; then the judgement."""

import contextlib
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from connector.points import POINTS

from .crowd import Crowd
from .judge import Findings
from .world import PROCESSES, TAKEN_THERE, ChaosWorld

#: Where nobody comes by unless several tickets are told of together.
ONLY_TOGETHER = ("group taken", "bundle kept", "part claimed", "message kept", "outcome known", "part recorded")
ALL_POINTS = (*(point for point in POINTS if point not in ONLY_TOGETHER), *TAKEN_THERE)
WEIGHTS: Mapping[str, int] = {
    "redis": 2, "timers": 3, "work": 3, "desk": 3, "deliver": 5, "web": 2, "web worker": 2, "watchdog": 1, "up": 1,
}  # fmt: skip
AT_A_POINT = 0.65  # of all kills
BRING_DEATHS = ("wake begun", "sending claimed", "message kept")  # before what only comes after a death
PASSED_BETWEEN = 15 * 40  # bytes of the log: some fifteen points that were passed between two kills,
AT_REST = 6.0  # unless nothing happens at all for so many seconds
SETTLE = 180.0  # seconds in which every ticket must come to its end when the killing is over


@dataclass
class Report:
    """What a campaign did, and what it found."""

    name: str
    seed: int
    seconds: float = 0.0
    at_points: Counter[str] = field(default_factory=Counter)
    processes: Counter[str] = field(default_factory=Counter)
    counted: Counter[str] = field(default_factory=Counter)  # what befell it besides kills
    findings: Findings = field(default_factory=Findings)
    recovery: dict[str, float] = field(default_factory=dict)  # seconds that a step was late after a kill of such
    slowest_start: float = 0.0  # seconds until another `up` said that it was ready

    @property
    def kills(self) -> int:
        return self.at_points.total() + self.processes.total()

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "name": self.name,
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "kills": self.kills,
            "killed_at": dict(self.at_points),
            "killed": dict(self.processes),
            "befell": dict(self.counted),
            "counted": dict(self.findings.counted),
            "wrong": self.findings.wrong,
            "latest_step_s": round(self.findings.latest_step, 3),
            "slowest_start_s": round(self.slowest_start, 3),
            "recovery_s": {name: round(seconds, 3) for name, seconds in self.recovery.items()},
            "clean": self.findings.clean,
        }


class Killer:
    """Kills in a world where people live: at labelled points, and whoever it is at random instants."""

    def __init__(
        self,
        world: ChaosWorld,
        crowd: Crowd,
        report: Report,
        points: Sequence[str] = ALL_POINTS,
        weights: Mapping[str, int] = WEIGHTS,
    ) -> None:
        self._world, self._crowd, self._report = world, crowd, report
        self._random = random.Random(report.seed)
        self._all = self._points = points
        self._weights = weights

    def kill(self, kills: int, *, pause: float) -> None:
        """So many, one each `pause` seconds, the points that were hit least first."""
        while self.count() < kills:
            if self._random.random() < AT_A_POINT:
                self._order()
            else:
                self._strike()
            self._wait(self._random.uniform(0.5, 1.5) * pause)

    def each_point(self, times: int, *, pause: float, patience: float) -> None:
        """Goes on at the points that were hit less than so many times, for at most `patience` seconds."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            self.count()
            rare = [point for point in self._all if self._report.at_points[point] < times]
            if not rare:
                return
            self._points = rare
            self._order()
            if "overdue woken" in rare or "sending asked" in rare:  # these come only after a death
                self._points = [point for point in BRING_DEATHS if point in self._all]
                self._order()
            self._wait(pause)

    def count(self) -> int:
        """All kills so far."""
        self._report.at_points = self._world.orders.died()
        return self._report.kills

    def _order(self) -> None:
        hits, waiting = self._world.orders.died(), self._world.orders.open()
        free = [point for point in self._points if point not in waiting]
        if free:
            least = min(hits[point] for point in free)
            self._world.orders.place(self._random.choice([point for point in free if hits[point] == least]))

    def _strike(self) -> None:
        """`kill -9`, now."""
        name = self._random.choices(list(self._weights), list(self._weights.values()))[0]
        if name == "up":
            self.kill_up()
            return
        found = self._world.processes(name)
        if found:
            with contextlib.suppress(psutil.Error):
                self._random.choice(found).kill()
                self._report.processes[name] += 1

    def kill_up(self) -> None:
        """The whole of it, and a new one."""
        assert self._world.up is not None
        self._world.up.kill()
        self._world.up.wait()
        self._report.processes["up"] += 1
        began = time.monotonic()
        self._world.start_up()
        self._report.slowest_start = max(self._report.slowest_start, time.monotonic() - began)

    def _wait(self, seconds: float) -> None:
        """So long, and then until the world has gone on: one whose processes only die and start shows nothing."""
        began, until = self._world.orders.written(), time.monotonic() + AT_REST
        time.sleep(seconds)
        while self._world.orders.written() < began + PASSED_BETWEEN and time.monotonic() < until:
            time.sleep(0.05)
        if self._crowd.trouble is not None:
            raise self._crowd.trouble


def run(
    name: str,
    seed: int,
    act: Callable[[ChaosWorld, Crowd, Report], None],
    *,
    forgiving: bool = False,
    may_give_up: bool = False,
    settle: float = SETTLE,
    directory: Path | None = None,
    people: Mapping[str, Any] | None = None,
    place: type[ChaosWorld] = ChaosWorld,
    living: type[Crowd] = Crowd,
    **options: Any,
) -> Report:
    """A world of its own, people in it, `act` while they live, and the judgement when all has come to its end.

    `forgiving`, `may_give_up`: for the judge; `people`: for the crowd, which is `living`; `options`: for the world,
    which is a `place`; `settle`: seconds.
    """
    with contextlib.ExitStack() as stack:
        where = directory or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-")))
        world = place(where, **options)
        stack.callback(world.stop)
        world.start()
        crowd = living(world, seed, **(people or {}))
        stack.callback(crowd.stop)
        report, began = Report(name, seed), time.monotonic()
        crowd.start()
        act(world, crowd, report)
        world.orders.take_back()
        crowd.settle(settle)
        crowd.stop()
        report.at_points = world.orders.died()
        report.findings = crowd.findings(forgiving=forgiving, may_give_up=may_give_up)
        report.seconds = time.monotonic() - began
        return report


def kills(
    many: int,
    *,
    pause: float,
    each: int = 0,
    points: Sequence[str] = ALL_POINTS,
    weights: Mapping[str, int] = WEIGHTS,
) -> Callable[[ChaosWorld, Crowd, Report], None]:
    """An act: so many kills, and at least `each` at every one of `points`; `weights`: whom to kill at random."""

    def act(world: ChaosWorld, crowd: Crowd, report: Report) -> None:
        killer = Killer(world, crowd, report, points, weights)
        killer.kill(many, pause=pause)
        if each:
            killer.each_point(each, pause=pause, patience=2 * many * pause)

    return act


assert set(PROCESSES) | {"up"} == set(WEIGHTS)
