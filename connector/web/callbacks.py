"""`POST /callbacks/twilio/...`: receipts, keys and SMS replies, each signed by Twilio.

The signature covers the public URL with its query and every form field
(https://www.twilio.com/docs/usage/security), so a proxy's own idea of the address doesn't matter. `m` is our token: the
notification that the callback is about.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

import redis
from flask import Blueprint, Response, current_app, request

from channels import sms
from channels._twilio import verify

from ..engine.records import Link
from ..engine.store import Emptied
from ..faults import describe
from ..points import reached
from . import calls, receipts, replies
from .answers import error, refuse
from .once import once

if TYPE_CHECKING:
    from ..services import Services

log = logging.getLogger(__name__)

blueprint = Blueprint("callbacks", __name__, url_prefix="/callbacks/twilio")


def signed(view: Callable[[Services], Response]) -> Callable[[], Response]:
    """Only what Twilio signed for our account gets through."""

    @wraps(view)
    def checked() -> Response:
        services: Services = current_app.config["SERVICES"]()
        twilio, public_url = services.settings.twilio, services.settings.service.public_url
        if twilio is None or not public_url:
            return error(404, "not_found", "Callbacks need `service.public_url` and `twilio`.")
        query = request.query_string.decode("ascii", "replace")
        url = public_url + request.path + (f"?{query}" if query else "")
        genuine = verify(url, request.form, request.headers.get("X-Twilio-Signature", ""), twilio.auth_tokens)
        if not genuine or request.form.get("AccountSid") != twilio.account_sid:
            services.store.count("callbacks_refused")
            return refuse(403, "bad_signature", "The signature is missing or wrong.")
        reached("callback proved")
        answer = view(services)
        reached("callback answered")
        return answer

    return checked


@blueprint.post("/status")
@signed
def status(services: Services) -> Response:
    """What became of a text or call, or who picked up."""
    link = _link(services)
    if isinstance(link, Response):
        return link
    form = request.form
    if link is not None and "CallStatus" not in form and "AnsweredBy" in form:
        receipts.picked_up(services, link, sid=form.get("CallSid", ""), answered_by=form["AnsweredBy"])
    elif link is not None:
        receipts.take(
            services,
            link,
            sid=form.get("MessageSid") or form.get("CallSid", ""),
            status=form.get("MessageStatus") or form.get("CallStatus", ""),
            error_code=form.get("ErrorCode", ""),
            number=form.get("To", ""),
        )
    return Response(status=204)


@blueprint.post("/voice")
@signed
def voice(services: Services) -> Response:
    """A key pressed in a call, or none; while nothing can be stored it is asked for again."""
    form = request.form
    try:
        link = _link(services)
        if isinstance(link, Response):
            return link
        _there(services)
        return _twiml(calls.answer(services, link, form.get("Digits", ""), form.get("CallSid", "")))
    except (redis.RedisError, Emptied) as problem:
        if services.signatures.read_token("callback", request.args.get("m", "")) is None:
            raise
        log.error("the store is away: %s", describe(problem))
        return _twiml(calls.again(services, form.get("To", "")))


@blueprint.post("/sms")
@signed
def reply(services: Services) -> Response:
    """A person's SMS; every one is answered with what happened, also that nothing could be stored.

    Twilio tries again only where it reaches nobody: an error would lose the reply without a word.
    """
    number, body = request.form.get("From", ""), request.form.get("Body", "")
    try:
        _there(services)
        sentence = once(services, request.form.get("MessageSid", ""), lambda: replies.answer(services, number, body))
    except (redis.RedisError, Emptied) as problem:
        log.error("the store is away: %s", describe(problem))
        sentence = replies.again(services, number, body)
    return _twiml(sms.answer(sentence))


def _there(services: Services) -> None:
    """Raises Emptied while it isn't known what was sent: "nothing is open" would be a lie."""
    if not services.store.begun():
        raise Emptied("Redis is empty although Escalator ran before.")


def _link(services: Services) -> Link | Response | None:
    """What the token stands for; None when that is forgotten, a refusal when it is forged."""
    id = services.signatures.read_token("callback", request.args.get("m", ""))
    if id is None:
        services.store.count("callbacks_refused")
        return refuse(403, "bad_token", "The address of this callback was not made by Escalator.")
    return services.store.link(id)


def _twiml(document: str) -> Response:
    return Response(document, content_type="text/xml; charset=utf-8")
