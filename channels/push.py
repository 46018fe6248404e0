"""Push through Apple's service (APNs): HTTP/2, token authentication, an action button that posts to the ack URL.

Facts: https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns and
.../handling-notification-responses-from-apns. It needs the organisation's own iOS app.
"""

import json
import re
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from marshmallow import Schema, fields, validate

from connector.core.contact import Contact
from connector.errors import ConfigError, Undelivered
from connector.ports import Message, Purpose, Receipt

from . import _texts
from ._shared import CONNECT_TIMEOUT, READ_TIMEOUT, PerProcess, Shared, read_file, repeat
from ._templates import BUILT_IN, Texts

KIND = "push"


@dataclass(frozen=True, slots=True)
class Problem:
    """What a reason means for us. `dead`: this device token will never work again."""

    sentence: str
    dead: bool = False
    credentials: bool = False


PROBLEMS: Mapping[str, Problem] = {
    "BadDeviceToken": Problem("Apple says that the device token is not valid.", dead=True),
    "Unregistered": Problem("The app is no longer on the device.", dead=True),
    "ExpiredToken": Problem("The device token has expired.", dead=True),
    # Ours to mend, and alike for every device: it says nothing about this one.
    "DeviceTokenNotForTopic": Problem(
        "Apple says that the device belongs to another app than `topic`.", credentials=True
    ),
    "BadTopic": Problem("Apple doesn't accept the push `topic`.", credentials=True),
    "TopicDisallowed": Problem("Apple doesn't allow the push `topic`.", credentials=True),
    "MissingTopic": Problem("Apple doesn't accept the push `topic`.", credentials=True),
    "InvalidProviderToken": Problem("Apple refused the push key (`team_id`, `key_id`, `key_file`).", credentials=True),
    "MissingProviderToken": Problem("Apple refused the push key (`team_id`, `key_id`, `key_file`).", credentials=True),
    "ExpiredProviderToken": Problem("Apple says that our token has expired: is the clock right?", credentials=True),
    "Forbidden": Problem("Apple refused the push key.", credentials=True),
    "TooManyRequests": Problem("Apple asked to slow down."),
    "TooManyProviderTokenUpdates": Problem("Apple asked to slow down."),
    "InternalServerError": Problem("Apple's push service is in trouble."),
    "ServiceUnavailable": Problem("Apple's push service is in trouble."),
    "Shutdown": Problem("Apple's push service is restarting."),
}
_TOKEN = re.compile(r"[0-9A-Za-z]{1,200}")  # it becomes part of a path
_UNKNOWN = Problem("Apple's push service refused the message.")

#: Seconds after which a new provider token is made: Apple wants 20 to 60 minutes.
RENEW_AFTER = 40 * 60
#: How long Apple keeps a push for a phone that is off: afterwards the next step has long been there.
KEEP = timedelta(minutes=30)
#: Seconds for all devices of one person together.
DEADLINE = 14.0
#: Codes of a bundle that the payload names: the rest stands on the page behind its link.
MOST_CODES = 50
CATEGORY = "ESCALATION"  # names the action button in the app
#: A question shows on a locked phone, without a sound; that it is over only stands in the list.
LEVELS: Mapping[Purpose, str] = {Purpose.ALL_CLEAR: "passive", Purpose.STILL_ON_IT: "active"}


class Options(Schema):
    """What stands under the channel's name in the config."""

    team_id = fields.String(
        required=True, validate=validate.Regexp(r"[A-Z0-9]{10}$"), metadata={"meaning": "the organisation at Apple"}
    )
    key_id = fields.String(
        required=True, validate=validate.Regexp(r"[A-Z0-9]{10}$"), metadata={"meaning": "the name of the push key"}
    )
    key_file = fields.String(
        required=True,
        validate=validate.Length(min=1),
        metadata={"meaning": "the push key (.p8) as downloaded from Apple"},
    )
    topic = fields.String(
        required=True,
        validate=validate.Regexp(r"[A-Za-z0-9.-]{1,255}$"),
        metadata={"meaning": "the bundle id of the organisation's iOS app"},
    )
    url = fields.Url(
        load_default="https://api.push.apple.com",
        schemes={"https"},
        require_tld=False,
        metadata={"meaning": "Apple's service, its sandbox, or a proxy"},
    )
    ca_file = fields.String(load_default="", metadata={"meaning": "whom to trust for that host"})


