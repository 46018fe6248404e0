"""The Flask app: every endpoint's blueprint, errors as JSON, limits against floods."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import redis
from flask import Flask, Response, current_app, request
from flask_limiter import Limiter
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge, TooManyRequests

from ..engine.store import Emptied
from ..faults import describe
from . import ack, api, callbacks, devices, ops, pair, receiver
from .answers import address, error
from .dead_ends import AWAY, BUSY, instead

if TYPE_CHECKING:
    from ..services import Services

log = logging.getLogger(__name__)

LARGEST_BODY = 30 * 1024 * 1024  # webhooks
LARGEST_FORM = 1024 * 1024  # everything else: an SMS, a name

STORE_AWAY = "Escalator can't store anything right now; please try again."

POLICY = "Content-Security-Policy"
HEADERS = [
    ("Cache-Control", "no-store"),  # links and states are nobody else's, and never old
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("X-Robots-Tag", "noindex, nofollow"),
]
WITH_POLICY = [*HEADERS, (POLICY, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")]


def create_app(services: Callable[[], Services]) -> Flask:
    """`services` is called when the first request needs them, so that each server process has its own connections."""
    app = Flask("escalator", static_folder=None)
    app.url_map.merge_slashes = False  # a redirect would repeat whatever host the client has named
    limiter = Limiter(address, storage_uri="memory://")
    app.extensions["limiter"] = {
        limiter
    }  # as if it had its hooks: they cost a webhook a tenth, and we only limit refusals
    limiter.init_app(app)
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_BODY, SERVICES=services, LIMITER=limiter)
    for module in (receiver, callbacks, ack, pair, api, devices, ops):
        app.register_blueprint(module.blueprint)
    app.before_request(only_webhooks_are_large)
    app.after_request(hardened)
    app.after_request(kept)
    app.register_error_handler(HTTPException, refused)
    app.register_error_handler(redis.RedisError, store_away)
    app.register_error_handler(Emptied, store_away)
    app.register_error_handler(Exception, failed)
    return app


def only_webhooks_are_large() -> None:
    if request.blueprint != receiver.blueprint.name:
        request.max_content_length = LARGEST_FORM


def hardened(answer: Response) -> Response:
    """The headers of every answer; a page that needs more says so itself."""
    answer.headers.extend(HEADERS if POLICY in answer.headers else WITH_POLICY)
    return answer


def kept(answer: Response) -> Response:
    """What was answered with "done" must outlive the Redis that wrote it down, where another one stands by.

    A helpdesk is asked to try again when no other Redis was in time; a person isn't, since what they did most likely
    stands. Called before `hardened`.
    """
    if request.method != "POST" or answer.status_code >= 400:
        return answer
    services: Services = current_app.config["SERVICES"]()
    try:
        safe = services.store.replication.safe()
    except redis.RedisError as problem:
        log.error("the store is away: %s", describe(problem))
        safe = False
    if safe or request.blueprint != receiver.blueprint.name:
        return answer
    return error(503, "store_away", STORE_AWAY)


def refused(problem: HTTPException) -> Response:
    if isinstance(problem, RequestEntityTooLarge):
        return receiver.too_large() if request.blueprint == receiver.blueprint.name else _too_large()
    if isinstance(problem, TooManyRequests):
        answer = error(429, "too_many_requests", "Too many refused requests from this address; wait a minute.")
        answer.headers["Retry-After"] = "60"
        return instead(answer, BUSY)
    code = (problem.name or "error").lower().replace(" ", "_")
    answer = error(problem.code or 500, code, problem.description or problem.name)
    if isinstance(problem, MethodNotAllowed) and problem.valid_methods:
        answer.headers["Allow"] = ", ".join(sorted(problem.valid_methods))
    return answer


def _too_large() -> Response:
    return error(413, "too_large", "The body is larger than 1 MiB.")


def store_away(problem: Exception) -> Response:
    log.error("the store is away: %s", describe(problem))
    return instead(error(503, "store_away", STORE_AWAY), AWAY)


def failed(problem: Exception) -> Response:
    """Our own mistake: the log says where, the caller nothing but that."""
    log.error("%s %s failed: %s", request.method, request.url_rule or "?", describe(problem))
    return error(500, "failed", "Escalator failed to handle this request; its log says where.")
