"""Processes as `escalator up` starts them, all or some, on a data directory of their own."""

import hashlib
import hmac
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import redis
from ruamel.yaml import YAML

from connector.cli.up import WORKERS, processes
from connector.redis_server import connect, recorded_socket, url_of
from connector.services import Services, build, read_config
from connector.supervisor import LISTEN, Process

ROOT = Path(__file__).parents[2]
SECRET = "webhook-secret-of-the-bench"
DANA = "+491701234567"
WINDOW = 8.0  # seconds; the plan "soon"


def config(helpdesk: dict[str, str], twilio_url: str) -> dict[str, Any]:
    """Two plans: "soon" fires its only step after the window, "later" waits for a day."""
    end = {"give_up_after": "1d", "when_exhausted": {"notify": "dana", "by": "sms", "every": "1d"}}
    step = {"unassigned": ["dana"], "steps": [{"notify": "owner", "by": "sms"}], **end}
    return {
        "helpdesk": {"kind": "zammad", **helpdesk, "webhook_secret": SECRET},
        "service": {
            "secret_keys": ["a-key-that-is-only-for-the-bench-1234"],
            "phone_region": "DE",
            "use_helpdesk_mobiles": True,
            "sweep_every": "1m",
        },
        "twilio": {"account_sid": "AC" + "0" * 32, "auth_token": "bench", "api_url": twilio_url},
        "channels": {"sms": {"from": "+15005550006"}},
        "contacts": {"dana": {"name": "Dana Reyes", "mobile": DANA}},
        "plans": {
            "soon": {"respond_within": f"{WINDOW:g}s", **step},
            "later": {"respond_within": "1d", **step},
        },
        "rules": [{"when": {"title": [name], "priority": "3 high"}, "plan": name} for name in ("soon", "later")],
        "priorities": {},
    }


class Stage:
    """Some of `up`'s processes; `services` is the object graph as they have it."""

    def __init__(self, directory: Path, config: dict[str, Any], names: Sequence[str] | None = None) -> None:
        self.directory = directory
        self.port = free_port()
        self._config, self._names = config, names
        self._stack = ExitStack()
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Stage":
        path = self.directory / "escalation.yml"
        with path.open("w", encoding="utf-8") as file:
            YAML(typ="safe").dump(self._config, file)
        settings = read_config(path, {}).settings
        assert settings is not None
        data = self.directory / "data"
        self.environ = {"ESCALATOR_CONFIG": str(path), "ESCALATOR_DATA": str(data), "PYTHONPATH": str(ROOT)}
        self._wanted = {process.name: process for process in processes(data, "", settings, WORKERS)}
        try:
            for process in self._wanted.values():
                if self._names is None or process.name in ("redis", *self._names):
                    self.start(process)
                if process.ready is not None:
                    eventually(process.ready, 30)
        except BaseException:
            self.__exit__()
            raise
        self.services: Services = build(settings, self.redis)
        return self

    def also(self, name: str) -> None:
        """Starts one more of `up`'s processes."""
        self.start(self._wanted[name])

    def start(self, process: Process) -> None:
        command = [part.replace(LISTEN, f"127.0.0.1:{self.port}") for part in process.command]
        log = self._stack.enter_context((self.directory / f"{process.name}.log").open("wb"))
        self.running[process.name] = subprocess.Popen(
            command, cwd=ROOT, env={**self.environ, "PATH": "/usr/bin:/bin", **process.env}, stdout=log, stderr=log
        )

    def __exit__(self, *_: object) -> None:
        for name in sorted(self.running, key="redis".__eq__):  # Redis last
            self.running[name].terminate()
            try:
                self.running[name].wait(15)
            except subprocess.TimeoutExpired:
                self.running[name].kill()
                self.running[name].wait()
        self._stack.close()

    @property
    def url(self) -> str:
        socket = recorded_socket(self.directory / "data")
        assert socket is not None
        return url_of(socket)

    @property
    def redis(self) -> redis.Redis:
        return connect(self.url)

    def cpu(self) -> float:
        """Seconds of CPU that these processes and those below them have used."""
        used = 0.0
        for popen in self.running.values():
            process = psutil.Process(popen.pid)
            for each in (process, *process.children(recursive=True)):
                times = each.cpu_times()
                used += times.user + times.system
        return used


@contextmanager
def beside(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A helper in a process of its own; its first line says where it is."""
    helper = subprocess.Popen(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield helper
    finally:
        helper.terminate()
        helper.wait()
        for pipe in (helper.stdin, helper.stdout):
            if pipe is not None:
                pipe.close()


def line(helper: subprocess.Popen[str]) -> str:
    assert helper.stdout is not None
    return helper.stdout.readline().strip()


def ask(helper: subprocess.Popen[str], text: str) -> Any:
    assert helper.stdin is not None
    helper.stdin.write(text + "\n")
    helper.stdin.flush()
    return json.loads(line(helper))


def signed(body: bytes) -> str:
    return "sha1=" + hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()


def request(port: int, body: bytes, *, close: bool = False) -> bytes:
    """A webhook as it goes over the wire."""
    end = "close" if close else "keep-alive"
    head = (
        f"POST /webhooks/zammad HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"X-Hub-Signature: {signed(body)}\r\nContent-Length: {len(body)}\r\nConnection: {end}\r\n\r\n"
    )
    return head.encode() + body


def eventually(seen: Callable[[], Any], patience: float) -> Any:
    until = time.monotonic() + patience
    while not (answer := seen()):
        if time.monotonic() > until:
            raise TimeoutError(f"not within {patience:g} s")
        time.sleep(0.05)
    return answer


def free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def quantile(values: Sequence[float], share: float) -> float:
    """The value that this share of them doesn't pass."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
