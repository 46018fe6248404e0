"""The server's worker class: gunicorn's threads, but nobody may take for ever to send a request or take its answer.

gunicorn reads a request and writes its answer in one thread, without a limit of time: as many clients as there are
threads, each sending (or taking) a byte now and then, would stop everybody else. Here a request has READ_WITHIN seconds
to arrive, or HURRY_WITHIN while every thread is taken, and ANSWER_WITHIN until its answer is gone. A proxy that buffers
both (any does by default) keeps slow clients away altogether.
"""

import ctypes
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
HURRY_WITHIN = 3.0  # seconds; a helpdesk that is cut off then tries again, and the sweep finds what it told
ANSWER_WITHIN = 60.0  # seconds from the beginning; nothing of ours takes as long


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Ends the reading side of connections that have kept a thread for too long, and at last both sides."""

    read_within, hurry_within, answer_within = READ_WITHIN, HURRY_WITHIN, ANSWER_WITHIN

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._began: dict[TConn, float] = {}

    def init_process(self) -> None:
        give_back_large_blocks()
        super().init_process()

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
        now, all_taken = time.monotonic(), len(self._began) >= self.cfg.threads
        self._cut_off(now - (self.hurry_within if all_taken else self.read_within), socket.SHUT_RD)
        self._cut_off(now - self.answer_within, socket.SHUT_RDWR)

    def run(self) -> None:
        super().run()
        self._cut_off(time.monotonic(), socket.SHUT_RDWR)  # else their threads would keep this process from ending

    def _cut_off(self, before: float, side: int) -> None:
        for conn, began in list(self._began.items()):
            if began <= before:
                with suppress(OSError):  # it has been closed meanwhile
                    conn.sock.shutdown(side)


def give_back_large_blocks() -> None:
    """Has the C library return a large body's memory at once.

    glibc would learn from the first one to keep such blocks, in a heap for each thread
    (https://man7.org/linux/man-pages/man3/mallopt.3.html, M_MMAP_THRESHOLD). Others know no mallopt and need none.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(-3, 1024 * 1024)
