"""Signed data: what stands in notes for machines, and the tokens of links and callbacks.

The first secret key signs, all of them verify; each purpose has a salt of its own, so that a token of one kind is
worthless as another.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Any

from itsdangerous import BadData, BadSignature, Signer, URLSafeSerializer
from itsdangerous.signer import HMACAlgorithm

_TOKEN = re.compile(r"[\x21-\x7e]+\.[\w-]{16}", re.ASCII)


class _Short(HMACAlgorithm):
    """HMAC-SHA256 cut to 96 bits: a link has to fit into an SMS, and tries are limited."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return hmac.new(key, msg=value, digestmod=hashlib.sha256).digest()[:12]


class Signatures:
    """Signs and verifies with the config's `secret_keys`."""

    def __init__(self, secret_keys: Sequence[str]) -> None:
        self._keys = list(reversed(secret_keys))  # itsdangerous signs with the last one

    def proof(self, data: dict[str, Any]) -> str:
        return str(self._notes().dumps(data))

    def read_proof(self, proof: str) -> dict[str, Any] | None:
        """The data of a note's proof, or None when it isn't ours."""
        try:
            data = self._notes().loads(proof)
        except (BadData, UnicodeError):
            return None
        return data if isinstance(data, dict) else None

    def token(self, purpose: str, id: str) -> str:
        return self._signer(purpose).sign(id).decode()

    def read_token(self, purpose: str, token: str) -> str | None:
        """The id that the token was made for, or None when it is forged or of another purpose."""
        if _TOKEN.fullmatch(token) is None:  # base64 would be read with anything behind it
            return None
        try:
            return self._signer(purpose).unsign(token).decode()
        except BadSignature:
            return None

    def _notes(self) -> URLSafeSerializer:
        return URLSafeSerializer(self._keys, salt="escalator.note")

    def _signer(self, purpose: str) -> Signer:
        return Signer(self._keys, salt=f"escalator.{purpose}", sep=".", algorithm=_Short())


def digest(proof: str) -> str:
    """The short hash by which a note names the one before it."""
    return hashlib.sha256(proof.encode()).hexdigest()[:16] if proof else ""
