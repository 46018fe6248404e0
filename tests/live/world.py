"""The world of the live stories: a real Znuny, a real `escalator up`, and stand-ins for every provider.

Plans are told in seconds. A ticket gets its plan from a word in its title, as long as its priority is "4 high".
"""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import requests
from ruamel.yaml import YAML

from connector.core.code import code_of
from connector.sandbox.providers import Providers
from connector.sandbox.providers.apns import Push
from connector.sandbox.providers.smtp import Mail

from ..stories.plans import plan, step
from ..stories.world import escalator, free_port, said
from .conftest import LiveZnuny, New
from .people import Agent, Customer

T = TypeVar("T")

API_TOKEN = "api-token-of-the-live-stories-5678"
SECRET_KEY = "a-key-that-is-only-for-the-stories-1234"
BEN, DANA = "+491701111111", "+491701234567"
SLOW = 60.0  # seconds until something is given up: a Znuny that is busy answers in seconds

PLANS: dict[str, dict[str, Any]] = {
    "ladder": plan(
        "2s",
        step("owner", "push", otherwise="sms"),
        step("owner", "sms", "3s"),
        step("owner", "phone", "3s"),
        step("lee", "email", "25s"),
    ),
    # a mail at once, then another one: whoever acts in between sees whether it still comes
    "twice": plan("1s", step("owner", "email"), step("owner", "email", "30s")),
    "soon": plan("1s", step("owner", "email"), step("owner", "email", "10s"), step("owner", "email", "5m")),
    "answered": plan("1s", step("owner", "email"), step("owner", "email", "5m"), acknowledged_by=["reply"]),
    "again": plan("1s", step("owner", "email"), step("owner", "email", "5m")),
    "standing": plan("1s", step("owner", "email"), step("owner", "email", "5m"), reopened_within="15m"),
    "marker": plan("27s", step("lee", "email")),
}


def eventually(seen: Callable[[], T], what: str | Callable[[], str], patience: float = SLOW) -> T:
    """The first true answer of `seen()`, which is asked twice a second: a real Znuny has other work, too."""
    until = time.monotonic() + patience
    while not (answer := seen()):
        if time.monotonic() > until:
            raise AssertionError(f"not within {patience:g} s: {what() if callable(what) else what}")
        time.sleep(0.5)
    return answer


