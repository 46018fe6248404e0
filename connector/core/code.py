"""Codes: `E-` and the ticket's id in Crockford base32, `-2` for its second life.

Crockford's alphabet has no I, L, O or U, so that a code read aloud is understood and "ALL" is never one.
"""

import re

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ALIKE = str.maketrans({"I": "1", "L": "1", "O": "0"})
_NEVER = {"ALL", "1"}  # answers to a text message: all of them, and the only one
_CODE = re.compile(r"^(?:E-?)?([0-9A-Z]{1,13})(?:-(\d{1,4}))?$")


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
    written = text.strip().upper()
    found = _CODE.match(written.translate(_ALIKE))
    if written in _NEVER or found is None or not all(digit in ALPHABET for digit in found[1]):
        return None
    digits = found[1]
    number = 0
    for digit in digits:
        number = number * 32 + ALPHABET.index(digit)
    return str(number), int(found[2] or 1)
