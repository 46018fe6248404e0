"""A mail's two texts and its headers. Facts: RFC 3834 (Auto-Submitted), RFC 5322."""

from collections.abc import Callable
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import Environment, StrictUndefined

from connector.ports import Message, Purpose

from . import _texts

_HTML = Environment(undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
    """\
<!DOCTYPE html>
<html lang="{{ language }}"><body style="font-family: sans-serif; font-size: 16px; color: #222">
<p>{{ lead }}</p>
{% if rows %}
<table style="border-spacing: 0 4px">
{% for label, value in rows %}
<tr><td style="color: #666; padding-right: 16px">{{ label }}</td><td>{{ value }}</td></tr>
{% endfor %}
</table>
{% endif %}
{% for label, url, main in links %}
<p><a href="{{ url }}" style="{{ 'background: #b00020; color: #fff; padding: 12px 20px; border-radius: 6px; '
'text-decoration: none' if main else '' }}">{{ label }}</a></p>
{% endfor %}
<p style="color: #666; font-size: 13px">{{ footer }}</p>
</body></html>
"""
)


def message_id(message: Message, sender: str) -> str:
    """The same on every try."""
    return f"<{message.id}@{sender.rpartition('@')[2]}>"


def compose(message: Message, sender: tuple[str, str]) -> EmailMessage:
    """The mail. Raises ValueError when the contact's address can't be one."""
    contact = message.contacts[0]
    facts = _texts.facts(message)

    def say(name: str) -> str:
        return _texts.say(message.language, name, **facts)

    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(_texts.clean(sender[0]), addr_spec=sender[1])
    mail["To"] = Address(_texts.clean(contact.name), addr_spec=contact.email)
    mail["Subject"] = _texts.shorten(say(f"mail.subject.{message.purpose}"), 200)
    mail["Date"] = format_datetime(message.sent_at)
    mail["Message-ID"] = message_id(message, sender[1])
    mail["Auto-Submitted"] = "auto-generated"
    mail["Precedence"] = "bulk"
    mail["X-Auto-Response-Suppress"] = "All"
    if message.purpose in (Purpose.STEP, Purpose.EXHAUSTED, Purpose.OPERATOR):
        mail["Importance"] = "high"
    lead = say(f"mail.lead.{message.purpose}")
    rows, links = _rows(message, facts), _links(message, say)
    footer = say("mail.footer" if message.code else "mail.footer.none")
    plain = [lead, "", *(f"{label}: {value}" for label, value in rows), ""]
    for label, url, _ in links:
        plain += [f"{label}:", url, ""]
    mail.set_content("\n".join([*plain, "-- ", footer, ""]), cte="quoted-printable")
    html = _HTML.render(language=message.language, lead=lead, rows=rows, links=links, footer=footer)
    mail.add_alternative(html, subtype="html", cte="quoted-printable")
    mail.set_boundary(f"=_{message.id}")  # so that a repeat is the same to the last byte
    return mail


def _rows(message: Message, facts: dict[str, Any]) -> list[tuple[str, str]]:
    if message.purpose in (Purpose.TEST, Purpose.OPERATOR):
        return []
    values = {**facts, "due_at": _local(message.due_at, message.contacts[0].timezone)}
    names = ("number", "title", "priority", "group", "organization", "plan", "due_at")
    rows = [(_texts.say(message.language, f"mail.fact.{name}"), values[name]) for name in names if values[name]]
    if message.step:
        rows.append(
            (
                _texts.say(message.language, "mail.fact.step.label"),
                _texts.say(message.language, "mail.fact.step", **facts),
            )
        )
    return rows


def _links(message: Message, say: Callable[[str], str]) -> list[tuple[str, str, bool]]:
    """Label, URL, and whether it is the button."""
    links = []
    if message.acknowledge_url and message.purpose in (Purpose.STEP, Purpose.EXHAUSTED):
        links.append((say("mail.button"), message.acknowledge_url, True))
    if message.ticket_url:
        links.append((say("mail.open ticket"), message.ticket_url, False))
    if message.escalation_url:
        links.append((say("mail.open escalation"), message.escalation_url, False))
    return links


def _local(at: datetime | None, timezone: str) -> str:
    if at is None:
        return ""
    try:
        zone = ZoneInfo(timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")
