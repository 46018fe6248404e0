"""What a person hears after pressing a key in a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import request

from channels import phone

from ..core.case import Case
from ..core.contact import Contact
from ..core.escalation import Stage
from ..core.sending import find as find_notification
from ..engine.answering import Answers
from ..engine.records import Link
from ..ports import Message, Purpose
from . import receipts
from .once import once

if TYPE_CHECKING:
    from ..services import Services

OVER = "This escalation is over."


def answer(services: Services, link: Link | None, digit: str, sid: str) -> str:
    """The TwiML that follows a key; "" is no key. The first key that is pressed proves that a person answered."""
    voice = _voice(services, link)
    found = services.engine.find(link.code) if link is not None else None
    case = services.store.case(found[0]) if found is not None else None
    if link is None or case is None or case.escalation is None:
        nobody = Contact(key="", name="")
        message = Message(
            id="over", purpose=Purpose.STEP, code="", contacts=(nobody,), sent_at=services.engine.clock.now()
        )
        return phone.answer(message, phone.ACKNOWLEDGE, OVER, voice)
    contact = Answers(services.engine).told(link)
    # 1 and 2 end a call, so that a second one of the same call is the first one's copy
    ends = digit in (phone.ACKNOWLEDGE, phone.ESCALATE)
    sentence = once(services, sid if ends else "", lambda: _act(services, link, contact, digit, sid))
    return phone.answer(_message(services, link, case, contact), digit, sentence, voice)


def _act(services: Services, link: Link, contact: Contact, digit: str, sid: str) -> str:
    """Does what the key asks for; that it was pressed is recorded with it, so that no note tells half of it."""
    answers = Answers(services.engine)
    ticket_id, told = receipts.find(services, link)
    news = digit and told is not None and told.stage is not Stage.ENDED
    heard = [receipts.key_pressed(link, digit, sid)] if news else []
    if digit == phone.ACKNOWLEDGE:
        answered = answers.acknowledge(link, contact, "phone call", *heard)
    else:
        if heard:
            services.engine.happen(ticket_id, *heard)
        if digit != phone.ESCALATE:
            return ""
        answered = answers.escalate(link, contact, unless_taken=True)
    number = answered.case.ticket.number if answered.case is not None else ""
    return answered.sentence.replace(f"ticket {number}:", f"ticket {', '.join(number)}:", 1)  # digit by digit


def _message(services: Services, link: Link, case: Case, contact: Contact) -> Message:
    """The facts that are spoken, as the ticket is known now."""
    escalation = case.escalation
    assert escalation is not None
    told = find_notification(escalation, link.id)
    facts, service = case.ticket.facts, services.settings.service
    return Message(
        id=link.id,
        purpose=Purpose(told.purpose) if told is not None else Purpose.STEP,
        code=escalation.code,
        contacts=(contact,),
        sent_at=services.engine.clock.now(),
        ticket_id=case.ticket.id,
        ticket_number=case.ticket.number,
        ticket_title=case.ticket.title,
        priority=facts.priority,
        group=facts.group,
        organization=facts.organization,
        plan=escalation.plan.name,
        callback_url=f"{service.public_url}/callbacks/twilio",
        token=request.args["m"],
        language=contact.language or service.language,
    )


def _voice(services: Services, link: Link | None) -> str:
    """The voice of the channel that rang."""
    channel = services.channels.get(link.channel) if link is not None else None
    if channel is None or channel.kind != phone.KIND:
        return "en-GB"
    return cast(phone.Phone, channel).voice
