"""A real Znuny for the live tests, with agents and customers at its own web pages.

    pytest -o addopts= tests/live

`znuny/start` installs Znuny from the Debian archive (needs root on Debian 12, about a minute the first time) and is
done in a second where it runs already. A Znuny that this run has started is stopped again at its end; ZNUNY_KEEP=1
leaves it running.
"""

import http.server
import json
import os
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from connector.helpdesks.znuny import build
from connector.ports import Helpdesk

from .people import Agent, Customer, browser

HERE = Path(__file__).parent / "znuny"


@dataclass(frozen=True)
class Delivery:
    """One webhook as it came in."""

    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


class Receiver:
    """Takes webhooks on a free port and answers as Znuny wants it; for tests that want to see them themselves."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self._news = threading.Condition()
        receiver = self

        class _Answers(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with receiver._news:
                    receiver.deliveries.append(Delivery(dict(self.headers.items()), raw))
                    receiver._news.notify_all()
                answer = b'{"Success": 1}'
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:
                """Silent."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/webhooks/znuny"

    def wait_for(self, wanted: Callable[[Delivery], bool], seconds: float = 30) -> Delivery:
        """The first delivery, old or new, that is wanted."""

        def found() -> Delivery | None:
            return next((one for one in self.deliveries if wanted(one)), None)

        with self._news:
            delivery = self._news.wait_for(found, seconds)
        assert delivery is not None, f"no such webhook within {seconds} s"
        return delivery

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@dataclass
class LiveZnuny:
    """A running Znuny. `settings` is what `znuny/start` printed: addresses, users, passwords, webhook secrets."""

    settings: dict[str, str]
    _visitors: list[Agent | Customer] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.settings["ZNUNY_URL"] + "/otrs"

    def post_webhooks_to(self, url: str) -> None:
        """Sends webhooks there from now on; it works at once, events still queued follow."""
        self.settings = start(url)

    def options(self) -> dict[str, Any]:
        """What a config says under `helpdesk` for this Znuny."""
        said = self.settings
        return {
            "url": self.url,
            "user": said["ZNUNY_API_USER"],
            "password": said["ZNUNY_API_PASSWORD"],
            "webhook_secret": [said["ZNUNY_WEBHOOK_SECRET"]],
            "webhook_header": said["ZNUNY_WEBHOOK_HEADER"],
            "webhook_user": said["ZNUNY_WEBHOOK_USER"],
            "webhook_password": said["ZNUNY_WEBHOOK_PASSWORD"],
        }

    def helpdesk(self, **options: Any) -> Helpdesk:
        return build({**self.options(), **options})

    def agent(self, login: str) -> Agent:
        """anna (id 3), ben (4) or otto (5, who may see no ticket), logged in."""
        agent = Agent(self.settings["ZNUNY_AGENT_UI"], login, f"{login}-pw")
        self._visitors.append(agent)
        return agent

    def customer(self) -> Customer:
        """carla, logged in."""
        said = self.settings
        customer = Customer(said["ZNUNY_CUSTOMER_UI"], said["ZNUNY_CUSTOMER_USER"], said["ZNUNY_CUSTOMER_PASSWORD"])
        self._visitors.append(customer)
        return customer

    def call(self, method: str, path: str, body: Any = None, login: str = "anna") -> dict[str, Any]:
        """The web service, used by an agent's own script."""
        headers = {"X-OTRS-Header-UserLogin": login, "X-OTRS-Header-Password": f"{login}-pw"}
        url = self.settings["ZNUNY_API"] + path
        with browser() as session:
            answer: dict[str, Any] = session.request(method, url, json=body, headers=headers, timeout=60).json()
        assert "Error" not in answer, answer
        return answer

    def ticket_by_customer(self, title: str, **columns: str) -> "New":
        """Carla writes; nobody owns it."""
        who = {"CustomerUserLogin": "carla", "Password": self.settings["ZNUNY_CUSTOMER_PASSWORD"]}
        answer = requests.post(
            self.settings["ZNUNY_API"] + "/Ticket", json={**who, **_new(title, columns)}, timeout=60
        ).json()
        return New(answer["TicketID"], answer["TicketNumber"], answer["ArticleID"])

    def ticket_by_agent(self, title: str, login: str = "anna", **columns: str) -> "New":
        """An agent's script makes it; Znuny makes that agent the owner, unlocked."""
        answer = self.call("POST", "/Ticket", _new(title, columns), login)
        return New(answer["TicketID"], answer["TicketNumber"], answer["ArticleID"])

    def mail(self, subject: str, body: str, sender: str = "Carla Customer <carla@example.com>") -> None:
        """A mail comes in; one with a ticket's number in its subject, as `[Ticket#...]`, follows up."""
        head = f"From: {sender}\nTo: znuny@localhost\nSubject: {subject}\nMessage-ID: <{uuid.uuid4()}@example.com>"
        console = ["runuser", "-u", "otrs", "--", "bin/otrs.Console.pl", "Maint::PostMaster::Read", "--untrusted"]
        subprocess.run(
            console, cwd="/usr/share/otrs", check=True, capture_output=True, input=f"{head}\n\n{body}\n", text=True
        )

    def delete(self, ticket_id: str) -> None:
        """Only an admin's console can delete."""
        console = [
            "runuser",
            "-u",
            "otrs",
            "--",
            "bin/otrs.Console.pl",
            "Maint::Ticket::Delete",
            "--ticket-id",
            ticket_id,
        ]
        subprocess.run(console, cwd="/usr/share/otrs", check=True, capture_output=True)

    def stop_web_server(self) -> None:
        """Nobody can reach this Znuny until it is started again, as `post_webhooks_to` does, too."""
        os.kill(_web_server(), signal.SIGTERM)
        until = time.monotonic() + 30
        while _runs():
            assert time.monotonic() < until, "Apache doesn't stop"
            time.sleep(0.1)

    def close(self) -> None:
        for visitor in self._visitors:
            visitor.close()


