"""What a person hears after pressing a key in a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import request

from channels import phone

from ..core.case import Case
from ..core.contact import Contact
from ..core.sending import find as find_notification
from ..engine.answering import Answers
from ..engine.records import Link
from ..ports import Message, Purpose
from . import outcomes, receipts, replies
from .announced import announced, cases_of, codes_of
from .once import once

if TYPE_CHECKING:
    from ..services import Services


def answer(services: Services, link: Link | None, digit: str, sid: str) -> str:
    """The TwiML that follows a key; "" is no key. The first key that is pressed proves that a person answered.

    1 and 2 are about everything that the call has announced.
    """
    voice = _voice(services, link)
    cases = cases_of(services, link) if link is not None else []
    if link is None or not cases:
        return _over(services, voice)
    contact = Answers(services.engine).told(link)
    # 1 and 2 end a call, so that a second one of the same call is the first one's copy
    ends = digit in (phone.ACKNOWLEDGE, phone.ESCALATE)
    sentence = once(services, sid if ends else "", lambda: _act(services, link, contact, digit, sid))
    return phone.answer(_message(services, link, cases, contact), digit, sentence, voice, services.texts)


def again(services: Services, number: str) -> str:
    """The TwiML while nothing can be stored: whoever is at `number` is asked for the key once more."""
    contact = replies.listed(services, number) or Contact(key="", name="")
    language = outcomes.language_of(services, contact)
    return phone.again(_bare(services, language), _voice(services, None), services.texts)


def _act(services: Services, link: Link, contact: Contact, digit: str, sid: str) -> str:
    """Does what the key asks for; that it was pressed is recorded with it, so that no note tells half of it."""
    answers, codes = Answers(services.engine), codes_of(link)
    heard = [receipts.key_pressed(link, digit, sid)] if digit and receipts.awaited(services, link) else []
    if digit == phone.ACKNOWLEDGE:
        answered = answers.acknowledge_all([link], contact, "phone call", *heard)
        return outcomes.sentence(services, contact, codes, answered, spoken=True)
    if heard:
        answers.hear(link, *heard)
    if digit != phone.ESCALATE:
        return ""
    answered = [answers.escalate(code, contact, unless_taken=True) for code in codes]
    return outcomes.sentence(services, contact, codes, answered, asked=outcomes.ESCALATE, spoken=True)


def _over(services: Services, voice: str) -> str:
    """What is said about a call whose escalation nobody remembers."""
    language = services.settings.service.language
    over = services.texts.line(language, "reply/over.txt", {})
    return phone.answer(_bare(services, language), phone.ACKNOWLEDGE, over, voice, services.texts)


def _bare(services: Services, language: str) -> Message:
    """A message of which no more is known than the call it belongs to."""
    return Message(
        id="over",
        purpose=Purpose.STEP,
        code="",
        contacts=(Contact(key="", name=""),),
        sent_at=services.engine.clock.now(),
        callback_url=_callbacks(services),
        token=request.args["m"],
        language=language,
    )


def _callbacks(services: Services) -> str:
    return f"{services.settings.service.public_url}/callbacks/twilio"


def _message(services: Services, link: Link, cases: list[Case], contact: Contact) -> Message:
    """The facts that are spoken, as the tickets are known now."""
    case = cases[0]
    escalation = case.escalation
    assert escalation is not None
    told = find_notification(escalation, link.id)
    ticket = services.engine.policy.outside(case.ticket)
    facts = ticket.facts
    return Message(
        id=link.id,
        purpose=Purpose(told.purpose) if told is not None else Purpose.STEP,
        code=escalation.code,
        contacts=(contact,),
        sent_at=services.engine.clock.now(),
        ticket_id=ticket.id,
        ticket_number=ticket.number,
        ticket_title=ticket.title,
        priority=facts.priority,
        group=facts.group,
        organization=facts.organization,
        plan=escalation.plan.name,
        callback_url=_callbacks(services),
        token=request.args["m"],
        language=outcomes.language_of(services, contact),
        also=announced(cases[1:], services.engine.policy),
    )


def _voice(services: Services, link: Link | None) -> str:
    """The voice of the channel that rang."""
    channel = services.channels.get(link.channel) if link is not None else None
    if channel is None or channel.kind != phone.KIND:
        return phone.ENGLISH_VOICE
    return cast(phone.Phone, channel).voice
