"""By how much a helpdesk's clock is ahead of ours, from the `Date` of its answers (RFC 9110, 6.6.1: whole seconds).

An answer dated d was made between d and d + 1 s by that clock, and between our request and its arrival by ours: bounds
that many answers narrow down. What a cache has kept is left out: it carries an `Age` (RFC 9111, 5.1).
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

TOLD_LATELY = 600.0  # seconds; a clock may have been set since
_A_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The helpdesk's clock is at least `low` and at most `high` ahead of ours."""

    low: timedelta
    high: timedelta

    def narrowed(self, other: "Bounds") -> "Bounds":
        """Both together; the newer one alone where they contradict each other: one of the clocks was set."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        return Bounds(low, high) if low <= high else other


def bounds(headers: Mapping[str, str], asked_at: datetime, answered_at: datetime) -> Bounds | None:
    """What one answer tells; None when it tells nothing. `headers` with names in any case (as requests has them)."""
    if headers.get("Age", "0").strip() != "0":
        return None
    try:
        dated = parsedate_to_datetime(headers["Date"])
    except (KeyError, TypeError, ValueError):
        return None
    if dated.tzinfo is None or answered_at < asked_at:
        return None
    return Bounds(dated - answered_at, dated + _A_SECOND - asked_at)


class ClockSkew:
    """What all answers so far tell. Thread-safe."""

    def __init__(
        self,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.now = now
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._bounds: Bounds | None = None
        self._told_at = 0.0

    def told(self, headers: Mapping[str, str], asked_at: datetime) -> None:
        """One more answer, which has just arrived."""
        found = bounds(headers, asked_at, self.now())
        if found is None:
            return
        with self._lock:
            self._bounds = found if self._bounds is None else self._bounds.narrowed(found)
            self._told_at = self._monotonic()

    def least(self) -> timedelta | None:
        """By how much the helpdesk's clock is ahead at the least (negative: behind); None: not told lately.

        The least, because a time put right by it is never earlier than the true one.
        """
        with self._lock:
            if self._bounds is None or self._monotonic() - self._told_at > TOLD_LATELY:
                return None
            return self._bounds.low
