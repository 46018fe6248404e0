"""`/api/v1/escalations`: for other systems, with a bearer token of `service.api_tokens`."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, current_app, jsonify, request
from marshmallow import RAISE, Schema, ValidationError, fields, validate
from werkzeug.exceptions import BadRequest

from ..engine.answering import Answer, Answered, Answers
from ..engine.documents import document, of_mode, with_history
from ..errors import HelpdeskAway, HelpdeskError, TicketGone
from .answers import error, refuse

if TYPE_CHECKING:
    from ..services import Services

blueprint = Blueprint("api", __name__, url_prefix="/api/v1/escalations")

_STATUS = {Answer.DONE: 200, Answer.ALREADY: 200, Answer.REFUSED: 409, Answer.ENDED: 409, Answer.UNKNOWN: 404}


def _text(longest: int) -> fields.String:
    return fields.String(
        required=True,
        validate=[validate.Length(1, longest), validate.Regexp(r"[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*\Z")],
    )


class By(Schema):
    """Who does it: a contact's key, login or name, else a name to be noted."""

    class Meta:
        unknown = RAISE

    by = _text(100)


class Start(By):
    """`ticket` is the ticket's number, or `id:` and its id; `plan` one of the config's."""

    ticket = _text(40)
    plan = _text(100)


def authorised(view: Callable[..., Response]) -> Callable[..., Response]:
    """Only with one of the tokens; all of them are compared, in constant time."""

    @wraps(view)
    def checked(**arguments: str) -> Response:
        services: Services = current_app.config["SERVICES"]()
        tokens = [token for token in services.settings.service.api_tokens.values() if token]
        if not tokens:
            return error(404, "not_found", "The API needs `service.api_tokens`.")
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        offered = given.strip().encode("utf-8", "surrogateescape")
        known = [hmac.compare_digest(token.encode(), offered) for token in tokens]
        if scheme.lower() != "bearer" or not any(known):
            services.store.count("api_refused")
            answer = refuse(401, "bad_token", "A bearer token of `service.api_tokens` is needed.")
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        return view(services, **arguments)

    return checked


@blueprint.get("")
@authorised
def listed(services: Services) -> Response:
    """The live ones, by ticket; `?all=1`: then the ended ones that are still kept, newest first."""
    store = services.store
    live = store.cases(store.live_tickets())
    cases = [case for case in live.values() if case.escalation is not None]
    if request.args.get("all", "") not in ("", "0", "false"):
        past = store.past_codes()
        ended = store.cases(list(dict.fromkeys(ticket for _, ticket in past)))
        shown = {case.ticket.id for case in cases}
        cases += [case for ticket, case in ended.items() if case.escalation is not None and ticket not in shown]
    return jsonify(of_mode({"escalations": [document(case) for case in cases]}, store.holds()))


@blueprint.post("")
@authorised
def start(services: Services) -> Response:
    """Starts a plan for a ticket by hand."""
    wanted = read_body(Start())
    if isinstance(wanted, Response):
        return wanted
    plan = services.settings.policy.plans.get(wanted["plan"])
    if plan is None:
        return error(422, "unknown_plan", "The config has no plan of that name.", "plan")
    try:
        ticket: str = wanted["ticket"]
        ticket_id = ticket[3:].strip() if ticket.startswith("id:") else services.helpdesk.find(ticket)
        if not ticket_id.isdecimal() or not ticket_id.isascii():
            return error(422, "invalid", "A ticket's id is a number.", "ticket")
        reading = services.helpdesk.read(ticket_id)
    except TicketGone:
        return error(404, "no_ticket", "The helpdesk has no such ticket.", "ticket")
    except HelpdeskAway as problem:
        return error(503, "helpdesk_away", str(problem))
    except HelpdeskError as problem:
        return error(502, "helpdesk_refused", str(problem))
    if reading.ticket.phase.ended:
        return error(409, "ticket_closed", "The ticket is closed: reopen it first.", "ticket")
    begun = services.engine.start(reading, plan, Answers(services.engine).who(wanted["by"]).name)
    if begun is None:
        return error(409, "already_escalating", "This ticket has a live escalation already.", "ticket")
    return _one(services, begun.code, 201)


@blueprint.get("/<code>")
@authorised
def shown(services: Services, code: str) -> Response:
    return _one(services, code)


@blueprint.post("/<code>/acknowledge")
@authorised
def acknowledge(services: Services, code: str) -> Response:
    return _act(services, lambda answers, by: answers.acknowledge(code, answers.who(by), "API"))


@blueprint.post("/<code>/escalate")
@authorised
def escalate(services: Services, code: str) -> Response:
    return _act(services, lambda answers, by: answers.escalate(code, answers.who(by)))


@blueprint.post("/<code>/stop")
@authorised
def stop(services: Services, code: str) -> Response:
    return _act(services, lambda answers, by: answers.stop(code, answers.who(by)))


def _act(services: Services, act: Callable[[Answers, str], Answered]) -> Response:
    wanted = read_body(By())
    if isinstance(wanted, Response):
        return wanted
    answered = act(Answers(services.engine), wanted["by"])
    status = _STATUS[answered.kind]
    if status >= 400 or answered.case is None:
        return error(status, answered.kind.value, answered.sentence)
    said = {"outcome": answered.kind.value, "message": answered.sentence, **document(answered.case)}
    return jsonify(of_mode(said, services.store.holds()))


def _one(services: Services, code: str, status: int = 200) -> Response:
    found = services.engine.find(code)
    case = services.store.case(found[0]) if found is not None else None
    if case is None or case.escalation is None:
        return error(404, "unknown", "There is no such escalation.")
    told = with_history(case, services.store.history(case.escalation.code))
    answer = jsonify(of_mode(told, services.store.holds()))
    answer.status_code = status
    return answer


def read_body(schema: Schema) -> dict[str, Any] | Response:
    """The validated body, or what is wrong with it."""
    try:
        raw = request.get_json(force=True)
    except (BadRequest, RecursionError):
        return error(400, "not_json", "The body is not JSON.")
    if not isinstance(raw, dict):
        return error(422, "invalid", "The body must be a JSON object.")
    try:
        loaded: dict[str, Any] = schema.load(raw)
    except ValidationError as problem:
        field, message = _first(problem)
        return error(422, "invalid", message, field)
    return loaded


def _first(problem: ValidationError) -> tuple[str, str]:
    """The first wrong field and what is wrong with it; never the value."""
    messages = problem.messages_dict
    field = next(iter(messages))
    said = messages[field]
    return str(field)[:100], str(said[0] if isinstance(said, list) else said)
