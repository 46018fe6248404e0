"""How soon it shows what people do: measured by what the helpdesk and another system see, and told in one table.

The promise is 2 s on a machine that has nothing else to do. Tests run while it has, so what they hold is `BUSY`;
`pytest -s` prints the figures.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

import requests

BUSY = 30.0  # seconds
PATIENCE = 60.0  # seconds


COLUMNS = ("recorded", "noted", "shown")


@dataclass(frozen=True, slots=True)
class Figure:
    """One act. `arrived`: its webhook was sent, or the answer came in. All else is when it was first seen (UTC)."""

    arrived: datetime
    recorded: datetime  # by Escalator, as its API tells
    noted: datetime  # a note on the ticket
    shown: datetime  # a tag or field that lists go by

    @property
    def seconds(self) -> tuple[float, ...]:
        """As `COLUMNS`. What was there before its webhook had been found by another reading."""
        return tuple(max((at - self.arrived).total_seconds(), 0.0) for at in (self.recorded, self.noted, self.shown))


def table(title: str, columns: Sequence[str], rows: Mapping[str, Sequence[float]]) -> str:
    """For people: a line an act, in seconds, and the slowest."""
    lines = [(title, *columns)]
    slowest = {"the slowest": [max(column) for column in zip(*rows.values(), strict=True)]}
    lines += [(what, *(f"{one:.2f}" for one in seconds)) for what, seconds in {**rows, **slowest}.items()]
    wide = max(len(what) for what, *_ in lines)
    return "\n" + "\n".join(f"{what:<{wide}}" + "".join(f"{word:>10}" for word in words) for what, *words in lines)


class Witness:
    """Another system that asks over and over which escalations nobody has, and knows when one first wasn't among them.

    Use it as a context manager. `url` and `token` are those of Escalator's API.
    """

    def __init__(self, url: str, token: str, every: float = 0.15) -> None:
        self._url, self._headers, self._every = f"{url}/api/v1/escalations", {"Authorization": f"Bearer {token}"}, every
        self._taken: dict[str, datetime] = {}
        self._news = threading.Condition()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="witness")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def taken(self, code: str) -> datetime:
        """When this escalation was first seen acknowledged or ended, or will be."""
        with self._news:
            assert self._news.wait_for(lambda: code in self._taken, PATIENCE), f"{code} is still nobody's"
            return self._taken[code]

    def _watch(self) -> None:
        before: set[str] = set()
        with requests.Session() as session:
            while not self._done.wait(self._every):
                try:
                    listed = session.get(self._url, headers=self._headers, timeout=10).json()["escalations"]
                except requests.RequestException:
                    continue
                now, free = datetime.now(UTC), {one["code"] for one in listed if one["acknowledged"] is None}
                with self._news:
                    self._taken |= dict.fromkeys(before - free, now)
                    for code in free:
                        self._taken.pop(code, None)
                    self._news.notify_all()
                before = free
