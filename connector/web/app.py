"""The Flask app: every endpoint's blueprint, errors as JSON, limits against floods."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import redis
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from ..engine.store import Emptied
from ..faults import describe
from . import receiver
from .answers import error

if TYPE_CHECKING:
    from ..services import Services

log = logging.getLogger(__name__)

LARGEST_BODY = 30 * 1024 * 1024


def create_app(services: Callable[[], Services]) -> Flask:
    """`services` is called when the first request needs them, so that each server process has its own connections."""
    app = Flask("escalator", static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_BODY, SERVICES=services)
    app.register_blueprint(receiver.blueprint)
    app.register_error_handler(HTTPException, refused)
    app.register_error_handler(redis.RedisError, store_away)
    app.register_error_handler(Emptied, store_away)
    app.register_error_handler(Exception, failed)
    return app


def refused(problem: HTTPException) -> Response:
    if isinstance(problem, RequestEntityTooLarge):
        return receiver.too_large()
    code = (problem.name or "error").lower().replace(" ", "_")
    return error(problem.code or 500, code, problem.description or problem.name)


def store_away(problem: Exception) -> Response:
    log.error("the store is away: %s", describe(problem))
    return error(503, "store_away", "Escalator can't store anything right now; please try again.")


def failed(problem: Exception) -> Response:
    """Our own mistake: the log says where, the caller nothing but that."""
    log.error("%s %s failed: %s", request.method, request.url_rule or "?", describe(problem))
    return error(500, "failed", "Escalator failed to handle this request; its log says where.")
