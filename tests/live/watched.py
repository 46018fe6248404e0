"""A live world in which every word that passes between Znuny and Escalator is timed, and every way has an answer."""

import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from channels import webpush
from connector.engine.pairing import invite
from connector.engine.proofs import Signatures
from connector.sandbox.providers import PushService

from ..stories.plans import plan, step
from ..stories.world import escalator, said
from .conftest import LiveZnuny, New
from .wire import Passed, Wire
from .world import API_TOKEN, World, eventually

BENS_PHONE = "be" * 32
#: Late enough that every act lies before it, however slow Znuny is, and soon enough to be waited for.
SECOND = "40s"
BY_WORK = ["take", "reply", "pending", "outside"]

PLANS: dict[str, dict[str, Any]] = {
    # a mail to Dana, who is no agent. In `hands` neither the lock of a form counts nor the note that it leaves.
    "locks": plan("1s", step("owner", "email"), step("owner", "email", SECOND)),
    "hands": plan("1s", step("owner", "email"), step("owner", "email", SECOND), acknowledged_by=BY_WORK),
    # Ben, who is an agent: by mail, by every way that has an answer, by a call
    "bens": plan("1s", step("ben", "email"), step("ben", "email", SECOND)),
    "reached": plan("1s", step("ben", ["push", "webpush", "sms", "email", "pager"]), step("ben", "email", SECOND)),
    "rung": plan("1s", step("ben", "phone"), step("lee", "email", SECOND)),
    "lapsing": plan("1s", step("owner", "email"), give_up_after="1s"),
    "lasting": plan("1s", step("owner", "email"), step("owner", "email", "15m")),
}