class World:
    """`znuny` is the helpdesk and its people; `providers` is everybody's phone and mailbox."""

    def __init__(self, directory: Path, znuny: LiveZnuny) -> None:
        self.directory, self.znuny = directory, znuny
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.providers = Providers(public_url=self.url)
        self._up: subprocess.Popen[bytes] | None = None
        self.anna: Agent
        self.ben: Agent
        self.carla: Customer

    @property
    def webhook_url(self) -> str:
        return f"{self.url}/webhooks/znuny"

    def start(self) -> None:
        self.providers.start()
        self.run()

    def run(self) -> None:
        """Starts `up` beside providers that are there, and lets everybody log in."""
        with (self.directory / "escalation.yml").open("w", encoding="utf-8") as file:
            YAML(typ="safe").dump(self.config(), file)
        log = self.directory / "up.log"
        environ = {
            "ESCALATOR_CONFIG": str(self.directory / "escalation.yml"),
            "ESCALATOR_DATA": str(self.directory / "data"),
            "PATH": "/usr/bin:/bin:/usr/local/bin",
        }
        with log.open("wb") as output:
            up = self._up = subprocess.Popen(
                [*escalator("up"), "--port", str(self.port)], env=environ, stdout=output, stderr=output
            )
        eventually(lambda: b"Ready" in log.read_bytes() or up.poll() is not None, "up is ready")
        assert up.poll() is None, log.read_text()
        self.znuny.post_webhooks_to(self.webhook_url)
        # one after the other and once only: Znuny 6.5 stumbles over its own cache where several log in at once
        self.anna, self.ben, self.carla = self.znuny.agent("anna"), self.znuny.agent("ben"), self.znuny.customer()

    def stop(self) -> None:
        self.stop_up()
        self.providers.stop()

    def stop_up(self) -> None:
        if self._up is not None:
            self._up.terminate()
            self._up.wait(60)

    def config(self) -> dict[str, Any]:
        def person(name: str, **more: str) -> dict[str, Any]:
            return {"name": name, "email": f"{name.split()[0].lower()}@example.com", **more}

        return {
            "helpdesk": {"kind": "znuny", **self.znuny.options()},
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
            "channels": self.providers.channels_section,
            "contacts": {
                "dana": {**person("Dana Reyes", mobile=DANA), "push": ["ab" * 32]},
                "lee": person("Lee Adams"),
                "anna": person("Anna Agent", login="anna"),
                "ben": person("Ben Beispiel", login="ben", mobile=BEN),
            },
            "plans": PLANS,
            "rules": [{"when": {"title": [name], "priority": ["4 high"]}, "plan": name} for name in PLANS],
            "priorities": {},
        }

    # --- what people see -----------------------------------------------------------------------------------------

    def ticket(self, plan: str, **columns: str) -> New:
        """Carla writes; nobody owns it."""
        return self.znuny.ticket_by_customer(f"Server outage ({plan})", **{"Priority": "4 high", **columns})

    def row(self, ticket: New) -> dict[str, Any]:
        """The ticket as Anna's own script sees it, with its articles."""
        found = self.znuny.call("GET", f"/Ticket/{ticket.id}?AllArticles=1&DynamicFields=1&Extended=1")
        row: dict[str, Any] = found["Ticket"][0]
        return row

    def fields(self, ticket: New) -> dict[str, str]:
        """Status, Plan, Step and Acknowledged as lists in Znuny can filter on them."""
        rows = self.row(ticket)["DynamicField"]
        return {
            row["Name"].removeprefix("Escalation"): row["Value"] or "" for row in rows if "Escalation" in row["Name"]
        }

    def notes(self, ticket: New) -> list[dict[str, Any]]:
        """Our notes as articles, oldest first."""
        return [one for one in self.row(ticket)["Article"] if one["Subject"].startswith("Escalation E-")]

    def headlines(self, ticket: New) -> list[str]:
        """The first lines of our notes without "Escalation CODE"."""
        return [note["Body"].splitlines()[0].split(" ", 2)[2] for note in self.notes(ticket)]

    def note(self, ticket: New, holds: str) -> str:
        """The text of the first of our notes whose first line holds these words."""
        return eventually(
            lambda: next((one["Body"] for one in self.notes(ticket) if holds in one["Body"].splitlines()[0]), ""),
            lambda: f'a note with "{holds}"; there is {[one["Subject"] for one in self.notes(ticket)]}',
        )

    def status(self, ticket: New, wanted: str) -> None:
        """Waits until the field EscalationStatus says so."""
        eventually(lambda: self.fields(ticket)["Status"] == wanted, f"EscalationStatus {wanted}")

    def shown(self, code: str) -> dict[str, Any]:
        """The escalation as other systems see it: `state`, `acknowledged`, `history` and so on."""
        answer = requests.get(
            f"{self.url}/api/v1/escalations/{code}", headers={"Authorization": f"Bearer {API_TOKEN}"}, timeout=10
        )
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        return document

    def mails(self, ticket: New, to: str = "") -> list[Mail]:
        """The mails about a ticket."""
        found = [m for m in self.providers.smtp.mails if ticket.number in f"{m.message['subject']}{said(m)}"]
        return [mail for mail in found if f"{to}@example.com" in mail.to] if to else found

    def told(self, ticket: New) -> list[str]:
        """By which ways somebody was told, in order of way; the quiet all-clear isn't telling."""
        twilio, number = self.providers.twilio, ticket.number
        return [
            *("push" for push in self.providers.apns.pushes if number in str(push.payload) and not quiet(push)),
            *("sms" for text in twilio.messages if number in text.body and not text.answer),
            *("call" for call in twilio.calls if ", ".join(number) in call.twiml),
            *("mail" for _ in self.mails(ticket)),
        ]

    # --- what people wait for --------------------------------------------------------------------------------------

    def running(self, plan: str, **columns: str) -> New:
        """A ticket on this plan whose first step has fired and is noted."""
        ticket = self.ticket(plan, **columns)
        self.note(ticket, "step 1 of")
        return ticket

    def outlast(self) -> None:
        """Waits until a step that is due later than any other one until now has been sent."""
        marker = self.ticket("marker")
        eventually(lambda: self.mails(marker), "the mail of the marker")

    def code(self, ticket: New, life: int = 1) -> str:
        return code_of(ticket.id, life)


def quiet(push: Push) -> bool:
    """An all-clear: it replaces what stands on the screen without a sound."""
    return push.payload["aps"]["interruption-level"] == "passive"
