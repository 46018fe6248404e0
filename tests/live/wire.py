"""What passes between a real Znuny and Escalator, with the time of each request and of its answer.

A wire takes requests on a free port of the loopback, hands them on unchanged and keeps them: Znuny tells its own times
in whole seconds, and asking it over and over would keep it from its work.
"""

import http.client
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from werkzeug.wrappers import Request, Response

from connector.sandbox.providers._server import HttpServer, hang_up

TIMEOUT = 120.0  # seconds
_OF_THE_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"})


@dataclass(frozen=True)
class Passed:
    """One request that was answered; times are aware UTC."""

    came: datetime
    answered: datetime
    method: str
    path: str
    raw: bytes
    status: int

    @property
    def body(self) -> dict[str, Any]:
        """The request's JSON object; an empty one where it has none."""
        try:
            found = json.loads(self.raw)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


class Wire:
    """It is open until `close`. `to`: the address on the other side, without a path."""

    def __init__(self, to: str) -> None:
        self._to = urlsplit(to).netloc
        self._passed: list[Passed] = []
        self._news = threading.Condition()
        self._server = HttpServer(self._hand_on)
        self._server.start()

    @property
    def url(self) -> str:
        return self._server.url

    def close(self) -> None:
        self._server.stop()

    @property
    def passed(self) -> tuple[Passed, ...]:
        """All of them so far, in order of their answers."""
        with self._news:
            return tuple(self._passed)

    def first(self, wanted: Callable[[Passed], bool], what: Callable[[], str], patience: float = 120.0) -> Passed:
        """The first request, old or new, that is wanted and was answered with 2xx."""

        def found() -> Passed | None:
            return next((one for one in self._passed if 200 <= one.status < 300 and wanted(one)), None)

        with self._news:
            one = self._news.wait_for(found, patience)
        assert one is not None, f"not within {patience:g} s: {what()}"
        return one

    def _hand_on(self, request: Request) -> Response:
        came, raw = datetime.now(UTC), request.get_data()
        path = request.full_path.removesuffix("?")
        headers = {name: value for name, value in request.headers.items() if name.lower() != "connection"}
        there = http.client.HTTPConnection(self._to, timeout=TIMEOUT)
        try:
            there.request(request.method, path, raw or None, headers)
            answer = there.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException):
            return hang_up(request)  # nobody there
        finally:
            there.close()
        with self._news:
            self._passed.append(Passed(came, datetime.now(UTC), request.method, path, raw, answer.status))
            self._news.notify_all()
        kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in _OF_THE_CONNECTION]
        return Response(said, answer.status, headers=kept)
