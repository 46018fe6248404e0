"""What Znuny posts: proving that it was Znuny, and which ticket to look at. Pure.

Znuny signs nothing; its requester can send static headers and HTTP basic auth (Znuny 6.5, transport HTTP::REST).
The body is `{"Event": {...}, "Ticket": {...}}`, read by Znuny when it was sent and not when the event happened, so it
is good for a hint and nothing more.
"""

import base64
import binascii
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from connector.core.ticket import Person
from connector.errors import NotUnderstood
from connector.helpdesks.znuny.values import PHASES, SYSTEM, ident, moment, words
from connector.ports import Hint

UTC = ZoneInfo("UTC")
LONGEST = 250  # characters; Znuny's columns hold 200 of a login, and 100 each of first and last name
_PERSON = ((ident, "UserID"), (words, "UserLogin"), (words, "UserFullname"), (words, "UserEmail"))


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())


@dataclass(frozen=True, slots=True)
class Proof:
    """What a request must carry: one of the secrets in the header, the basic auth pair, or both where both are set."""

    secrets: tuple[str, ...] = field(repr=False)
    header: str = "X-Webhook-Secret"
    user: str = ""
    password: str = field(default="", repr=False)

    def holds(self, headers: Mapping[str, str]) -> bool:
        given = {name.lower(): value for name, value in headers.items()}
        if not self.secrets and not self.user:
            return False
        secret = given.get(self.header.lower(), "")
        # every comparison is made, so that the time tells neither which one failed nor which secret is the newest
        matches = [_same(secret, one) for one in self.secrets]
        checks = [not self.secrets or any(matches)]
        if self.user:
            checks.append(_same(_basic(given.get("authorization", "")), f"{self.user}:{self.password}"))
        return all(checks)


def _basic(authorization: str) -> str:
    """`user:password` of a basic auth header; "" for anything else."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""


def hint_of(body: Any, zone: ZoneInfo = UTC) -> Hint:
    """The hint in an event's body, whose times are in `zone`. Raises NotUnderstood without a ticket id."""
    event = _mapping(body, "Event")
    ticket = _mapping(body, "Ticket")
    ticket_id = ident(event.get("TicketID")) or ident(ticket.get("TicketID"))
    if not ticket_id:
        raise NotUnderstood("The webhook's body names no ticket.")
    phase = PHASES.get(str(ticket.get("StateType", "")))
    return Hint(
        ticket_id,
        closed=phase is not None and phase.ended,
        deleted=event.get("Event") == "TicketDelete",
        changed_at=moment(ticket.get("Changed"), zone),
        people=tuple(_people(ticket)),
    )


def _people(ticket: Mapping[str, Any]) -> Iterator[Person]:
    """Whom the body names in full; who did what it tells of isn't among them."""
    for key in ("OwnerData", "ResponsibleData", "CreateByData"):
        data = _mapping(ticket, key)
        person = Person(*(one(data.get(name))[:LONGEST] for one, name in _PERSON))
        if person.id not in ("", SYSTEM) and person.login:
            yield person


def _mapping(body: Any, key: str) -> Mapping[str, Any]:
    value = body.get(key) if isinstance(body, Mapping) else None
    return value if isinstance(value, Mapping) else {}
