"""Web Push to paired browsers: a page on a phone's home screen rings without an app and without an Apple account.

Facts: RFC 8030 (protocol: TTL, Urgency, Topic, 404 and 410 for what is gone), RFC 8291 (encryption), RFC 8292 (VAPID).
Which push service it is, and so where it goes, the browser has said: an endpoint is a stranger's word.
"""

import binascii
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from marshmallow import Schema, ValidationError, fields, validate
from py_vapid import Vapid02

from connector import outbound
from connector.core.contact import Contact, Subscription
from connector.core.words import Words
from connector.errors import ConfigError, Undelivered
from connector.ports import Message, Receipt

from . import _texts
from ._http import may_have_left
from ._shared import Shared, read_file, repeat
from ._templates import BUILT_IN, Texts
from ._vapid import LONGEST_ENDPOINT as LONGEST_ENDPOINT
from ._vapid import key_of, unpadded
from ._vapid import new_key as new_key
from ._vapid import public_key as public_key
from ._vapid import unusable as unusable
from .push import collapse_id

KIND = "webpush"

#: How long a push service keeps it for a phone that is off: until the next step, within these bounds.
KEEP, KEEP_AT_LEAST, KEEP_AT_MOST = timedelta(minutes=30), timedelta(minutes=1), timedelta(hours=4)
#: Seconds for all devices of one person, who are told at once.
DEADLINE = 14.0
#: Seconds that a VAPID token is good for; RFC 8292 allows a day at most.
TOKEN_LIVES = 12 * 3600


@dataclass(frozen=True, slots=True)
class Answer:
    """What a status means for us. `dead`: this browser will never take a push here again."""

    sentence: str
    dead: bool = False
    permanent: bool = False
    credentials: bool = False


_REFUSED_KEY = "The push service refused our key: was `private_key` changed? Then pair anew."
#: Any 2xx is fine (RFC 8030: 201). What isn't named here: other 4xx never work, 5xx may later.
ANSWERS: Mapping[int, Answer] = {
    401: Answer(_REFUSED_KEY, credentials=True),
    403: Answer(_REFUSED_KEY, credentials=True),
    404: Answer("The browser no longer takes pushes.", dead=True, permanent=True),
    410: Answer("The browser no longer takes pushes.", dead=True, permanent=True),
    408: Answer("The push service took too long."),
    429: Answer("The push service asked to slow down."),
}
_REFUSED = Answer("The push service refused the message.", permanent=True)
_TROUBLE = Answer("The push service is in trouble.")


def _is_key(value: str) -> None:
    try:
        key_of(value)
    except (ValueError, binascii.Error):
        raise ValidationError("Make a private key with `escalator pair --new-key`.") from None


class Options(Schema):
    """What stands under the channel's name in the config."""

    subject = fields.String(
        required=True,
        validate=validate.Regexp(
            r"(mailto:[^@\s]+@[^@\s]+|https://\S+)$", error="Write `mailto:` and a mail address, or an https address."
        ),
        metadata={"meaning": "whom a push service may ask about us: `mailto:` and an address, or https"},
    )
    private_key = fields.String(
        required=True,
        validate=_is_key,
        metadata={
            "secret": True,
            "meaning": "proves us to push services, made by `escalator pair --new-key`; another one: pair anew",
        },
    )
    allow_private = fields.Boolean(
        load_default=False, metadata={"meaning": "browsers may name a push service with a private address"}
    )
    ca_file = fields.String(load_default="", metadata={"meaning": "whom to trust instead of the public authorities"})


def build(name: str, options: dict[str, Any], shared: Shared) -> "WebPush":
    """Raises ConfigError when `ca_file` can't be used."""
    if options["ca_file"]:
        read_file(name, "ca_file", options["ca_file"])
    try:
        key = key_of(options["private_key"])
    except ValueError:
        raise ConfigError(f"Channel {name}: `private_key` is none; see `escalator pair --new-key`.") from None
    reach = {"allow_private": options["allow_private"], "ca_file": options["ca_file"]}
    return WebPush(name, options["subject"], key, shared.texts, **reach)


# --- the channel ----------------------------------------------------------------------------------------------------


