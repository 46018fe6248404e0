"""The words of every channel, one table a language, and what makes a stranger's title harmless in them.

A title is whatever a customer wrote: it may hold line breaks, links, control characters and commands for a terminal.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from connector.ports import Message

#: language -> name -> jinja2 template. `sms.*` must stay short: 160 characters hold everything, or 70 with `.short`.
TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "sms.how.one": "Reply 1 or {{ code }} to take it.",
        "sms.how.code": "Reply {{ code }} to take it.",
        "sms.how.none": "Please take it in the helpdesk.",
        "sms.step": "{{ code }}: ticket {{ number }}{% if priority %} ({{ priority }}){% endif %}"
        '{% if title %} "{{ title }}"{% endif %}. {{ how }}{% if link %} {{ link }}{% endif %}',
        "sms.exhausted": "{{ code }}: nobody took ticket {{ number }}{% if priority %} ({{ priority }}){% endif %}"
        '{% if title %} "{{ title }}"{% endif %}. {{ how }}{% if link %} {{ link }}{% endif %}',
        "sms.short.one": "{{ code }} {{ number }}{% if title %} {{ title }}{% endif %}. 1/{{ code }}=OK",
        "sms.short.code": "{{ code }} {{ number }}{% if title %} {{ title }}{% endif %}. {{ code }}=OK",
        "sms.short.none": "{{ code }} {{ number }}{% if title %} {{ title }}{% endif %}",
        "sms.all-clear": "{{ line }}",
        "sms.test": "Test message from Escalator. Nothing to do.",
        "sms.operator": "Escalator needs you: {{ line }}",
        "voice.step": "Escalation. Ticket {{ number }}.{% if priority %} Priority {{ priority }}.{% endif %}",
        "voice.exhausted": "Nobody took it. Ticket {{ number }}.{% if priority %} Priority {{ priority }}.{% endif %}",
        "voice.again": "Again:",
        "voice.menu": "Press 1 to acknowledge, 2 to escalate now, 5 to hear more, 9 to repeat.",
        "voice.more": "{% if title %}Title: {{ title }}.{% else %}The title is not read out.{% endif %}"
        "{% if group %} Group: {{ group }}.{% endif %}"
        "{% if organization %} Organisation: {{ organization }}.{% endif %}",
        "voice.no key": "No key was pressed. Goodbye.",
        "voice.wrong key": "This key has no meaning here.",
        "voice.goodbye": "Goodbye.",
        "voice.hang up": "Please take it in the helpdesk. Goodbye.",
        "voice.all-clear": "{{ line }}",
        "voice.test": "This is a test call from Escalator. There is nothing to do.",
        "voice.operator": "Escalator needs you. {{ line }}",
        "push.title.step": "{{ code }}: ticket {{ number }}{% if priority %} ({{ priority }}){% endif %}",
        "push.title.exhausted": "{{ code }}: nobody took ticket {{ number }}",
        "push.title.all-clear": "{{ code }}: all clear",
        "push.title.test": "Test message",
        "push.title.operator": "Escalator needs you",
        "push.body": "{{ title or group or code }}",
        "push.body.line": "{{ line }}",
        "push.body.test": "This is a test message from Escalator. Nothing to do.",
        "mail.subject.step": "[{{ code }}] Ticket {{ number }}{% if priority %} ({{ priority }}){% endif %}"
        "{% if title %}: {{ title }}{% endif %}",
        "mail.subject.exhausted": "[{{ code }}] Nobody took ticket {{ number }}{% if title %}: {{ title }}{% endif %}",
        "mail.subject.all-clear": "[{{ code }}] {{ line }}",
        "mail.subject.test": "Test message from Escalator",
        "mail.subject.operator": "Escalator needs you",
        "mail.lead.step": "Nobody has taken this ticket yet. Please take it.",
        "mail.lead.exhausted": "Everybody in the plan has been told, and nobody took this ticket.",
        "mail.lead.all-clear": "{{ line }}",
        "mail.lead.test": "This is a test message from Escalator. There is nothing to do.",
        "mail.lead.operator": "{{ line }}",
        "mail.fact.number": "Ticket",
        "mail.fact.title": "Title",
        "mail.fact.priority": "Priority",
        "mail.fact.group": "Group",
        "mail.fact.organization": "Organisation",
        "mail.fact.plan": "Plan",
        "mail.fact.due_at": "Due",
        "mail.fact.step.label": "Step",
        "mail.fact.step": "{{ step }} of {{ steps }}{% if round > 1 %}, round {{ round }}{% endif %}",
        "mail.button": "Take this ticket",
        "mail.open ticket": "Open the ticket",
        "mail.open escalation": "Open the escalation",
        "mail.footer": "Escalation {{ code }}. A reply to this mail reaches nobody; use the link or the helpdesk.",
        "mail.footer.none": "Sent by Escalator. A reply to this mail reaches nobody.",
    },
}


@cache
def _template(language: str, name: str) -> Template:
    # Plain text on its way to a phone, a mail's text part or an XML builder that escapes by itself; the one HTML
    # page (_mail.py) has its own environment, with autoescape.
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701
    return environment.from_string(TEXTS[language][name])


def say(language: str, name: str, **facts: Any) -> str:
    """The text `name` in this language, in English where there is no such language yet."""
    short = language.split("-")[0].lower()
    return _template(short if short in TEXTS else "en", name).render(**facts)


def facts(message: Message, *, longest: int = 255) -> dict[str, Any]:
    """The message's facts, each harmless on one line and at most `longest` characters."""

    def tame(text: str, limit: int = longest) -> str:
        return shorten(defuse(clean(text)), limit)

    return {
        "code": clean(message.code),
        "number": tame(message.ticket_number, 20),
        "title": tame(message.ticket_title),
        "priority": tame(message.priority, 30),
        "group": tame(message.group, 60),
        "organization": tame(message.organization, 80),
        "plan": tame(message.plan, 60),
        "step": message.step,
        "steps": message.steps,
        "round": message.round,
        "line": tame(message.line, 500),
    }


