"""Errors as JSON, for every blueprint, and a limit for those who keep asking with bad proof."""

from flask import Response, current_app, jsonify, request
from flask_limiter import Limiter

#: Refusals a minute and address. Only what is refused counts: good requests from the same address (an office, a
#: proxy) are never limited, and a proxy needs no trust.
REFUSALS = "60 per minute"


def error(status: int, code: str, message: str, field: str = "") -> Response:
    """`{"error", "message", "field"}`: every refusal looks like this."""
    answer = jsonify({"error": code, "message": message, **({"field": field} if field else {})})
    answer.status_code = status
    return answer


def address() -> str:
    """Who is connected. X-Forwarded-For is anybody's word, so it isn't read."""
    return request.remote_addr or "unknown"


def refuse(status: int, code: str, message: str) -> Response:
    """An error for bad proof. Raises RateLimitExceeded (429) for those who try too often."""
    limiter: Limiter = current_app.config["LIMITER"]
    with limiter.shared_limit(REFUSALS, scope="refused", key_func=address):
        return error(status, code, message)
