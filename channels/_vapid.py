"""The keys of Web Push (RFC 8291 and 8292: P-256, base64url without padding), and which endpoints we push to."""

import base64
import binascii
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    derive_private_key,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from connector import outbound
from connector.core.contact import Subscription

LONGEST_ENDPOINT = 2048


def unpadded(raw: bytes) -> str:
    """base64url without padding, as browsers write keys."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Raises ValueError."""
    return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)


def new_key() -> str:
    """A new private key in the form of the option."""
    return unpadded(generate_private_key(SECP256R1()).private_numbers().private_value.to_bytes(32, "big"))


def public_key(private_key: str) -> str:
    """What a browser has to be told to subscribe for (`applicationServerKey`)."""
    return unpadded(key_of(private_key).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def key_of(private_key: str) -> EllipticCurvePrivateKey:
    """Raises ValueError."""
    raw = decoded(private_key.strip())
    if len(raw) != 32:
        raise ValueError("not 32 bytes")
    return derive_private_key(int.from_bytes(raw, "big"), SECP256R1())


def unusable(subscription: Subscription, *, allow_private: bool = False) -> str:
    """Why nothing can be pushed to it, or "": a browser's word is checked before it is kept and before it is used."""
    if len(subscription.endpoint) > LONGEST_ENDPOINT or not subscription.endpoint.isascii():
        return "Its endpoint is no address."
    try:
        url = urlsplit(subscription.endpoint)
        host, _ = (url.hostname or "").rstrip("."), url.port
    except ValueError:
        return "Its endpoint is no address."
    if url.scheme != "https" or not host or "@" in url.netloc:
        return "Its endpoint is no https address."
    if (outbound.is_address(host) or host == "localhost" or "." not in host) and not allow_private:
        return "Its endpoint is no push service."
    try:
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), decoded(subscription.p256dh))
        secret = decoded(subscription.auth)
    except (ValueError, binascii.Error):
        return "Its keys are none."
    return "" if len(secret) == 16 else "Its keys are none."
