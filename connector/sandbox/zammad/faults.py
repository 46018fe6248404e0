"""What goes wrong on purpose, and what is counted: a WSGI layer before the API.

A path matches when it contains the given words; one request at a time is judged, in the order in which faults were set.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from socket import SHUT_RDWR
from typing import Any

from werkzeug.wrappers import Request, Response

_WRITES = ("POST", "PUT", "DELETE")


@dataclass(slots=True)
class _Fault:
    kind: str  # slow, refuse, cut
    path: str
    methods: tuple[str, ...]
    value: float = 0.0
    left: int | None = None  # how often; None for always
    words: str = ""  # of the error


class Faults:
    """Answers slowly, with an error or not at all; counts requests. Safe for threads."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self.requests: Counter[str] = Counter()  # "GET /api/v1/tickets/1" -> how often
        self.most_at_once = 0
        self._app, self._lock = app, threading.Lock()
        self._faults: list[_Fault] = []
        self._now, self._ending = 0, threading.Event()

    def slow(self, seconds: float, path: str = "") -> None:
        """Every request to such a path waits this long before it is carried out."""
        self._set(_Fault("slow", path, ("GET", *_WRITES), seconds))

    def refuse(
        self, status: int, path: str = "", *, times: int | None = None, words: str = "", reads: bool = True
    ) -> None:
        """Such requests get this status (401, 403, 500 ...) and nothing is done; `words` stand in the error.

        Without `reads` only writes are refused.
        """
        methods = ("GET", *_WRITES) if reads else _WRITES
        self._set(_Fault("refuse", path, methods, status, times, words or f"refused with {status}"))

    def cut_answers(self, times: int = 1, path: str = "") -> None:
        """The next writes are carried out, but the connection breaks before the answer."""
        self._set(_Fault("cut", path, _WRITES, left=times))

    def heal(self) -> None:
        """No fault any more."""
        with self._lock:
            self._faults.clear()

    def forget_requests(self) -> None:
        """Counts from zero again."""
        with self._lock:
            self.requests.clear()
            self.most_at_once = self._now

    def release(self) -> None:
        """Lets slow requests go on at once: the server ends."""
        self._ending.set()

    def resume(self) -> None:
        """Slow requests wait again: the server is back."""
        self._ending.clear()

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """The WSGI entry."""
        request = Request(environ)
        with self._lock:
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            self.requests[f"{request.method} {request.path}"] += 1
        try:
            return self._answer(request, environ, start_response)
        finally:
            with self._lock:
                self._now -= 1

    def _answer(self, request: Request, environ: Any, start_response: Any) -> Iterable[bytes]:
        faults = {fault.kind: fault for fault in self._matching(request)}
        if slow := faults.get("slow"):
            self._ending.wait(slow.value)
        if refuse := faults.get("refuse"):
            text = json.dumps({"error": refuse.words})
            return Response(text, int(refuse.value), content_type="application/json")(environ, start_response)
        answer = self._app(environ, start_response)
        if "cut" in faults:
            environ["werkzeug.socket"].shutdown(SHUT_RDWR)
        return answer

    def _set(self, fault: _Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def _matching(self, request: Request) -> list[_Fault]:
        method = "GET" if request.path.endswith("/search") else request.method  # a search is posted, and writes nothing
        with self._lock:
            hits: list[_Fault] = []
            for fault in self._faults:
                if fault.left != 0 and method in fault.methods and fault.path in request.path:
                    fault.left = fault.left if fault.left is None else fault.left - 1
                    hits.append(fault)
            return hits
