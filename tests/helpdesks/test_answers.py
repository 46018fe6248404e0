"""An answer without an end fills nobody's memory and holds nobody up; the connection that brought it is given up."""

import contextlib
import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from connector.errors import HelpdeskAway
from connector.helpdesks import _answers
from connector.helpdesks.zammad.client import Client as Zammad
from connector.helpdesks.znuny.client import Client as Znuny

MOST = 256 * 1024  # bytes in these tests
FITS = b'"%s"' % (b"x" * (MOST - 2))
BOMB = gzip.compress(b" " * (MOST * 4) + b"{}")


class Answering(BaseHTTPRequestHandler):
    """Does what the last part of the path says."""

    protocol_version = "HTTP/1.1"
    server: "Odd"

    def do_GET(self) -> None:
        self.server.connections.add(self.client_address[1])
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        try:
            WAYS.get(self.path.rpartition("/")[2], Answering.endless)(self)
        except OSError:
            self.server.hung_up.set()
            self.close_connection = True

    def do_POST(self) -> None:
        self.do_GET()

    def whole(self, body: bytes, length: int | None = None, encoding: str = "") -> None:
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def chunks(self, pieces: Iterator[bytes], end: bytes = b"0\r\n\r\n", encoding: str = "") -> None:
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
        self.wfile.write(end)

    def endless(self) -> None:
        self.chunks(b" " * 65536 for _ in range(10_000))

    def dripping(self) -> None:
        """A byte now and then, sooner than any read timeout."""
        self.send_header("Content-Length", "100000")
        self.end_headers()
        for _ in range(100_000):
            self.wfile.write(b" ")
            if self.server.ending.wait(0.05):
                return

    def cut(self) -> None:
        self.whole(FITS[:1000], len(FITS))
        self.close_connection = True

    def cut_chunks(self) -> None:
        self.chunks(iter([FITS[:1000]]), end=b"")
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


def _pieces(body: bytes) -> Iterator[bytes]:
    yield from (body[start : start + 5000] for start in range(0, len(body), 5000))


WAYS: dict[str, Callable[[Answering], None]] = {
    "whole": lambda it: it.whole(FITS),
    "packed": lambda it: it.whole(gzip.compress(FITS), encoding="gzip"),
    "chunked": lambda it: it.chunks(_pieces(FITS)),
    "chunked-and-packed": lambda it: it.chunks(_pieces(gzip.compress(FITS)), encoding="gzip"),
    "nothing": lambda it: it.whole(b""),
    "bomb": lambda it: it.whole(BOMB, encoding="gzip"),
    "chunked-bomb": lambda it: it.chunks(_pieces(BOMB), encoding="gzip"),
    "no-gzip": lambda it: it.whole(FITS, encoding="gzip"),
    "dripping": Answering.dripping,
    "cut": Answering.cut,
    "cut-chunks": Answering.cut_chunks,
}


class Odd(ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self) -> None:
        self.hung_up, self.ending = threading.Event(), threading.Event()
        self.connections: set[int] = set()
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), Answering)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who gives an answer up resets the connection: nothing to report."""

    def cut_all(self) -> None:
        """Clients keep their connections open for the next call."""
        self.ending.set()
        for connection in list(self.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> Iterator[Odd]:
    monkeypatch.setattr(_answers, "LARGEST", MOST)
    server = Odd()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    server.cut_all()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("way", ["whole", "packed", "chunked", "chunked-and-packed"])
def test_as_much_as_is_allowed_is_taken_in_over_one_connection_however_it_comes(odd: Odd, way: str) -> None:
    zammad = Zammad(odd.url, "token")
    assert zammad.get(f"/{way}") == zammad.get(f"/{way}") == FITS[1:-1].decode()
    assert len(odd.connections) == 1


def test_an_endless_answer_of_zammads_is_given_up_and_may_have_done_what_was_asked(odd: Odd) -> None:
    with pytest.raises(HelpdeskAway, match="too large") as caught:
        Zammad(odd.url, "token").write("POST", "/endless", {})
    assert caught.value.maybe_done
    assert odd.hung_up.wait(30)


def test_so_is_one_of_znunys(odd: Odd) -> None:
    with pytest.raises(HelpdeskAway, match="too large") as caught:
        Znuny(odd.url, "Escalation", "user", "password").tickets(["6"])
    assert not caught.value.maybe_done
    assert odd.hung_up.wait(30)


@pytest.mark.parametrize("way", ["bomb", "chunked-bomb"])
def test_what_only_unpacks_to_too_much_is_too_large_as_well(odd: Odd, way: str) -> None:
    with pytest.raises(HelpdeskAway, match="too large"):
        Zammad(odd.url, "token").get(f"/{way}")


def test_who_drips_holds_a_place_no_longer_than_three_times_our_patience(odd: Odd) -> None:
    zammad = Zammad(odd.url, "token", timeout=0.5)
    with pytest.raises(HelpdeskAway, match="did not answer in time") as caught:
        zammad.write("POST", "/dripping", {})
    assert caught.value.maybe_done
    assert odd.hung_up.wait(30)


@pytest.mark.parametrize("way", ["cut", "cut-chunks", "nothing", "no-gzip"])
def test_what_is_cut_or_broken_is_no_answer(odd: Odd, way: str) -> None:
    with pytest.raises(HelpdeskAway) as caught:
        Zammad(odd.url, "token").write("POST", f"/{way}", {})
    assert caught.value.maybe_done


def test_a_client_goes_on_after_it(odd: Odd) -> None:
    zammad = Zammad(odd.url, "token")
    for way in ("endless", "bomb", "cut", "no-gzip", "endless", "nothing"):  # more than it has places for
        with pytest.raises(HelpdeskAway):
            zammad.get(f"/{way}")
    assert zammad.get("/whole") == FITS[1:-1].decode()


def test_every_answer_has_an_end_for_either_scheme() -> None:
    session = _answers.bound(requests.Session(), 60)
    for url in ("http://desk.example.com", "https://desk.example.com"):
        assert isinstance(session.get_adapter(url), _answers._Adapter)
    assert _answers.LARGEST == 64 * 1024 * 1024
