"""The world that the stories play in: a sandbox Zammad, stand-ins for every provider, and a real `escalator up`.

Plans are told in seconds; all else runs on real time. A ticket gets its plan from a word in its title.
"""

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ruamel.yaml import YAML

from connector.sandbox.providers import Providers
from connector.sandbox.zammad import SandboxZammad

T = TypeVar("T")

DANA, LEE, BOB = "+491701234567", "+491707654321", "+491701111111"
SECRET = "webhook-secret-of-the-stories"

PLANS: dict[str, dict[str, Any]] = {
    # window 2 s, then push (or SMS), SMS, a call
    "ladder": {
        "respond_within": "2s",
        "unassigned": ["dana"],
        "steps": [
            {"notify": "owner", "by": "push", "else": "sms"},
            {"after": "2s", "notify": "owner", "by": "sms"},
            {"after": "2s", "notify": "owner", "by": "phone"},
        ],
        "give_up_after": "3s",
        "when_exhausted": {"notify": "lee", "by": "email", "every": "1h"},
        "reopened_within": "3s",
    },
    # time enough to act while the window runs, and while it is running
    "slow": {
        "respond_within": "3s",
        "unassigned": ["dana"],
        "steps": [
            {"notify": "owner", "by": "sms"},
            {"after": "6s", "notify": ["owner", "lee"], "by": "sms"},
        ],
        "give_up_after": "30s",
        "when_exhausted": {"notify": "lee", "by": "email", "every": "1h"},
        "reopened_within": "2s",
    },
    "other": {
        "respond_within": "4s",
        "unassigned": ["lee"],
        "steps": [{"notify": "lee", "by": "email"}],
        "give_up_after": "30s",
        "when_exhausted": {"notify": "lee", "by": "email", "every": "1h"},
    },
    "everything": {
        "respond_within": "1s",
        "unassigned": ["dana"],
        "steps": [{"notify": "owner", "by": ["push", "sms", "phone", "email", "pager"]}],
        "give_up_after": "60s",
        "when_exhausted": {"notify": "lee", "by": "email", "every": "1h"},
    },
    "quick": {
        "respond_within": "1s",
        "unassigned": ["dana"],
        "steps": [{"notify": "owner", "by": "email"}],
        "give_up_after": "1s",
        "when_exhausted": {"notify": "lee", "by": "email", "every": "3s"},
    },
}


class World:
    """`desk` is the helpdesk and its people; `providers` is everybody's phone and mailbox."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.desk = SandboxZammad(delivery_delay=0.1)
        self.providers = Providers(public_url=self.url)
        self.up: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.desk.start()
        self.providers.start()
        self.desk.set_up_webhook(f"{self.url}/webhooks/zammad", SECRET)
        with (self.directory / "escalation.yml").open("w", encoding="utf-8") as file:
            YAML(typ="safe").dump(self.config(), file)
        self.start_up()

    def start_up(self) -> None:
        """Starts `escalator up` and waits until it says that it is ready."""
        log = self.directory / "up.log"
        with log.open("ab") as output:
            start = output.tell()
            self.up = subprocess.Popen(
                [*escalator("up"), "--port", str(self.port)], env=self.environ, stdout=output, stderr=output
            )
        eventually(lambda: b"Ready" in log.read_bytes()[start:], 30, "up is ready")

    @property
    def environ(self) -> dict[str, str]:
        return {
            "ESCALATOR_CONFIG": str(self.directory / "escalation.yml"),
            "ESCALATOR_DATA": str(self.directory / "data"),
            "PATH": "/usr/bin:/bin:/usr/local/bin",
        }

    def stop(self) -> None:
        self.stop_up()
        self.providers.stop()
        self.desk.stop()

    def stop_up(self) -> None:
        if self.up is not None:
            self.up.terminate()
            self.up.wait(60)

    def config(self) -> dict[str, Any]:
        alice, bob = self.desk.alice, self.desk.bob
        return {
            "helpdesk": {
                "kind": "zammad",
                "url": self.desk.url,
                "token": self.desk.api_user.token,
                "webhook_secret": SECRET,
            },
            "service": {
                "public_url": self.url,
                "secret_keys": ["a-key-that-is-only-for-the-stories-1234"],
                "timezone": "Europe/Berlin",
                "phone_region": "DE",
                "api_tokens": {"monitoring": "api-token-of-the-stories-5678"},
                "operator": {"notify": "lee", "by": "email"},
                "sweep_every": "5s",
            },
            "twilio": self.providers.twilio_section,
            "channels": self.providers.channels_section,
            "contacts": {
                "dana": {
                    "name": "Dana Reyes",
                    "login": alice.login,
                    "email": "dana@example.com",
                    "mobile": DANA,
                    "push": ["ab" * 32],
                },
                "lee": {"name": "Lee Adams", "email": "lee@example.com", "mobile": LEE},
                "bob": {"name": "Bob Builder", "login": bob.login, "email": "bob@example.com", "mobile": BOB},
            },
            "plans": PLANS,
            "rules": [
                {"when": {"tag": "no-escalation"}, "plan": "none"},
                *({"when": {"title": [name], "priority": ["2 normal", "3 high"]}, "plan": name} for name in PLANS),
            ],
            "priorities": {},
        }

    # --- what people see -----------------------------------------------------------------------------------------

    def ticket(self, plan: str, title: str = "Server outage", priority: str = "3 high", **more: Any) -> str:
        """A new ticket by customer Cathy, on this plan."""
        row = self.desk.create_ticket(
            f"{title} ({plan})", by=self.desk.cathy, priority=priority, group="Network", **more
        )
        return str(row["id"])

    def headlines(self, ticket: str) -> list[str]:
        """The first lines of our notes, without their code."""
        return [plain(note["body"]).splitlines()[0] for note in self.desk.notes(ticket)]

    def note(self, ticket: str, holds: str, patience: float = 15.0) -> str:
        """The first of our notes whose headline holds these words, as plain text."""
        return eventually(
            lambda: next((text for text in self.notes(ticket) if holds in text.splitlines()[0]), ""),
            patience,
            f'a note with "{holds}"; there is {self.headlines(ticket)}',
        )

    def notes(self, ticket: str) -> list[str]:
        return [plain(note["body"]) for note in self.desk.notes(ticket)]

    def texts(self, ticket: str, number: str | None = None) -> list[Any]:
        """The SMS about a ticket."""
        about = str(self.desk.ticket(ticket)["number"])
        return [t for t in self.providers.twilio.messages if about in t.body and number in (None, t.to)]

    def calls(self, ticket: str) -> list[Any]:
        spoken = ", ".join(str(self.desk.ticket(ticket)["number"]))
        return [call for call in self.providers.twilio.calls if spoken in call.twiml]

    def status(self, ticket: str) -> dict[str, Any]:
        """What `show` says of the ticket's escalation."""
        import json

        from connector.core.code import code_of

        done = subprocess.run(
            [*escalator("show"), code_of(ticket), "--json"], env=self.environ, capture_output=True, check=True
        )
        return json.loads(done.stdout)


def escalator(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "connector.cli", *arguments]


def plain(body: str) -> str:
    """A note as people read it."""
    import html
    import re

    return html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"<br */?>", "\n", body)))


def eventually(seen: Callable[[], T], patience: float, what: str) -> T:
    """The first true answer of `seen()`. The helpdesk has no other way to tell than to be asked again."""
    until = time.monotonic() + patience
    while not (answer := seen()):
        if time.monotonic() > until:
            raise AssertionError(f"not within {patience:g} s: {what}")
        time.sleep(0.05)
    return answer


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
