"""A receiver for signed documents (Standard Webhooks, https://www.standardwebhooks.com), and for any other POST."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError
from werkzeug.wrappers import Request, Response

from ._server import HttpServer, Stoppable, hang_up
from ._tls import make_certificates, server_context
from ._wait import Recorder

#: In place of a status: the request is taken, and the connection ends before the answer, or no answer comes.
CUT, HANG = 0, -1

SECRET = "whsec_" + "c3RhbmQtaW4gc2VjcmV0IGZvciB0ZXN0cw=="


@dataclass(frozen=True)
class Posted:
    """One request. `genuine`: its signature is ours; `document` is its JSON ({} where there is none)."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    document: Any
    genuine: bool
    at: datetime

    @property
    def id(self) -> str:
        return self.headers.get("webhook-id", "")


class Receiver(Stoppable, Recorder):
    """`with Receiver() as receiver:`; give `receiver.url` and `receiver.secret`.

    It answers 200 until told otherwise. certificates: a folder in which to make some; then it speaks https.
    """

    def __init__(self, *, secret: str = SECRET, port: int = 0, certificates: Path | None = None) -> None:
        super().__init__()
        self.secret = secret
        self._webhook = Webhook(secret)
        self._received: list[Posted] = []
        self._answers: list[tuple[int, str, Mapping[str, str]]] = []
        self._usual: tuple[int, str, Mapping[str, str]] = (200, "", {})
        self._stopping = threading.Event()
        self.ca_file = str(make_certificates(certificates)) if certificates else ""
        context = server_context(certificates) if certificates else None
        self._server = HttpServer(self._answer, port=port, context=context)

    @property
    def base(self) -> str:
        return self._server.url

    @property
    def url(self) -> str:
        return self.base + "/hooks/1"

    @property
    def received(self) -> tuple[Posted, ...]:
        with self.changed:
            return tuple(self._received)

    def answer_with(self, status: int, body: str = "", *, times: int = 0, **headers: str) -> None:
        """From now on this is the answer (`times=0`), or to the next `times` requests. Header names with `_`."""
        answer = (status, body, {name.replace("_", "-"): value for name, value in headers.items()})
        with self.changed:
            if times:
                self._answers += [answer] * times
            else:
                self._usual = answer

    def start(self) -> None:
        self._stopping.clear()
        self._server.start()

    def stop(self) -> None:
        self._stopping.set()
        self._server.stop()

    def _answer(self, request: Request) -> Response:
        body = request.get_data()
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            self._webhook.verify(body, headers, json_parse=False)
            genuine = True
        except (WebhookVerificationError, ValueError):
            genuine = False
        try:
            document = json.loads(body)
        except ValueError:
            document = {}
        with self.changed:
            self._received.append(Posted(request.full_path, headers, body, document, genuine, datetime.now(UTC)))
            status, text, more = self._answers.pop(0) if self._answers else self._usual
            self.changed.notify_all()
        if status == HANG:
            self._stopping.wait(60)
        if status in (CUT, HANG):
            return hang_up(request)
        return Response(text, status=status, headers=dict(more), mimetype="text/xml")
