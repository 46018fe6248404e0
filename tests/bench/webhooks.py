"""The receiver under load, in turns with a bare route, each behind gunicorn with the options of `up`."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from connector.cli.up import gunicorn_options
from connector.supervisor import LISTEN

from . import stage as stages

CLIENTS = 16
TICKETS = 200
END = b'{"Success": 1}'  # of every answer


@dataclass(frozen=True)
class Webhooks:
    """Requests a second, and seconds. Clients use CPU of the same cores: trust the ratio, not the figures."""

    ours: float
    ours_p99: float
    bare: float
    bare_p99: float
    ratio: float  # of the medians of all turns


def measure(directory: Path, seconds: float, turns: int, progress: Callable[[str], None]) -> Webhooks:
    with stages.beside("tests.bench.helpdesk") as helpdesk:
        there = json.loads(stages.line(helpdesk))
        made = [stages.ask(helpdesk, f"Server outage {n} (later)")["body"].encode() for n in range(TICKETS)]
        config = stages.config({"url": there["url"], "token": there["token"]}, "http://127.0.0.1:9")
    with stages.Stage(directory, config, ["web"]) as stage:
        stage.services.store.redis.set("escalator:epoch", "bench")
        with bare(stage) as bare_port:
            figures: dict[int, list[tuple[float, float]]] = {stage.port: [], bare_port: []}
            for port in figures:
                stages.eventually(lambda port=port: hammer(port, made, 0.5)[0] > 0, 30)
            for turn in range(turns):
                for port, name in ((stage.port, "the receiver"), (bare_port, "a bare route")):
                    progress(f"webhooks, turn {turn + 1} of {turns}: {name}")
                    figures[port].append(hammer(port, made, seconds))
            (ours, ours_p99), (bare_rate, bare_p99) = (middle(figures[port]) for port in figures)
            return Webhooks(ours, ours_p99, bare_rate, bare_p99, ours / bare_rate)


class bare:  # noqa: N801  a block: `with bare(stage) as port`
    """The bare route behind the same server with the same options."""

    def __init__(self, stage: stages.Stage) -> None:
        self._port = stages.free_port()
        options = [option.replace(LISTEN, f"127.0.0.1:{self._port}") for option in gunicorn_options()]
        environ = {**stage.environ, "PATH": "/usr/bin:/bin", "REDIS_URL": stage.url, "BENCH_SECRET": stages.SECRET}
        command = [sys.executable, "-m", "gunicorn", *options, "tests.bench.bare:app"]
        self._popen = subprocess.Popen(command, cwd=stages.ROOT, env=environ)

    def __enter__(self) -> int:
        return self._port

    def __exit__(self, *_: object) -> None:
        self._popen.terminate()
        self._popen.wait(15)


def middle(turns: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The medians of rate and p99."""
    return stages.quantile([rate for rate, _ in turns], 0.5), stages.quantile([p99 for _, p99 in turns], 0.5)


def hammer(port: int, bodies: Sequence[bytes], seconds: float) -> tuple[float, float]:
    """Answers of 202 a second, and their 99th percentile in seconds, with some clients on kept-open connections."""
    requests = [stages.request(port, body) for body in bodies]
    until = time.monotonic() + seconds
    took: list[float] = []
    clients = [
        threading.Thread(target=_client, args=(port, requests[number::CLIENTS], until, took))
        for number in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return (len(took) / seconds, stages.quantile(took, 0.99)) if took else (0.0, 0.0)


def _client(port: int, requests: Sequence[bytes], until: float, took: list[float]) -> None:
    """Plain sockets: the load should cost little of the CPU that it shares with what is measured."""
    number = 0
    try:
        connection = socket.create_connection(("127.0.0.1", port), 5)
    except OSError:
        return
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while (began := time.monotonic()) < until:
            number += 1
            try:
                connection.sendall(requests[number % len(requests)])
                answer = b""
                while not answer.endswith(END):
                    if not (more := connection.recv(4096)):
                        return
                    answer += more
            except OSError:
                return
            if not answer.startswith(b"HTTP/1.1 202"):
                return
            took.append(time.monotonic() - began)
