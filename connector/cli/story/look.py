"""Looks at the stage: what stands on the phones and on the ticket at this moment."""

import html
import re
from datetime import datetime
from typing import Any

from ...sandbox.providers._twilio_records import ENDED
from . import DANA, DEVICE, NUMBER
from .seen import Note, Seen, Told
from .stage import Stage


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
        Told("phone", call.at, _last_words(call.said), bool(call.keys), "".join(call.keys), over=call.status in ENDED)
        for call in stage.twilio.calls
        if call.to == NUMBER
    ]
    notes = tuple(
        Note(datetime.fromisoformat(row["created_at"]), lines_of(row["body"]), bool(row["internal"]))
        for row in stage.zammad.notes(id)
    )
    owner = str(stage.zammad.ticket(id)["owner"])
    ticket_at = datetime.fromisoformat(ticket["created_at"])
    told = [told for told in (*pushes, *texts, *calls) if told.at >= ticket_at]
    return Seen(
        ticket_at=ticket_at,
        told=tuple(sorted(told, key=lambda told: told.at)),
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
    return bool(payload["escalation"]["purpose"] == "all-clear")
