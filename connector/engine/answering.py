"""What people answer from outside the helpdesk: a key, a reply, a link, the API, a terminal.

Every way goes through here, so that all of them mean the same and the first one wins.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from ..core.case import Case
from ..core.contact import Contact, login_in_key
from ..core.escalation import Escalation, State
from ..core.events import Acknowledge, Escalate, Event, Receipt, Stop
from ..core.plan import Way
from ..core.sending import EVERYBODY
from ..core.sending import find as find_notification
from ..core.taking import has_it, name_of
from ..core.ticket import Actor, Role
from .engine import Engine
from .records import Link

TAKEN = (State.ACKNOWLEDGED, State.HELD)


class Answer(StrEnum):
    """What came of an answer."""

    DONE = "done"
    ALREADY = "already"  # somebody was first, or it stands so already
    ENDED = "ended"  # the escalation is over
    UNKNOWN = "unknown"  # there is no such escalation
    REFUSED = "refused"  # the plan's `acknowledged_by` leaves out what comes from outside


@dataclass(frozen=True, slots=True)
class Answered:
    """`sentence` tells the person what came of it; it holds code, ticket number and names, never a phone number."""

    kind: Answer
    sentence: str
    case: Case | None = None  # the ticket with its escalation as it stands now


@dataclass(frozen=True)
class Answers:
    """`target` is always a code as people write it, or the link that a notification carried.

    Every call may raise redis.RedisError and store.Emptied; nothing has happened then, as far as we know.
    """

    engine: Engine

    def acknowledge(self, target: Link | str, contact: Contact, via: str, *heard: Receipt) -> Answered:
        """`contact` has it. `via` is how the note names the way: "phone call", "SMS", "link", "push", "API".

        `heard`: what the answer proves about the notification itself, recorded in the same commit.
        """
        found = self._find(target)
        if isinstance(found, Answered):
            return found
        ticket_id, escalation = found
        if escalation.state.climbing and Way.OUTSIDE not in escalation.plan.acknowledged_by:
            self.engine.happen(ticket_id, *heard)
            return self._refused(ticket_id, escalation)
        event = Acknowledge(actor_of(contact), self.engine.clock.now(), via, contact.key, outside=True)

        def judge(before: Escalation, after: Escalation) -> tuple[Answer, str]:
            if after.state in TAKEN:
                taker = name_of(after.acknowledged.by) if after.acknowledged else "somebody"
                first = before.state not in TAKEN
                yes = before.asked_at is not None and after.asked_at is None  # only who has it can say so
                return (Answer.DONE, f"acknowledged by {taker}") if first or yes else _already(taker)
            return _over(after)

        return self._answer(ticket_id, judge, *heard, event)

    def acknowledge_all(
        self, targets: Sequence[Link | str], contact: Contact, via: str, *heard: Receipt
    ) -> list[Answered]:
        """`acknowledge` for each escalation behind these codes and links, once each, in their order.

        A link stands for everything its message told of. `heard` is offered to each: it changes only what it is about.
        """
        return [self.acknowledge(target, contact, via, *heard) for target in _each(targets)]

    def snooze(self, target: Link | str, contact: Contact, via: str, lasts: timedelta) -> Answered:
        """`contact` has it for so long (at most the plan's `longest_snooze`); then it goes on if it is still open.

        What somebody else has stays theirs.
        """
        found = self._find(target)
        if isinstance(found, Answered):
            return found
        (ticket_id, escalation), actor = found, actor_of(contact)
        if escalation.state.climbing and Way.OUTSIDE not in escalation.plan.acknowledged_by:
            return self._refused(ticket_id, escalation)
        now = self.engine.clock.now()
        until = now + min(lasts, escalation.plan.longest_snooze)

        def judge(before: Escalation, after: Escalation) -> tuple[Answer, str]:
            current = before.acknowledged if before.state in TAKEN else None
            if current is not None and not has_it(current, actor, contact.key):
                return _already(name_of(current.by))
            if after.state is State.HELD and after.held_until is not None:
                return Answer.DONE, f"put off until {after.held_until:%Y-%m-%d %H:%M} UTC by {contact.name}"
            return _over(after)

        return self._answer(ticket_id, judge, Acknowledge(actor, now, via, contact.key, until=until, outside=True))

    def hear(self, link: Link, *heard: Receipt) -> None:
        """Records a provider's word on a message (`Receipt.id` is the link's) with all escalations it told of."""
        for target in _each([link]):
            found = self.find(target)
            if found is not None:
                self.engine.happen(found[0], *heard)

    def escalate(self, target: Link | str, contact: Contact, *, unless_taken: bool = False) -> Answered:
        """The next step now.

        `unless_taken`: neither while somebody has it, who might not be known to who asks, nor once it is over.
        """
        found = self._find(target)
        if isinstance(found, Answered):
            return found

        def judge(before: Escalation, after: Escalation) -> tuple[Answer, str]:
            if unless_taken and before.state in TAKEN:
                return _already(name_of(before.acknowledged.by) if before.acknowledged else "somebody")
            if before.state is State.RESOLVED or (unless_taken and not before.state.live):
                return _over(after)
            return Answer.DONE, "the next step comes now"

        event = Escalate(actor_of(contact), self.engine.clock.now(), while_climbing=unless_taken)
        return self._answer(found[0], judge, event)

    def stop(self, target: Link | str, contact: Contact) -> Answered:
        """Silent until a matched field changes the plan, the ticket reopens, or somebody escalates."""
        found = self._find(target)
        if isinstance(found, Answered):
            return found

        def judge(before: Escalation, after: Escalation) -> tuple[Answer, str]:
            if not before.state.live:
                return _over(after)
            return Answer.DONE, f"stopped by {contact.name}"

        return self._answer(found[0], judge, Stop(actor_of(contact), self.engine.clock.now()))

    # --- who answers -----------------------------------------------------------------------------------------------

    def who(self, by: str) -> Contact:
        """The contact that `by` names (key, login or full name), else somebody known by this name only."""
        wanted, contacts = by.strip(), self.engine.people.contacts
        same = wanted.casefold()
        named = (c for c in contacts.values() if same and same in (c.login.casefold(), c.name.casefold()))
        return contacts.get(wanted) or next(named, Contact(key="", name=wanted))

    def told(self, link: Link) -> Contact:
        """Whom the link was sent to; the channel itself where it told several people at once."""
        if link.key == EVERYBODY:
            return Contact(key="", name=link.channel)
        case = self.engine.store.case(link.ticket_id)
        contact = self.engine.person(case, link.key) if case is not None else None
        contact = contact or self.engine.people.contacts.get(link.key)
        if contact is not None:
            return contact
        held = find_notification(case.escalation, link.id) if case is not None and case.escalation else None
        return told_once(link.key, held.name if held else "")

    # --- what came of it -------------------------------------------------------------------------------------------

    def find(self, target: Link | str) -> tuple[str, Escalation] | None:
        """(ticket id, escalation) behind a code or link; None when there is none, or only a former life of it."""
        return self.engine.find(_code(target))

    def _find(self, target: Link | str) -> tuple[str, Escalation] | Answered:
        found = self.find(target)
        if found is not None:
            return found
        code = _code(target)
        if isinstance(target, Link) or self.engine.store.history(code.upper()):
            return Answered(Answer.ENDED, f"{code}: it is over.")
        return Answered(Answer.UNKNOWN, "There is no such escalation.")

    def _answer(
        self, ticket_id: str, judge: Callable[[Escalation, Escalation], tuple[Answer, str]], *events: Event
    ) -> Answered:
        outcome = self.engine.happen(ticket_id, *events)
        if outcome.before is None or outcome.after is None:
            return Answered(Answer.UNKNOWN, "There is no such escalation.")
        kind, words = judge(outcome.before, outcome.after)
        return self._said(kind, words, outcome.case)

    def _refused(self, ticket_id: str, escalation: Escalation) -> Answered:
        words = f"plan {escalation.plan.name} asks to take it in the helpdesk itself"
        return self._said(Answer.REFUSED, words, self.engine.store.case(ticket_id))

    def _said(self, kind: Answer, words: str, case: Case | None) -> Answered:
        if case is None or case.escalation is None:
            return Answered(Answer.UNKNOWN, "There is no such escalation.")
        return Answered(kind, f"{case.escalation.code}, ticket {case.ticket.number}: {words}.", case)


def _already(taker: str) -> tuple[Answer, str]:
    return Answer.ALREADY, f"already acknowledged by {taker}"


def _over(escalation: Escalation) -> tuple[Answer, str]:
    if escalation.stopped and escalation.ended_by is not None:
        return Answer.ENDED, f"it was stopped by {name_of(escalation.ended_by)}"
    return Answer.ENDED, "it is over"


def _code(target: Link | str) -> str:
    return target.code if isinstance(target, Link) else target.strip()


def _each(targets: Iterable[Link | str]) -> Iterable[Link | str]:
    """Every escalation once: a link itself, then the others that its message told of."""
    each: dict[str, Link | str] = {}
    for target in targets:
        each.setdefault(_code(target).upper(), target)
        for _, code in target.also if isinstance(target, Link) else ():
            each.setdefault(code.upper(), code)
    return each.values()


def told_once(key: str, name: str) -> Contact:
    """Somebody who was told, though neither the config nor their ticket knows them any more."""
    login = login_in_key(key)
    return Contact(key=key, name=name or login or key, login=login)


def actor_of(contact: Contact) -> Actor:
    """The contact as who did something from outside the helpdesk."""
    return Actor(Role.PERSON, id="", login=contact.login, name=contact.name)
