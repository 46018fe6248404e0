"""Pages for people: escaped by jinja2, one small style, no script, nothing loaded from anywhere."""

import base64
import hashlib
from pathlib import Path

from flask import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

_HERE = Path(__file__).parent / "templates"
_pages = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined)
_STYLE = (_HERE / "style.css").read_text()
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

#: What a page may do: show itself with our style, and send its form back to us.
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


def page(template: str, status: int = 200, **facts: object) -> Response:
    """The rendered template, with the policy that lets a browser show it."""
    body = _pages.get_template(template).render(style=_STYLE, **facts)
    answer = Response(body, status, content_type="text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = POLICY
    return answer
