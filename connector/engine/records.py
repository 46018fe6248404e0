"""How our records look in Redis: JSON of the core's frozen dataclasses, by msgspec.

Words stand there as {"msgid", "values"}; those without values, unless they are a value themselves, as plain text.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from string import Formatter
from typing import Any

import msgspec

from ..core.case import Case
from ..core.events import Entry, Outcome
from ..core.words import Words
from ..ports import Live, Message


@dataclass(frozen=True, slots=True)
class DeskItem:
    """One thing to do in the helpdesk, in order per ticket: a note (with who becomes the owner first), or an owner.

    `proof` is the note's signed data. `attempts` counts tries that may have reached the helpdesk, the last one begun
    at `begun_at`; before another one the note is looked for, `looked_in_vain` times without an answer (unsettled.py).
    """

    code: str
    lines: tuple[str, ...] = ()
    proof: str = ""
    link: str = ""
    assign: str = ""
    assign_name: str = ""
    attempts: int = 0
    begun_at: datetime | None = None
    looked_in_vain: int = 0


@dataclass(frozen=True, slots=True)
class Link:
    """What a notification's token stands for: the escalation and the person who was told. `at` is the first try."""

    id: str
    ticket_id: str
    code: str
    key: str
    channel: str
    at: datetime
    also: tuple[tuple[str, str], ...] = ()  # (ticket id, code) of what else its message told of


@dataclass(frozen=True, slots=True)
class Bundle:
    """One message about several tickets, kept so that a second try is the same one.

    `parts` are (ticket id, notification id), the most urgent first. `message` is what the provider was asked to send,
    without contacts, links and tokens; None: not asked yet. `outcome` is what it answered, once that is known.
    `left_out` is what an earlier try may have told of, and the last one didn't.
    """

    id: str
    parts: tuple[tuple[str, str], ...]
    at: datetime  # when its text was composed first, aware UTC
    message: Message | None = None
    outcome: Outcome | None = None
    left_out: tuple[tuple[str, str], ...] = ()

    def about(self, parts: tuple[tuple[str, str], ...]) -> "Bundle":
        """The same message, the next try of which tells of these."""
        told = self.parts if self.message is not None else ()
        left_out = tuple(part for part in dict.fromkeys((*self.left_out, *told)) if part not in parts)
        return replace(self, parts=parts, left_out=left_out)


NotOurs = msgspec.DecodeError
"""A record that can't be understood: written by another version, or by hand."""


def _plain(value: Any) -> Any:
    """What msgspec doesn't know how to write."""
    if not isinstance(value, Words):
        raise NotImplementedError(f"a record holds a {type(value).__name__}")
    return _made_of(value) if value.values else str(value)


def _made_of(words: Words) -> dict[str, Any]:
    """A value without a gap is no plain text: what is plain text among values is never translated."""
    values = {name: _made_of(one) if isinstance(one, Words) else one for name, one in words.values.items()}
    return {"msgid": words.msgid, "values": values}


def _ours(kind: type, value: Any) -> Any:
    """What msgspec doesn't know how to read. Raises ValueError, which it turns into NotOurs."""
    if kind is not Words:
        raise NotImplementedError(f"a record holds a {kind.__name__}")
    return _words(value)


class _Made(msgspec.Struct):
    """What Words were made of."""

    msgid: str
    values: dict[str, "str | int | _Made"]

    def words(self) -> Words:
        """Raises ValueError where a gap is more than a name: whoever can write to Redis may only fill sentences."""
        gaps = [(name, how) for _, name, *how in Formatter().parse(self.msgid) if name is not None]
        if any(not name.isidentifier() or any(how) for name, how in gaps):
            raise ValueError("a sentence has a gap that is none")
        values = {name: one.words() if isinstance(one, _Made) else one for name, one in self.values.items()}
        return Words(self.msgid, **values)


def _words(value: Any) -> Words:
    if isinstance(value, str):
        return Words(value)
    try:
        return msgspec.convert(value, _Made).words()
    except LookupError:
        raise ValueError("a sentence lacks what fills its gaps") from None


_encoder = msgspec.json.Encoder(enc_hook=_plain)
_case = msgspec.json.Decoder(Case, dec_hook=_ours)
_entry = msgspec.json.Decoder(Entry, dec_hook=_ours)
_item = msgspec.json.Decoder(DeskItem)
_live = msgspec.json.Decoder(Live)
_link = msgspec.json.Decoder(Link)
_bundle = msgspec.json.Decoder(Bundle, dec_hook=_ours)


def encode(record: Any) -> bytes:
    return _encoder.encode(record)


def to_case(raw: bytes | None) -> Case | None:
    return _case.decode(raw) if raw is not None else None


def to_entry(raw: bytes) -> Entry:
    return _entry.decode(raw)


def to_item(raw: bytes) -> DeskItem:
    return _item.decode(raw)


def to_live(raw: bytes | None) -> Live | None:
    return _live.decode(raw) if raw is not None else None


def to_link(raw: bytes | None) -> Link | None:
    return _link.decode(raw) if raw is not None else None


def to_bundle(raw: bytes | None) -> Bundle | None:
    return _bundle.decode(raw) if raw is not None else None
