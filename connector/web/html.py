"""Pages for people: one small style, no script, nothing loaded from anywhere."""

import base64
import hashlib
from pathlib import Path

from flask import Response
from markupsafe import Markup

HERE = Path(__file__).parent / "templates"
_STYLE = (HERE / "style.css").read_text()
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

#: What a page may do: show itself with our style, and send its form back to us.
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


#: Our style, for a template that is escaped.
STYLE = Markup(_STYLE)  # noqa: S704  # our own file


def respond(body: str, status: int = 200) -> Response:
    """A page, with the policy that lets a browser show it."""
    answer = Response(body, status, content_type="text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = POLICY
    return answer
