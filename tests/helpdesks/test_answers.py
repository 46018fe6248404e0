"""An answer without an end fills nobody's memory, and the connection that brought it is given up."""

import gzip
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from connector.errors import HelpdeskAway
from connector.helpdesks import _answers
from connector.helpdesks.zammad.client import Client as Zammad
from connector.helpdesks.znuny.client import Client as Znuny

MOST = 256 * 1024  # bytes in these tests
CHUNK = b"[" + b" " * 65535
Write = Callable[[bytes], object]


def endless(write: Write) -> None:
    """Until the other side hangs up."""
    for _ in range(10_000):
        write(b"%x\r\n%s\r\n" % (len(CHUNK), CHUNK))


class Odd(ThreadingHTTPServer):
    """Answers `/packed` with a small gzip of a large body, `/fits` with a large one that fits, all else endlessly."""

    daemon_threads = False

    def __init__(self) -> None:
        self.hung_up = threading.Event()
        self.connections: set[int] = set()
        odd = self

        class Answering(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                odd.connections.add(self.client_address[1])
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                packed = gzip.compress(b" " * (MOST * 4) + b"{}")
                whole = packed if "packed" in self.path else b'"%s"' % (b"x" * (MOST - 2))
                if "packed" in self.path or "fits" in self.path:
                    if whole is packed:
                        self.send_header("Content-Encoding", "gzip")
                    self.send_header("Content-Length", str(len(whole)))
                    self.end_headers()
                    self.wfile.write(whole)
                    return
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                try:
                    endless(self.wfile.write)
                except OSError:
                    odd.hung_up.set()
                self.close_connection = True

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Answering)

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
    server.server_close()
    thread.join()


def test_as_much_as_is_allowed_is_taken_in_over_one_connection(odd: Odd) -> None:
    zammad = Zammad(odd.url, "token")
    assert len(zammad.get("/fits")) == len(zammad.get("/fits")) == MOST - 2
    assert len(odd.connections) == 1


def test_an_endless_answer_of_zammads_is_given_up_and_may_have_done_what_was_asked(odd: Odd) -> None:
    with pytest.raises(HelpdeskAway, match="too large") as caught:
        Zammad(odd.url, "token").write("POST", "/ticket_articles", {})
    assert caught.value.maybe_done
    assert odd.hung_up.wait(30)


def test_so_is_one_of_znunys(odd: Odd) -> None:
    with pytest.raises(HelpdeskAway, match="too large") as caught:
        Znuny(odd.url, "Escalation", "user", "password").tickets(["6"])
    assert not caught.value.maybe_done
    assert odd.hung_up.wait(30)


def test_what_only_unpacks_to_too_much_is_too_large_as_well(odd: Odd) -> None:
    with pytest.raises(HelpdeskAway, match="too large"):
        Zammad(odd.url, "token").get("/packed")


def test_a_client_goes_on_after_it(odd: Odd) -> None:
    zammad = Zammad(odd.url, "token")
    for _ in range(6):  # more than it has places for
        with pytest.raises(HelpdeskAway):
            zammad.get("/endless")
    assert len(zammad.get("/fits")) == MOST - 2


def test_both_helpdesks_are_bounded_for_either_scheme() -> None:
    session = _answers.bound(requests.Session())
    for url in ("http://desk.example.com", "https://desk.example.com"):
        assert isinstance(session.get_adapter(url), _answers._Adapter)
    assert _answers.LARGEST == 64 * 1024 * 1024
