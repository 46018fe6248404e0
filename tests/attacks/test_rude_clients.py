"""Clients that say too much, too slowly, or two things at once, before the real server; it goes on serving others."""

import gzip
import json
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from connector.cli.up import WEB_THREADS, WEB_WORKERS, gunicorn_options
from connector.redis_server import EmbeddedRedis
from connector.sandbox.providers.twilio import Twilio
from connector.web.receiver import LARGE_AT_ONCE
from connector.web.serving import PatientWorker
from tests.web import server as web_server
from tests.web.conftest import HOOK_SECRET, NOWHERE, PUBLIC_URL, config
from tests.web.conftest import World as House
from tests.web.server import Server

from .test_webhooks import BODY, hints, sign
from .workers import CutsAnswersSoon, CutsOnlyInAHurry

MIB = 1024 * 1024
HOOK = b"POST /webhooks/zammad HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture(scope="module")
def environ(redis_server: EmbeddedRedis, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The config of the house, for a server of its own in front of the same Redis."""
    with Twilio(public_url=PUBLIC_URL, deliver_to=NOWHERE) as twilio:
        file = config(tmp_path_factory.mktemp("config"), twilio)
    return {"ESCALATOR_CONFIG": str(file), "REDIS_URL": redis_server.url}


@pytest.fixture(scope="module")
def running(environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("server"), environ)
    try:
        yield started.ready()
    finally:
        started.close()
    for secret in ("canary", HOOK_SECRET, "Traceback"):
        assert secret not in started.log


@pytest.fixture
def server(house: House, running: Server) -> Iterator[Server]:
    """One server for all of these attacks; after each of them it serves others."""
    yield running
    assert serves(running)


@pytest.fixture
def connect(server: Server) -> Iterator[Callable[[], socket.socket]]:
    """Opens connections to the server; they are closed in the end."""
    opened: list[socket.socket] = []

    def one() -> socket.socket:
        opened.append(socket.create_connection(server.address, timeout=30))
        return opened[-1]

    yield one
    for each in opened:
        each.close()


def serves(server: Server) -> bool:
    """Whether somebody else gets through meanwhile: a look, and a webhook with good proof."""
    alive = requests.get(f"{server.url}/healthz", timeout=60).status_code
    stored = requests.post(f"{server.url}/webhooks/zammad", data=BODY, headers=proof(BODY), timeout=60).status_code
    return (alive, stored) == (200, 202)


def proof(raw: bytes) -> dict[str, str]:
    return {"X-Hub-Signature": sign(raw)}


def signed(raw: bytes) -> bytes:
    return f"X-Hub-Signature: {sign(raw)}\r\n".encode()


def everything(one: socket.socket) -> bytes:
    """What the server says until it hangs up, or has been silent for a moment."""
    one.settimeout(7)
    said = b""
    with suppress(OSError):
        while more := one.recv(65536):
            said += more
    return said


def test_an_honest_client_is_served(server: Server) -> None:
    assert serves(server)


SMUGGLED = b"POST /webhooks/zammad HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"

#: Requests in which two readers see a different end: what one takes for a body, the other takes for a request.
TWO_FACED = {
    "a length and chunks": HOOK + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "two lengths": HOOK + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + SMUGGLED,
    "a list of lengths": HOOK + b"Content-Length: 0, 44\r\n\r\n" + SMUGGLED,
    "a length with a plus": HOOK + b"Content-Length: +0\r\n\r\n" + SMUGGLED,
    "a length in hex": HOOK + b"Content-Length: 0x0\r\n\r\n" + SMUGGLED,
    "a space before the colon": HOOK + b"Transfer-Encoding : chunked\r\nContent-Length: 0\r\n\r\n" + SMUGGLED,
    "a tab in the coding": HOOK + b"Transfer-Encoding:\tchunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "an unknown coding": HOOK + b"Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n\r\n" + SMUGGLED,
    "two codings": HOOK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "a folded header": HOOK + b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 0\r\n\r\n" + SMUGGLED,
    "a name with a line end": HOOK + b"X\rTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n" + SMUGGLED,
    "a zero byte": HOOK + b"X: a\x00b\r\nContent-Length: 0\r\n\r\n" + SMUGGLED,
    "an underscore": HOOK + b"Content_Length: 44\r\nContent-Length: 0\r\nX-Hub_Signature: x\r\n\r\n",
    "a chunk longer than it says": HOOK + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{}}}\r\n0\r\n\r\n",
    "a chunk of a negative size": HOOK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n",
    "a chunk size of a kilobyte": HOOK + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 1024 + b"2\r\n{}\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("attack", TWO_FACED)
def test_no_second_request_is_smuggled_in_and_no_proof_comes_of_it(
    house: House, server: Server, connect: Callable[[], socket.socket], attack: str
) -> None:
    one = connect()
    one.sendall(TWO_FACED[attack])
    one.shutdown(socket.SHUT_WR)
    statuses = [line.split(b" ")[1] for line in everything(one).split(b"HTTP/1.1")[1:] for line in [b"x" + line]]
    assert statuses
    assert set(statuses) <= {b"400", b"401", b"429", b"501"}
    assert hints(house) == []


@pytest.mark.parametrize("name", ["X_Hub_Signature", "X-Hub-Signature ", "X-Hub-Signature\t"])
def test_no_other_spelling_of_the_signatures_header_is_one(
    house: House, server: Server, connect: Callable[[], socket.socket], name: str
) -> None:
    one = connect()
    length = f"Content-Length: {len(BODY)}\r\n"
    one.sendall(HOOK + f"{name}: {sign(BODY)}\r\n{length}Connection: close\r\n\r\n".encode() + BODY)
    assert everything(one).split(b" ")[1] in (b"400", b"401", b"429")
    assert hints(house) == []


def test_what_stands_behind_a_body_is_a_request_of_its_own(
    house: House, server: Server, connect: Callable[[], socket.socket]
) -> None:
    """Pipelined after good proof: the second one needs its own."""
    other = BODY.replace(b"42", b"43")
    one = connect()
    first = HOOK + signed(BODY) + f"Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY
    one.sendall(first + HOOK + f"Connection: close\r\nContent-Length: {len(other)}\r\n\r\n".encode() + other)
    said = everything(one)
    assert [part.split(b" ")[1] for part in said.split(b"HTTP/1.1")[1:]] == [b"202", b"401"]
    assert hints(house) == ["42"]


# --- large ---------------------------------------------------------------------------------------------------------


def memory(server: Server) -> int:
    """Bytes of all its processes together."""
    top = psutil.Process(server.popen.pid)
    return sum(process.memory_info().rss for process in [top, *top.children(recursive=True)])


def bomb() -> bytes:
    """1 GiB of spaces around a hint, packed into a megabyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packer.compress(BODY)]
    parts += [packer.compress(b" " * MIB) for _ in range(1024)]
    return b"".join([*parts, packer.flush()])


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "identity, gzip"])
def test_what_is_packed_is_never_unpacked(house: House, server: Server, coding: str) -> None:
    """Proof is over the bytes as they came; a helpdesk sends none that are packed."""
    raw = gzip.compress(BODY)
    for body in (raw, bomb() if coding == "gzip" else raw):
        before = memory(server)
        headers = {**proof(body), "Content-Encoding": coding, "Content-Type": "application/json"}
        answer = requests.post(f"{server.url}/webhooks/zammad", data=body, headers=headers, timeout=30)
        assert (answer.status_code, answer.json()["error"]) == (400, "not_json")
        assert memory(server) - before < 100 * MIB
    assert hints(house) == []


