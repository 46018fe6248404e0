"""The facts that the channels' tests send: an everyday one, and one from somebody who means harm."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from connector.core.code import code_of
from connector.core.contact import Contact
from connector.ports import Announced, Message, Purpose

DANA = Contact(
    key="dana",
    name="Dana Reyes",
    login="dana@example.com",
    email="dana@example.com",
    mobile="+491701234567",
    push=("d" * 64,),
    timezone="Europe/Berlin",
)
NOBODY = Contact(key="nobody", name="No Body")

LANGUAGES = ("en", "de")

#: Titles that try something.
HOSTILE = (
    "Server\r\nBcc: everybody@example.com\r\n\r\nhello",
    "Pay at http://evil.example.com/now or www.evil.com today",
    "<script>alert(1)</script> & <b>\"bold\"</b> 'quotes'",
    "{{ 7 * 7 }}{% for x in y %} ${ESCALATOR_KEY} %s %(code)s",
    "\x00\x1b[31mred\x1b[0m \u202egnp.exe \u2028 second line \ud800",
    "x" * 3000,
    "Сервер не отвечает, все клиенты ждут, пожалуйста помогите нам срочно прямо сейчас, очень важно",
    "サーバーが応答しません。すべてのお客様がお待ちです。至急ご対応をお願いいたします。どうぞよろしくお願いいたします。",
    "🔥" * 60,
    "^{}[]~|\\€" * 30,
    "</Say><Dial>+15005550000</Dial>",
    "",
)


def step(**changes: Any) -> Message:
    """A step's message to Dana, with some facts changed."""
    message = Message(
        id="e-1a-1-2-dana-sms",
        purpose=Purpose.STEP,
        code="E-1A",
        contacts=(DANA,),
        sent_at=datetime.now(UTC),
        ticket_id="42",
        ticket_number="50042",
        ticket_title="Server outage",
        ticket_url="https://desk.example.com/#ticket/zoom/42",
        priority="3 high",
        group="Network",
        organization="Example Ltd",
        plan="major-incident",
        step=2,
        steps=4,
        due_at=datetime(2026, 1, 31, 20, 15, tzinfo=UTC),
        acknowledge_url="https://escalator.example.com/ack/t0ken-of-dana",
        escalation_url="https://escalator.example.com/escalations/E-1A",
        callback_url="https://escalator.example.com/callbacks/twilio",
        token="m3ssage.t0ken",
    )
    return replace(message, **changes)


def bundle(count: int, title: str = "Server outage", **changes: Any) -> Message:
    """One message about `count` tickets."""
    also = tuple(
        Announced(
            code=code_of(str(43 + number)),
            ticket_number=f"50{100 + number}",
            ticket_title=title,
            ticket_url=f"https://desk.example.com/#ticket/zoom/{43 + number}",
            priority="2 normal",
            group="Network",
        )
        for number in range(count - 1)
    )
    return step(id="b-0123456789abcdef", ticket_title=title, also=also, only_one=False, **changes)


def all_clear(**changes: Any) -> Message:
    return step(purpose=Purpose.ALL_CLEAR, line="E-1A acknowledged by Dana Reyes (SMS)", **changes)


def question(**changes: Any) -> Message:
    """To who has it: are they still on it?"""
    until = datetime(2026, 1, 31, 20, 30, tzinfo=UTC)
    return step(purpose=Purpose.STILL_ON_IT, line="E-1A, ticket 50042: still on it?", next_at=until, **changes)


def every_purpose() -> list[Message]:
    return [
        step(),
        step(purpose=Purpose.EXHAUSTED),
        all_clear(),
        question(),
        step(purpose=Purpose.TEST, code="", ticket_title="", ticket_number="", acknowledge_url=""),
        step(purpose=Purpose.OPERATOR, code="", line="The helpdesk hasn't answered for 5 minutes."),
    ]
