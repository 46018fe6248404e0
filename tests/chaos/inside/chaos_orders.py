"""Orders to die at a point, in a directory that the campaign and the processes of its world share.

An order is an empty file. Whoever renames it has claimed it, so exactly one process dies of it. Every point that a
process comes to is a line of the log: `time pid passed|died point`. Standard library only: it runs before all else.
"""

import os
import signal
import time
from collections import Counter
from pathlib import Path

OPEN, CLAIMED, LOG, TAKEN_BACK = "open", "claimed", "log", "nobody"


class Orders:
    """Both sides of it: the campaign places orders, everybody else obeys."""

    def __init__(self, directory: str | Path) -> None:
        self._open = os.path.join(directory, OPEN)  # noqa: PTH118  called at every point: no time for Path
        self._claimed = os.path.join(directory, CLAIMED)  # noqa: PTH118
        self._log = os.path.join(directory, LOG)  # noqa: PTH118
        for made in (self._open, self._claimed):
            os.makedirs(made, exist_ok=True)  # noqa: PTH103
        self._out = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def place(self, point: str) -> None:
        """The next process that comes to this point dies there."""
        os.close(os.open(f"{self._open}/{_named(point)}", os.O_WRONLY | os.O_CREAT, 0o600))

    def take_back(self) -> None:
        """Nobody dies of an order that hasn't been claimed by now."""
        for name in os.listdir(self._open):  # noqa: PTH208
            self._moved(name, TAKEN_BACK)

    def open(self) -> set[str]:
        """The points at which somebody is still to die."""
        return {name.replace("_", " ") for name in os.listdir(self._open)}  # noqa: PTH208

    def died(self) -> Counter[str]:
        """How often somebody died at each point."""
        names = (name.rsplit("-", 2) for name in os.listdir(self._claimed))  # noqa: PTH208
        return Counter(name.replace("_", " ") for name, whose, _ in names if whose != TAKEN_BACK)

    def claim(self, point: str) -> bool:
        """Whether the order for this point is the caller's now."""
        return self._moved(_named(point), str(os.getpid()))

    def obey(self, point: str) -> None:
        """What the watcher of a process does at a point: dies there if that is ordered."""
        if self.claim(point):
            self.note(point, "died", os.getpid())
            os.kill(os.getpid(), signal.SIGKILL)
        self.note(point, "passed", os.getpid())

    def note(self, point: str, what: str, pid: int) -> None:
        """One line of the log; whole, however many write at once."""
        os.write(self._out, f"{time.time():.3f} {pid} {what} {point}\n".encode())

    def noted(self) -> list[tuple[float, int, str, str]]:
        """The log so far: (Unix seconds, pid, passed or died, point)."""
        lines = (line.split(" ", 3) for line in Path(self._log).read_text().splitlines())
        return [(float(at), int(pid), what, point) for at, pid, what, point in lines]

    def close(self) -> None:
        os.close(self._out)

    def _moved(self, name: str, whose: str) -> bool:
        try:
            os.rename(f"{self._open}/{name}", f"{self._claimed}/{name}-{whose}-{time.monotonic_ns()}")  # noqa: PTH104
        except FileNotFoundError:
            return False
        return True


def _named(point: str) -> str:
    return point.replace(" ", "_")
