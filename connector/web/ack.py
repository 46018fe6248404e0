"""`/ack/<token>`: the personal link. GET shows the tickets and three buttons; only POST does what they say.

Mail scanners and previews follow links (GET, HEAD), so those never change anything. Browsers get a page, machines
(push actions, http_post) get JSON.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import redis
from flask import Blueprint, Response, current_app, jsonify

from channels._texts import zone_of

from ..core.case import Case
from ..core.contact import Contact
from ..core.escalation import State
from ..core.plan import Way
from ..core.taking import has_it
from ..engine.answering import Answer, Answered, Answers, actor_of
from ..engine.documents import document
from ..engine.keys import PREFIX
from ..engine.records import Link
from . import dead_ends, outcomes, shown
from .announced import cases_of, codes_of
from .answers import error, refuse
from .dead_ends import instead, wants_page
from .html import STYLE, respond

if TYPE_CHECKING:
    from ..services import Services

blueprint = Blueprint("ack", __name__)

GONE = "This link has expired or its escalation is over; nothing was done."
FORGED = "This link was not made by Escalator, or it was cut."
#: Seconds in which another tap on "escalate now" (or "for 30 minutes") is the same one: it would climb two steps.
SECOND_TAP = 10
SNOOZE = timedelta(minutes=30)
#: The best of several outcomes is that of the whole.
ORDER = (Answer.DONE, Answer.ALREADY, Answer.REFUSED, Answer.ENDED, Answer.UNKNOWN)


@blueprint.get("/ack/<token>")
def show(token: str) -> Response:
    """Who asks whom for what; changes nothing."""
    return _show(_Forms(token))


@blueprint.get("/ack/<token>/<any(escalate, snooze):_>")
def show_again(token: str, _: str) -> Response:
    """The same: a phone that opens its last page anew asks with GET for what a form led to."""
    return _show(_Forms(token, below=True))


@blueprint.post("/ack/<token>")
def acknowledge(token: str) -> Response:
    """Acknowledges all that the message told of, whatever the body holds; again by anybody: 200, with who was first."""
    services, link = _opened(token)
    if isinstance(link, Response):
        return link
    answers = Answers(services.engine)
    contact = answers.told(link)
    channel = services.channels.get(link.channel)
    via = "push" if channel is not None and channel.kind in ("push", "webpush") else "link"
    answered = answers.acknowledge_all([link], contact, via)
    services.store.count(f"links_{_best(answered)}")
    said = outcomes.sentence(services, contact, codes_of(link), answered)
    return _said(services, contact, answered, said, _Forms(token))


@blueprint.post("/ack/<token>/escalate")
def escalate(token: str) -> Response:
    """The next step now of all that the message told of and nobody has."""

    def act(answers: Answers, link: Link, contact: Contact) -> list[Answered]:
        return [answers.escalate(code, contact, unless_taken=True) for code in codes_of(link)]

    return _once(token, outcomes.ESCALATE, act)


@blueprint.post("/ack/<token>/snooze")
def snooze(token: str) -> Response:
    """Acknowledges for half an hour all that the message told of and nobody else has; then it goes on."""

    def act(answers: Answers, link: Link, contact: Contact) -> list[Answered]:
        return [answers.snooze(code, contact, "link", SNOOZE) for code in codes_of(link)]

    return _once(token, outcomes.SNOOZE, act)


def _once(token: str, asked: str, act: Callable[[Answers, Link, Contact], list[Answered]]) -> Response:
    """Does what is asked for, or shows how it stands when it was asked for a moment ago."""
    services, link = _opened(token)
    if isinstance(link, Response):
        return link
    forms = _Forms(token, below=True)
    tapped = f"{PREFIX}tapped:{asked}:{link.id}"
    if not services.redis.set(tapped, b"1", nx=True, ex=SECOND_TAP):
        return _as_it_stands(services, link, forms)
    answers = Answers(services.engine)
    contact = answers.told(link)
    try:
        answered = act(answers, link, contact)
    except Exception:
        with contextlib.suppress(redis.RedisError):  # nothing was done: the next tap is no second one
            services.redis.delete(tapped)
        raise
    services.store.count(f"links_{asked}_{_best(answered)}")
    said = outcomes.sentence(services, contact, codes_of(link), answered, asked=asked)
    return _said(services, contact, answered, said, forms)


@dataclass(frozen=True, slots=True)
class _Forms:
    """Where a page's forms lead: relative, since a proxy may have put it anywhere. `below`: it has a word more."""

    token: str
    below: bool = False

    def facts(self) -> dict[str, str]:
        up = "../" if self.below else ""
        return {
            "take_url": f"{up}{self.token}",
            "escalate_url": f"{up}{self.token}/escalate",
            "snooze_url": f"{up}{self.token}/snooze",
        }


