"""Codes: `E-` and the ticket's id in Crockford base32, `-2` for its second life.

Crockford's alphabet has no I, L, O or U, so that a code read aloud is understood and "ALL" is never one.
"""

import re

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ALIKE = str.maketrans({"I": "1", "L": "1", "O": "0"})
_NEVER = {"ALL", "1"}  # answers to a text message: all of them, and the only one
_LONGEST = 13
_CODE = re.compile(rf"^(E-)?([{ALPHABET}]{{1,{_LONGEST + 1}}})(?:-(\d{{1,4}}))?$")


def code_of(ticket_id: str, life: int = 1) -> str:
    """The code of a ticket's `life`-th escalation. Raises ValueError when the id isn't a number."""
    number, digits = int(ticket_id), ""
    if number < 0:
        raise ValueError("a ticket id is never negative")
    while number or not digits:
        number, rest = divmod(number, 32)
        digits = ALPHABET[rest] + digits
    return f"E-{digits}" + (f"-{life}" if life > 1 else "")


def parse_code(text: str) -> tuple[str, int] | None:
    """(ticket id, life) of a code as people write it: any case, with or without `E-`; None if it is none.

    A code that starts with E (ticket 448 is `E-E0`) keeps its E unless a dash follows.
    """
    return next(iter(readings(text)), None)


def readings(text: str) -> list[tuple[str, int]]:
    """What a code can mean as it was written, the likeliest first: "E1A" is E-E1A, or a hasty E-1A."""
    written = text.strip().upper()
    found = _CODE.match(written.translate(_ALIKE))
    if written in _NEVER or found is None:
        return []
    hasty = found[1] is None and found[2].startswith("E")
    numbers = (found[2], found[2][1:] if hasty else "")
    return [(_id_of(digits), int(found[3] or 1)) for digits in numbers if 0 < len(digits) <= _LONGEST]


def _id_of(digits: str) -> str:
    number = 0
    for digit in digits:
        number = number * 32 + ALPHABET.index(digit)
    return str(number)