# --- hostile text ---------------------------------------------------------------------------------------------------

_LINKS = (
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*):(?=//)"), r"\1: "),
    (re.compile(r"(?i)\b(mailto|tel|sms|javascript|data):(?=\S)"), r"\1: "),
    (re.compile(r"(?<=\w)\.(?=[^\W\d_]{2,})"), ". "),
    (re.compile(r"(?<=\w)。(?=[A-Za-z]{2,})"), "。 "),  # browsers read it as a dot, Japanese as the end of a sentence
)


def clean(text: str) -> str:
    """One line: no control or format characters (they forge lines and turn text around), no lone surrogates."""
    kept = (_plain(character) for character in unicodedata.normalize("NFC", text))
    return " ".join("".join(kept).split())


def _plain(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Cc", "Zl", "Zp"):
        return " "
    return "" if category in ("Cf", "Cs", "Co", "Cn") else character


def defuse(text: str) -> str:
    """The same words, but nothing in them that a phone or a mail reader makes a link of."""
    for pattern, instead in _LINKS:
        text = pattern.sub(instead, text)
    return text


def shorten(text: str, limit: int, mark: str = "...") -> str:
    """At most `limit` characters, with a mark where something is missing."""
    if len(text) <= limit:
        return text
    return text[: max(0, limit - len(mark))].rstrip() + mark


def fit(write: Callable[[str], str], title: str, fits: Callable[[str], bool], mark: str = "...") -> tuple[str, int]:
    """`write(title)` with as much of the title as fits, and how many characters of it that is (-1: not even none)."""
    for length in range(len(title), -1, -1):
        kept = title if length == len(title) else title[:length].rstrip() + mark if length else ""
        text = write(kept)
        if fits(text):
            return text, length
    return write(""), -1


# --- the phone network's alphabet (3GPP TS 23.038) ------------------------------------------------------------------

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€")  # two septets each
_NEAR = {
    "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'", "`": "'", "´": "'",
    "–": "-", "—": "-", "‐": "-", "−": "-", "…": "...", "•": "*", "·": ".", "×": "x", "ł": "l", "Ł": "L",
    "đ": "d", "Đ": "D", "ı": "i", "œ": "oe", "Œ": "OE", "ð": "d", "Þ": "Th", "þ": "th", "™": "(TM)", "→": "->",
}  # fmt: skip


def septets(text: str) -> int | None:
    """How much of an SMS's 160 septets this takes; None when GSM-7 can't write it."""
    if not all(character in _BASIC or character in _EXTENDED for character in text):
        return None
    return len(text) + sum(character in _EXTENDED for character in text)


def one_segment(text: str) -> bool:
    """Whether this is one SMS: 160 septets in GSM-7, else 70 UTF-16 units."""
    count = septets(text)
    return count <= 160 if count is not None else len(text.encode("utf-16-be")) // 2 <= 70


def to_gsm(text: str) -> tuple[str, bool]:
    """The text in GSM-7, and whether it still can be read: False when most of its letters have no equivalent."""
    written, letters, lost = [], 0, 0
    for character in text:
        near = _near(character)
        if character.isalnum():
            letters += 1
            lost += not near
        written.append(near)
    return " ".join("".join(written).split()), lost * 2 <= letters


def _near(character: str) -> str:
    if character in _BASIC or character in _EXTENDED:
        return character
    if character in _NEAR:
        return _NEAR[character]
    parts = unicodedata.normalize("NFKD", character)
    return "".join(part for part in parts if part in _BASIC or part in _EXTENDED)
