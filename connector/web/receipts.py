"""What Twilio says later about a text or call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channels._twilio import State, receipt_outcome

from ..core.escalation import Notification, Stage
from ..core.events import Receipt
from ..core.sending import find as find_notification
from ..engine.answering import Answers
from ..engine.numbers import line_key
from ..engine.records import Link

if TYPE_CHECKING:
    from ..services import Services


def take(services: Services, link: Link, *, sid: str, status: str, error_code: str, number: str) -> None:
    """Records a status callback. A call that ended without a key was not answered, whoever or whatever picked up."""
    said = receipt_outcome(status, error_code)
    call = sid.startswith("CA")
    if not said.ended:
        _under_way(services, link, sid, said.text, talking=said.state is State.ANSWERED)
        return
    arrived = said.state is State.ARRIVED
    words = "no key pressed" if call and said.state is State.ANSWERED else said.text
    _, notification = find(services, link)
    answered = call and notification is not None and notification.stage is Stage.ENDED and notification.arrived
    if (notification is not None or link.also) and not answered:  # after a key the end of the call says nothing more
        receipt = Receipt(
            link.id, words, arrived, permanent=said.permanent and not call, unanswered=call, provider_id=sid
        )
        Answers(services.engine).hear(link, receipt)
    services.store.count("receipts_arrived" if arrived else "receipts_failed")
    if call:
        _free_line(services, link, number)


def key_pressed(link: Link, digit: str, sid: str) -> Receipt:
    """A person is on the phone: the call has arrived, whatever they do next."""
    return Receipt(link.id, f"answered, key {digit} pressed", arrived=True, provider_id=sid)


def find(services: Services, link: Link) -> tuple[str, Notification | None]:
    """(ticket id, notification) behind a link, also after its ticket was merged into another; ("", None): forgotten."""
    found = services.engine.find(link.code)
    if found is None:
        return "", None
    return found[0], find_notification(found[1], link.id)


def _under_way(services: Services, link: Link, sid: str, words: str, *, talking: bool) -> None:
    """Proves that the provider has what the sender got no answer for; a call in progress is waited for."""
    _, notification = find(services, link)
    if notification is None:
        return
    lost = notification.stage is Stage.PLANNED and notification.unsure
    if lost or (talking and notification.stage is Stage.SENT):
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