def test_thirty_megabytes_without_proof_from_many_at_once_leave_no_memory_behind(server: Server) -> None:
    """A body must be there as a whole to be proven, so that few are read at a time; the others are put off."""
    body = b"x" * (30 * MIB)

    highest, over = [0], threading.Event()

    def once() -> None:
        with suppress(requests.RequestException):
            requests.post(f"{server.url}/webhooks/zammad", data=body, headers={"X-Hub-Signature": "sha1=0"}, timeout=60)

    def watch() -> None:
        while not over.wait(0.02):
            highest[0] = max(highest[0], memory(server))

    before = memory(server)
    threads = [threading.Thread(target=once) for _ in range(24)]
    watcher = threading.Thread(target=watch)
    for thread in [watcher, *threads]:
        thread.start()
    for thread in threads:
        thread.join()
    over.set()
    watcher.join()
    assert highest[0] - before < 3 * WEB_WORKERS * LARGE_AT_ONCE * 30 * MIB  # buffers double while they grow
    assert memory(server) - before < 100 * MIB


@pytest.mark.parametrize("path", ["/api/v1/escalations", "/callbacks/twilio/sms", "/ack/x.AAAA", "/healthz"])
def test_everywhere_else_a_megabyte_is_the_most(server: Server, path: str) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": "Bearer canary"}
    answer = requests.post(f"{server.url}{path}", data=b"a=" + b"x" * (3 * MIB), headers=form, timeout=30)
    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize(
    "fields", [b"&".join(b"a%d=b" % n for n in range(100_000)), b"a=b;" * 200_000, b"%" * 900_000, b"=" * 900_000]
)
def test_a_form_of_a_hundred_thousand_fields_is_no_work(server: Server, fields: bytes) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": "canary"}
    answer = requests.post(f"{server.url}/callbacks/twilio/sms", data=fields, headers=form, timeout=20)
    assert answer.status_code in (403, 413, 429)


