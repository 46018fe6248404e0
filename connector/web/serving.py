"""The server's worker class: gunicorn's threads, but nobody may take for ever to send a request.

gunicorn reads a request in the thread that answers it, without a limit of time: as many clients as there are threads,
each sending a byte now and then, would stop everybody else. Here a request has READ_WITHIN seconds to arrive; a proxy
that buffers requests (any does by default) keeps slow clients away altogether.
"""

import json
import socket
import time
from contextlib import suppress
from typing import Any

from gunicorn.http import errors  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

from ..faults import describe

#: What gunicorn raises for them, the special ones first.
STATUSES = {
    errors.LimitRequestLine: "414 URI Too Long",
    errors.LimitRequestHeaders: "431 Request Header Fields Too Large",
    errors.ExpectationFailed: "417 Expectation Failed",
    errors.UnsupportedTransferCoding: "501 Not Implemented",
    errors.ParseException: "400 Bad Request",
}

READ_WITHIN = 15.0  # seconds; 30 MiB then need 2 MiB/s, and helpdesks are near


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Ends the reading side of connections that have kept a thread for too long; an answer can still be written."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._began: dict[TConn, float] = {}

    def handle(self, conn: TConn) -> Any:
        self._began[conn] = time.monotonic()
        try:
            return super().handle(conn)
        finally:
            self._began.pop(conn, None)

    def handle_error(self, req: object, client: socket.socket, addr: Any, exc: BaseException) -> None:  # noqa: ARG002
        """What can't be read as a request at all. gunicorn would log and answer its text, which may hold a token."""
        status = next((line for kind, line in STATUSES.items() if isinstance(exc, kind)), "500 Internal Server Error")
        self.log.warning("a request failed before it reached the app: %s", describe(exc))
        words = "This is no request that can be understood." if status[0] != "5" else "Escalator failed here."
        body = json.dumps({"error": status[4:].lower().replace(" ", "_"), "message": words}).encode()
        head = (
            f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        )
        with suppress(OSError):
            client.sendall(head.encode() + b"\r\n\r\n" + body)

    def murder_pending(self) -> None:
        """Called by the main loop at least every second."""
        super().murder_pending()
        self._cut_off(time.monotonic() - READ_WITHIN)

    def run(self) -> None:
        super().run()
        self._cut_off(time.monotonic())  # else their threads would keep this process from ending

    def _cut_off(self, before: float) -> None:
        for conn, began in list(self._began.items()):
            if began <= before:
                with suppress(OSError):  # it has been closed meanwhile
                    conn.sock.shutdown(socket.SHUT_RD)
