"""The stage: a sandbox helpdesk, stand-ins for Twilio and Apple, and `escalator up` as a program of its own between."""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from ...errors import EscalatorError
from ...sandbox.providers import FROM, Apns, Twilio
from ...sandbox.zammad import Person, SandboxZammad
from . import DANA, DEVICE, NUMBER, PLAN, SCRIPT

ROOT = Path(__file__).resolve().parents[3]
RING = 0.8  # seconds that the phone rings, and that a text is under way
READY_WITHIN = 40.0  # seconds
ENDS_WITHIN = 20.0  # seconds; then it is made to


class Stage:
    """A `with` block. Inside it everything runs; after it nothing does, and the temporary folder is gone.

    Raises EscalatorError when `escalator up` doesn't get ready.
    """

    def __init__(self, broken: str = "") -> None:
        self.zammad = SandboxZammad()
        self.apns = Apns()
        self.twilio = Twilio(pace=RING)
        self.url = f"http://127.0.0.1:{free_port()}"
        self.broken = broken
        self.up: subprocess.Popen[str] | None = None
        self.said: list[str] = []
        self._ready = threading.Event()
        self._running = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            self.folder = Path(tempfile.mkdtemp(prefix="escalator-demo-"))
            starting.callback(shutil.rmtree, self.folder, ignore_errors=True)
            for each in (self.zammad, self.apns, self.twilio):
                starting.enter_context(each)
            self._set_up()
            starting.callback(self._end)
            self._start()
            self._running = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    @property
    def alive(self) -> bool:
        """Whether `escalator up` still runs."""
        return self.up is not None and self.up.poll() is None

    @property
    def last_words(self) -> str:
        """What `escalator up` said last."""
        return self.said[-1] if self.said else "it said nothing"

    # --- people -----------------------------------------------------------------------------------------------------

    @property
    def dana(self) -> Person:
        """The agent on duty, in the helpdesk and at the phone."""
        return replace(self.zammad.alice, login="dana@example.com", name=DANA)

    def _set_up(self) -> None:
        names = {"login": "dana@example.com", "email": "dana@example.com", "firstname": "Dana", "lastname": "Reyes"}
        self.zammad.desk.users[self.zammad.alice.id].update(names)
        self.secret = secrets.token_urlsafe(24)
        self.zammad.set_up_webhook(f"{self.url}/webhooks/zammad", self.secret)
        self.twilio.public_url = self.url
        self.twilio.sms_url = f"{self.url}/callbacks/twilio/sms"
        call = self.twilio.on_call(NUMBER)
        if self.broken == "phone":
            call.no_answer()
        else:
            call.press("1")
        if self.broken == "sms":
            self.twilio.on_sms(NUMBER).undelivered()
        if self.broken == "push":
            self.apns.kill(DEVICE)
        if self.broken == "notes":
            self.zammad.permit("Network", ("read",))

    # --- Escalator ----------------------------------------------------------------------------------------------------

    @property
    def secrets(self) -> Mapping[str, str]:
        """What the config takes from the environment."""
        return {
            "ZAMMAD_TOKEN": self.zammad.api_user.token,
            "ZAMMAD_WEBHOOK_SECRET": self.secret,
            "TWILIO_AUTH_TOKEN": self.twilio.auth_token,
        }

    def config(self) -> dict[str, Any]:
        """The whole config, as an admin would write it, but for addresses of stand-ins and the plan's durations."""
        return {
            "helpdesk": {
                "kind": "zammad",
                "url": self.zammad.url,
                "token": "${ZAMMAD_TOKEN}",
                "webhook_secret": "${ZAMMAD_WEBHOOK_SECRET}",
            },
            "service": {
                "public_url": self.url,
                "secret_keys": ["${ESCALATOR_KEY}"],
                "timezone": "Europe/Berlin",
                "phone_region": "DE",
            },
            "twilio": {
                "account_sid": self.twilio.account_sid,
                "auth_token": "${TWILIO_AUTH_TOKEN}",
                "api_url": self.twilio.url,
            },
            "channels": {
                "push": self.apns.options,
                "sms": {"from": FROM},
                "phone": {"from": FROM, "language": "en-GB"},
            },
            "contacts": {
                "dana": {"name": DANA, "login": "dana@example.com", "mobile": NUMBER, "push": [DEVICE]},
            },
            "plans": {
                PLAN: {
                    "respond_within": _told(SCRIPT.window),
                    "unassigned": ["dana"],
                    "steps": [
                        {"notify": "owner", "by": way, **({"after": _told(after)} if after else {})}
                        for way, after in SCRIPT.steps
                    ],
                    "give_up_after": _told(SCRIPT.give_up_after),
                    "when_exhausted": {"notify": "dana", "by": "sms", "every": "1h"},
                }
            },
            "priorities": {"3 high": PLAN},
        }

    def _start(self) -> None:
        path = self.folder / "escalation.yml"
        path.write_text(json.dumps(self.config(), indent=1))  # JSON is YAML too
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("REDIS", "ESCALATOR_"))}
        ours.pop("PORT", None)
        environ = {**ours, **self.secrets, "ESCALATOR_KEY": secrets.token_hex(32), "NO_PROXY": "*", "no_proxy": "*"}
        ends_with_us = [sys.executable, "-I", "-S", str(ROOT / "connector" / "_child.py"), str(os.getpid())]
        command = [*ends_with_us, sys.executable, "-m", "connector.cli", "up", "--port", self.url.rpartition(":")[2]]
        self.up = subprocess.Popen(
            [*command, "--data", str(self.folder / "data"), "--config", str(path)],
            env=environ,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            process_group=0,  # Ctrl-C is for the demo, which then ends this in order
        )
        listener = threading.Thread(target=self._listen, args=(self.up,), name="up", daemon=True)
        listener.start()
        self._ready.wait(READY_WITHIN)
        if not any(line.startswith("Ready") for line in self.said):
            raise EscalatorError(f"`escalator up` did not get ready: {self.last_words}")

    def _listen(self, up: subprocess.Popen[str]) -> None:
        assert up.stdout is not None
        with up.stdout:
            for line in up.stdout:
                self.said.append(line.rstrip())
                if line.startswith("Ready"):
                    self._ready.set()
        self._ready.set()

    def _end(self) -> None:
        if self.up is None:
            return
        self.up.send_signal(signal.SIGTERM)
        try:
            self.up.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self.up.send_signal(signal.SIGTERM)  # the second time means at once
            try:
                self.up.wait(ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                self.up.kill()  # its children end with it
                self.up.wait()


def _told(minutes: float) -> str:
    """A minute is told in a second."""
    return f"{minutes:g}s"


def free_port() -> int:
    """A port of the loopback that is free at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
