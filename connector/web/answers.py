"""Errors as JSON, for every blueprint."""

from flask import Response, jsonify


def error(status: int, code: str, message: str, field: str = "") -> Response:
    """`{"error", "message", "field"}`: every refusal looks like this."""
    answer = jsonify({"error": code, "message": message, **({"field": field} if field else {})})
    answer.status_code = status
    return answer