def build(name: str, options: dict[str, Any], shared: Shared) -> "Push":
    """Raises ConfigError when `key_file` or `ca_file` can't be used."""
    pem = read_file(name, "key_file", options["key_file"])
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"Channel {name}: key_file {options['key_file']} holds no private key.") from error
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise ConfigError(f"Channel {name}: key_file {options['key_file']} is not a key of Apple's kind (P-256).")
    context = ssl.create_default_context()
    if options["ca_file"]:
        read_file(name, "ca_file", options["ca_file"])
        try:
            context = ssl.create_default_context(cafile=options["ca_file"])
        except ssl.SSLError as error:
            raise ConfigError(f"Channel {name}: ca_file {options['ca_file']} holds no certificate.") from error
    tokens = ProviderToken(options["team_id"], options["key_id"], key)
    return Push(name, options["url"].rstrip("/"), options["topic"], tokens, context, shared.texts)


class ProviderToken:
    """The signed token that proves us to Apple, renewed in time. Thread-safe."""

    def __init__(
        self, team_id: str, key_id: str, key: EllipticCurvePrivateKey, clock: Callable[[], float] = time.time
    ) -> None:
        self._team_id, self._key_id, self._key, self._clock = team_id, key_id, key, clock
        self._lock = threading.Lock()
        self._made_at = float("-inf")
        self._token = ""

    def get(self, *, instead_of: str = "") -> str:
        """The present token; a new one when it is old, or when it is the one that Apple has just called expired."""
        with self._lock:
            now = self._clock()
            if not 0 <= now - self._made_at < RENEW_AFTER or self._token == instead_of:
                claims = {"iss": self._team_id, "iat": int(now)}
                self._token = jwt.encode(claims, self._key, algorithm="ES256", headers={"kid": self._key_id})
                self._made_at = now
            return self._token


class Push:
    """One notification to all devices of one person; it arrived when one of them took it."""

    kind = KIND
    personal = True
    acknowledges = True
    lease = 20.0

    def __init__(
        self,
        name: str,
        url: str,
        topic: str,
        tokens: ProviderToken,
        context: ssl.SSLContext,
        texts: Texts = BUILT_IN,
    ) -> None:
        self.name = name
        self._texts = texts
        self._url, self._topic, self._tokens = url, topic, tokens
        self._client = PerProcess(lambda: _client(context), httpx.Client.close)

    def address(self, contact: Contact) -> str:
        return ",".join(contact.push)

    def deliver(self, message: Message) -> Receipt:
        """Pushes to every device. Raises Undelivered only when none took it."""
        devices = message.contacts[0].push
        if not devices:
            raise Undelivered("No device is paired.", permanent=True)
        body = json.dumps(compose(message, self._texts), ensure_ascii=False, separators=(",", ":")).encode(
            "utf-8", "replace"
        )
        accepted = ""
        dead: list[tuple[str, Undelivered]] = []
        failed: list[tuple[str, Undelivered]] = []
        end = time.monotonic() + DEADLINE
        for device in devices:
            try:
                accepted = self._push(message, device, body, end)
            except Undelivered as error:
                (dead if error.permanent else failed).append((device, error))
        gone = tuple(device for device, _ in dead)
        if accepted:
            return Receipt(provider_id=accepted, detail="accepted", dead=gone)
        first = failed[0][1] if failed else dead[0][1]
        first.dead = gone
        raise first

    def find(self, message: Message) -> Receipt | None:
        """None: sending again is safe, it replaces the first one under its collapse id."""
        return repeat(message)

    def _push(self, message: Message, device: str, body: bytes, end: float) -> str:
        """The apns-id under which Apple took it, by `end` (monotonic). Raises Undelivered."""
        if not _TOKEN.fullmatch(device):
            raise Undelivered(PROBLEMS["BadDeviceToken"].sentence, permanent=True)
        token = self._tokens.get()
        response = self._post(message, device, body, token, end)
        if response.status_code == 403 and _reason(response) == "ExpiredProviderToken":
            response = self._post(message, device, body, self._tokens.get(instead_of=token), end)
        if response.status_code == 200:
            return apns_id(message, device)
        reason = _reason(response)
        problem = PROBLEMS.get(reason) or _by_status(response.status_code)
        after = response.headers.get("retry-after", "")
        raise Undelivered(
            problem.sentence,
            details=f"HTTP {response.status_code} {reason if reason in PROBLEMS else ''}".strip(),
            permanent=problem.dead,
            credentials=problem.credentials,
            retry_after=float(after) if after.isdecimal() else None,
        )

    def _post(self, message: Message, device: str, body: bytes, token: str, end: float) -> httpx.Response:
        headers = {
            "authorization": f"bearer {token}",
            "apns-topic": self._topic,
            "apns-push-type": "alert",
            "apns-id": apns_id(message, device),
            "apns-expiration": str(int((message.sent_at + KEEP).timestamp())),
            "apns-priority": "5" if message.purpose is Purpose.ALL_CLEAR else "10",
        }
        if collapse := collapse_id(message):
            headers["apns-collapse-id"] = collapse
        url = f"{self._url}/3/device/{device}"
        try:
            try:
                return self._client.get().post(url, content=body, headers=headers, timeout=_timeout(end))
            except (httpx.NetworkError, httpx.ProtocolError) as error:
                if isinstance(error, httpx.ConnectError):
                    raise
                # Apple closes idle connections, and HTTP/2 finds out only now. A second one replaces the first.
                return self._client.get().post(url, content=body, headers=headers, timeout=_timeout(end))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Undelivered("Apple's push service could not be reached.", details=type(error).__name__) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Undelivered(
                "The answer of Apple's push service was lost.", details=type(error).__name__, maybe_sent=True
            ) from None


