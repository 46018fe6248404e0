"""What a person sees where a link leads nowhere any more, or nothing could be done; machines get the same as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import redis
from flask import Response, current_app, request

from channels import BUILT_IN

from ..core.case import Case
from .html import STYLE, respond

if TYPE_CHECKING:
    from ..services import Services

#: Why: the escalation ended, the link is too old, it isn't ours, too many bad ones came, or Redis is away.
OVER, EXPIRED, FORGED, BUSY, AWAY = "over", "expired", "forged", "busy", "away"


def wants_page() -> bool:
    """Whether a browser asks: they name HTML, machines mostly name nothing."""
    return not request.is_json and "text/html" in request.accept_mimetypes.values()


def instead(answer: Response, why: str, *, language: str = "", said: str = "", cases: Iterable[Case] = ()) -> Response:
    """A page in place of `answer` for a browser, with its status and what it says of trying again; else `answer`.

    `language` is the service's where nobody is known. `cases`: the tickets that it was about.
    """
    if not wants_page():
        return answer
    services = _services()
    facts = {
        "why": why,
        "said": said,
        "tickets": _named(services, cases) if services is not None else [],
        "url": str(services.settings.helpdesk.options.get("url", "")) if services is not None else "",
        "again": request.method.lower() if why == AWAY else "",
        "style": STYLE,
    }
    texts = services.texts if services is not None else BUILT_IN
    language = language or (services.settings.service.language if services is not None else "en")
    page = respond(texts.text(language, "page/gone.html", facts), answer.status_code)
    if "Retry-After" in answer.headers:
        page.headers["Retry-After"] = answer.headers["Retry-After"]
    return page


def _services() -> Services | None:
    """None while there is no Redis to build them on."""
    try:
        services: Services = current_app.config["SERVICES"]()
    except redis.RedisError:
        return None
    return services


def _named(services: Services, cases: Iterable[Case]) -> list[dict[str, Any]]:
    tickets = [services.engine.policy.outside(case.ticket) for case in cases]
    return [{"number": ticket.number, "title": ticket.title} for ticket in tickets]
