"""An Escalator from its webhook to its records: the real app, observer and store on a real Redis, at a set time.

The helpdesk is the caller's: whatever a `responses` mock answers. Nothing is sent and nothing is written to it, since
no queue is worked here; what would be is read from the store.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import time_machine
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from config.settings import Settings
from connector.core.case import Case
from connector.core.escalation import Escalation, State
from connector.core.events import Entry
from connector.engine.keys import BEHIND, COUNTERS, EPOCH, HINTS, KNOWN, SINCE
from connector.engine.records import DeskItem, to_item
from connector.services import Services, build, read_config
from connector.web.app import create_app

SHORT, LONG = "2s", "30d"  # response windows: over by the time that something happens, and never over
ANSWER = (202, b'{"Success": 1}')


def plan(respond_within: str, **more: Any) -> dict[str, Any]:
    """Dana is told by SMS when nobody owns the ticket and the window is over; then nothing for a long time."""
    steps = [{"notify": "owner", "by": "sms"}, {"after": "20d", "notify": "dana", "by": "sms"}]
    return {"respond_within": respond_within, "unassigned": ["dana"], "steps": steps, "give_up_after": "20d", **more}


def settings(helpdesk: Mapping[str, Any], plans: Mapping[str, Any], **more: Any) -> Settings:
    """A config file with these plans, read as `up` reads it; each is read once."""
    data = {
        "helpdesk": dict(helpdesk),
        "service": {
            "secret_keys": ["a-key-that-is-only-for-these-tests"],
            "timezone": "UTC",
            "phone_region": "DE",
            "since": "2026-01-01T00:00:00Z",
        },
        "twilio": {"account_sid": "AC" + "0" * 32, "auth_token": "never-used"},
        "channels": {"sms": {"from": "+15005550006"}},
        "contacts": {"dana": {"name": "Dana Reyes", "mobile": "+491701234567"}},
        "plans": dict(plans),
        **more,
    }
    return _read(json.dumps(data))  # JSON is YAML


@cache
def _read(text: str) -> Settings:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "escalation.yml"
        path.write_text(text)
        loaded = read_config(path, {})
    assert loaded.settings is not None, loaded.problems
    return loaded.settings


@dataclass(frozen=True)
class Kept:
    """What is kept of a ticket, but for when it was read: equal after the same story, however it was heard."""

    case: Case | None
    history: tuple[Entry, ...]
    notes: tuple[str, ...]  # headlines
    assigned: tuple[str, ...]  # logins to be made the owner


class Receiving:
    """One Escalator. `clock` moves the time of everything in this process."""

    def __init__(self, settings: Settings, redis: Redis, clock: time_machine.Traveller) -> None:
        redis.flushall()
        redis.set(EPOCH, "1")
        redis.set(SINCE, settings.service.since.isoformat())  # as `up` records it
        self.redis: Any = redis
        self.clock = clock
        self.services: Services = build(settings, redis)
        _current[:] = [self.services]
        _app().config["LIMITER"].reset()
        self.client: FlaskClient = _app().test_client()

    def post(self, raw: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        answer = self.client.post(f"/webhooks/{self.services.helpdesk.kind}", data=raw, headers=dict(headers))
        return answer.status_code, answer.data

    def hints(self) -> list[str]:
        """Tickets that are to be read, or compared with what is known."""
        return [ticket.decode() for key in (HINTS, KNOWN, BEHIND) for ticket in self.redis.zrange(key, 0, -1)]

    def count(self, name: str) -> int:
        return int(self.redis.hget(COUNTERS, name) or 0)

    def look(self, ticket_id: str, at: datetime) -> None:
        """Reads the ticket at this time."""
        self.clock.move_to(at)
        self.services.observer.look(ticket_id)

    def take(self, raw: bytes, headers: Mapping[str, str], at: datetime) -> None:
        """A delivery arrives, and all that it hints at is read."""
        self.clock.move_to(at)
        assert self.post(raw, headers) == ANSWER
        for ticket_id in self.hints():
            self.look(ticket_id, at)

    def escalation(self, ticket_id: str) -> Escalation | None:
        case = self.services.store.case(ticket_id)
        return case.escalation if case is not None else None

    def history(self, ticket_id: str) -> tuple[Entry, ...]:
        escalation = self.escalation(ticket_id)
        return self.services.store.history(escalation.code) if escalation is not None else ()

    def notes(self, ticket_id: str) -> tuple[str, ...]:
        """The headlines of the notes to be written on the ticket."""
        return tuple(item.lines[0] for item in self._desk(ticket_id) if item.lines)

    def assigned(self, ticket_id: str) -> tuple[str, ...]:
        """Whom Escalator is going to make the owner."""
        return tuple(item.assign for item in self._desk(ticket_id) if item.assign)

    def _desk(self, ticket_id: str) -> list[DeskItem]:
        return [to_item(raw) for raw in self.redis.lrange(f"escalator:desk:{ticket_id}", 0, -1)]

    def kept(self, ticket_id: str) -> Kept:
        case = self.services.store.case(ticket_id)
        if case is not None:
            # a merge leaves clearing up to the next look
            escalation = case.escalation and replace(
                case.escalation, updated_at=case.ticket.created_at, clear_up_at=None
            )
            case = replace(case, escalation=escalation, read_at=case.ticket.created_at)
        return Kept(case, self.history(ticket_id), self.notes(ticket_id), self.assigned(ticket_id))


_current: list[Services] = []


@cache
def _app() -> Flask:
    """One app for all tests, as it is one for all requests of a process."""
    return create_app(lambda: _current[0])


def stands(escalation: Escalation | None) -> str:
    """How an escalation stands, in words."""
    if escalation is None:
        return "nothing"
    words = escalation.state.value
    if escalation.state is State.HELD:
        words = f"held until {escalation.held_until:%Y-%m-%d %H:%M}"
    if escalation.state.climbing:
        words += f", owner {escalation.owner.login.split('@')[0]}" if escalation.owner else ""
    else:
        taken = escalation.acknowledged
        who = (taken.by.login.split("@")[0] or f"agent {taken.by.id}") if taken else ""
        by = f"{who} ({taken.via})" if taken else "nobody"
        words += f" by {by}" if escalation.state is State.ACKNOWLEDGED else f", acknowledged by {by}"
    words += f", life {escalation.life}" if escalation.life > 1 else ""
    return words + (", until somebody works on it" if escalation.waits_for_work else "")
