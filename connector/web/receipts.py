"""What Twilio says later about a text or call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from channels._twilio import State, receipt_outcome

from ..core.escalation import Notification, Stage
from ..core.events import Receipt
from ..core.sending import find as find_notification
from ..core.words import Words
from ..engine.answering import Answers
from ..engine.numbers import line_key
from ..engine.records import Link
from .announced import codes_of

if TYPE_CHECKING:
    from ..services import Services

VOICEMAIL, NO_KEY = Words("voicemail"), Words("no key pressed")


def take(services: Services, link: Link, *, sid: str, status: str, error_code: str, number: str) -> None:
    """Records a status callback. A call that ended without a key was not answered, whoever or whatever picked up."""
    said = receipt_outcome(status, error_code)
    call = sid.startswith("CA")
    if not said.ended:
        _under_way(services, link, sid, said.text, talking=said.state is State.ANSWERED)
        return
    arrived = said.state is State.ARRIVED
    _, notification = find(services, link)
    words = _unanswered(notification) if call and said.state is State.ANSWERED else said.text
    answered = call and notification is not None and notification.stage is Stage.ENDED and notification.arrived
    if (notification is not None or link.also) and not answered:  # after a key the end of the call says nothing more
        receipt = Receipt(
            link.id, words, arrived, permanent=said.permanent and not call, unanswered=call, provider_id=sid
        )
        Answers(services.engine).hear(link, receipt)
    services.store.count("receipts_arrived" if arrived else "receipts_failed")
    if call:
        _free_line(services, link, number)


def picked_up(services: Services, link: Link, *, sid: str, answered_by: str) -> None:
    """Records who or what picked up, as Twilio heard it; a machine's call goes on to its end and counts as voicemail.

    Twilio takes a person's long greeting for a machine now and then, so nobody is hung up on, and a key still counts.
    `answered_by`: https://www.twilio.com/docs/voice/answering-machine-detection
    """
    if answered_by.startswith("machine") or answered_by == "fax":
        _, notification = find(services, link)
        if notification is not None and notification.stage is not Stage.ENDED:
            heard = Receipt(link.id, VOICEMAIL, arrived=False, final=False, provider_id=sid)
            Answers(services.engine).hear(link, heard)
        services.store.count("calls_voicemail")


def _unanswered(notification: Notification | None) -> Words:
    """How a call ended that somebody or something picked up without pressing a key."""
    return VOICEMAIL if notification is not None and notification.outcome == VOICEMAIL else NO_KEY


def awaited(services: Services, link: Link) -> bool:
    """Whether something of what the message told of has no outcome yet."""
    return any(n.stage is not Stage.ENDED for _, n in _of(services, link))


def key_pressed(link: Link, digit: str, sid: str) -> Receipt:
    """A person is on the phone: the call has arrived, whatever they do next."""
    return Receipt(link.id, Words("answered, key {key} pressed", key=digit), arrived=True, provider_id=sid)


def find(services: Services, link: Link) -> tuple[str, Notification | None]:
    """(ticket id, notification) of the first that the message told of, wherever its ticket was merged to.

    ("", None): all of it is forgotten.
    """
    return next(_of(services, link), ("", None))


def _of(services: Services, link: Link) -> Iterator[tuple[str, Notification]]:
    for code in codes_of(link):
        ticket_id, escalation = services.engine.find(code) or ("", None)
        notification = find_notification(escalation, link.id) if escalation is not None else None
        if notification is not None:
            yield ticket_id, notification


def _under_way(services: Services, link: Link, sid: str, words: Words, *, talking: bool) -> None:
    """Proves that the provider has what the sender got no answer for; a call in progress is waited for."""
    _, notification = find(services, link)
    if notification is None:
        return
    lost = notification.stage is Stage.PLANNED and notification.unsure
    waits = talking and notification.stage is Stage.SENT and notification.outcome != VOICEMAIL
    if lost or waits:
        heard = Receipt(link.id, words, arrived=False, final=False, provider_id=sid)
        Answers(services.engine).hear(link, heard)


def _free_line(services: Services, link: Link, number: str) -> None:
    """The phone can be rung again, unless it is ringing again already."""
    _, notification = find(services, link)
    if notification is not None and notification.stage in (Stage.CLAIMED, Stage.SENT):
        return
    line = line_key(number)
    if services.redis.get(line) == link.id.encode():
        services.redis.delete(line)
