"""Composes every text with made-up tickets, so that what is wrong with one is found by day.

A channel's module takes part with `proofread(message, texts)`, which composes all that it may send for that message.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import product
from typing import Any

from connector.core.contact import Contact
from connector.ports import Announced, Message, Purpose

from . import discover
from ._templates import Fault, Proofreader

#: Titles as they come in: everyday, none, hostile, very long, and in an alphabet that an SMS writes in 70 characters.
TITLES = (
    "Server outage",
    "",
    "<script>alert(1)</script> & {{ 7 * 7 }} </Say> http://evil.example.com/\r\nBcc: everybody@example.com",
    "Nothing works any more, neither mail nor telephones, please help " * 8,
    "Сервер не отвечает, все клиенты ждут, пожалуйста, помогите нам срочно прямо сейчас",
)
#: How many tickets one message tells of.
COUNTS = (1, 37)
_AT = datetime(2026, 1, 31, 20, 15, tzinfo=UTC)
_LINK = "https://escalator.example.com/ack/e-1a-1-2-0123456789ab.0123456789abcdef"


def proofread(reader: Proofreader, kinds: Iterable[str], languages: Iterable[str]) -> list[Fault]:
    """What is wrong with the texts of these kinds of channels in these languages, each fault once."""
    modules = [module for kind, module in discover().items() if kind in set(kinds) and hasattr(module, "proofread")]
    for language in languages:
        for message in samples(language):
            for module in modules:
                module.proofread(message, reader)
    return list(reader.faults.values())


def samples(language: str) -> Iterator[Message]:
    """Messages of every purpose about tickets of every sort."""
    for title in TITLES:
        for count, purpose in product(COUNTS, (Purpose.STEP, Purpose.EXHAUSTED)):
            yield _message(language, purpose, title, count, only_one=False, rests_until=_AT)
            if count == 1 or title == TITLES[0]:
                yield _message(language, purpose, title, count)
                yield _message(language, purpose, title, count, acknowledge_url="", callback_url="")
        yield _message(language, Purpose.ALL_CLEAR, title, line="E-1A, ticket 50042: it is over.")
        yield _message(language, Purpose.ALL_CLEAR, title, line="E-1A: Lee has it.", taken_by="Lee Adams")
        yield _message(language, Purpose.STILL_ON_IT, title, line="E-1A, ticket 50042: still on it?", next_at=_AT)
    yield _message(language, Purpose.TEST, "", code="TEST", ticket_number="")
    yield _message(language, Purpose.OPERATOR, "", code="", ticket_number="", line="The helpdesk does not answer.")


def _message(language: str, purpose: Purpose, title: str, count: int = 1, **facts: Any) -> Message:
    also = tuple(
        Announced(f"E-{1000 + number}", f"50{100 + number}", title, "https://desk.example.com/", "2 normal", "Network")
        for number in range(count - 1)
    )
    usual = {
        "code": "E-1A",
        "ticket_number": "50042",
        "acknowledge_url": _LINK,
        "callback_url": "https://escalator.example.com/callbacks/twilio",
    }
    return Message(
        id="e-1a-1-2-0123456789ab",
        purpose=purpose,
        contacts=(Contact("dana", "Dana Reyes", email="dana@example.com", mobile="+491701234567"),),
        sent_at=_AT,
        ticket_id="42",
        ticket_title=title,
        ticket_url="https://desk.example.com/#ticket/zoom/42",
        priority="3 high",
        group="Network",
        organization="Example Ltd",
        plan="major-incident",
        step=2,
        steps=4,
        due_at=_AT,
        token=_LINK.rpartition("/")[2],
        language=language,
        also=also,
        **(usual | facts),
    )
