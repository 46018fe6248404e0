"""What the states of one Znuny mean: their names are free text, and no call of its web service lists them.

A ticket's row tells its own state with the type. A state that only a history names is asked for: any ticket that is
in it tells (`TicketSearch` by `States`, Znuny 6.5). Where there is none, `values.phase_of` judges the name.
"""

import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any

from connector.errors import PermissionLost
from connector.helpdesks.znuny.client import Client
from connector.helpdesks.znuny.lookup import Lookup
from connector.helpdesks.znuny.values import STATE_TYPES, words

#: Seconds until a state that no ticket is in is asked for again: a new one may be in use by then.
ASK_AGAIN = 600.0

#: How many tickets in that state are asked at most: one may have left it since the search.
TRIES = 3


class States:
    """The state types learned so far. Thread-safe: who needs one that is being asked for waits for the answer."""

    def __init__(self, client: Client, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._lookup = Lookup(ASK_AGAIN, clock)
        self._guard = threading.Lock()  # never held over a call
        self._types: dict[str, str] = dict(STATE_TYPES)

    def types(self, ticket: Mapping[str, Any], named: Collection[str]) -> Mapping[str, str]:
        """State types by state name: this ticket's own, those named where they can be found, and what is known.

        Usually no call. Raises HelpdeskError where one fails; then the next reading asks again.
        """
        self._learn(ticket)
        self._lookup.find(sorted(named), self._is_known, self._ask)
        with self._guard:
            return dict(self._types)

    def _learn(self, ticket: Mapping[str, Any]) -> None:
        name, state_type = words(ticket.get("State")), words(ticket.get("StateType"))
        if name and state_type:
            with self._guard:
                self._types[name] = state_type

    def _is_known(self, name: str) -> bool:
        with self._guard:
            return name in self._types

    def _ask(self, name: str) -> None:
        for _ in range(TRIES):
            found = self._client.search(States=[name], Limit=1)
            if not found:
                break
            with suppress(PermissionLost):  # it went away in between
                self._learn(self._client.ticket(found[0]))
            if self._is_known(name):
                break
