"""A small world for the commands: a sandbox Zammad, stand-ins for the providers, and one `escalator up` for all."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from connector.cli import main
from connector.cli.story.look import lines_of
from connector.cli.story.stage import free_port
from connector.sandbox.providers import Providers
from connector.sandbox.zammad import SandboxZammad

ROOT = Path(__file__).parents[2]
SECRET = "webhook-secret-of-the-commands"
READY_WITHIN = 40.0  # seconds


def heeds_ctrl_c() -> None:
    """For `preexec_fn`: what a shell runs in its background ignores SIGINT, and so would all that tests start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass
class Bench:
    """`config` may be changed and written anew; `run` plays a command in this process, `start_up` a real `up`."""

    folder: Path
    zammad: SandboxZammad
    providers: Providers
    port: int
    config: dict[str, Any] = field(default_factory=dict)
    up: subprocess.Popen[str] | None = None
    said: list[str] = field(default_factory=list)
    old: dict[str, Any] = field(default_factory=dict)  # a ticket that was there before `up`

    @property
    def path(self) -> Path:
        return self.folder / "escalation.yml"

    @property
    def environ(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
        own = {"ESCALATOR_CONFIG": str(self.path), "ESCALATOR_DATA": str(self.folder / "data"), "COLUMNS": "200"}
        return {**ours, **own, "PYTHONPATH": str(ROOT)}

    def write(self, config: Mapping[str, Any] | None = None) -> None:
        self.path.write_text(json.dumps(config or self.config, indent=1))

    def run(self, *words: str, stdin: str = "", **environ: str) -> Result:
        """The command in this process; what isn't an honest exit fails the test."""
        unset: dict[str, str | None] = {"REDIS_URL": None}
        result = CliRunner().invoke(main, list(words), input=stdin, env={**unset, **self.environ, **environ})
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        return result

    def json(self, *words: str) -> Any:
        result = self.run(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def start_up(self) -> None:
        command = [sys.executable, "-m", "connector.cli", "up", "--port", str(self.port), "--workers", "1"]
        self.up = subprocess.Popen(
            command, env=self.environ, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        threading.Thread(target=self._listen, args=(self.up,), daemon=True).start()
        self.until(lambda: any(line.startswith("Ready") for line in self.said), READY_WITHIN)

    def _listen(self, up: subprocess.Popen[str]) -> None:
        assert up.stdout is not None
        with up.stdout:
            self.said += iter(up.stdout)

    def stop_up(self) -> None:
        if self.up is not None:
            self.up.send_signal(signal.SIGTERM)
            self.up.wait(40)

    def until(self, true: Callable[[], Any], within: float = 30.0) -> Any:
        end, pause = time.monotonic() + within, threading.Event()
        while not (answer := true()):
            assert time.monotonic() < end, f"not within {within:g} s; up said {self.said[-5:]}"
            pause.wait(0.05)
        return answer

    def escalation_of(self, ticket: Mapping[str, Any]) -> dict[str, Any]:
        """The live escalation of a ticket, as `status` tells it, once there is one."""

        def found() -> Any:
            live = self.json("status")["escalations"]
            return [one for one in live if one["ticket"]["id"] == str(ticket["id"])]

        return dict(self.until(found)[0])

    def notes(self, ticket: Mapping[str, Any]) -> str:
        """What stands in Escalator's notes, as people read it."""
        return "\n".join(line for note in self.zammad.notes(ticket["id"]) for line in lines_of(note["body"]))


def config_of(zammad: SandboxZammad, providers: Providers, port: int) -> dict[str, Any]:
    number = "+491701234567"
    dana = {"name": "Dana Reyes", "login": zammad.alice.login, "email": "dana@example.com", "mobile": number}
    steps = [{"notify": "owner", "by": "email", "else": "sms"}, {"after": "5m", "notify": "owner", "by": "phone"}]
    plan = {
        "respond_within": "30m",
        "unassigned": "dana",
        "steps": steps,
        "rounds": 2,
        "again_after": "10m",
        "when_exhausted": {"notify": "dana", "by": "email"},
    }
    return {
        "helpdesk": {
            "kind": "zammad",
            "url": zammad.url,
            "token": zammad.api_user.token,
            "webhook_secret": SECRET,
        },
        "service": {
            "public_url": f"http://127.0.0.1:{port}",
            "secret_keys": ["0123456789abcdef0123456789abcdef"],
            "timezone": "Europe/Berlin",
            "operator": {"notify": "dana", "by": "email"},
        },
        "twilio": providers.twilio_section,
        "channels": providers.channels_section,
        "contacts": {"dana": dana},
        "plans": {"calm": plan},
        "rules": [{"when": {"priority": "3 high", "tag": "no-escalation"}, "plan": "none"}],
        "priorities": {"3 high": "calm"},
    }


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Everything but `up`."""
    with SandboxZammad(delivery_delay=0.05) as zammad, Providers() as providers:
        bench = Bench(tmp_path_factory.mktemp("cli"), zammad, providers, free_port())
        bench.old = zammad.create_ticket("Old trouble", priority="3 high")
        bench.config = config_of(zammad, providers, bench.port)
        providers.reach(f"http://127.0.0.1:{bench.port}")
        zammad.set_up_webhook(f"http://127.0.0.1:{bench.port}/webhooks/zammad", SECRET)
        bench.write()
        yield bench


@pytest.fixture(scope="session")
def running(world: Bench) -> Iterator[Bench]:
    """The same with a running `up`; one old ticket was there before it."""
    world.start_up()
    yield world
    world.stop_up()


@pytest.fixture
def alone(world: Bench, tmp_path: Path) -> Bench:
    """The same helpdesk and providers, with a folder of its own and no `up`."""
    bench = Bench(tmp_path, world.zammad, world.providers, world.port, json.loads(json.dumps(world.config)))
    bench.write()
    return bench
