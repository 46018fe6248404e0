"""A web app over a real Redis, with a stand-in for Twilio; tickets are put before the engine as readings."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from connector import services as graph
from connector.core.case import Case
from connector.core.escalation import Escalation, Notification
from connector.core.ticket import Actor, Change, Facts, Kind, Person, Phase, Reading, Role, Ticket
from connector.engine.keys import EPOCH, HINTS, SINCE, case_key
from connector.engine.pacing import Pacing
from connector.engine.records import Link, encode
from connector.redis_server import EmbeddedRedis, connect
from connector.sandbox.providers.twilio import Twilio
from connector.services import Services
from connector.web.app import create_app

NOWHERE = "http://127.0.0.1:9"  # nobody listens there
PUBLIC_URL = "https://escalator.example.com"
DANA, LEE = "+491701234567", "+491707654321"
API_TOKEN = "canary-api-token"
HOOK_SECRET = "canary-hook-secret"

CONFIG = """
helpdesk: {{kind: zammad, url: "{helpdesk}", token: canary-desk-token, webhook_secret: {hook}}}
service:
  secret_keys: ["canary-key-0123456789abcdef012345"]
  public_url: "https://escalator.example.com"
  api_tokens: {{monitoring: {api}, spare: another-api-token}}
twilio: {{account_sid: "{sid}", auth_token: ["{token}", "old-auth-token"], api_url: "{twilio}"}}
channels:
  sms: {{from: "+15005550006"}}
  phone: {{from: "+15005550006", language: en-GB}}
contacts:
  dana: {{name: Dana Reyes, login: dana@example.com, mobile: "+491701234567"}}
  lee: {{name: Lee Adams, mobile: "+491707654321"}}
plans:
  texts:
    respond_within: 5m
    unassigned: [dana]
    steps: [{{notify: [owner, lee], by: sms}}, {{after: 20m, notify: owner, by: sms}}]
    when_exhausted: {{notify: lee, by: sms, every: 1h}}
  calls:
    respond_within: 5m
    unassigned: [dana]
    steps: [{{notify: owner, by: phone, else: sms}}, {{after: 20m, notify: lee, by: phone}}]
    when_exhausted: {{notify: lee, by: sms, every: 1h}}
  inside:
    respond_within: 5m
    unassigned: [dana]
    acknowledged_by: [take, reply]
    steps: [{{notify: owner, by: sms}}]
    when_exhausted: {{notify: lee, by: sms, every: 1h}}
