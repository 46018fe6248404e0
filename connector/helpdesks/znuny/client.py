"""Calls to Znuny's web service: Generic Interface, HTTP::REST, set up as in tests/live/znuny/webservice.yml.

A call is good when the status is 200, the body is JSON and holds no `Error`. A business error is a 200 as well; a
missing route and broken JSON are a 500 with a line of text; an unknown web service closes the connection silently.
Credentials go in headers, which keeps them out of access logs.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests
import urllib3

from connector.errors import HelpdeskAway, HelpdeskRefused, PermissionLost
from connector.helpdesks._answers import TooLarge, bound
from connector.helpdesks._clock import ClockSkew
from connector.helpdesks.znuny.values import ident, words

CALLS_AT_A_TIME = 4  # each is a whole mod_perl process on the other side
IDS_PER_CALL = 200  # URLs stay far below 8 kB; 200 tickets took Znuny 0.2 s

#: 500s that Znuny's web service writes itself before it has done anything: asking again changes nothing.
_MISCONFIGURED = ("HTTP::REST Error", "Error while decoding", "Unsupported request content")

#: The last parts of error codes that mean "not you"; an unknown ticket answers the same.
_NOT_ALLOWED = ("AuthFail", "AccessDenied")


@dataclass(frozen=True, slots=True)
class Me:
    """The agent whose password we hold."""

    id: str
    login: str
    name: str


class Client:
    """The web service of one Znuny. Thread-safe; at most four calls at a time."""

    def __init__(
        self,
        url: str,
        webservice: str,
        user: str,
        password: str,
        *,
        ca_file: str | None = None,
        connect_timeout: float = 4,
        timeout: float = 20,
    ) -> None:
        """`url` is Znuny's own up to its path: https://desk.example.com/otrs. Timeouts are seconds."""
        self.url = url.rstrip("/").removesuffix("/index.pl")
        self.user = user
        self._base = f"{self.url}/nph-genericinterface.pl/Webservice/{quote(webservice)}"
        self._password = password
        self._timeout = (connect_timeout, timeout)
        # Apache ends no request of mod_perl's by itself (its Timeout is for the network); a note takes 0.2 s. One that
        # isn't written after three times our own patience was cut off with its connection.
        self.request_limit = timeout * 3
        self._http = bound(requests.Session(), self.request_limit)
        self._http.trust_env = url.startswith("https:")  # a proxy of the environment would read our password
        self._http.auth = lambda request: request  # else one from a netrc file would be added
        self._verify = ca_file or True
        self._places = threading.BoundedSemaphore(CALLS_AT_A_TIME)
        self._me: Me | None = None
        self.clock = ClockSkew()

    def tickets(self, ids: Sequence[str], *, articles: bool = False) -> list[Mapping[str, Any]]:
        """Tickets with their dynamic fields, at most IDS_PER_CALL; one that may not be seen fails the call."""
        params = {"DynamicFields": "1", **({"AllArticles": "1"} if articles else {})}
        answer = self._call("GET", f"/Ticket/{','.join(ids)}", params=params)
        return _rows(answer.get("Ticket"))

    def ticket(self, ticket_id: str, *, articles: bool = False) -> Mapping[str, Any]:
        rows = self.tickets([ticket_id], articles=articles)
        if not rows:
            raise HelpdeskAway("Znuny answered without the ticket.")
        return rows[0]

    def history(self, ticket_id: str) -> list[Mapping[str, Any]]:
        """The ticket's history lines, oldest first."""
        answer = self._call("GET", f"/TicketHistory/{ticket_id}")
        return [line for one in _rows(answer.get("TicketHistory")) for line in _rows(one.get("History"))]

    def histories(self, ids: Sequence[str]) -> Mapping[str, list[Mapping[str, Any]]]:
        """History lines by ticket, at most IDS_PER_CALL; one that may not be seen fails the call."""
        answer = self._call("GET", f"/TicketHistory/{','.join(ids)}")
        return {ident(one.get("TicketID")): _rows(one.get("History")) for one in _rows(answer.get("TicketHistory"))}

    def search(self, **criteria: Any) -> list[str]:
        """Ids of the tickets that we may see, in the order asked for."""
        found = self._call("POST", "/TicketSearch", body=criteria).get("TicketID") or []
        return [ident(one) for one in (found if isinstance(found, list) else [found])]

    def update(self, ticket_id: str, **body: Any) -> Mapping[str, Any]:
        """Changes the ticket; the answer holds it as it is now, and the ArticleID."""
        return self._call("PATCH", f"/Ticket/{ticket_id}", body=body, writes=True)

    def create(self, **body: Any) -> Mapping[str, Any]:
        """A new ticket with its first article; the answer holds the TicketID."""
        return self._call("POST", "/Ticket", body=body, writes=True)

    def me(self) -> Me:
        """Who we are, asked once: only a session knows its own user's id."""
        if self._me is None:
            made = self._call("POST", "/Session", body={"UserLogin": self.user, "Password": self._password})
            session = {"X-OTRS-Header-SessionID": words(made.get("SessionID"))}
            pairs = _rows(self._call("GET", "/Session", credentials=session).get("SessionData"))
            mine = {words(pair.get("Key")): words(pair.get("Value")) for pair in pairs}
            if not ident(mine.get("UserID")):
                raise HelpdeskRefused("Znuny's web service doesn't tell who we are: it needs the operation SessionGet.")
            self._me = Me(ident(mine["UserID"]), mine.get("UserLogin", self.user), mine.get("UserFullname", ""))
        return self._me

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        writes: bool = False,
        credentials: Mapping[str, str] | None = None,
    ) -> Mapping[str, Any]:
        mine = {"X-OTRS-Header-UserLogin": self.user, "X-OTRS-Header-Password": self._password}
        try:
            with self._places:
                asked_at = self.clock.now()
                answer = self._http.request(
                    method,
                    self._base + path,
                    params=params,
                    json=body,
                    headers=mine if credentials is None else credentials,
                    timeout=self._timeout,
                    verify=self._verify,  # as the session's own it would yield to REQUESTS_CA_BUNDLE
                    allow_redirects=False,
                )
        except requests.RequestException as error:
            # `from None`: the library's texts hold the whole URL
            raise HelpdeskAway(
                "Znuny's answer was too large to be one." if isinstance(error, TooLarge) else "Znuny did not answer.",
                details=f"{method} {path.split('/')[1]}: {type(error).__name__}",
                maybe_done=writes and not _never_left(error),
            ) from None
        self.clock.told(answer.headers, asked_at)
        return _understood(answer, writes, self._password)


