"""What a person's SMS means, and what they are answered.

The sender's number only says who it may be (it can be forged), so a reply reaches no further than what was texted to
that number, and strangers learn nothing.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from channels._twilio import Word, parse_reply

from ..core.contact import Contact
from ..engine.answering import Answer, Answers
from ..engine.numbers import REPLY_WITHIN, texted_key

if TYPE_CHECKING:
    from ..services import Services

STRANGER = "This number is not known here; nothing was done."
NOTHING = "Nothing is open for this number."


def answer(services: Services, number: str, body: str) -> str:
    """Does what the SMS asks for and says what came of it."""
    texted = texted_to(services, number)
    contact = _person(services, number, texted)
    if contact is None:
        return STRANGER
    still_open = [code for code in texted if _open(services, code)]
    reply = parse_reply(body)
    match reply.word:
        case Word.ONE:
            return _one(services, contact, texted, still_open)
        case Word.ALL:
            return _all(services, contact, texted, still_open)
        case Word.CODE:
            code = next((code for code in reply.codes if _was_told(services, contact, code, texted)), None)
            if code is not None:
                return _take(services, contact, code)
    return f"That was not understood. {_choice(still_open)}"


def texted_to(services: Services, number: str) -> list[str]:
    """Codes that were texted to this number in the last 12 hours, newest first."""
    since = time.time() - REPLY_WITHIN
    found: list[bytes] = services.redis.zrevrangebyscore(texted_key(number), "+inf", since)  # type: ignore[assignment]
    return [code.decode() for code in found]


def _one(services: Services, contact: Contact, texted: list[str], still_open: list[str]) -> str:
    if len(still_open) == 1:
        return _take(services, contact, still_open[0])
    if still_open:
        return f"Several are open. {_choice(still_open)}"
    return _take(services, contact, texted[0]) if len(texted) == 1 else NOTHING


def _all(services: Services, contact: Contact, texted: list[str], still_open: list[str]) -> str:
    if not still_open:
        return _one(services, contact, texted, still_open)
    answers = Answers(services.engine)
    answered = {code: answers.acknowledge(code, contact, "SMS") for code in still_open}
    if len(answered) == 1:
        return answered[still_open[0]].sentence
    done = [code for code, each in answered.items() if each.kind is Answer.DONE]
    others = [each.sentence for each in answered.values() if each.kind is not Answer.DONE]
    taken = [f"{', '.join(done)}: acknowledged by {contact.name}."] if done else []
    return " ".join([*taken, *others])


def _take(services: Services, contact: Contact, code: str) -> str:
    return Answers(services.engine).acknowledge(code, contact, "SMS").sentence


def _choice(still_open: list[str]) -> str:
    if not still_open:
        return NOTHING
    codes = ", ".join(still_open[:5])
    return f"Reply {codes} or ALL." if len(still_open) > 1 else f"Reply {codes} to take it."


def _open(services: Services, code: str) -> bool:
    found = services.engine.find(code)
    return found is not None and found[1].state.climbing


def _was_told(services: Services, contact: Contact, code: str, texted: list[str]) -> bool:
    """Whether this code was texted to the number lately, or this escalation has told the person in any way."""
    if code in texted:
        return True
    found = services.engine.find(code)
    return found is not None and any(told.key == contact.key for told in found[1].told)


def _person(services: Services, number: str, texted: list[str]) -> Contact | None:
    """Whose mobile this is: a contact's, or that of an owner whom only the helpdesk knows and who was texted."""
    if not number:
        return None
    for contact in services.engine.people.contacts.values():
        if contact.mobile == number:
            return contact
    for code in texted:
        found = services.engine.find(code)
        owner = found[1].owner if found is not None else None
        if owner is not None and (contact := services.engine.contact_of(owner)).mobile == number:
            return contact
    return None
