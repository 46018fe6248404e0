"""An HTTP server on a free port of the loopback that leaves no thread behind."""

import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from werkzeug.serving import BaseWSGIServer, ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wrappers import Request, Response


class _QuietRequests(WSGIRequestHandler):
    # One request a connection: an idle kept-alive one would hold its thread, and so the end of the server.
    protocol_version = "HTTP/1.0"

    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing: paths and addresses of a story are nobody's business."""


class _JoiningServer(ThreadedWSGIServer):
    daemon_threads = False
    block_on_close = True


class Stoppable:
    """A `with` block around `start` and `stop`."""

    def start(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class HttpServer(Stoppable):
    """Answers with `answer`, over TLS where there is a context; `start()` and `stop()`, or a `with` block."""

    def __init__(
        self, answer: Callable[[Request], Response], *, port: int = 0, context: ssl.SSLContext | None = None
    ) -> None:
        self._answer = answer
        self._context = context
        self._port = port
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self._context else 'http'}://127.0.0.1:{self._port}"

    def start(self) -> None:
        app = Request.application(self._answer)
        self._server = _JoiningServer("127.0.0.1", self._port, app, handler=_QuietRequests, ssl_context=self._context)
        self._port = self._server.port  # kept, so that a second start listens where it did before
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name=f"http-{self._port}")
        self._thread.start()

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server = self._thread = None


def hang_up(request: Request) -> Response:
    """Cuts the connection before an answer; what is returned goes nowhere."""
    connection: socket.socket = request.environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    return Response(status=500)
