"""A mail's two texts and its headers. Facts: RFC 3834 (Auto-Submitted), RFC 5322."""

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from connector.ports import Message, Purpose

from . import _texts
from ._templates import BUILT_IN, Fill, Texts, Unusable, one_line

ASKING = (Purpose.STEP, Purpose.EXHAUSTED)


def message_id(message: Message, sender: str) -> str:
    """The same on every try."""
    return f"<{message.id}@{sender.rpartition('@')[2]}>"


def compose(message: Message, sender: tuple[str, str], texts: Texts = BUILT_IN) -> EmailMessage:
    """The mail. Raises ValueError when the contact's address can't be one."""
    contact = message.contacts[0]
    subject, plain, html = parts(message, texts)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(_name(sender[0]), addr_spec=sender[1])
    mail["To"] = Address(_name(contact.name), addr_spec=contact.email)
    mail["Subject"] = _header(subject)
    mail["Date"] = format_datetime(message.sent_at)
    mail["Message-ID"] = message_id(message, sender[1])
    mail["Auto-Submitted"] = "auto-generated"
    mail["Precedence"] = "bulk"
    mail["X-Auto-Response-Suppress"] = "All"
    if message.purpose in (*ASKING, Purpose.OPERATOR):
        mail["Importance"] = "high"
    mail.set_content(plain, cte="quoted-printable")
    mail.add_alternative(html, subtype="html", cte="quoted-printable")
    mail.set_boundary(f"=_{message.id}")  # so that a repeat is the same to the last byte
    return mail


def _header(text: str) -> str:
    """One line that stays one: the email package reads encoded words (RFC 2047) that already stand in a text.

    What it decodes may hold line ends, and those would begin headers of their own.
    """
    return _texts.clean(text).replace("=?", "= ?")


def _name(text: str) -> str:
    """A person's name that needs no quotes: in a long name the email package folds those into other addresses."""
    return _texts.shorten(" ".join(re.sub(r'[<>@,;:"\\\[\]()]', " ", _header(text)).split()), 60)


def parts(message: Message, texts: Texts) -> tuple[str, str, str]:
    """Subject, text and HTML."""
    facts = _facts(message, texts)

    def subject(fill: Fill) -> str:
        line = _texts.shorten(_texts.clean(fill(facts)), 200)
        if not line:
            raise Unusable("A mail needs a subject.")
        return line

    def body(fill: Fill) -> str:
        text = fill(facts)
        if facts["acknowledge_url"] and not re.search(re.escape(facts["acknowledge_url"]), text):
            raise Unusable("It leaves out `acknowledge_url`: nobody could take the ticket from it.")
        return text

    facts["lead"] = texts.line(message.language, "email/lead.txt", facts)
    plain = texts.compose(message.language, "email/body.txt", body)
    return (
        one_line(texts.compose(message.language, "email/subject.txt", subject)),
        re.sub(r"\n\n\n+", "\n\n", plain).strip("\n") + "\n",
        texts.compose(message.language, "email/body.html", body),
    )


def _facts(message: Message, texts: Texts) -> dict[str, Any]:
    facts = _texts.facts(message, texts.timezone)
    asks, told = message.purpose in ASKING, message.purpose not in (Purpose.TEST, Purpose.OPERATOR)
    first = {key: facts[key] for key in ("code", "number", "title", "priority", "group", "organization")}
    return {
        **facts,
        "tickets": [{**first, "url": message.ticket_url}, *facts["others"]] if told else [],
        "acknowledge_url": message.acknowledge_url if asks else "",
        "escalation_url": message.escalation_url,
    }
