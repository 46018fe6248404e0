"""`POST /webhooks/<helpdesk>`: proof before parsing, stored before answered.

A webhook is only a hint that a ticket may have changed. The answer is fixed: Znuny carries out keys that it finds in
one.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge

from ..engine.keys import PREFIX
from ..errors import NotUnderstood
from ..points import reached
from .answers import error, refuse

if TYPE_CHECKING:
    from ..services import Services

log = logging.getLogger(__name__)

blueprint = Blueprint("receiver", __name__)

LONGEST_ID = 18  # digits; an id with more is nobody's
SWEEP_AGAIN = 5  # seconds; nothing about a body that is too large could be proven


@blueprint.post("/webhooks/<kind>")
def webhook(kind: str) -> Response:
    services: Services = current_app.config["SERVICES"]()
    if kind != services.helpdesk.kind:
        return error(404, "not_found", f"This Escalator listens to {services.helpdesk.kind}.")
    raw = whole_body()
    if not services.helpdesk.prove(dict(request.headers), raw):
        services.store.count("webhooks_refused")
        return refuse(401, "bad_proof", "The signature or secret is missing or wrong.")
    try:
        hint = services.helpdesk.parse(json.loads(raw))  # nested too deeply: RecursionError
        if len(hint.ticket_id) > LONGEST_ID:
            raise NotUnderstood("The ticket id in this body is none.")
    except NotUnderstood as problem:
        services.store.count("webhooks_not_understood")
        return error(422, "no_ticket", str(problem), "ticket.id")
    except (ValueError, RecursionError):
        services.store.count("webhooks_not_understood")
        return error(400, "not_json", "The body is not JSON that Escalator can read.")
    reached("webhook proved")
    services.store.hints.add_if_new(hint.ticket_id, hint.updated_at, closed=hint.closed, deleted=hint.deleted)
    reached("webhook stored")
    return stored()


def whole_body() -> bytes:
    """The raw body. Raises RequestEntityTooLarge, and BadRequest for one that was cut on its way."""
    try:
        raw = request.get_data(cache=False)
    except HTTPException:
        raise
    except Exception:  # each server has its own errors for chunks that are none
        raise BadRequest("The body was cut on its way.") from None
    said, most = request.content_length, request.max_content_length
    if said is None and most is not None and len(raw) >= most:  # in chunks: what is over the limit wasn't read
        raise RequestEntityTooLarge
    if said is not None and len(raw) < said:
        raise BadRequest("The body is shorter than its Content-Length.")
    return raw


def stored() -> Response:
    return Response(status=202, response=b'{"Success": 1}', content_type="application/json")


def too_large() -> Response:
    """Whatever it was about is found by a sweep."""
    services: Services = current_app.config["SERVICES"]()
    if services.redis.set(f"{PREFIX}swept-for-size", 1, nx=True, ex=SWEEP_AGAIN):
        services.sweep.ask_for_helpdesk()
    services.store.count("webhooks_too_large")
    return error(413, "too_large", "The body is larger than 30 MiB; the ticket will be found by a sweep.")
