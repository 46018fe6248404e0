"""`/ack/<token>`: the personal link. GET shows the ticket and a button; only POST acknowledges.

Mail scanners and previews follow links (GET, HEAD), so those never change anything. Browsers get a page, machines
(push actions, http_post) get JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, current_app, jsonify, request

from ..core.case import Case
from ..core.contact import Contact
from ..core.escalation import State
from ..core.plan import Way
from ..core.taking import name_of
from ..engine.answering import TAKEN, Answer, Answered, Answers
from ..engine.documents import document
from ..engine.records import Link
from .answers import error, refuse
from .html import page

if TYPE_CHECKING:
    from ..services import Services

blueprint = Blueprint("ack", __name__)

OVER = "This link has expired or its escalation is over; nothing was done."


@blueprint.get("/ack/<token>")
def show(token: str) -> Response:
    """Who asks whom for what; changes nothing."""
    services, link = _opened(token)
    if isinstance(link, Response):
        return link
    found = services.engine.find(link.code)
    case = services.store.case(found[0]) if found is not None else None
    if case is None or case.escalation is None or not case.escalation.state.live:
        return _gone(OVER)
    contact = Answers(services.engine).told(link)
    if not _wants_page():
        return jsonify(document(case))
    return _page(case, contact, *_offer(case))


@blueprint.post("/ack/<token>")
def acknowledge(token: str) -> Response:
    """Acknowledges, whatever the body holds; again by anybody: 200, with who was first."""
    services, link = _opened(token)
    if isinstance(link, Response):
        return link
    answers = Answers(services.engine)
    contact = answers.told(link)
    channel = services.channels.get(link.channel)
    via = "push" if channel is not None and channel.kind in ("push", "webpush") else "link"
    answered = answers.acknowledge(link, contact, via)
    services.store.count(f"links_{answered.kind}")
    return _said(answered, contact)


def _opened(token: str) -> tuple[Services, Link | Response]:
    """The link behind the token, or why there is none."""
    services: Services = current_app.config["SERVICES"]()
    if not services.settings.service.public_url:
        return services, error(404, "not_found", "Links need `service.public_url`.")
    id = services.signatures.read_token("acknowledge", token)
    if id is None:
        services.store.count("links_forged")
        return services, refuse(403, "bad_token", "This link was not made by Escalator, or it was cut.")
    link = services.store.link(id)
    return services, link if link is not None else _gone(OVER)


def _offer(case: Case) -> tuple[str, str]:
    """(sentence, words of the button, "" for none)."""
    escalation = case.escalation
    assert escalation is not None
    current = escalation.acknowledged
    if escalation.state in TAKEN:
        return f"Already acknowledged by {name_of(current.by) if current else 'somebody'}.", ""
    if Way.OUTSIDE not in escalation.plan.acknowledged_by:
        return "Please take this ticket in the helpdesk itself: its plan asks for that.", ""
    if escalation.state is State.EXHAUSTED:
        return "Everybody was told and nobody came.", "I take it"
    return "", "I take it"


def _said(answered: Answered, contact: Contact) -> Response:
    if answered.kind in (Answer.ENDED, Answer.UNKNOWN):
        return _gone(answered.sentence)
    case = answered.case
    assert case is not None
    if not _wants_page():
        if answered.kind is Answer.REFUSED:
            return error(409, "refused", answered.sentence)
        return jsonify({"outcome": answered.kind.value, "message": answered.sentence, **document(case)})
    return _page(case, contact, answered.sentence, "", 409 if answered.kind is Answer.REFUSED else 200)


def _page(case: Case, contact: Contact, sentence: str, button: str, status: int = 200) -> Response:
    escalation = case.escalation
    assert escalation is not None
    facts = [
        ("Title", case.ticket.title),
        ("Priority", case.ticket.facts.priority),
        ("Group", case.ticket.facts.group),
        ("Organisation", case.ticket.facts.organization),
        ("Plan", escalation.plan.name),
        ("Escalation", escalation.code),
        ("For", contact.name),
    ]
    headline = f"Ticket {case.ticket.number}"
    return page("acknowledge.html", status, headline=headline, facts=facts, sentence=sentence, button=button)


def _gone(sentence: str) -> Response:
    if not _wants_page():
        return error(410, "gone", sentence)
    return page("acknowledge.html", 410, headline="Nothing to do", facts=[], sentence=sentence, button="")


def _wants_page() -> bool:
    """Whether a browser asks: they name HTML, machines mostly name nothing."""
    return not request.is_json and "text/html" in request.accept_mimetypes.values()