def _opened(token: str) -> tuple[Services, Link | Response]:
    """The link behind the token, or why there is none."""
    services: Services = current_app.config["SERVICES"]()
    if not services.settings.service.public_url:
        return services, error(404, "not_found", "Links need `service.public_url`.")
    id = services.signatures.read_token("acknowledge", token)
    if id is None:
        services.store.count("links_forged")
        return services, instead(refuse(403, "bad_token", FORGED), dead_ends.FORGED)
    link = services.store.link(id)
    return services, link if link is not None else instead(error(410, "gone", GONE), dead_ends.EXPIRED)


def _show(forms: _Forms) -> Response:
    services, link = _opened(forms.token)
    return link if isinstance(link, Response) else _as_it_stands(services, link, forms)


def _as_it_stands(services: Services, link: Link, forms: _Forms) -> Response:
    cases = cases_of(services, link)
    live = [case for case in cases if case.escalation is not None and case.escalation.state.live]
    contact = Answers(services.engine).told(link)
    if not live:
        language = outcomes.language_of(services, contact)
        return instead(error(410, "gone", GONE), dead_ends.OVER, language=language, cases=cases)
    if not wants_page():
        return jsonify(_documents(live))
    return _page(services, live, contact, forms)


def _best(answered: Sequence[Answered]) -> Answer:
    return min((each.kind for each in answered), key=ORDER.index)


def _said(services: Services, contact: Contact, answered: Sequence[Answered], said: str, forms: _Forms) -> Response:
    best, cases = _best(answered), [each.case for each in answered if each.case is not None]
    if best in (Answer.ENDED, Answer.UNKNOWN) or not cases:
        language = outcomes.language_of(services, contact)
        return instead(error(410, "gone", said), dead_ends.OVER, language=language, said=said, cases=cases)
    if wants_page():
        status = 409 if best is Answer.REFUSED else 200
        return _page(services, cases, contact, forms, said, status)
    if best is Answer.REFUSED:
        return error(409, "refused", said)
    return jsonify({"outcome": best.value, "message": said, **_documents(cases)})


def _documents(cases: Sequence[Case]) -> dict[str, Any]:
    """The first escalation, with the others under `also`."""
    first, *others = (document(case) for case in cases)
    return {**first, "also": others} if others else first


def _page(
    services: Services, cases: Sequence[Case], contact: Contact, forms: _Forms, said: str = "", status: int = 200
) -> Response:
    climbing = [case.escalation for case in cases if case.escalation is not None and case.escalation.state.climbing]
    facts = {
        **page_facts(services, cases, contact),
        **forms.facts(),
        "said": said,
        "takes": sum(Way.OUTSIDE in escalation.plan.acknowledged_by for escalation in climbing),
        "asked": any(_has(case, contact) and _asked(case) for case in cases),
        "escalates": bool(climbing),
        "snooze": int(SNOOZE.total_seconds() // 60),
    }
    return respond(services.texts.text(outcomes.language_of(services, contact), "page/ticket.html", facts), status)


def _has(case: Case, contact: Contact) -> bool:
    """Whether this person has it."""
    escalation = case.escalation
    if escalation is None or escalation.acknowledged is None or not escalation.state.live:
        return False
    return not escalation.state.climbing and has_it(escalation.acknowledged, actor_of(contact), contact.key)


def _asked(case: Case) -> bool:
    """Whether who has it was asked whether they still are on it."""
    escalation = case.escalation
    return escalation is not None and escalation.state is State.ACKNOWLEDGED and escalation.asked_at is not None


def page_facts(services: Services, cases: Sequence[Case], contact: Contact) -> dict[str, Any]:
    """What the page tells; the history only where it tells of one ticket."""
    view = shown.View(
        zone_of(contact.timezone or services.texts.timezone),
        services.engine.clock.now(),
        services.engine.people,
        {name: channel.kind for name, channel in services.channels.items()},
        services.texts.notes(outcomes.language_of(services, contact)),
    )
    alone, policy = len(cases) == 1, services.engine.policy
    tickets = [
        shown.ticket(
            replace(case, ticket=policy.outside(case.ticket)),
            services.store.history(case.escalation.code) if alone else (),
            view,
        )
        | {"mine": _has(case, contact)}
        for case in cases
        if case.escalation is not None
    ]
    return {"tickets": tickets, "contact": contact.name, "zone": view.zone_name(), "style": STYLE}
