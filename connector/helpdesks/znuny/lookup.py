"""Looking up what Znuny lists nowhere: one looks at a time, and nobody goes on without an answer that is on its way."""

import threading
import time
from collections.abc import Callable, Iterable


class Lookup:
    """What was looked for and not found is looked for again after `again` seconds. Thread-safe.

    What a reading takes for granted is taken in for good, so whoever needs the same thing waits for the answer.
    """

    def __init__(self, again: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._again, self._clock = again, clock
        self._looking = threading.Lock()  # held over calls
        self._missed: dict[str, float] = {}  # until when something isn't looked for again

    def find(self, wanted: Iterable[str], known: Callable[[str], bool], look: Callable[[str], None]) -> None:
        """Looks for each of these that isn't known. What `look` raises goes on; then the next one looks again."""
        for one in wanted:
            if known(one) or self._rests(one):
                continue
            with self._looking:
                if known(one) or self._rests(one):  # somebody else has looked meanwhile
                    continue
                look(one)
                self._missed[one] = self._clock() + self._again  # only now that Znuny has answered

    def _rests(self, one: str) -> bool:
        return self._clock() < self._missed.get(one, float("-inf"))
