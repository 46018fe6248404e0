"""Zammad's webhooks: their proof, and the little that may be read from them.

A body is rendered when it is sent, not when something happened, and rendered anew on every retry. So it is a hint that
a ticket may have changed, and nothing more.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from connector.core.ticket import Phase
from connector.errors import NotUnderstood
from connector.helpdesks.zammad.values import moment
from connector.ports import Hint


def proven(headers: Mapping[str, str], raw: bytes, secrets: Sequence[str]) -> bool:
    """Whether `X-Hub-Signature` is `sha1=` and the hex HMAC-SHA1 of the raw bytes under one of the secrets."""
    given = next((value for name, value in headers.items() if name.lower() == "x-hub-signature"), "")
    sent = given.strip().encode("utf-8", "replace")
    proofs = [
        hmac.compare_digest(sent, b"sha1=" + hmac.new(secret.encode(), raw, hashlib.sha1).hexdigest().encode())
        for secret in secrets
    ]
    return any(proofs)  # all are computed, so that the time taken doesn't tell which secret is the current one


def hint(body: Any, phases: Mapping[str, Phase]) -> Hint:
    """The hint in a decoded body. `phases` are the state names known so far: `closed` is only said when certain.

    Raises NotUnderstood without a ticket id.
    """
    ticket = body.get("ticket") if isinstance(body, dict) else None
    ticket_id = _id(ticket.get("id")) if isinstance(ticket, dict) else ""
    if not ticket_id or not isinstance(ticket, dict):
        raise NotUnderstood("There is no ticket id in this body.")
    state, updated_at = ticket.get("state"), moment(ticket.get("updated_at"))
    phase = phases.get(state) if isinstance(state, str) else None
    return Hint(
        ticket_id=ticket_id,
        updated_at=updated_at,
        closed=phase is not None and phase.ended,
        changed_at=updated_at,
    )


def _id(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return str(value)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        return value.lstrip("0")
    return ""
