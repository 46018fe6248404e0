"""Orders to die at a point (or stop, or have another time), in a directory that all processes of a world share.

An order is a file that says what is to happen. Whoever renames it has claimed it, so exactly one process obeys. Every
point that a process comes to is a line of the log: `time pid what point`. Imports little: it runs before all else.
"""

import os
import signal
import time
from collections import Counter
from pathlib import Path

OPEN, CLAIMED, LOG, TAKEN_BACK = "open", "claimed", "log", "nobody"
DIE, STOP, PASSED = "die", "stop", "passed"


class Orders:
    """Both sides of it: the campaign places orders, everybody else obeys."""

    def __init__(self, directory: str | Path) -> None:
        self._open = os.path.join(directory, OPEN)  # noqa: PTH118  called at every point: no time for Path
        self._claimed = os.path.join(directory, CLAIMED)  # noqa: PTH118
        self._log = os.path.join(directory, LOG)  # noqa: PTH118
        for made in (self._open, self._claimed):
            os.makedirs(made, exist_ok=True)  # noqa: PTH103
        self._known: dict[str, str] = {}  # claimed orders: at which point somebody died of it
        self._out = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def place(self, point: str, what: str = DIE) -> None:
        """The next process that comes to this point obeys: DIE, STOP (until SIGCONT), or seconds for its clock."""
        made = Path(f"{self._open}.new")
        made.write_text(what)
        made.rename(f"{self._open}/{_named(point)}")

    def take_back(self) -> None:
        """Nobody dies of an order that hasn't been claimed by now."""
        for name in os.listdir(self._open):  # noqa: PTH208
            self._moved(name, TAKEN_BACK)

    def open(self) -> set[str]:
        """The points at which somebody is still to die."""
        return {name.replace("_", " ") for name in os.listdir(self._open)}  # noqa: PTH208

    def died(self) -> Counter[str]:
        """How often somebody died at each point."""
        for name in os.listdir(self._claimed):  # noqa: PTH208
            if name not in self._known:
                point, whose, _ = name.rsplit("-", 2)
                died = whose != TAKEN_BACK and Path(self._claimed, name).read_text() == DIE
                self._known[name] = point.replace("_", " ") if died else ""
        return Counter(point for point in self._known.values() if point)

    def claim(self, point: str) -> str:
        """What the caller is to do at this point, if anything; nobody else is to do it then."""
        return self._moved(_named(point), str(os.getpid()))

    def obey(self, point: str) -> None:
        """What the watcher of a process does at a point."""
        what = self.claim(point)
        self.note(point, what or PASSED, os.getpid())
        if what == DIE:
            os.kill(os.getpid(), signal.SIGKILL)
        elif what == STOP:
            os.kill(os.getpid(), signal.SIGSTOP)
        elif what:
            _set_clock(float(what))

    def note(self, point: str, what: str, pid: int) -> None:
        """One line of the log; whole, however many write at once."""
        os.write(self._out, f"{time.time():.3f} {pid} {what} {point}\n".encode())

    def written(self) -> int:
        """The log's length, in bytes: it grows by some 40 for each point that is passed."""
        return os.fstat(self._out).st_size

    def noted(self) -> list[tuple[float, int, str, str]]:
        """The log so far: (Unix seconds, pid, what happened, point)."""
        lines = (line.split(" ", 3) for line in Path(self._log).read_text().splitlines())
        return [(float(at), int(pid), what, point) for at, pid, what, point in lines]

    def close(self) -> None:
        os.close(self._out)

    def _moved(self, name: str, whose: str) -> str:
        moved = f"{self._claimed}/{name}-{whose}-{time.monotonic_ns()}"
        try:
            os.rename(f"{self._open}/{name}", moved)  # noqa: PTH104
        except FileNotFoundError:
            return ""
        return Path(moved).read_text()


def _set_clock(seconds: float) -> None:
    """From now on this process' wall clock is off by so much. time-machine changes it in C, for all threads."""
    import time_machine

    time_machine.travel(time.time() + seconds, tick=True).start()


def _named(point: str) -> str:
    return point.replace(" ", "_")