priorities: {{"3 high": texts, "2 normal": calls, "1 low": inside}}
"""


def config(tmp_path: Path, twilio: Twilio, more: dict[str, str] | None = None, helpdesk: str = NOWHERE) -> Path:
    """The config file; `more` replaces lines of it, old text -> new text."""
    text = CONFIG.format(
        sid=twilio.account_sid,
        token=twilio.auth_token,
        twilio=twilio.url,
        api=API_TOKEN,
        hook=HOOK_SECRET,
        helpdesk=helpdesk,
    )
    for old, new in (more or {}).items():
        assert old in text
        text = text.replace(old, new)
    file = tmp_path / "escalation.yml"
    file.write_text(text)
    return file


@dataclass
class World:
    """The app and what stands behind it."""

    services: Services
    app: Flask
    twilio: Twilio

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def escalating(
        self,
        ticket_id: str = "42",
        *,
        priority: str = "3 high",
        title: str = "Server outage",
        owner: Person | None = None,
    ) -> Escalation:
        """A ticket whose response window is over: its first step has fired."""
        now = datetime.now(UTC)
        made = now - timedelta(minutes=6)
        ticket = Ticket(
            id=ticket_id,
            number=f"500{ticket_id}",
            url=f"{NOWHERE}/#ticket/zoom/{ticket_id}",
            created_at=made,
            updated_at=made,
            state="new",
            phase=Phase.OPEN,
            facts=Facts(priority=priority, group="Network", title=title, organization="Acme"),
            customer="cathy@example.com",
            owner=owner,
        )
        self.services.engine.observe(Reading(ticket, (), now), made - timedelta(days=1))
        self.services.engine.wake(ticket_id)
        return self.escalation(ticket_id)

    def sent(self, ticket_id: str = "42", **facts: Any) -> list[Notification]:
        """The same, and everybody of the first step has been told."""
        self.escalating(ticket_id, **facts)
        self.send()
        return list(self.escalation(ticket_id).notifications)

    def send(self) -> None:
        """Each ticket by itself, at once."""
        delivery = replace(self.services.delivery, pacing=Pacing(timedelta(0)))
        for due in delivery.due(100):
            delivery.send(due)

    def sent_together(self, *ticket_ids: str, **facts: str) -> Link:
        """Tickets whose first step fell due at one moment: everybody was told of all in one message; Dana's link."""
        for ticket_id in ticket_ids:
            self.escalating(ticket_id, **facts)
        for due in self.services.delivery.due(100):
            self.services.delivery.send(due)
        danas = next(n for n in self.escalation(ticket_ids[0]).notifications if n.person == "dana")
        link = self.services.store.link(danas.message)
        assert link is not None
        return link

    def taken_in_the_helpdesk(self, ticket_id: str = "42", name: str = "Alice Agent") -> None:
        case = self.case(ticket_id)
        now = datetime.now(UTC)
        alice = Person("3", "alice@example.com", name)
        took = Change("1", now, Actor(Role.PERSON, "3", alice.login, name), Kind.OWNER, "", alice.login, owner=alice)
        ticket = replace(case.ticket, owner=alice, updated_at=now)
        self.services.engine.observe(Reading(ticket, (took,), now), now - timedelta(days=1))

    def given_to(self, owner: Person | None, ticket_id: str = "42") -> None:
        """An agent gives the ticket to somebody else, or to nobody."""
        case = self.case(ticket_id)
        now = datetime.now(UTC)
        alice = Actor(Role.PERSON, "3", "alice@example.com", "Alice Agent")
        was = case.ticket.owner.login if case.ticket.owner else ""
        given = Change("3", now, alice, Kind.OWNER, was, owner.login if owner else "", owner=owner)
        ticket = replace(case.ticket, owner=owner, updated_at=now)
        self.services.engine.observe(Reading(ticket, (given,), now), now - timedelta(days=1))

    def case_of(self, updated_at: datetime) -> datetime:
        """Ticket 42 is known as it was then, and nobody is to read it. Returns `updated_at`."""
        self.escalating()
        case = self.case()
        known = replace(case, ticket=replace(case.ticket, updated_at=updated_at))
        self.services.redis.set(case_key("42"), encode(known))
        self.services.redis.delete(HINTS)
        return updated_at

    def closed(self, ticket_id: str = "42") -> None:
        case = self.case(ticket_id)
        now = datetime.now(UTC)
        by = Actor(Role.PERSON, "3", "alice@example.com", "Alice Agent")
        change = Change("2", now, by, Kind.STATE, "open", "closed", phase_before=Phase.OPEN, phase=Phase.CLOSED)
        ticket = replace(case.ticket, phase=Phase.CLOSED, updated_at=now)
        self.services.engine.observe(Reading(ticket, (change,), now), now - timedelta(days=1))

    def case(self, ticket_id: str = "42") -> Case:
        case = self.services.store.case(ticket_id)
        assert case is not None
        return case

    def escalation(self, ticket_id: str = "42") -> Escalation:
        escalation = self.case(ticket_id).escalation
        assert escalation is not None
        return escalation

    def notification(self, id: str, ticket_id: str = "42") -> Notification:
        return next(n for n in self.escalation(ticket_id).notifications if n.id == id)

    def acknowledger(self, ticket_id: str = "42") -> tuple[str, str]:
        """(name, way), empty while nobody has it."""
        current = self.escalation(ticket_id).acknowledged
        return (current.by.name, current.via) if current else ("", "")

    def history(self, code: str = "E-1A") -> list[str]:
        return [entry.text for entry in self.services.store.history(code)]

    def counter(self, name: str) -> int:
        return int(self.services.redis.hget("escalator:counters", name) or 0)  # type: ignore[arg-type]

    def ack_url(self, notification: Notification | Link) -> str:
        return f"/ack/{self.services.signatures.token('acknowledge', notification.id)}"

    def call_back(self, what: str, form: dict[str, Any], id: str = "", **changes: Any) -> TestResponse:
        """A callback signed as Twilio does; `signature`, `token` and `path` can be made wrong."""
        token = changes.get("token", self.services.signatures.token("callback", id) if id else "")
        path = f"/callbacks/twilio/{what}" + (f"?m={token}" if token else "")
        form = {"AccountSid": self.twilio.account_sid, **form}
        key = changes.get("auth_token", self.twilio.auth_token)
        genuine = RequestValidator(key).compute_signature(PUBLIC_URL + path, form)
        headers = {"X-Twilio-Signature": changes.get("signature", genuine)}
        return self.client.post(path, data=form, headers=headers)


@pytest.fixture
def twilio() -> Iterator[Twilio]:
    """Its callbacks go nowhere: tests make their own."""
    with Twilio(public_url=PUBLIC_URL, deliver_to=NOWHERE) as running:
        yield running


@pytest.fixture
def build_world(tmp_path: Path, redis: Redis, redis_server: EmbeddedRedis, twilio: Twilio) -> Iterator[Any]:
    """Builds a world; `more` replaces lines of the config."""
    connections = []

    def build(more: dict[str, str] | None = None, helpdesk: str = NOWHERE) -> World:
        loaded = graph.read_config(config(tmp_path, twilio, more, helpdesk), {})
        assert loaded.settings is not None, [str(problem) for problem in loaded.problems]
        connection = connect(redis_server.url)
        connections.append(connection)
        connection.set(EPOCH, "an-epoch")
        connection.set(SINCE, datetime(2026, 1, 1, tzinfo=UTC).isoformat())
        services = graph.build(loaded.settings, connection)
        return World(services, create_app(lambda: services), twilio)

    yield build
    for connection in connections:
        connection.close()


@pytest.fixture
def world(build_world: Any) -> World:
    return build_world()
