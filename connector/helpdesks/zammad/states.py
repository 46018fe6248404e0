"""Ticket states by their meaning: names are free text, and any number of states may share a type."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from connector.core.ticket import Phase
from connector.helpdesks.zammad.client import Client

_BY_TYPE = {
    "new": Phase.OPEN,
    "open": Phase.OPEN,
    "pending reminder": Phase.PENDING,
    "pending action": Phase.PENDING_CLOSE,
    "closed": Phase.CLOSED,
    "merged": Phase.MERGED,
    "removed": Phase.CLOSED,  # systems set up before 6.2 still have it
}
_ASK_AGAIN = 60.0  # seconds; a state that stays unknown (deleted since) must not cost a call on every read
LIFETIME = 300.0  # seconds until all are asked for again: an administrator may give one another type


def phases(rows: Iterable[Mapping[str, Any]]) -> tuple[dict[int, Phase], dict[str, Phase]]:
    """The answer of `/ticket_states?expand=true` as phases, by id and by name."""
    states = {int(row["id"]): row for row in rows}
    by_id = {state_id: _phase(row, states) for state_id, row in states.items()}
    return by_id, {str(row["name"]): by_id[state_id] for state_id, row in states.items()}


def _phase(row: Mapping[str, Any], states: Mapping[int, Mapping[str, Any]]) -> Phase:
    phase = _BY_TYPE.get(str(row.get("state_type")), Phase.OPEN)
    if phase is not Phase.PENDING_CLOSE:
        return phase
    after = states.get(row.get("next_state_id") or 0, {})
    # a state that goes on to anything but a closed one is a wait like any other
    return phase if str(after.get("state_type", "closed")) in ("closed", "removed") else Phase.PENDING


class States:
    """Zammad's states, remembered for a while; asked for anew at once when an unknown one turns up. Thread-safe."""

    def __init__(self, client: Client, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._by_id: dict[int, Phase] = {}
        self._by_name: dict[str, Phase] = {}
        self._asked_at: float | None = None
        self._missed: dict[int, float] = {}  # those that Zammad didn't name, and when it was asked

    def by_id(self, needed: Iterable[int] = ()) -> Mapping[int, Phase]:
        """Phases by state id; usually no call."""
        with self._lock:
            now, wanted = self._clock(), set(needed)
            stale = self._asked_at is None or now - self._asked_at >= LIFETIME
            if stale or any(self._may_ask(one, now) for one in self._unknown(wanted)):
                self._by_id, self._by_name = phases(self._client.get("/ticket_states", {"expand": "true"}))
                self._asked_at = now
                self._missed |= dict.fromkeys(self._unknown(wanted), now)
            return self._by_id

    def named(self) -> Mapping[str, Phase]:
        """Phases by state name as far as they are known by now; never a call."""
        return self._by_name

    def _unknown(self, wanted: set[int]) -> set[int]:
        return wanted - self._by_id.keys()

    def _may_ask(self, one: int, now: float) -> bool:
        return one not in self._missed or now - self._missed[one] >= _ASK_AGAIN
