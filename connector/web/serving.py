"""The server's worker class: gunicorn's threads, but nobody may take for ever to send a request.

gunicorn reads a request in the thread that answers it, without a limit of time: as many clients as there are threads,
each sending a byte now and then, would stop everybody else. Here a request has READ_WITHIN seconds to arrive; a proxy
that buffers requests (any does by default) keeps slow clients away altogether.
"""

import socket
import time
from contextlib import suppress
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

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
