"""The world that the stories play in: a sandbox Zammad, stand-ins for every provider, and a real `escalator up`.

Plans are told in seconds; all else runs on real time. A ticket gets its plan from a word in its title.
"""

import html
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import requests
from ruamel.yaml import YAML

from channels import webpush
from connector.core.code import code_of
from connector.engine.pairing import invite
from connector.engine.proofs import Signatures
from connector.sandbox.providers import Providers, PushService
from connector.sandbox.providers.apns import Push
from connector.sandbox.providers.http_post import Posted
from connector.sandbox.providers.smtp import Mail
from connector.sandbox.providers.webpush import Pushed
from connector.sandbox.zammad import SandboxZammad

from . import watched
from .plans import PLANS, RULES, contacts

T = TypeVar("T")

SECRET = "webhook-secret-of-the-stories"
API_TOKEN = "api-token-of-the-stories-5678"
SECRET_KEY = "a-key-that-is-only-for-the-stories-1234"
PATIENCE = 40.0  # seconds; a story that goes well never needs them
READY_WITHIN = 120.0  # seconds; other tests may keep the machine busy


class World:
    """`desk` is the helpdesk and its people; `providers` is everybody's phone and mailbox.

    Only where there is a push service for browsers, there are the plans of `watched`.
    """

    def __init__(self, directory: Path, push_service: PushService | None = None) -> None:
        self.directory = directory
        self.push_service, self.push_key = push_service, webpush.new_key()
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

    def start_up(self, patience: float = READY_WITHIN) -> None:
        """Starts `escalator up` and waits until it says that it is ready, at most so many seconds."""
        log = self.directory / "up.log"
        with log.open("ab") as output:
            start = output.tell()
            self.up = subprocess.Popen(
                [*escalator("up"), "--port", str(self.port)], env=self.environ, stdout=output, stderr=output
            )
        eventually(lambda: b"Ready" in log.read_bytes()[start:], patience, "up is ready")

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
        more: dict[str, dict[str, Any]] = {"channels": {}, "contacts": {}, "plans": {}}
        if self.push_service is not None:
            channel = {**self.push_service.options, "private_key": self.push_key}
            more = {"channels": {"webpush": channel}, "contacts": watched.CONTACTS, "plans": watched.WATCHED}
        return {
            "helpdesk": {
                "kind": "zammad",
                "url": self.desk.url,
                "token": self.desk.api_user.token,
                "webhook_secret": SECRET,
                "robots": [self.desk.admin.login],
                "timeout": 8.0,  # a note whose answer was lost is written again after three times that
            },
            "service": {
                "public_url": self.url,
                "secret_keys": [SECRET_KEY],
                "timezone": "Europe/Berlin",
                "phone_region": "DE",
                "api_tokens": {"monitoring": API_TOKEN},
                "operator": {"notify": "lee", "by": "email"},
                "sweep_every": "5s",
                "bundle_within": "0s",  # each ticket has messages of its own
                "limits": dict.fromkeys(("sms", "phone", "push", "email"), 0),  # the same two people hear of all
            },
            "twilio": self.providers.twilio_section,
            "channels": {**self.providers.channels_section, **more["channels"]},
            "contacts": {**contacts(alice.login, bob.login), **more["contacts"]},
            "plans": {**PLANS, **more["plans"]},
            "rules": [*RULES, *(watched.RULES if more["plans"] else ())],
            "priorities": {},
        }

    # --- what people see -----------------------------------------------------------------------------------------

    def ticket(self, plan: str, title: str = "Server outage", priority: str = "3 high", **more: Any) -> str:
        """A new ticket on this plan, by customer Cathy unless somebody else is named."""
        row = self.desk.create_ticket(f"{title} ({plan})", priority=priority, **more)
        return str(row["id"])

    def headlines(self, ticket: str) -> list[str]:
        """The first lines of our notes."""
        return [plain(note["body"]).splitlines()[0] for note in self.desk.notes(ticket)]

    def note(self, ticket: str, holds: str, patience: float = PATIENCE) -> str:
        """The first of our notes whose headline holds these words, as plain text."""
        return eventually(
            lambda: next((text for text in self.notes(ticket) if holds in text.splitlines()[0]), ""),
            patience,
            lambda: f'a note with "{holds}"; there is {self.headlines(ticket)}',
        )

    def notes(self, ticket: str) -> list[str]:
        return [plain(note["body"]) for note in self.desk.notes(ticket)]

    def texts(self, ticket: str, number: str | None = None) -> list[Any]:
        """The SMS about a ticket."""
        about = str(self.desk.ticket(ticket)["number"])
        return [
            t for t in self.providers.twilio.messages if not t.answer and about in t.body and number in (None, t.to)
        ]

    def answers(self, number: str) -> list[str]:
        """What was answered to the SMS of this number."""
        return [t.body for t in self.providers.twilio.messages if t.answer and t.to == number]

    def calls(self, ticket: str) -> list[Any]:
        spoken = ", ".join(str(self.desk.ticket(ticket)["number"]))
        return [call for call in self.providers.twilio.calls if spoken in call.twiml]

    def mails(self, ticket: str, to: str | None = None) -> list[Mail]:
        """The mails about a ticket."""
        about = str(self.desk.ticket(ticket)["number"])
        found = [mail for mail in self.providers.smtp.mails if about in f"{mail.message['subject']}{said(mail)}"]
        return [mail for mail in found if to is None or to in mail.to]

    def pushes(self, ticket: str) -> list[Push]:
        code = code_of(ticket)
        return [push for push in self.providers.apns.pushes if push.payload["escalation"]["code"] == code]

    def webpushes(self, ticket: str) -> list[Pushed]:
        """What browsers were told about a ticket."""
        about = str(self.desk.ticket(ticket)["number"])
        pushes = self.push_service.pushes if self.push_service is not None else ()
        return [push for push in pushes if about in push.payload["title"]]

    def posts(self, ticket: str) -> list[Posted]:
        """The documents that `http_post` sent about a ticket."""
        return [post for post in self.providers.http_post.received if post.document["data"]["ticket"]["id"] == ticket]

    def code(self, ticket: str) -> str:
        return code_of(ticket)

    def api(self, path: str, **body: str) -> requests.Response:
        """A POST by another system."""
        return requests.post(
            f"{self.url}/api/v1/escalations{path}",
            json=body,
            headers={"Authorization": f"Bearer {API_TOKEN}"},
            timeout=10,
        )

    def shown(self, ticket: str) -> dict[str, Any]:
        """The escalation as other systems see it: `state`, `step`, `history` and so on."""
        answer = self._shown(ticket)
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        return document

    def _shown(self, ticket: str) -> requests.Response:
        return requests.get(
            f"{self.url}/api/v1/escalations/{code_of(ticket)}",
            headers={"Authorization": f"Bearer {API_TOKEN}"},
            timeout=10,
        )

    def stepped(self, ticket: str, step: int = 1) -> datetime:
        """When this step fired."""
        steps = [entry for entry in self.shown(ticket)["history"] if entry["kind"] == "step"]
        return datetime.fromisoformat(steps[step - 1]["at"])

    def link(self, ticket: str) -> str:
        """The personal link in the first mail about the ticket."""
        mail = eventually(lambda: self.mails(ticket), PATIENCE, "a mail")[0]
        found = re.search(rf"{re.escape(self.url)}/ack/[\w.~-]+", said(mail))
        assert found, said(mail)
        return found[0]

    def webhook_sent(self, ticket: str, after: datetime) -> datetime:
        """When the helpdesk sent the first webhook about a ticket after that moment, or will."""

        def sent() -> list[datetime]:
            about = [(json.loads(one["request"]["content"]), one["created_at"]) for one in self.desk.deliveries.log]
            moments = [datetime.fromisoformat(at) for body, at in about if str(body["ticket"]["id"]) == ticket]
            return sorted(at for at in moments if at >= after)

        return eventually(sent, what="a webhook")[0]

    # --- phones that are paired ---------------------------------------------------------------------------------------

    def pair(self, contact: str) -> None:
        """A browser opens this contact's personal link and lets itself be told by Web Push."""
        assert self.push_service is not None
        token, _ = invite(Signatures([SECRET_KEY]), contact, datetime.now(UTC))
        browser = self.push_service.browser(webpush.public_key(self.push_key))
        requests.post(f"{self.url}/pair/{token}", json=browser.subscription(), timeout=10).raise_for_status()

    # --- what people wait for --------------------------------------------------------------------------------------

    def running(self, *tickets: str) -> None:
        """Waits until each of them has the note of its first step."""
        for ticket in tickets:
            self.note(ticket, "step 1 of")

    def state(self, ticket: str, state: str) -> None:
        """Waits until the escalation is in this state."""
        eventually(
            lambda: self.shown(ticket)["state"] == state, what=lambda: f"{state}, not {self.shown(ticket)['state']}"
        )

    def known(self, ticket: str) -> None:
        """Waits until Escalator has taken the ticket in; a reading may still be cut before that."""
        eventually(lambda: self._shown(ticket).status_code == 200, what="an escalation")

    def has(self, ticket: str, holds: str) -> bool:
        """Whether there is such a note now."""
        return any(holds in line for line in self.headlines(ticket))


def escalator(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "connector.cli", *arguments]


def said(mail: Mail) -> str:
    """A mail's text."""
    body = mail.message.get_body(("plain",))
    return str(body.get_content()) if body is not None else ""


def plain(body: str) -> str:
    """A note as people read it."""
    return html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"<br */?>", "\n", body)))


def eventually(seen: Callable[[], T], patience: float = PATIENCE, what: str | Callable[[], str] = "") -> T:
    """The first true answer of `seen()`. The helpdesk has no other way to tell than to be asked again."""
    until = time.monotonic() + patience
    while not (answer := seen()):
        if time.monotonic() > until:
            raise AssertionError(f"not within {patience:g} s: {what() if callable(what) else what}")
        time.sleep(0.05)
    return answer


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
