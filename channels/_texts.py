"""What makes a stranger's title harmless in a text, and what fits into an SMS.

A title is whatever a customer wrote: it may hold line breaks, links, control characters and commands for a terminal.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connector.ports import Announced, Message


def facts(message: Message, timezone: str = "UTC", *, longest: int = 255) -> dict[str, Any]:
    """What every template may name, each harmless on one line and at most `longest` characters.

    `timezone` is for people who have none of their own. What the message doesn't tell is empty.
    """
    zone = zone_of(message.contacts[0].timezone or timezone)
    return {
        "purpose": str(message.purpose),
        "count": message.count,
        **_of_ticket(message, longest),
        "ticket_url": message.ticket_url,
        "others": [{**_of_ticket(other, longest), "url": other.ticket_url} for other in message.also],
        "more": 0,
        "plan": _tame(message.plan, 60),
        "step": message.step,
        "steps": message.steps,
        "round": message.round,
        "due_at": local(message.due_at, zone),
        "line": _tame(message.line, 500),
        "taken_by": _tame(message.taken_by, 80),
        "next_at": local(message.next_at, zone, "%H:%M"),
        "rests_until": local(message.rests_until, zone, "%H:%M"),
        "rehearsed_for": _tame(message.rehearsed_for, 24),
    }


def _of_ticket(about: Message | Announced, longest: int) -> dict[str, str]:
    return {
        "code": clean(about.code),
        "number": _tame(about.ticket_number, 20),
        "title": _tame(about.ticket_title, longest),
        "priority": _tame(about.priority, 30),
        "group": _tame(about.group, 60),
        "organization": _tame(about.organization, 80),
    }


def _tame(text: str, limit: int) -> str:
    return shorten(defuse(clean(text)), limit)


def zone_of(name: str) -> ZoneInfo:
    """The time zone, UTC where there is none of this name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def local(at: datetime | None, zone: ZoneInfo, form: str = "%Y-%m-%d %H:%M %Z") -> str:
    """The moment on a clock that hangs there; "" for none."""
    return at.astimezone(zone).strftime(form) if at else ""


# --- hostile text ---------------------------------------------------------------------------------------------------

_LINKS = (
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*):(?=//)"), r"\1: "),
    (re.compile(r"(?i)\b(mailto|tel|sms|javascript|data):(?=\S)"), r"\1: "),
    (re.compile(r"(?<=\w)\.(?=[^\W\d_]{2,})"), ". "),
    (re.compile(r"(?<=\w)。(?=[A-Za-z]{2,})"), "。 "),  # browsers read it as a dot, Japanese as the end of a sentence
)


def clean(text: str) -> str:
    """One line: no control or format characters (they forge lines and turn text around), no lone surrogates."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
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
    whole = write(title)
    if fits(whole):
        return whole, len(title)

    def cut(length: int) -> str:
        return write(title[:length].rstrip() + mark if length else "")

    length = most(lambda length: fits(cut(length)), len(title) - 1)
    return cut(max(length, 0)), length


def most(fits: Callable[[int], bool], highest: int) -> int:
    """The highest number up to `highest` that fits, where all below it fit, too; -1 when not even 0 does."""
    if not fits(0):
        return -1
    low = 0
    while low < highest:
        middle = (low + highest + 1) // 2
        if fits(middle):
            low = middle
        else:
            highest = middle - 1
    return low


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
