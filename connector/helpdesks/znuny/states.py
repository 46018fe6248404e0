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
from connector.helpdesks.znuny.values import STATE_TYPES, words

#: Seconds until a state that no ticket is in is asked for again: a new one may be in use by then.
ASK_AGAIN = 600.0

#: How many tickets in that state are asked at most: one may have left it since the search.
TRIES = 3


class States:
    """The state types learned so far. Thread-safe: who needs one that is being asked for waits for the answer.

    What a reading takes for granted is taken in for good, so nobody may go on with a type that isn't known yet.
    """

    def __init__(self, client: Client, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client, self._clock = client, clock
        self._asking = threading.Lock()  # held over calls
        self._guard = threading.Lock()  # never held over one
        self._types: dict[str, str] = dict(STATE_TYPES)
        self._missed: dict[str, float] = {}  # until when a state isn't asked for again

    def types(self, ticket: Mapping[str, Any], named: Collection[str]) -> Mapping[str, str]:
        """State types by state name: this ticket's own, those named where they can be found, and what is known.

        Usually no call. Raises HelpdeskError where one fails; then the next reading asks again.
        """
        self._learn(ticket)
        for name in self._unknown(named):
            with self._asking:
                if self._unknown([name]):  # nobody else has asked meanwhile
                    self._ask(name)
        with self._guard:
            return dict(self._types)

    def _learn(self, ticket: Mapping[str, Any]) -> None:
        name, state_type = words(ticket.get("State")), words(ticket.get("StateType"))
        if name and state_type:
            with self._guard:
                self._types[name] = state_type

    def _unknown(self, named: Collection[str]) -> list[str]:
        now = self._clock()
        with self._guard:
            return sorted(name for name in set(named) - self._types.keys() if self._missed.get(name, now) <= now)

    def _ask(self, name: str) -> None:
        for _ in range(TRIES):
            found = self._client.search(States=[name], Limit=1)
            if not found:
                break
            with suppress(PermissionLost):  # it went away in between
                self._learn(self._client.ticket(found[0]))
            if not self._unknown([name]):
                return
        with self._guard:  # only now that Znuny has answered
            self._missed[name] = self._clock() + ASK_AGAIN