@pytest.mark.parametrize("parts", [2, 5000])
def test_a_form_in_parts_is_bounded_too(server: Server, parts: int) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="a"; filename="../../etc/passwd"\r\n\r\nx\r\n'
    form = {"Content-Type": "multipart/form-data; boundary=b", "X-Twilio-Signature": "canary"}
    answer = requests.post(
        f"{server.url}/callbacks/twilio/sms", data=part * parts + b"--b--\r\n", headers=form, timeout=20
    )
    assert answer.status_code in (403, 413, 429)


DEEP = {
    "lists": b"[" * 5_000_000,
    "objects": b'{"a":' * 1_000_000,
    "closed lists": b'{"ticket": {"id": 42, "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
    "a number of a million digits": b'{"ticket": {"id": ' + b"9" * 1_000_000 + b"}}",
    "a million keys alike": b"{" + b'"a":1,' * 1_000_000 + b'"b":1}',
    "a text of escapes": b'{"ticket": {"id": "' + b"\\u0034" * 1_000_000 + b'"}}',
}


@pytest.mark.parametrize("attack", DEEP)
def test_deep_or_endless_json_is_refused_and_costs_little(house: House, server: Server, attack: str) -> None:
    raw = DEEP[attack]
    answer = requests.post(f"{server.url}/webhooks/zammad", data=raw, headers=proof(raw), timeout=30)
    assert answer.status_code in (400, 422)
    assert hints(house) == []


# --- slow ----------------------------------------------------------------------------------------------------------

MORE_THAN_THREADS = WEB_WORKERS * WEB_THREADS + 32


@pytest.fixture
def served_by(
    house: House, environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[type[PatientWorker]], Server]]:
    """Starts a server with another worker class; it is ended with the test, and serves others then."""
    started: list[Server] = []

    def start(worker: type[PatientWorker]) -> Server:
        usual, other = (f"{each.__module__}.{each.__name__}" for each in (PatientWorker, worker))
        options = [option.replace(usual, other) for option in gunicorn_options()]
        monkeypatch.setattr(web_server, "gunicorn_options", lambda: options)
        started.append(Server(tmp_path, environ))
        return started[0].ready()

    yield start
    for one in started:
        try:
            assert serves(one)
        finally:
            one.close()


def test_more_silent_and_dripping_clients_than_threads_stop_nobody(
    served_by: Callable[[type[PatientWorker]], Server],
) -> None:
    """While every thread is taken, those that take long to say what they want are cut off after 3 s instead of 15."""
    server = served_by(CutsOnlyInAHurry)
    starts = [b"", HOOK, HOOK + b"Content-Length: 1000000\r\n\r\n{", HOOK + b"Transfer-Encoding: chunked\r\n\r\nff"]
    with ExitStack() as closed:
        slow = [closed.enter_context(socket.create_connection(server.address)) for _ in range(MORE_THAN_THREADS)]
        for number, one in enumerate(slow):
            one.sendall(starts[number % len(starts)])
        over = threading.Event()

        def drip() -> None:
            while not over.wait(0.5):
                for one in slow:
                    with suppress(OSError):
                        one.send(b"0")

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            assert serves(server)
        finally:
            over.set()
            thread.join()


def test_a_client_that_takes_no_answers_is_cut_off(served_by: Callable[[type[PatientWorker]], Server]) -> None:
    """It asks again and again on one connection and reads nothing, until the answers fill all buffers."""
    server = served_by(CutsAnswersSoon)
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect(server.address)
        one.settimeout(100)
        with pytest.raises(ConnectionError):
            one.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 400_000)


def test_a_client_that_hangs_up_in_the_middle_leaves_no_trace(
    house: House, server: Server, connect: Callable[[], socket.socket]
) -> None:
    for length in range(0, 200, 7):
        whole = HOOK + signed(BODY) + f"Content-Length: {len(BODY) + 50}\r\n\r\n".encode() + BODY
        one = connect()
        one.sendall(whole[: length * 2])
        one.close()
    assert requests.get(f"{server.url}/healthz", timeout=60).status_code == 200
    assert hints(house) == []
    assert "Traceback" not in server.log


def test_a_promise_of_a_body_that_is_too_large_is_answered_before_it_comes(
    server: Server, connect: Callable[[], socket.socket]
) -> None:
    one = connect()
    one.sendall(HOOK + b"Expect: 100-continue\r\nContent-Length: 99999999999\r\n\r\n")
    answer = HTTPResponse(one)
    answer.begin()
    assert (answer.status, json.load(answer)["error"]) == (413, "too_large")


@pytest.mark.parametrize("headers", [5, 5000])
def test_thousands_of_headers_are_refused(server: Server, headers: int) -> None:
    connection = HTTPConnection(*server.address, timeout=30)
    connection.putrequest("GET", "/healthz")
    for number in range(headers):
        connection.putheader(f"X-{number}", "canary")
    with suppress(ConnectionError):  # it has hung up before all were sent
        connection.endheaders()
    status: Any = None
    with suppress(ConnectionError):
        status = connection.getresponse().status
    connection.close()
    assert status in ((200,) if headers < 10 else (None, 400, 431))