def _timeout(end: float) -> httpx.Timeout:
    """What is left until `end` (monotonic). Raises Undelivered when nothing is."""
    left = end - time.monotonic()
    if left <= 0:
        raise Undelivered("Apple's push service is too slow.")
    return httpx.Timeout(min(READ_TIMEOUT, left), connect=min(CONNECT_TIMEOUT, left))


def _client(context: ssl.SSLContext) -> httpx.Client:
    return httpx.Client(
        http1=False,
        http2=True,
        verify=context,
        limits=httpx.Limits(keepalive_expiry=60),
        trust_env=False,
    )


def apns_id(message: Message, device: str) -> str:
    """The same UUID on every try for this device."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"escalator:{message.id}:{device}"))


def _reason(response: httpx.Response) -> str:
    try:
        reason = response.json()["reason"]
    except (ValueError, KeyError, TypeError):
        return ""
    return reason if isinstance(reason, str) else ""


def _by_status(status: int) -> Problem:
    if status == 403:
        return PROBLEMS["Forbidden"]
    if status == 410:
        return PROBLEMS["Unregistered"]
    if status == 429:
        return PROBLEMS["TooManyRequests"]
    return PROBLEMS["InternalServerError"] if status >= 500 else _UNKNOWN


def compose(message: Message, texts: Texts = BUILT_IN) -> dict[str, Any]:
    """The payload, far below Apple's 4096 bytes whatever the title is."""
    facts = _texts.facts(message, texts.timezone, longest=140)

    title_line = texts.title(message.language, "push/title.txt", facts)
    body_line = texts.line(message.language, "push/body.txt", facts)
    quiet = message.purpose.quiet
    aps: dict[str, Any] = {
        "alert": {"title": _texts.shorten(title_line, 200), "body": _texts.shorten(body_line, 560)},
        "interruption-level": LEVELS.get(message.purpose, "time-sensitive"),
    }
    if not quiet:
        aps["sound"] = "default"
    if message.code:
        aps["thread-id"] = message.code
    escalation: dict[str, Any] = {"code": message.code, "purpose": message.purpose, "url": message.ticket_url}
    if message.also:
        escalation["also"] = [other.code for other in message.also[:MOST_CODES]]
        escalation["count"] = message.count
    if message.acknowledge_url and message.purpose.has_button:
        aps["category"] = CATEGORY
        escalation["acknowledge"] = {"method": "POST", "url": message.acknowledge_url}
    return {"aps": aps, "escalation": escalation}


def proofread(message: Message, texts: Texts) -> None:
    """Composes all that this channel may send for the message."""
    compose(message, texts)


def collapse_id(message: Message) -> str:
    """One notification an escalation on the device; one of its own for what tells of several.

    An all-clear for one of them replaces only what told of that one alone.
    """
    return (message.id if message.also else message.code)[:64]
