"""The facts that the channels' tests send: an everyday one, and one from somebody who means harm."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from connector.core.contact import Contact
from connector.ports import Message, Purpose

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


def all_clear(**changes: Any) -> Message:
    return step(purpose=Purpose.ALL_CLEAR, line="E-1A acknowledged by Dana Reyes (SMS)", **changes)


def every_purpose() -> list[Message]:
    return [
        step(),
        step(purpose=Purpose.EXHAUSTED),
        all_clear(),
        step(purpose=Purpose.TEST, code="", ticket_title="", ticket_number="", acknowledge_url=""),
        step(purpose=Purpose.OPERATOR, code="", line="The helpdesk hasn't answered for 5 minutes."),
    ]
