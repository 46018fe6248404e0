"""How much of a helpdesk's answer is taken in, and for how long: whoever answers in its place must neither fill our
memory nor hold one of our few places by a byte now and then, with which a read timeout begins anew.
"""

import time
from collections.abc import Iterator
from typing import Any

import requests
from requests.adapters import HTTPAdapter

LARGEST = 64 * 1024 * 1024  # bytes, unpacked; 200 of Znuny's tickets with all their articles were 760 kB


class TooLarge(requests.RequestException):
    """The answer was larger than that. It was given up in the middle, and whatever was asked for may be done."""


class _Bounded:
    """The body of an answer as urllib3 reads it, up to `most` bytes and until a moment of the monotonic clock."""

    def __init__(self, body: Any, most: int, until: float) -> None:
        self._body, self._most, self._until = body, most, until

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)

    def stream(self, amount: int, decode_content: bool | None = None) -> Iterator[bytes]:
        """What has arrived, as it arrives: `read` would wait for the whole amount."""
        taken, whole = 0, False
        try:
            while chunk := self._body.read1(amount, decode_content=decode_content):
                taken += len(chunk)
                if taken > self._most:
                    raise TooLarge("the answer is too large")
                if time.monotonic() > self._until:
                    raise requests.ReadTimeout("the answer took too long")
                yield chunk
            whole = True
        finally:
            if not whole:  # the rest would have to be read before anything else comes over this connection
                self._body.close()


class _Adapter(HTTPAdapter):
    def __init__(self, within: float) -> None:
        super().__init__()
        self._within = within

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        answer = super().build_response(req, resp)
        answer.raw = _Bounded(answer.raw, LARGEST, time.monotonic() + self._within)
        return answer


def bound(session: requests.Session, within: float) -> requests.Session:
    """The same session, with an end to each answer: LARGEST bytes, and so many seconds after its head.

    Its requests raise TooLarge, or requests.ReadTimeout.
    """
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Adapter(within))
    return session
