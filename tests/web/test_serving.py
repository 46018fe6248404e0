"""The app behind its real server: slow, lying and rude clients don't stop the others."""

import json
import socket
import threading
import time
from http.client import HTTPResponse

import pytest
import requests

from .conftest import HOOK_SECRET
from .server import Server
from .test_receiver import hints, proof

MIB = 1024 * 1024


@pytest.fixture
def server(world, redis_server, tmp_path):
    environ = {"ESCALATOR_CONFIG": str(tmp_path / "escalation.yml"), "REDIS_URL": redis_server.url}
    running = Server(tmp_path, environ)
    yield running.ready()
    running.close()


@pytest.fixture
def sockets(server):
    """Opens connections to the server; they are closed in the end."""
    opened = []

    def connection():
        one = socket.create_connection(server.address, timeout=30)
        opened.append(one)
        return one

    yield connection
    for one in opened:
        one.close()


def post(server, raw, **headers):
    return requests.post(f"{server.url}/webhooks/zammad", data=raw, headers={**proof(raw), **headers}, timeout=30)


def test_a_webhook_is_stored(world, server):
    answer = post(server, b'{"ticket": {"id": 42}}')
    assert (answer.status_code, answer.content) == (202, b'{"Success": 1}')
    assert hints(world) == ["42"]


def test_forty_dripping_clients_stop_nobody_and_are_cut_off(world, server, sockets):
    dripping = [sockets() for _ in range(40)]
    for number, one in enumerate(dripping):
        if number % 2:
            one.sendall(b"POST /webhooks/zammad HTTP/1.1\r\nHost: x\r\nContent-Le")
        else:
            one.sendall(b"POST /webhooks/zammad HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{")
    over = threading.Event()

    def drip():
        while not over.wait(0.5):
            for one in dripping:
                try:
                    one.send(b"x")
                except OSError:
                    continue

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        slowest = 0.0
        began = time.monotonic()
        while time.monotonic() - began < 3:
            asked = time.monotonic()
            assert requests.get(f"{server.url}/healthz", timeout=5).status_code == 200
            assert post(server, b'{"ticket": {"id": 42}}').status_code == 202
            slowest = max(slowest, time.monotonic() - asked)
        assert slowest < 1
        for one in dripping:
            one.settimeout(25)
            answer = one.recv(4096)
            assert answer == b"" or answer.startswith(b"HTTP/1.1 400")
    finally:
        over.set()
        thread.join()


def test_a_body_shorter_than_it_said_stores_nothing(world, server, sockets):
    one = sockets()
    raw = b'{"ticket": {"id": 42}}'
    head = "".join(f"{name}: {value}\r\n" for name, value in proof(raw).items())
    one.sendall(f"POST /webhooks/zammad HTTP/1.1\r\nHost: x\r\n{head}Content-Length: 900\r\n\r\n".encode() + raw)
    one.shutdown(socket.SHUT_WR)
    answer = HTTPResponse(one)
    answer.begin()
    assert (answer.status, json.load(answer)["error"]) == (400, "bad_request")
    assert hints(world) == []


@pytest.mark.parametrize("chunks", [b"zz\r\n{}\r\n0\r\n\r\n", b"5\r\n{}", b"2\r\n{}XX0\r\n\r\n"])
def test_chunks_that_are_none_are_a_bad_request(server, sockets, chunks):
    one = sockets()
    one.sendall(b"POST /webhooks/zammad HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    one.shutdown(socket.SHUT_WR)
    answer = HTTPResponse(one)
    answer.begin()
    assert (answer.status, json.load(answer)["error"]) == (400, "bad_request")


def test_a_body_longer_than_it_said_is_cut_there(world, server, sockets):
    one = sockets()
    raw = b'{"ticket": {"id": 42}}'
    head = "".join(f"{name}: {value}\r\n" for name, value in proof(raw).items())
    one.sendall(
        f"POST /webhooks/zammad HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(raw)}\r\n\r\n".encode()
        + raw
        + b"junk"
    )
    assert one.recv(4096).startswith(b"HTTP/1.1 202")
    assert hints(world) == ["42"]


@pytest.mark.parametrize("length", ["-1", "1e3", "abc", "1, 2"])
def test_a_length_that_is_none_is_a_bad_request(world, server, sockets, length):
    one = sockets()
    one.sendall(f"POST /webhooks/zammad HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{{}}".encode())
    assert one.recv(4096).split(b"\r\n")[0].split(b" ")[1] == b"400"
    assert requests.get(f"{server.url}/healthz", timeout=5).status_code == 200


def test_more_than_30_mib_in_chunks_is_refused_while_it_comes(world, server, sockets):
    one = sockets()
    one.sendall(b"POST /webhooks/zammad HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"100000\r\n" + b"x" * MIB + b"\r\n"
    sent = 0
    try:
        for _ in range(200):
            one.sendall(chunk)
            sent += 1
    except OSError:
        pass  # the server doesn't read on
    assert 30 <= sent < 100
    assert one.recv(4096).startswith(b"HTTP/1.1 413")
    assert world.counter("webhooks_too_large") == 1
    assert requests.get(f"{server.url}/healthz", timeout=5).status_code == 200


RUDE = [
    b"GET /ack/canary-token HTTP/9.9\r\n\r\n",
    b"GET /ack/canary-token and more HTTP/1.1\r\n\r\n",
    b"canary-token\r\n\r\n",
    b"GET / HTTP/1.1\r\nAuthorization canary-token\r\n\r\n",
    b"GET / HTTP/1.1\r\nX: " + b"canary" * 5000 + b"\r\n\r\n",
    b"GET /ack/" + b"canary" * 5000 + b" HTTP/1.1\r\n\r\n",
    b"POST /ack/canary HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\ncanary\r\n",
]


@pytest.mark.parametrize("rude", RUDE[:5])
def test_what_is_no_request_gets_a_json_error_that_repeats_nothing(server, sockets, rude):
    one = sockets()
    one.sendall(rude)
    answer = HTTPResponse(one)
    answer.begin()
    said = json.load(answer)
    assert 400 <= answer.status < 500
    assert set(said) == {"error", "message"}
    assert "canary" not in str(said)


def test_nothing_secret_is_in_the_servers_log(world, server, sockets):
    raw = b'{"ticket": {"id": 42, "title": "canary-title"}}'
    post(server, raw)
    post(server, raw, **{"X-Hub-Signature": "sha1=canary-proof"})
    requests.post(f"{server.url}/ack/canary-token.AAAA", timeout=5)
    for rude in RUDE:
        one = sockets()
        one.sendall(rude)
        assert one.recv(4096).startswith(b"HTTP/1.1 4")
    world.services.redis.delete("escalator:epoch")
    post(server, raw)
    for canary in ("canary", HOOK_SECRET):
        assert canary not in server.log
