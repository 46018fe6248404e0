"""Real workers and timers for tests: started like `up` starts them, killed by their own pid."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

HERE = Path(__file__).parent


@contextmanager
def python(*arguments: str, url: str, log: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """`python ...` with REDIS_URL set, and with the jobs of worker_with_jobs.py importable; ended with the block."""
    output = subprocess.DEVNULL if log is None else log.open("ab")
    process = subprocess.Popen(
        [sys.executable, *arguments],
        env={"REDIS_URL": url, "PATH": "/usr/bin:/bin", "PYTHONPATH": str(HERE.parents[1])},
        stdout=output,
        stderr=subprocess.STDOUT if log is not None else None,
    )
    try:
        yield process
    finally:
        if not isinstance(output, int):
            output.close()
        if process.poll() is None:
            process.kill()
        process.wait()


def worker(queue: str, *, url: str, log: Path | None = None) -> AbstractContextManager[subprocess.Popen[bytes]]:
    return python(str(HERE / "worker_with_jobs.py"), queue, url=url, log=log)


def timers(*, url: str, log: Path | None = None) -> AbstractContextManager[subprocess.Popen[bytes]]:
    return python(str(HERE / "timers_alone.py"), url=url, log=log)


def until(true: Callable[[], object], *, within: float) -> float:
    """Waits until `true()` holds and returns how many seconds that took; fails after `within` seconds."""
    start = time.monotonic()
    while not true():
        took = time.monotonic() - start
        assert took < within, f"not seen within {within} s"
        time.sleep(0.01)
    return time.monotonic() - start
