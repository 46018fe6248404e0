"""A supervisor run as a program, watched from outside: what it says, and the processes under it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]


class Up:
    """A running supervisor: what it says, and the processes under it."""

    def __init__(self, folder: Path, processes: list[dict[str, Any]], **more: object) -> None:
        self.data = folder / "data"
        self.config = folder / "config.json"
        self.output = folder / "output"
        self.settings = {"processes": processes, **more}
        self.configure()
        self.popen = self.start()

    def configure(self, **more: object) -> None:
        self.settings.update(more)
        self.config.write_text(json.dumps(self.settings))

    def start(self) -> subprocess.Popen[bytes]:
        with self.output.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, str(ROOT / "tests/supervisor/up.py"), str(self.data), str(self.config)],
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )

    @property
    def lines(self) -> list[str]:
        return self.output.read_text().splitlines()

    def count(self, text: str) -> int:
        return sum(text in line for line in self.lines)

    def until(self, text: str, times: int = 1, within: float = 10.0) -> float:
        """Seconds until this text has been said so many times."""
        return until(lambda: self.count(text) >= times, within, lambda: f"{text!r} not in {self.lines}")

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.popen.pid).children(recursive=True)

    def close(self) -> None:
        below = self.children() if self.popen.poll() is None else []
        self.popen.terminate()
        try:
            self.popen.wait(timeout=8)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        for process in filter(alive, below):
            process.kill()


def alive(process: psutil.Process) -> bool:
    """An orphan that has ended stays a zombie until init looks."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def left_after(processes: list[psutil.Process], within: float) -> list[psutil.Process]:
    """Those that still live after so many seconds."""
    end = time.monotonic() + within
    while any(map(alive, processes)) and time.monotonic() < end:
        time.sleep(0.01)
    return [process for process in processes if alive(process)]


def until(true: Callable[[], bool], within: float, otherwise: Callable[[], str]) -> float:
    start = time.monotonic()
    while not true():
        assert time.monotonic() - start < within, otherwise()
        time.sleep(0.01)
    return time.monotonic() - start
