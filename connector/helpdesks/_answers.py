"""How much of a helpdesk's answer is taken in: whoever answers in its place must not fill our memory."""

from collections.abc import Iterator
from typing import Any

import requests
from requests.adapters import HTTPAdapter

LARGEST = 64 * 1024 * 1024  # bytes, unpacked; 200 of Znuny's tickets with all their articles were 760 kB


class TooLarge(requests.RequestException):
    """The answer was larger than that. It was given up in the middle, and whatever was asked for may be done."""


class _Bounded:
    """The body of an answer as urllib3 reads it, up to `most` bytes."""

    def __init__(self, body: Any, most: int) -> None:
        self._body, self._most = body, most

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)

    def stream(self, amount: int, decode_content: bool | None = None) -> Iterator[bytes]:
        taken = 0
        for chunk in self._body.stream(amount, decode_content=decode_content):
            taken += len(chunk)
            if taken > self._most:
                self._body.close()  # the rest would have to be read before anything else comes over this connection
                raise TooLarge("the answer is too large")
            yield chunk


class _Adapter(HTTPAdapter):
    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        answer = super().build_response(req, resp)
        answer.raw = _Bounded(answer.raw, LARGEST)
        return answer


def bound(session: requests.Session) -> requests.Session:
    """The same session, whose requests raise TooLarge instead of taking in an answer that is larger than LARGEST."""
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Adapter())
    return session