class WatchedWorld(World):
    """`posted` is the wire from Znuny to Escalator, `asked` the one from Escalator to Znuny."""

    def __init__(self, directory: Path, znuny: LiveZnuny, push_service: PushService) -> None:
        super().__init__(directory, znuny)
        self.push_service, self.push_key = push_service, webpush.new_key()
        there = urlsplit(znuny.url)
        self.asked, self.posted = Wire(f"{there.scheme}://{there.netloc}"), Wire(self.url)

    @property
    def webhook_url(self) -> str:
        return f"{self.posted.url}/webhooks/znuny"

    def config(self) -> dict[str, Any]:
        told = super().config()
        helpdesk = {**told["helpdesk"], "url": f"{self.asked.url}/otrs", "robots": ["robin"]}
        channels = {"webpush": {**self.push_service.options, "private_key": self.push_key}}
        ben = {**told["contacts"]["ben"], "push": [BENS_PHONE]}
        return {
            **told,
            "helpdesk": helpdesk,
            "service": {**told["service"], "sweep_every": "20s"},  # webhooks are to be first
            "channels": {**told["channels"], **channels},
            "contacts": {**told["contacts"], "ben": ben},
            "plans": PLANS,
            "rules": [{"when": {"title": [name], "priority": ["4 high"]}, "plan": name} for name in PLANS],
        }

    def stop(self) -> None:
        super().stop()
        for wire in (self.asked, self.posted):
            wire.close()

    # --- what passes, and when ----------------------------------------------------------------------------------------

    def webhook_behind(self, ticket: New, recorded: datetime, begun: datetime, done: datetime) -> datetime | None:
        """When the webhook came by which an act was seen: the first one once it was `done`, or the last one before
        it was `recorded`. Znuny sends word of each step of an act, and later; None: something else saw it first.
        """
        mine = [one for one in self.posted.passed if str(one.body.get("Event", {}).get("TicketID")) == ticket.id]
        came = sorted(one.came for one in mine if begun <= one.came <= recorded)
        return next((at for at in came if at >= done), came[-1] if came else None)

    def running(self, plan: str, **columns: str) -> New:
        ticket = self.ticket(plan, **columns)
        self.noted(ticket, "step 1 of")
        return ticket

    def noted(self, ticket: New, holds: str, after: datetime | None = None) -> datetime:
        """When Znuny had taken the first note whose headline holds these words."""
        wanted = lambda patch: holds in patch.get("Article", {}).get("Subject", "")  # noqa: E731
        return self._written(ticket, wanted, f'a note with "{holds}"', after).answered

    def listed(self, ticket: New, status: str, after: datetime | None = None) -> Passed:
        """The request by which Znuny took this value of the field EscalationStatus."""
        field = {"Name": "EscalationStatus", "Value": status}
        return self._written(ticket, lambda patch: field in patch.get("DynamicField", ()), f"status {status}", after)

    def _written(
        self, ticket: New, wanted: Callable[[dict[str, Any]], bool], what: str, after: datetime | None
    ) -> Passed:
        def passed(one: Passed) -> bool:
            mine = one.method == "PATCH" and one.path.endswith(f"/Ticket/{ticket.id}")
            return mine and (after is None or one.came >= after) and wanted(one.body)

        return self.asked.first(passed, lambda: f"{what}; there is {self.headlines(ticket)}")

    def dashboard(self) -> str:
        """The dashboard's list of escalations, as Anna sees it."""
        return self.anna.get("Action=AgentDashboard;Subaction=Element;Name=0115-EscalationRunning").html

    # --- Ben's phone and mailbox --------------------------------------------------------------------------------------

    def pair(self, contact: str) -> None:
        """A browser opens this contact's personal link and lets itself be told by Web Push."""
        key = self.config()["service"]["secret_keys"]
        token, _ = invite(Signatures(key), contact, datetime.now(UTC))
        browser = self.push_service.browser(webpush.public_key(self.push_key))
        requests.post(f"{self.url}/pair/{token}", json=browser.subscription(), timeout=60).raise_for_status()

    def link(self, ticket: New) -> str:
        """The personal link in the first mail about the ticket."""
        [mail, *_] = eventually(lambda: self.mails(ticket), "a mail")
        found = re.search(rf"{re.escape(self.url)}/ack/[\w.~-]+", said(mail))
        assert found, said(mail)
        return found[0]

    def answer_push(self, ticket: New) -> None:
        [push, *_] = [one for one in self.providers.apns.pushes if ticket.number in str(one.payload)]
        requests.post(push.payload["escalation"]["acknowledge"]["url"], timeout=60).raise_for_status()

    def answer_webpush(self, ticket: New) -> None:
        [push, *_] = [one for one in self.push_service.pushes if ticket.number in one.payload["title"]]
        requests.post(push.payload["acknowledge"]["url"], timeout=60).raise_for_status()

    def answer_document(self, ticket: New) -> None:
        received = self.providers.http_post.received
        [post, *_] = [one for one in received if one.document["data"]["ticket"]["id"] == ticket.id]
        requests.post(post.document["data"]["acknowledge"]["url"], timeout=60).raise_for_status()

    # --- other systems, and agents' programs --------------------------------------------------------------------------

    def api(self, ticket: New, by: str) -> None:
        """Another system acknowledges for somebody."""
        url = f"{self.url}/api/v1/escalations/{self.code(ticket)}/acknowledge"
        headers = {"Authorization": f"Bearer {API_TOKEN}"}
        requests.post(url, json={"by": by}, headers=headers, timeout=60).raise_for_status()

    def terminal(self, ticket: New, by: str) -> None:
        """`escalator acknowledge`."""
        environ = {
            "ESCALATOR_CONFIG": str(self.directory / "escalation.yml"),
            "ESCALATOR_DATA": str(self.directory / "data"),
            "PATH": "/usr/bin:/bin:/usr/local/bin",
        }
        command = escalator("acknowledge", self.code(ticket), "--by", by)
        subprocess.run(command, env=environ, check=True, capture_output=True, timeout=100)

    def script(self, ticket: New, login: str, **change: Any) -> None:
        """An agent's own program changes the ticket through the web service, where no form locks anything."""
        self.znuny.call("PATCH", f"/Ticket/{ticket.id}", change, login)
