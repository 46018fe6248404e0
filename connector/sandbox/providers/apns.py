"""A stand-in for Apple's push service: HTTP/2 over TLS, tokens really verified, pushes kept.

Facts: https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns and the
pages beside it. Times are aware UTC.
"""

import contextlib
import json
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import jwt

from ._server import Stoppable
from ._tls import make_certificates, private_key_file, server_context
from ._wait import Recorder

#: Seconds that a provider token lives.
TOKEN_LIVES = 3600

#: hang: no answer at all · cut: the push is taken, but the connection ends before the answer
Trouble = tuple[int, str] | Literal["hang", "cut"]


@dataclass(frozen=True)
class Push:
    """One push that was accepted."""

    device: str
    headers: Mapping[str, str]
    payload: Any
    at: datetime


@dataclass
class _Stream:
    headers: dict[str, str]
    body: bytearray = field(default_factory=bytearray)


class Apns(Stoppable, Recorder):
    """`with Apns() as apns:`; give `apns.options` to the push channel.

    `key_file` is a real P-256 key in Apple's form, `ca_file` the authority of this server's certificate.
    """

    def __init__(
        self, *, team_id: str = "ABCDE12345", key_id: str = "FGHIJ67890", topic: str = "com.example.desk"
    ) -> None:
        super().__init__()
        self.team_id, self.key_id, self.topic = team_id, key_id, topic
        self._pushes: list[Push] = []
        self._troubles: list[tuple[Trouble, str]] = []
        self._dead: dict[str, str] = {}
        self._tokens: list[str] = []
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._stopping = threading.Event()
        self._listener: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="apns-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        self.ca_file = str(make_certificates(folder))
        self.key_file = str(folder / "key.p8")
        self._key = private_key_file(Path(self.key_file)).public_key()
        self._context = server_context(folder, "h2")
        self._port = 0

    # --- for the story ----------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._port}"

    @property
    def options(self) -> dict[str, Any]:
        return {
            "team_id": self.team_id,
            "key_id": self.key_id,
            "key_file": self.key_file,
            "topic": self.topic,
            "url": self.url,
            "ca_file": self.ca_file,
        }

    @property
    def pushes(self) -> tuple[Push, ...]:
        """What was accepted, oldest first."""
        with self.changed:
            return tuple(self._pushes)

    @property
    def tokens(self) -> tuple[str, ...]:
        """The different provider tokens that were shown, in the order of their first use."""
        with self.changed:
            return tuple(self._tokens)

    def answer_with(self, status: int, reason: str, *, times: int = 1, device: str = "") -> None:
        """The next `times` pushes (to this device, where one is named) are answered so."""
        with self.changed:
            self._troubles += [((status, reason), device)] * times

    def hang(self) -> None:
        """The next push gets no answer."""
        with self.changed:
            self._troubles.append(("hang", ""))

    def cut(self, *, times: int = 1) -> None:
        """The next pushes are taken, and the connection ends before the answer."""
        with self.changed:
            self._troubles += [("cut", "")] * times

    def kill(self, device: str, reason: str = "Unregistered") -> None:
        """The app is gone from this device, for good."""
        with self.changed:
            self._dead[device] = reason

    def start(self) -> None:
        self._stopping.clear()
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, args=(self._listener,), name="apns")
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._listener is None or self._thread is None:
            return
        # Closing alone doesn't wake a thread that waits in accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        self._listener = None
        with self.changed:
            open_now = dict(self._connections)
        for connection, thread in open_now.items():
            _shut(connection)
            thread.join()

    def close(self) -> None:
        """Stops it and takes its keys away; it can't be started again."""
        self.stop()
        self._folder.cleanup()

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- the protocol -----------------------------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(raw,), name="apns-connection")
            with self.changed:
                self._connections[raw] = thread
            thread.start()

    def _serve(self, raw: socket.socket) -> None:
        try:
            with self._context.wrap_socket(raw, server_side=True) as connection:
                with self.changed:
                    self._connections[connection] = self._connections.pop(raw)
                if self._stopping.is_set():
                    return
                try:
                    self._talk(connection)
                finally:
                    with self.changed:
                        self._connections.pop(connection, None)
        except (OSError, ssl.SSLError, h2.exceptions.ProtocolError):
            pass  # the client went away
        finally:
            with self.changed:
                self._connections.pop(raw, None)
            raw.close()

    def _talk(self, connection: ssl.SSLSocket) -> None:
        protocol = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        protocol.initiate_connection()
        connection.sendall(protocol.data_to_send())
        streams: dict[int, _Stream] = {}
        while data := connection.recv(65535):
            for event in protocol.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    streams[event.stream_id] = _Stream(dict(event.headers))  # type: ignore[arg-type]
                elif isinstance(event, h2.events.DataReceived):
                    streams[event.stream_id].body += event.data
                    protocol.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    stream = streams.pop(event.stream_id)
                    status, reason = self._answer(stream)
                    if status == 0:
                        return
                    _respond(protocol, event.stream_id, stream, status, reason)
            connection.sendall(protocol.data_to_send())

    def _answer(self, stream: _Stream) -> tuple[int, str]:
        """Status and reason; status 0 cuts the connection."""
        device = stream.headers[":path"].rpartition("/")[2]
        trouble = self._next_trouble(device)
        if trouble == "hang":
            self._stopping.wait(60)
            return 0, ""
        if isinstance(trouble, tuple):
            self._prove(stream)
            return trouble
        refusal = self._prove(stream) or self._check(stream, device)
        if refusal:
            return refusal
        with self.changed:
            self._pushes.append(Push(device, stream.headers, json.loads(bytes(stream.body)), datetime.now(UTC)))
            self.changed.notify_all()
        return (0, "") if trouble == "cut" else (200, "")

    def _next_trouble(self, device: str) -> Trouble | None:
        with self.changed:
            for index, (trouble, wanted) in enumerate(self._troubles):
                if wanted in ("", device):
                    del self._troubles[index]
                    return trouble
            return None

    def _prove(self, stream: _Stream) -> tuple[int, str] | None:
        scheme, _, token = stream.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return 403, "MissingProviderToken"
        with self.changed:
            if token not in self._tokens:
                self._tokens.append(token)
        try:
            claims = jwt.decode(token, self._key, algorithms=["ES256"], options={"verify_iat": False})
            genuine = jwt.get_unverified_header(token).get("kid") == self.key_id and claims["iss"] == self.team_id
            age = time.time() - float(claims["iat"])
        except (jwt.InvalidTokenError, KeyError, ValueError):
            return 403, "InvalidProviderToken"
        if not genuine:
            return 403, "InvalidProviderToken"
        return (403, "ExpiredProviderToken") if age > TOKEN_LIVES else None

    def _check(self, stream: _Stream, device: str) -> tuple[int, str] | None:
        headers = stream.headers
        if headers.get("apns-topic") != self.topic:
            return 400, "TopicDisallowed"
        if len(headers.get("apns-collapse-id", "")) > 64:
            return 400, "BadCollapseId"
        if len(stream.body) > 4096:
            return 413, "PayloadTooLarge"
        if reason := self._dead.get(device):
            return (410 if reason == "Unregistered" else 400), reason
        return None


def _respond(protocol: h2.connection.H2Connection, stream_id: int, stream: _Stream, status: int, reason: str) -> None:
    headers = [(":status", str(status)), ("apns-id", stream.headers.get("apns-id", ""))]
    protocol.send_headers(stream_id, headers, end_stream=not reason)
    if reason:
        protocol.send_data(stream_id, json.dumps({"reason": reason}).encode(), end_stream=True)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it may be closed already
        connection.shutdown(socket.SHUT_RDWR)
