"""What can be seen from outside at one moment: on the phones, and on the ticket. Times are aware UTC."""

import html
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .stage import DANA, DEVICE, NUMBER, Stage


@dataclass(frozen=True, slots=True)
class Told:
    """Something that reached Dana. `way`: push, sms, phone; `arrived`: delivered, or answered with a key."""

    way: str
    at: datetime
    text: str
    arrived: bool
    keys: str = ""
    all_clear: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """A note of Escalator's, as a person reads it."""

    at: datetime
    lines: tuple[str, ...]
    internal: bool

    @property
    def first(self) -> str:
        return self.lines[0] if self.lines else ""


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything up to now, oldest first."""

    ticket_at: datetime
    told: tuple[Told, ...] = ()
    notes: tuple[Note, ...] = ()
    tags: tuple[str, ...] = ()
    owner: str = ""

    def by(self, way: str) -> tuple[Told, ...]:
        """What came by this way, without all-clears."""
        return tuple(told for told in self.told if told.way == way and not told.all_clear)

    @property
    def acknowledgement(self) -> Note | None:
        return next((note for note in self.notes if " acknowledged by " in note.first), None)

    @property
    def closing(self) -> Note | None:
        return next((note for note in self.notes if note.first.endswith(" closed")), None)

    def minutes(self, at: datetime) -> float:
        """Told minutes after the ticket came."""
        return (at - self.ticket_at).total_seconds()


def look(stage: Stage, ticket: dict[str, Any]) -> Seen:
    """Looks at the phones and at the ticket."""
    id = ticket["id"]
    pushes = [
        Told("push", push.at, _words(push.payload), True, all_clear=_is_all_clear(push.payload))
        for push in stage.apns.pushes
        if push.device == DEVICE
    ]
    texts = [
        Told("sms", text.at, text.body, text.status == "delivered")
        for text in stage.twilio.messages
        if text.to == NUMBER and not text.answer
    ]
    calls = [
        Told("phone", call.at, _last_words(call.said), bool(call.keys), "".join(call.keys))
        for call in stage.twilio.calls
        if call.to == NUMBER
    ]
    notes = tuple(
        Note(datetime.fromisoformat(row["created_at"]), lines_of(row["body"]), bool(row["internal"]))
        for row in stage.zammad.notes(id)
    )
    owner = str(stage.zammad.ticket(id)["owner"])
    return Seen(
        ticket_at=datetime.fromisoformat(ticket["created_at"]),
        told=tuple(sorted([*pushes, *texts, *calls], key=lambda told: told.at)),
        notes=notes,
        tags=tuple(stage.zammad.tags(id)),
        owner=DANA if owner == stage.dana.login else "",
    )


def lines_of(body: str) -> tuple[str, ...]:
    """A note's simple HTML as the lines that a person reads."""
    text = re.sub(r"<[^>]+>", "", re.sub(r"<br\s*/?>|</(?:div|p)>", "\n", body))
    return tuple(line for line in html.unescape(text).split("\n") if line.strip())


def _words(payload: dict[str, Any]) -> str:
    alert = payload["aps"]["alert"]
    return f"{alert['title']}: {alert['body']}"


def _last_words(said: tuple[str, ...]) -> str:
    """What answers the key, without the goodbye."""
    return next((words for words in reversed(said) if "acknowledged" in words), said[-1] if said else "")


def _is_all_clear(payload: dict[str, Any]) -> bool:
    return payload["escalation"]["purpose"] == "all-clear"