def _never_left(error: requests.RequestException) -> bool:
    """Whether the request can't have reached Znuny."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError | requests.exceptions.ProxyError):
        return True
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError)


def _understood(answer: requests.Response, writes: bool, secret: str) -> Mapping[str, Any]:
    """The JSON of a good answer; every other answer as the error that it means, without the secret it may repeat."""
    status = answer.status_code
    if status == 429:
        raise HelpdeskAway("Znuny asks us to slow down.", details="status 429")
    if status >= 500:
        if answer.text.startswith(_MISCONFIGURED):
            raise HelpdeskRefused("Znuny's web service doesn't know this call: import its file anew.", details="500")
        raise HelpdeskAway(f"Znuny is in trouble (status {status}).", maybe_done=writes)
    if status != 200:
        raise HelpdeskRefused(f"There is no Znuny web service at helpdesk.url (status {status}).")
    try:
        body = answer.json()
    except ValueError:
        raise HelpdeskAway("Znuny answered something that is not JSON.", maybe_done=writes) from None
    if not isinstance(body, dict):
        raise HelpdeskAway("Znuny answered something unexpected.", maybe_done=writes)
    if error := body.get("Error"):
        raise _refusal(error if isinstance(error, dict) else {}, secret)
    return body


def _refusal(error: Mapping[str, Any], secret: str) -> HelpdeskRefused:
    code, message = (words(error.get(key)).replace(secret, "...") for key in ("ErrorCode", "ErrorMessage"))
    if code.endswith("AuthFail"):
        return PermissionLost("Znuny doesn't accept our user and password.", details=code)
    if code.endswith(_NOT_ALLOWED):
        return PermissionLost("Znuny doesn't let us see or change this ticket (or it doesn't exist).", details=code)
    return HelpdeskRefused(f"Znuny refused: {code or 'without a reason'}.", details=message[:200])


def _rows(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
