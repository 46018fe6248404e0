"""`POST /webhooks/<helpdesk>`: proof before parsing, stored before answered.

A webhook is only a hint that a ticket may have changed. The answer is fixed: Znuny carries out keys that it finds in
one.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge, ServiceUnavailable

from ..engine.agents import Agents
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

LARGE = 1024 * 1024  # bytes; a usual body has a few thousand, one with attachments in it up to 30 MiB
LARGE_AT_ONCE = 4  # in each process, and of those whose length isn't told
_large_ones = threading.BoundedSemaphore(LARGE_AT_ONCE)


@blueprint.post("/webhooks/<kind>")
def webhook(kind: str) -> Response:
    services: Services = current_app.config["SERVICES"]()
    if kind != services.helpdesk.kind:
        return error(404, "not_found", f"This Escalator listens to {services.helpdesk.kind}.")
    with room(services):
        return take(services, whole_body())


def take(services: Services, raw: bytes) -> Response:
    """Proves, reads and stores it."""
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
    with suppress(ValueError):  # half a character in a name, which nothing can store
        Agents(services.redis).learn(hint.people, sure=True)  # before the ticket is read, which may name nobody
    services.store.hints.add_if_new(hint)
    reached("webhook stored")
    return stored()


@contextmanager
def room(services: Services) -> Iterator[None]:
    """Room in memory for the body that is coming: it has to be there as a whole before it can be proven.

    Raises ServiceUnavailable where enough large ones are there already; the helpdesk sends it again, and a sweep finds
    what it is about.
    """
    said = request.content_length
    if said is not None and said <= LARGE:
        yield
        return
    if not _large_ones.acquire(blocking=False):
        ask_for_sweep(services)
        services.store.count("webhooks_put_off")
        raise ServiceUnavailable("Too many large bodies at a time; please try again.")
    try:
        yield
    finally:
        _large_ones.release()


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
    ask_for_sweep(services)
    services.store.count("webhooks_too_large")
    return error(413, "too_large", "The body is larger than 30 MiB; the ticket will be found by a sweep.")


def ask_for_sweep(services: Services) -> None:
    if services.redis.set(f"{PREFIX}swept-for-size", 1, nx=True, ex=SWEEP_AGAIN):
        services.sweep.ask_for_helpdesk()
