"""What befalls a world besides kills: processes that stand still, clocks that jump, connections that are cut."""

import contextlib
import random
import signal
import time
from collections.abc import Callable

import psutil

from .campaign import Report
from .crowd import Crowd
from .inside.chaos_orders import STOP
from .world import PROCESSES, ChaosWorld

Act = Callable[[ChaosWorld, Crowd, Report], None]

#: Where it hurts most to stand still, or to have another time.
WORST = (
    "sending claimed",
    "sending accepted",
    "sending asked",
    "commit decided",
    "note begun",
    "note looked for",
    "ticket read",
    "wake begun",
    "jobs moved",
    "webhook proved",
)


def pauses(seconds: float) -> Act:
    """SIGSTOP for so long, longer than every lease and lock; at the worst points, and of each kind of process."""

    def act(world: ChaosWorld, crowd: Crowd, report: Report) -> None:
        for point in WORST:
            pid = _obeyed(world, point, STOP)
            if pid:
                _goes_on_after(pid, seconds)
                report.counted["stopped at a point"] += 1
        for name in PROCESSES:
            for process in world.processes(name)[:1]:
                process.suspend()
                _goes_on_after(process.pid, seconds)
                report.counted["stopped"] += 1

    return act


def clock_jumps(seconds: float, lasting: float) -> Act:
    """One process' clock jumps by so much, ahead and back, at each of the worst points; later that process dies."""

    def act(world: ChaosWorld, crowd: Crowd, report: Report) -> None:
        for point in WORST:
            for by in (seconds, -seconds):
                pid = _obeyed(world, point, f"{by:g}")
                if pid:
                    time.sleep(lasting)
                    with contextlib.suppress(psutil.Error):
                        psutil.Process(pid).kill()
                    report.counted["clock jumps"] += 1

    return act


def cuts(many: int, *, pause: float) -> Act:
    """So many answers break off in their middle: Redis', the helpdesk's, Twilio's."""

    def act(world: ChaosWorld, crowd: Crowd, report: Report) -> None:
        whose = random.Random(report.seed)
        for _ in range(many):
            world.proxies[whose.choice(list(world.proxies))].cut()
            time.sleep(whose.uniform(0.5, 1.5) * pause)
        for name, proxy in world.proxies.items():
            report.counted[f"answers of {name} cut"] = proxy.cuts

    return act


def deaths_at(*points: str, seconds: float, pause: float = 0.5) -> Act:
    """For so long somebody dies at these points again and again."""

    def act(world: ChaosWorld, crowd: Crowd, report: Report) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for point in points:
                world.orders.place(point)
            time.sleep(pause)

    return act


def _obeyed(world: ChaosWorld, point: str, what: str, patience: float = 20.0) -> int:
    """The process that has obeyed this order; 0 when none came there in time."""
    until = time.monotonic() + patience
    world.orders.place(point, what)
    while time.monotonic() < until:
        if point not in world.orders.open():
            return next((pid for at, pid, did, of in world.orders.noted()[::-1] if (did, of) == (what, point)), 0)
        time.sleep(0.05)
    world.orders.take_back()
    return 0


def _goes_on_after(pid: int, seconds: float) -> None:
    time.sleep(seconds)
    with contextlib.suppress(psutil.Error):
        psutil.Process(pid).send_signal(signal.SIGCONT)
