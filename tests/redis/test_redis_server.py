"""The embedded Redis, and which Redis may be used."""

import os
import re
import shutil
import socket
import stat
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as redis_py

from connector import redis_server as servers
from connector.errors import ConfigError


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data directory; the socket's directory, which lies elsewhere, goes with it."""
    yield tmp_path / "data"
    if socket_path := servers.recorded_socket(tmp_path / "data"):
        shutil.rmtree(socket_path.parent, ignore_errors=True)


def test_a_real_redis_answers_and_keeps_what_was_written(data: Path) -> None:
    with servers.running(data) as embedded:
        servers.connect(embedded.url).set("ticket", "42")

    with servers.running(data) as embedded:
        assert servers.connect(embedded.url).get("ticket") == b"42"


def test_what_was_written_survives_a_kill(data: Path) -> None:
    embedded = servers.prepare(data)
    for answer in (None, b"42"):
        process = subprocess.Popen(embedded.command, stdout=subprocess.DEVNULL)
        try:
            servers.await_ready(process, embedded.ready)
            client = servers.connect(embedded.url)
            assert client.get("ticket") == answer
            client.set("ticket", "42")
        finally:
            process.kill()
            process.wait()


def test_it_syncs_each_write_and_never_throws_one_away(redis: redis_py.Redis, data: Path) -> None:
    with servers.running(data) as embedded:
        settings = servers.connect(embedded.url).config_get("*")

    assert settings["appendonly"] == "yes"
    assert settings["appendfsync"] == "always"
    assert settings["maxmemory-policy"] == "noeviction"
    assert settings["save"] == ""
    assert settings["port"] == "0"


def test_only_its_owner_can_reach_it(data: Path) -> None:
    with servers.running(data) as embedded:
        assert stat.S_IMODE(embedded.socket.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(embedded.socket.stat().st_mode) == 0o700


def test_other_commands_find_it_through_the_data_directory(data: Path) -> None:
    with servers.running(data) as embedded:
        assert servers.redis_url(data, {}) == embedded.url


def test_redis_url_wins_over_the_embedded_one(data: Path) -> None:
    servers.prepare(data)

    assert servers.redis_url(data, {"REDIS_URL": "redis://localhost/1"}) == "redis://localhost/1"


def test_without_either_the_sentence_names_both(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"`escalator up` hasn't been started with --data .*, and REDIS_URL"):
        servers.redis_url(tmp_path, {})


def test_a_restart_uses_the_same_socket_again(data: Path) -> None:
    assert servers.prepare(data).socket == servers.prepare(data).socket


def test_a_socket_directory_that_others_can_enter_is_not_used_again(data: Path) -> None:
    first = servers.prepare(data).socket
    first.parent.chmod(0o755)

    second = servers.prepare(data).socket

    shutil.rmtree(first.parent)
    assert second != first
    assert stat.S_IMODE(second.parent.stat().st_mode) == 0o700


def test_the_socket_path_stays_short_when_the_directory_for_temporary_files_is_not(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 90)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))

    assert len(os.fsencode(servers.prepare(data).socket)) < 100


# --- which server -----------------------------------------------------------------------------------------------------


def fake_server(folder: Path, name: str, says: str) -> Path:
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(
    ("name", "says", "version"),
    [
        ("redis-server", "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64", (7, 0)),
        ("valkey-server", "Valkey server v=8.1.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64", (8, 1)),
    ],
)
def test_a_server_on_the_path_comes_first(tmp_path: Path, name: str, says: str, version: tuple[int, int]) -> None:
    program = fake_server(tmp_path, name, says)

    assert servers.find_server(str(tmp_path)) == servers.Binary(program, version)


def test_one_that_is_too_old_is_passed_over(tmp_path: Path) -> None:
    old = fake_server(tmp_path, "redis-server", "Redis server v=6.0.16 sha=00000000:0")

    assert servers.find_server(str(tmp_path)).path != old


def test_without_any_server_the_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(ConfigError, match=r"apt install redis-server.*escalator\[embedded\].*REDIS_URL"):
        servers.find_server(str(tmp_path))


def test_an_older_server_does_not_start_empty_beside_a_newer_ones_data(data: Path, tmp_path: Path) -> None:
    (data / "appendonlydir").mkdir(parents=True)
    old = servers.Binary(tmp_path / "redis-server", (6, 2))

    with pytest.raises(ConfigError, match="was written by Redis 7 or later"):
        servers.prepare(data, binary=old)


def test_a_server_that_ends_before_it_answers_is_told_at_once(data: Path) -> None:
    process = subprocess.Popen(["sh", "-c", "exit 3"])

    with pytest.raises(ConfigError, match="Redis ended with code 3 before it answered"):
        servers.await_ready(process, lambda: False)


# --- which URL ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://127.0.0.1:6380/2",
        "redis://[::1]:6379",
        "unix:///run/redis.sock",
        "rediss://:secret@redis.example.com:6380/0",
        "rediss://user:secret@10.0.0.5?ssl_ca_certs=/etc/ca.pem",
    ],
)
def test_safe_urls_are_taken(url: str) -> None:
    servers.connect(url).close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("redis://:secret@redis.example.com", "leads to redis.example.com without verified TLS"),
        ("rediss://redis.example.com", "leads to redis.example.com without a password"),
        ("rediss://:secret@10.0.0.5?ssl_cert_reqs=none", "leads to 10.0.0.5 without verified TLS"),
        ("http://:secret@localhost", "can't be understood"),
        ("redis://:secret@localhost:port", "can't be understood"),
        ("redis://:secret@[::1", "can't be understood"),
    ],
)
def test_a_url_that_is_not_safe_is_refused_in_a_sentence_without_the_password(url: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as refused:
        servers.connect(url)

    assert "secret" not in str(refused.value)


# --- no repeats -----------------------------------------------------------------------------------------------------


def test_a_command_whose_answer_was_lost_is_not_sent_again(tmp_path: Path) -> None:
    """Sent again, a MULTI could be applied twice."""
    received: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                while request := connection.recv(65536):
                    received.append(request)
                    if b"INCR" in request:
                        break  # it may have happened: the answer is lost
                    answers = re.findall(rb"\*\d+\r\n\$\d+\r\n(PING)?", request)
                    connection.sendall(b"".join(b"+PONG\r\n" if ping else b"+OK\r\n" for ping in answers))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        client = servers.connect(f"redis://127.0.0.1:{listener.getsockname()[1]}?protocol=2")
        with pytest.raises(redis_py.ConnectionError):
            client.incr("counter")
        listener.shutdown(socket.SHUT_RDWR)

    assert sum(request.count(b"INCR") for request in received) == 1
