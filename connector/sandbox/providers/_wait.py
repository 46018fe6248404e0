"""Waiting for what a stand-in records, without sleeping."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Recorder:
    """A lock that tells the waiting when something new is there."""

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())

    def wait_for(self, seen: Callable[[], T], timeout: float = 5.0) -> T:
        """The first true answer of `seen()`, asked again after every change. Raises TimeoutError after `timeout` s."""
        end = time.monotonic() + timeout
        with self.changed:
            while not (answer := seen()):
                left = end - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"nothing came within {timeout:g} s")
                self.changed.wait(left)
            return answer
