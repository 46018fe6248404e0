"""What a person's SMS means, and what they are answered.

The sender's number only says who it may be (it can be forged), so a reply reaches no further than what was texted to
that number, and strangers learn nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from channels._twilio import Word, parse_reply

from ..core.contact import Contact
from ..engine.answering import Answers, told_once
from ..engine.numbers import Texted, texted_lately
from . import outcomes

if TYPE_CHECKING:
    from ..services import Services

#: Codes that one answer lists: a person reads them on a phone, and they must fit into one SMS.
LISTED = 5
UNCLEAR, SEVERAL, NOTHING = "unclear", "several", "nothing"


def answer(services: Services, number: str, body: str) -> str:
    """Does what the SMS asks for and says what came of it; "" where an answer would be no use."""
    reply = parse_reply(body)
    if reply.word is Word.OPT_OUT:
        return ""  # Twilio keeps that list, and lets no answer through
    known = texted_to(services, number)
    contact = _person(services, number, known)
    if contact is None:
        return services.texts.line(services.settings.service.language, "reply/stranger.txt", {})
    texted = list(dict.fromkeys(one.code for one in known))
    still_open = [code for code in texted if _open(services, code)]
    match reply.word:
        case Word.ONE:
            return _one(services, contact, texted, still_open)
        case Word.ALL:
            return _take(services, contact, still_open) if still_open else _one(services, contact, texted, still_open)
        case Word.CODE:
            code = next((code for code in reply.codes if _was_told(services, contact, code, texted)), None)
            if code is not None:
                return _take(services, contact, [code])
    return _help(services, contact, UNCLEAR, still_open)


def again(services: Services, number: str, body: str) -> str:
    """What is answered while nothing can be stored: Twilio doesn't try again by itself, so the person must."""
    if parse_reply(body).word is Word.OPT_OUT:
        return ""
    contact = listed(services, number)
    language = outcomes.language_of(services, contact) if contact else services.settings.service.language
    return services.texts.line(language, "reply/again.txt", {})


def listed(services: Services, number: str) -> Contact | None:
    """The contact whose mobile this is, by the config alone."""
    contacts = services.engine.people.contacts.values()
    return next((contact for contact in contacts if number and contact.mobile == number), None)


def texted_to(services: Services, number: str) -> list[Texted]:
    """What was texted to this number in the last 12 hours, newest first."""
    return texted_lately(services.redis, number)


def _one(services: Services, contact: Contact, texted: list[str], still_open: list[str]) -> str:
    """A bare 1 takes what is open if that is a single one; what is over it names if that was the only one."""
    if len(still_open) == 1:
        return _take(services, contact, still_open)
    if still_open:
        return _help(services, contact, SEVERAL, still_open)
    return _take(services, contact, texted) if len(texted) == 1 else _help(services, contact, NOTHING, [])


def _take(services: Services, contact: Contact, codes: list[str]) -> str:
    answered = Answers(services.engine).acknowledge_all(codes, contact, "SMS")
    return outcomes.sentence(services, contact, codes, answered)


def _help(services: Services, contact: Contact, why: str, still_open: list[str]) -> str:
    """What can be replied."""
    listed = still_open[:LISTED]
    facts = {"why": why, "codes": listed, "more": len(still_open) - len(listed)}
    return services.texts.line(outcomes.language_of(services, contact), "reply/help.txt", facts)


def _open(services: Services, code: str) -> bool:
    found = services.engine.find(code)
    return found is not None and found[1].state.climbing


def _was_told(services: Services, contact: Contact, code: str, texted: list[str]) -> bool:
    """Whether this code was texted to the number lately, or this escalation has told the person in any way."""
    if code in texted:
        return True
    found = services.engine.find(code)
    return found is not None and any(told.key == contact.key for told in found[1].told)


def _person(services: Services, number: str, texted: Sequence[Texted]) -> Contact | None:
    """Whose mobile this is: a contact's, or that of an owner whom only the helpdesk knows and who was texted.

    Who was texted as the owner stays that person when the ticket has another owner since, as behind a link.
    """
    if not number:
        return None
    if contact := listed(services, number):
        return contact
    for code in dict.fromkeys(one.code for one in texted):
        found = services.engine.find(code)
        owner = found[1].owner if found is not None else None
        if owner is not None and (contact := services.engine.contact_of(owner)).mobile == number:
            return contact
    known = services.engine.people.contacts  # these have another number now, if any
    return next((told_once(one.key, one.name) for one in texted if one.key and one.key not in known), None)
