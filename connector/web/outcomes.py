"""What came of an answer, in the language of who gave it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from channels._texts import local, zone_of

from ..core.contact import Contact
from ..core.escalation import State
from ..core.taking import name_of
from ..engine.answering import Answer, Answered

if TYPE_CHECKING:
    from ..services import Services

ACKNOWLEDGE, ESCALATE, SNOOZE = "acknowledge", "escalate", "snooze"
#: How many names of who was first one sentence holds.
TAKERS = 3


def language_of(services: Services, contact: Contact) -> str:
    return contact.language or services.settings.service.language


def sentence(
    services: Services,
    contact: Contact,
    codes: Sequence[str],
    answered: Sequence[Answered],
    *,
    asked: str = ACKNOWLEDGE,
    spoken: bool = False,
) -> str:
    """One line on what came of it, for `contact`. `codes` are what was asked for, `answered` the same in order.

    `spoken`: for the ear, so that numbers come digit by digit and codes don't come at all.
    """
    language = language_of(services, contact)
    until = local(_held_until(answered), zone_of(contact.timezone or services.texts.timezone), "%H:%M")
    if len(answered) == 1:
        facts = one(codes[0], answered[0], asked, spoken)
        return services.texts.line(language, "reply/outcome.txt", facts | {"until": until})
    facts = several(contact, codes, answered, asked, spoken)
    return services.texts.line(language, "reply/outcomes.txt", facts | {"until": until})


def _held_until(answered: Sequence[Answered]) -> datetime | None:
    """When the first that is put off goes on."""
    escalations = (each.case.escalation for each in answered if each.case is not None)
    return min((one.held_until for one in escalations if one is not None and one.held_until), default=None)


def one(code: str, answered: Answered, asked: str, spoken: bool = False) -> dict[str, Any]:
    """The facts of `reply/outcome.txt`, but `until`."""
    number = answered.case.ticket.number if answered.case is not None else ""
    escalation = answered.case.escalation if answered.case is not None else None
    return {
        "kind": answered.kind.value,
        "asked": asked,
        "code": escalation.code if escalation is not None else code,
        "number": ", ".join(number) if spoken else number,
        "who": who(answered),
        "plan": escalation.plan.name if escalation is not None else "",
    }


def several(
    contact: Contact, codes: Sequence[str], answered: Sequence[Answered], asked: str, spoken: bool = False
) -> dict[str, Any]:
    """The facts of `reply/outcomes.txt`, but `until`."""
    both = list(zip(codes, answered, strict=True))

    def of(*kinds: Answer) -> list[str]:
        return [code for code, each in both if each.kind in kinds]

    takers = dict.fromkeys(who(each) for each in answered if each.kind is Answer.ALREADY)
    return {
        "asked": asked,
        "spoken": spoken,
        "who": contact.name,
        "done": of(Answer.DONE),
        "taken": of(Answer.ALREADY),
        "takers": [*takers][:TAKERS],
        "refused": of(Answer.REFUSED),
        "over": of(Answer.ENDED, Answer.UNKNOWN),
    }


def who(answered: Answered) -> str:
    """Who has it, or who has stopped it; "" for nobody."""
    escalation = answered.case.escalation if answered.case is not None else None
    if escalation is None:
        return ""
    if answered.kind in (Answer.DONE, Answer.ALREADY):
        return name_of(escalation.acknowledged.by) if escalation.acknowledged else ""
    stopped = escalation.state is State.CANCELLED and escalation.stopped and escalation.ended_by is not None
    return name_of(escalation.ended_by) if stopped and escalation.ended_by is not None else ""
