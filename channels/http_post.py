"""One signed JSON document to a URL, after the Standard Webhooks convention (https://www.standardwebhooks.com).

A receiver knows a repeat by `webhook-id`, which is the message's id on every try.
"""

import base64
import binascii
import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from marshmallow import Schema, ValidationError, fields
from standardwebhooks import Webhook

from connector import outbound
from connector.core.contact import Contact
from connector.core.words import Words
from connector.errors import ConfigError, Undelivered
from connector.ports import Message, Purpose, Receipt

from ._http import may_have_left
from ._shared import Shared, read_file, repeat

KIND = "http_post"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a status means for us; the words are those of `Undelivered`."""

    sentence: str
    permanent: bool = False
    credentials: bool = False
    maybe_sent: bool = False


#: Any 2xx is fine. What isn't named here: 3xx and other 4xx never work, other 5xx may later.
ANSWERS: Mapping[int, Answer] = {
    401: Answer("The receiver refused our signature or credentials.", credentials=True),
    403: Answer("The receiver refused our signature or credentials.", credentials=True),
    408: Answer("The receiver took too long."),
    409: Answer("The receiver is at this document already."),
    425: Answer("The receiver asked to try later."),
    429: Answer("The receiver asked to slow down."),
    502: Answer("The receiver's gateway lost its answer.", maybe_sent=True),
    504: Answer("The receiver's gateway lost its answer.", maybe_sent=True),
}
_REDIRECT = Answer("The receiver answered with a redirect, which isn't followed.", permanent=True)
_REFUSED = Answer("The receiver refused the document.", permanent=True)
_TROUBLE = Answer("The receiver is in trouble.")

#: `type` in the document.
TYPES: Mapping[Purpose, str] = {
    Purpose.STEP: "escalation.step",
    Purpose.EXHAUSTED: "escalation.exhausted",
    Purpose.ALL_CLEAR: "escalation.all_clear",
    Purpose.STILL_ON_IT: "escalation.still_on_it",
    Purpose.TEST: "escalation.test",
    Purpose.OPERATOR: "escalation.operator",
}


def _is_secret(value: str) -> None:
    try:
        key = base64.b64decode(value.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if not value.startswith("whsec_") or len(key) < 16:
        raise ValidationError("Write whsec_ and at least 16 random bytes in base64.")


class Options(Schema):
    """What stands under the channel's name in the config.

    `allow_http`: unencrypted to another host, too; `allow_private`: the name may lead into the own network;
    `ca_file`: whom to trust instead of the public authorities.
    """

    url = fields.Url(
        required=True,
        schemes={"http", "https"},
        require_tld=False,
        metadata={"meaning": "where the document goes; https unless it is this machine"},
    )
    secret = fields.String(
        required=True,
        validate=_is_secret,
        metadata={"secret": True, "meaning": "signs the document: `whsec_` and base64"},
    )
    allow_http = fields.Boolean(load_default=False, metadata={"meaning": "unencrypted to another host, too"})
    allow_private = fields.Boolean(
        load_default=False,
        metadata={"meaning": "the name in `url` may lead to a private address (pagers often stand inside)"},
    )
    ca_file = fields.String(load_default="", metadata={"meaning": "whom to trust instead of the public authorities"})


def build(name: str, options: dict[str, Any], shared: Shared) -> "HttpPost":  # noqa: ARG001 - every channel's signature
    """Raises ConfigError for an unencrypted URL of another host and for a `ca_file` that can't be read."""
    url = urlsplit(options["url"])
    if url.scheme == "http" and not options["allow_http"] and not _is_loopback(url.hostname or ""):
        raise ConfigError(f"Channel {name}: use https in `url`, or set `allow_http: true`.")
    if options["ca_file"]:
        read_file(name, "ca_file", options["ca_file"])
    return HttpPost(name, **options)


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (outbound.is_address(host) and ipaddress.ip_address(host).is_loopback)


class HttpPost:
    """One document a step, naming the contacts."""

    kind = KIND
    personal = False
    acknowledges = True
    lease = 20.0

    def __init__(
        self,
        name: str,
        url: str,
        secret: str,
        allow_http: bool = False,
        allow_private: bool = False,
        ca_file: str = "",
    ) -> None:
        self.name = name
        self._url = url
        self._webhook = Webhook(secret)
        self._reach: dict[str, Any] = {"allow_http": allow_http, "allow_private": allow_private, "ca_file": ca_file}

    def address(self, contact: Contact) -> str:  # noqa: ARG002 - whoever it is, the receiver is the same
        """The channel's name: its URL may hold a secret, and is the same for everybody."""
        return self.name

    def deliver(self, message: Message) -> Receipt:
        """Posts the document. Raises Undelivered."""
        body = json.dumps(compose(message), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        now = datetime.now(UTC)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Escalator",
            "webhook-id": message.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(message.id, now, body.decode()),
        }
        try:
            with outbound.post(self._url, body, headers, **self._reach) as response:
                return _receipt(response)
        except outbound.AddressRefused as error:
            where = Words("The receiver's name leads to {where}.", where=error.args[0])
            raise Undelivered(where, permanent=True) from None
        except requests.RequestException as error:
            maybe = may_have_left(error)
            sentence = "The receiver's answer was lost." if maybe else "The receiver could not be reached."
            raise Undelivered(sentence, details=type(error).__name__, maybe_sent=maybe) from None

    def find(self, message: Message) -> Receipt | None:
        """None: sending again is safe, the receiver knows a repeat by its id."""
        return repeat(message)


def _receipt(response: requests.Response) -> Receipt:
    status = response.status_code
    if 200 <= status < 300:
        return Receipt(detail="accepted")
    answer = ANSWERS.get(status) or (_REDIRECT if status < 400 else _REFUSED if status < 500 else _TROUBLE)
    after = response.headers.get("Retry-After", "")
    raise Undelivered(
        answer.sentence,
        details=f"HTTP {status}",
        permanent=answer.permanent,
        credentials=answer.credentials,
        maybe_sent=answer.maybe_sent,
        retry_after=float(after) if after.isdecimal() else None,
    )


def compose(message: Message) -> dict[str, Any]:
    """The document: the same for the same message, so that a repeat is one."""
    escalation: dict[str, Any] = {
        "code": message.code,
        "plan": message.plan,
        "step": message.step,
        "steps": message.steps,
        "round": message.round,
        "due_at": _time(message.due_at),
        "url": message.escalation_url,
    }
    ticket = {
        "id": message.ticket_id,
        "number": message.ticket_number,
        "title": message.ticket_title,
        "priority": message.priority,
        "group": message.group,
        "url": message.ticket_url,
    }
    data: dict[str, Any] = {
        "escalation": escalation,
        "ticket": ticket,
        "contacts": [{"name": contact.name} for contact in message.contacts],
    }
    if message.line:
        data["text"] = message.line
    if message.acknowledge_url and message.purpose in (Purpose.STEP, Purpose.EXHAUSTED):
        data["acknowledge"] = {"method": "POST", "url": message.acknowledge_url}
    return {"type": TYPES[message.purpose], "timestamp": _time(message.sent_at), "data": data}


def _time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None