class WebPush:
    """One notification to all paired browsers of one person; it arrived when a push service took one of them."""

    kind = KIND
    personal = True
    acknowledges = True
    lease = 20.0

    def __init__(
        self,
        name: str,
        subject: str,
        key: EllipticCurvePrivateKey,
        texts: Texts = BUILT_IN,
        *,
        allow_private: bool = False,
        ca_file: str = "",
    ) -> None:
        self.name = name
        self._subject, self._key, self._texts = subject, key, texts
        self._allow_private, self._ca_file = allow_private, ca_file

    def address(self, contact: Contact) -> str:
        return ",".join(each.endpoint for each in contact.webpush)

    def deliver(self, message: Message) -> Receipt:
        """Pushes to every browser at once. Raises Undelivered only when none of them took it."""
        devices = message.contacts[0].webpush
        if not devices:
            raise Undelivered("No browser is paired.", permanent=True)
        body = encode(compose(message, self._texts))
        with ThreadPoolExecutor(len(devices), thread_name_prefix="webpush") as pool:
            outcomes = list(pool.map(lambda device: self._outcome(message, device, body), devices))
        dead = tuple(
            device.endpoint for device, error in zip(devices, outcomes, strict=True) if error is not None and error.dead
        )
        if None in outcomes:
            return Receipt(detail="accepted", dead=dead)
        raise _worst([error for error in outcomes if error is not None], dead)

    def find(self, message: Message) -> Receipt | None:
        """None: sending again is safe, it replaces the first one under its topic and tag."""
        return repeat(message)

    def _outcome(self, message: Message, device: Subscription, body: bytes) -> Undelivered | None:
        """None: the push service has it."""
        if why := unusable(device, allow_private=self._allow_private):
            return Undelivered(why, permanent=True, dead=(device.endpoint,))
        encrypted = _encrypted(device, body)
        headers = self._headers(message, device)
        reach: dict[str, Any] = {"allow_private": self._allow_private, "ca_file": self._ca_file, "within": DEADLINE}
        try:
            with outbound.post(device.endpoint, encrypted, headers, **reach) as response:
                return _error(response, device)
        except outbound.AddressRefused as error:
            why = Words("The push service's name leads to {where}.", where=error.args[0])
            return Undelivered(why, permanent=True)
        except requests.RequestException as error:
            maybe = may_have_left(error)
            sentence = "The push service's answer was lost." if maybe else "The push service could not be reached."
            return Undelivered(sentence, details=type(error).__name__, maybe_sent=maybe)

    def _headers(self, message: Message, device: Subscription) -> dict[str, str]:
        url = urlsplit(device.endpoint)
        expires = int(time.time()) + TOKEN_LIVES
        claims = {"aud": f"{url.scheme}://{url.netloc}", "sub": self._subject, "exp": expires}
        return {
            **Vapid02(self._key).sign(claims),
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
            "TTL": str(int(keep(message).total_seconds())),
            "Urgency": "normal" if message.purpose.quiet else "high",
            "Topic": topic(message),
        }


def _encrypted(device: Subscription, body: bytes) -> bytes:
    from pywebpush import WebPusher  # brings an HTTP client along that takes 0.15 s to import: only for who pushes

    pusher = WebPusher({"endpoint": device.endpoint, "keys": {"p256dh": device.p256dh, "auth": device.auth}})
    return bytes(pusher.encode(body)["body"])


def _error(response: requests.Response, device: Subscription) -> Undelivered | None:
    status = response.status_code
    if 200 <= status < 300:
        return None
    answer = ANSWERS.get(status) or (_REFUSED if status < 500 else _TROUBLE)
    after = response.headers.get("Retry-After", "")
    return Undelivered(
        answer.sentence,
        details=f"HTTP {status}",
        permanent=answer.permanent,
        credentials=answer.credentials,
        retry_after=float(after) if after.isdecimal() else None,
        dead=(device.endpoint,) if answer.dead else (),
    )


def _worst(errors: Sequence[Undelivered], dead: tuple[str, ...]) -> Undelivered:
    """What is worth another try says more about all of them than what is gone."""
    error = next((each for each in errors if not each.permanent), errors[0])
    error.dead = dead
    return error


def keep(message: Message) -> timedelta:
    """How long it is worth being told late."""
    left = message.next_at - message.sent_at if message.next_at is not None else KEEP
    return min(max(left, KEEP_AT_LEAST), KEEP_AT_MOST)


def topic(message: Message) -> str:
    """A push service replaces what it still holds under the same topic: at most 32 of base64url's letters."""
    return unpadded(hashlib.sha256((collapse_id(message) or message.id).encode()).digest()[:24])


# --- what is sent ---------------------------------------------------------------------------------------------------


def encode(payload: Mapping[str, Any]) -> bytes:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def compose(message: Message, texts: Texts = BUILT_IN) -> dict[str, Any]:
    """What the service worker is told, below the 3993 bytes that fit whatever the title is (RFC 8291)."""
    facts = _texts.facts(message, texts.timezone, longest=140)

    payload: dict[str, Any] = {
        "id": message.id,
        "title": _texts.shorten(texts.title(message.language, "webpush/title.txt", facts), 120),
        "body": _texts.shorten(texts.line(message.language, "webpush/body.txt", facts), 300),
        "tag": collapse_id(message) or message.id,
        "language": message.language,
        "url": message.acknowledge_url or message.ticket_url,
        "quiet": message.purpose.quiet,
    }
    button = texts.line(message.language, "webpush/button.txt", facts)
    if message.acknowledge_url and message.purpose.has_button:
        payload["acknowledge"] = {"url": message.acknowledge_url, "label": _texts.shorten(button, 40)}
    return payload


def proofread(message: Message, texts: Texts) -> None:
    """Composes all that this channel may send for the message."""
    compose(message, texts)
