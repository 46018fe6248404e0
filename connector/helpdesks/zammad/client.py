"""Zammad's REST API: one request, and what its answer means for the caller.

Facts (Zammad 6.0 as captured, 6.5 and 7 by source): errors are JSON `{"error": "..."}`; 401 is a bad token, 403 a
missing permission, 404 a missing record, 422 a refused value. Anything that isn't JSON comes from something in between.
"""

import queue
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import requests
import urllib3.exceptions
from requests.auth import AuthBase

from connector.errors import HelpdeskAway, HelpdeskError, HelpdeskRefused, PermissionLost, TicketGone
from connector.helpdesks._answers import TooLarge, bound
from connector.helpdesks._clock import ClockSkew

AT_ONCE = 4  # Zammad's web server has few workers, and people use them too
FOR_READS = 1  # of these, kept free for reading tickets: a fresh look must not wait behind a storm of notes
_SCHEME = "Token token="
_GONE = re.compile(r"Couldn't find Ticket with")
_VALUES = re.compile(r"\"[^\"]*\"|\S*@\S*|\d{4,}")


class _Token(AuthBase):
    """As an auth object, so that a netrc entry for the same host can't replace the header."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = _SCHEME + self._token
        return request


class Client:
    """Calls to `<url>/api/v1`, at most four at a time, each bounded by a connect and a read timeout. Thread-safe.

    Timeouts are seconds. `token` may be another way to sign in. Every call may raise HelpdeskAway, HelpdeskRefused,
    PermissionLost or TicketGone.
    """

    def __init__(
        self,
        url: str,
        token: str | AuthBase,
        *,
        ca_file: str | None = None,
        connect_timeout: float = 4,
        timeout: float = 20,
    ) -> None:
        self._base = url.rstrip("/") + "/api/v1"
        self._timeout = (connect_timeout, timeout)
        self._verify: str | bool = ca_file or True
        self.clock = ClockSkew()
        # Zammad's web server ends no request by itself, and its proxy's sample waits 300 s; a note takes 0.1 s. One
        # that isn't written after three times our own patience was cut off with its connection.
        self.request_limit = timeout * 3
        self._others = threading.BoundedSemaphore(AT_ONCE - FOR_READS)
        self._sessions: queue.LifoQueue[requests.Session] = queue.LifoQueue()
        for _ in range(AT_ONCE):
            self._sessions.put(_session(token, url, self.request_limit))

    def get(self, path: str, params: Mapping[str, Any] | None = None, *, first: bool = False) -> Any:
        """The JSON that this path answers with; `first` reads don't wait behind other calls."""
        return self._call("GET", path, params=params, first=first)

    def search(self, path: str, body: Mapping[str, Any]) -> Any:
        """A POST that changes nothing."""
        return self._call("POST", path, body=body, writes=False)

    def write(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """A call that changes something: when its answer is lost, HelpdeskAway.maybe_done is True."""
        return self._call(method, path, body=body, writes=True)

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        writes: bool = False,
        first: bool = False,
    ) -> Any:
        with self._session(first=first) as session:
            asked_at = self.clock.now()
            try:
                answer = session.request(
                    method,
                    self._base + path,
                    params=params,
                    json=body,
                    timeout=self._timeout,
                    verify=self._verify,
                    allow_redirects=False,
                )
            except requests.RequestException as problem:
                raise _away(problem, writes) from None
            except OSError as problem:  # requests' word for a certificate file that isn't there
                raise HelpdeskAway("helpdesk.ca_file can't be read.", details=type(problem).__name__) from None
        self.clock.told(answer.headers, asked_at)
        return _meaning(answer, writes)

    @contextmanager
    def _session(self, *, first: bool) -> Iterator[requests.Session]:
        """A session of one's own (they aren't made for two threads), waiting for a free one."""
        if not first:
            self._others.acquire()
        try:
            session = self._sessions.get()
            try:
                yield session
            finally:
                self._sessions.put(session)
        finally:
            if not first:
                self._others.release()


def _session(token: str | AuthBase, url: str, within: float) -> requests.Session:
    session = bound(requests.Session(), within)
    session.trust_env = url.startswith("https:")  # a proxy of the environment would read an unencrypted token
    session.auth = _Token(token) if isinstance(token, str) else token
    session.headers.update({"Accept": "application/json", "User-Agent": "Escalator"})
    return session


def _away(problem: requests.RequestException, writes: bool) -> HelpdeskAway:
    # The exception's own text holds the URL and is left out on purpose.
    name = type(problem).__name__
    if isinstance(problem, requests.exceptions.SSLError):
        return HelpdeskAway("Zammad's certificate could not be verified.", details=name)
    if isinstance(problem, TooLarge):
        return HelpdeskAway("Zammad's answer was too large to be one.", details=name, maybe_done=writes)
    if isinstance(problem, requests.ReadTimeout):
        return HelpdeskAway("Zammad did not answer in time.", details=name, maybe_done=writes)
    if _never_left(problem):
        return HelpdeskAway("Zammad can't be reached.", details=name)
    return HelpdeskAway("The connection to Zammad broke off.", details=name, maybe_done=writes)


def _never_left(problem: requests.RequestException) -> bool:
    """Whether the request can't have reached Zammad, because there was no connection to send it on."""
    if isinstance(problem, requests.ConnectTimeout | requests.exceptions.InvalidURL):
        return True
    cause = problem.args[0] if problem.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ProxyError)


def _meaning(answer: requests.Response, writes: bool) -> Any:
    status = answer.status_code
    try:
        body, is_json = answer.json(), True
    except ValueError:
        body, is_json = None, False
    if 200 <= status < 300:
        if is_json:
            return body
        raise HelpdeskAway("Zammad's answer was not JSON.", details=f"status {status}", maybe_done=writes)
    if status >= 500:
        # a 500 is usually rolled back and a 502 may have arrived: nobody can tell from here
        raise HelpdeskAway(f"Zammad answered with error {status}.", details=f"status {status}", maybe_done=writes)
    if status in (408, 429):
        raise HelpdeskAway("Zammad is too busy to answer.", details=f"status {status}")
    if 300 <= status < 400:
        raise HelpdeskRefused("Zammad answered with a redirect; helpdesk.url must be its final address.")
    said = str(body["error"]) if isinstance(body, dict) and "error" in body else None
    shown = str(answer.request.headers.get("Authorization") or "").removeprefix(_SCHEME)
    raise _refusal(status, said.replace(shown, "...") if said and shown else said)  # some repeat what they refuse


def _refusal(status: int, error: str | None) -> HelpdeskError:
    if error is None:
        # not Zammad's own words: a proxy's page must never be taken for a deleted ticket or a lost permission
        return HelpdeskAway(f"Something in front of Zammad answered with {status}.", details=f"status {status}")
    details = f"status {status}: {_VALUES.sub('...', error)[:160]}"  # values could be personal or secret
    if status == 401:
        return PermissionLost("Zammad doesn't accept the API token.", details=details)
    if status == 403:
        return PermissionLost("Zammad doesn't allow the API user to do this.", details=details)
    if status == 404 and _GONE.search(error):
        return TicketGone("The ticket does not exist any more.", details=details)
    return HelpdeskRefused(f"Zammad refused the request ({status}).", details=details)
