"""The personal link that pairs a device with a contact: a signed token with an end, so that nothing is kept for it."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .proofs import Signatures

PURPOSE = "pair"
#: How long a link pairs devices; several in that time.
VALID = timedelta(hours=1)

_ID = re.compile(r"(?P<until>[0-9a-f]{1,12})\.(?P<contact>.+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Invitation:
    """Whose devices a link pairs (the contact's key), and until when (aware UTC)."""

    contact: str
    until: datetime

    def expired(self, now: datetime) -> bool:
        return now >= self.until


def invite(signatures: Signatures, contact: str, now: datetime) -> tuple[str, Invitation]:
    """A token for this contact, and what it says."""
    until = (now + VALID).replace(microsecond=0)
    return signatures.token(PURPOSE, f"{int(until.timestamp()):x}.{contact}"), Invitation(contact, until)


def read(signatures: Signatures, token: str) -> Invitation | None:
    """What the token says, expired or not; None when it isn't ours."""
    id = signatures.read_token(PURPOSE, token)
    found = _ID.fullmatch(id) if id is not None else None
    if found is None:
        return None
    return Invitation(found["contact"], datetime.fromtimestamp(int(found["until"], 16), UTC))
