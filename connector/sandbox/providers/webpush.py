"""A stand-in for a browser and its push service: checks the VAPID token, decrypts what was sent, and keeps it.

Facts: RFC 8030 (protocol), RFC 8188 and 8291 (encryption), RFC 8292 (VAPID). It speaks https on the loopback.
"""

import base64
import json
import secrets
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import http_ece
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from werkzeug.wrappers import Request, Response

from ._server import HttpServer, Stoppable, hang_up
from ._tls import make_certificates, server_context
from ._wait import Recorder

#: In place of a status: the request is taken, and the connection ends before the answer, or no answer comes.
CUT, HANG = 0, -1
#: RFC 8292, 2: a token that lives longer than a day is refused.
LONGEST_TOKEN = 24 * 3600
LARGEST = 4096  # bytes, RFC 8030, 7.2


@dataclass(frozen=True)
class Pushed:
    """One push that was accepted, decrypted. `claims` are those of its VAPID token."""

    device: str
    headers: Mapping[str, str]
    payload: Any
    claims: Mapping[str, Any]
    size: int
    at: datetime


class Browser:
    """One subscription of a browser, with the keys that only it has."""

    def __init__(self, endpoint: str, application_server_key: str = "") -> None:
        self.endpoint = endpoint
        self.application_server_key = application_server_key  # who may push; "" for anybody with a good token
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.secret = secrets.token_bytes(16)

    @property
    def name(self) -> str:
        return self.endpoint.rpartition("/")[2]

    def subscription(self) -> dict[str, Any]:
        """What `PushSubscription.toJSON()` tells the page."""
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {
            "endpoint": self.endpoint,
            "expirationTime": None,
            "keys": {"p256dh": _b64(point), "auth": _b64(self.secret)},
        }

    def decrypt(self, body: bytes) -> Any:
        """Raises http_ece.ECEException and ValueError for what wasn't encrypted for this browser."""
        return json.loads(http_ece.decrypt(body, private_key=self.key, auth_secret=self.secret, version="aes128gcm"))


class PushService(Stoppable, Recorder):
    """`with PushService() as service:`; `service.browser()` subscribes one more browser.

    `options` is all of a webpush channel's config but its private key. It answers 201 until told otherwise.
    """

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(prefix="webpush-", ignore_cleanup_errors=True)
        self.ca_file = str(make_certificates(Path(self._folder.name)))
        self._browsers: dict[str, Browser] = {}
        self._gone: set[str] = set()
        self._pushes: list[Pushed] = []
        self._troubles: list[int] = []
        self._retry_after = ""
        self._stopping = threading.Event()
        self._server = HttpServer(self._answer, context=server_context(Path(self._folder.name)))

    # --- for the story ----------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def options(self) -> dict[str, Any]:
        return {"subject": "mailto:desk@example.com", "ca_file": self.ca_file, "allow_private": True}

    @property
    def pushes(self) -> tuple[Pushed, ...]:
        """What was accepted, oldest first."""
        with self.changed:
            return tuple(self._pushes)

    def browser(self, application_server_key: str = "", name: str = "") -> Browser:
        browser = Browser(f"{self.url}/push/{name or secrets.token_urlsafe(12)}", application_server_key)
        with self.changed:
            self._browsers[browser.name] = browser
        return browser

    def known(self, name: str) -> Browser | None:
        with self.changed:
            return self._browsers.get(name)

    def answer_with(self, status: int, *, times: int = 1, retry_after: str = "") -> None:
        """The next `times` pushes are answered so."""
        with self.changed:
            self._troubles += [status] * times
            self._retry_after = retry_after

    def unsubscribe(self, browser: Browser) -> None:
        """The page has left that browser, for good."""
        with self.changed:
            self._gone.add(browser.name)

    def start(self) -> None:
        self._stopping.clear()
        self._server.start()

    def stop(self) -> None:
        self._stopping.set()
        self._server.stop()

    def close(self) -> None:
        """Stops it and takes its certificate away; it can't be started again."""
        self.stop()
        self._folder.cleanup()

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- the protocol -----------------------------------------------------------------------------------------------

    def _answer(self, request: Request) -> Response:
        body = request.get_data()
        with self.changed:
            trouble = self._troubles.pop(0) if self._troubles else 201
        if trouble == HANG:
            self._stopping.wait(60)
            return hang_up(request)
        if trouble not in (201, CUT):
            more = {"Retry-After": self._retry_after} if self._retry_after else {}
            return Response("", trouble, headers=more)
        answer = self._take(request, body)
        return hang_up(request) if trouble == CUT else answer

    def _take(self, request: Request, body: bytes) -> Response:
        browser = self._browsers.get(request.path.removeprefix("/push/"))
        if request.method != "POST" or browser is None:
            return Response("", 404)
        if browser.name in self._gone:
            return Response("", 410)
        if len(body) > LARGEST:
            return Response("", 413)
        headers = {name.lower(): value for name, value in request.headers.items()}
        if not headers.get("ttl", "").isdecimal() or headers.get("content-encoding") != "aes128gcm":
            return Response("", 400)
        try:
            claims = self._claims(headers.get("authorization", ""), browser)
        except (jwt.PyJWTError, ValueError):
            return Response("", 403)
        try:
            payload = browser.decrypt(body)
        except (http_ece.ECEException, ValueError):
            return Response("", 400)
        with self.changed:
            self._pushes.append(Pushed(browser.name, headers, payload, claims, len(body), datetime.now(UTC)))
            self.changed.notify_all()
        return Response("", 201, headers={"Location": f"{self.url}/message/{secrets.token_hex(8)}"})

    def _claims(self, authorization: str, browser: Browser) -> dict[str, Any]:
        """The claims of a token made with the key that the browser subscribed for. Raises ValueError, PyJWTError."""
        scheme, _, parameters = authorization.partition(" ")
        given = dict(part.strip().split("=", 1) for part in parameters.split(","))
        if scheme != "vapid" or browser.application_server_key not in ("", given["k"]):
            raise ValueError("not ours")
        raw = base64.urlsafe_b64decode(given["k"] + "=" * (-len(given["k"]) % 4))
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
        required = {"require": ["exp", "aud", "sub"]}
        claims: dict[str, Any] = jwt.decode(given["t"], key, ["ES256"], audience=self.url, options=required)  # type: ignore[arg-type]
        if claims["exp"] > datetime.now(UTC).timestamp() + LONGEST_TOKEN:
            raise ValueError("it lives too long")
        return claims


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