@dataclass(frozen=True)
class New:
    """A ticket just made."""

    id: str
    number: str
    article_id: str


def _new(title: str, columns: Mapping[str, str]) -> dict[str, Any]:
    known = {"Queue": "Service Desk", "State": "new", "Priority": "3 normal", "CustomerUser": "carla"}
    article = {"CommunicationChannel": "Phone", "SenderType": "customer", "IsVisibleForCustomer": 1, "Subject": title,
               "Body": "Nothing works.", "ContentType": "text/plain; charset=utf-8"}  # fmt: skip
    return {"Ticket": {"Title": title, **known, **columns}, "Article": article}


def start(webhook_url: str) -> dict[str, str]:
    """Brings Znuny up, or only changes where it sends webhooks; what the script printed. Ends the run if it can't."""
    environment = {**os.environ, "ZNUNY_WEBHOOK_URL": webhook_url}
    run = subprocess.run([HERE / "start"], env=environment, capture_output=True, text=True, check=False, timeout=900)
    if run.returncode != 0:
        pytest.exit(f"The live tests need a Znuny, which didn't start: {run.stderr.strip()}", returncode=1)
    return dict(line.split("=", 1) for line in run.stdout.splitlines())


def state() -> Path:
    """Where this Znuny keeps its database, logs and pid files."""
    return Path(os.environ.get("ZNUNY_STATE", "/var/lib/znuny-dev"))


def _web_server() -> int:
    return int((state() / "run" / "apache.pid").read_text())


def _runs() -> bool:
    try:
        os.kill(_web_server(), 0)
    except (OSError, ValueError):
        return False
    return True


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    """What Znuny posts in this run, unless a test lets it post elsewhere."""
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="session")
def znuny(receiver: Receiver) -> Iterator[LiveZnuny]:
    """The real Znuny, which posts its webhooks to `receiver`; one that ran before is left as it was."""
    ran, posts_to = _runs(), state() / "webhook_url"
    before = posts_to.read_text().strip() if ran and posts_to.exists() else ""
    live = LiveZnuny(start(receiver.url))
    try:
        yield live
    finally:
        live.close()
        if before:
            live.post_webhooks_to(before)
        if not ran and not os.environ.get("ZNUNY_KEEP"):
            subprocess.run([HERE / "stop"], check=True)
