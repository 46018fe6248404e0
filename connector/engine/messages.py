"""What a provider is asked to send: one message about one ticket, or about all that came within a short time."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ..core.case import Case
from ..core.contact import Contact
from ..core.escalation import Escalation, Notification
from ..core.plan import Policy
from ..core.sending import ALL_CLEAR, EXHAUSTED, STILL_ON_IT
from ..ports import Announced, Channel, Clock, Message, Purpose
from .engine import Engine
from .keys import PREFIX
from .numbers import Texted, not_texted, texted
from .proofs import Signatures
from .records import Bundle, Link, encode, to_bundle
from .store import Store

KEEP_BUNDLE = 24 * 3600  # seconds; longer than any message is tried


@dataclass(frozen=True, slots=True)
class Part:
    """One notification that a message tells of, as its case stood when it was claimed."""

    case: Case
    held: Notification

    @property
    def ticket_id(self) -> str:
        return self.case.ticket.id

    @property
    def escalation(self) -> Escalation:
        assert self.case.escalation is not None
        return self.case.escalation


@dataclass(frozen=True)
class Messages:
    """Composes messages, and keeps those about several tickets until their outcome is recorded with each."""

    engine: Engine
    store: Store
    signatures: Signatures
    clock: Clock
    public_url: str = ""
    links_valid: timedelta = timedelta(hours=24)
    language: str = "en"

    def contacts(self, part: Part) -> tuple[Contact, ...]:
        """Who is told, as of now; empty when they have left the config."""
        keys = part.held.people or (part.held.person,)
        return tuple(contact for key in keys if (contact := self.engine.person(part.case, key)) is not None)

    def in_order(self, parts: Sequence[Part]) -> list[Part]:
        """The most urgent first: by priority as the config lists them, then what has been due for longest."""
        listed = list(self.engine.policy.priorities)

        def urgency(part: Part) -> tuple[int, datetime, str]:
            priority = part.case.ticket.facts.priority
            place = listed.index(priority) if priority in listed else len(listed)
            return place, part.held.due_at, part.held.id

        return sorted(parts, key=urgency)

    def compose(
        self, parts: Sequence[Part], channel: Channel, contacts: tuple[Contact, ...], bundle: Bundle | None = None
    ) -> Message:
        """The message about these parts, the first of which it describes; a repeat has the first try's id and time."""
        first, held = parts[0], parts[0].held
        now, escalation = self.clock.now(), first.escalation
        ticket = self.engine.policy.outside(first.case.ticket)
        link_id = bundle.id if bundle else held.id
        ringing_again = bundle is None and held.rings > 0
        id = f"{link_id}-{held.rings + 1}" if ringing_again else link_id
        begun = self._remember(parts, channel, link_id, bundle.at if bundle else now)
        if ringing_again:
            begun = self._remember(parts, channel, id, now)
        token = self.signatures.token("acknowledge", link_id)
        asks = held.purpose != ALL_CLEAR
        public = self.public_url
        facts = ticket.facts
        also = announced(parts, self.engine.policy)
        return Message(
            id=id,
            purpose=_purpose(parts),
            code=escalation.code,
            contacts=contacts,
            sent_at=begun,
            ticket_id=ticket.id,
            ticket_number=ticket.number,
            ticket_title=ticket.title,
            ticket_url=ticket.url,
            priority=facts.priority,
            group=facts.group,
            organization=facts.organization,
            plan=escalation.plan.name,
            step=held.step,
            steps=len(escalation.plan.steps),
            round=held.round,
            due_at=held.due_at,
            next_at=escalation.due_at if escalation.state.climbing or held.purpose == STILL_ON_IT else None,
            line=_line(held.purpose, escalation, ticket.number),
            taken_by=_taker(escalation) if not asks else "",
            acknowledge_url=f"{public}/ack/{token}" if public and asks else "",
            escalation_url=f"{public}/api/v1/escalations/{escalation.code}" if public else "",
            callback_url=f"{public}/callbacks/twilio" if public else "",
            token=self.signatures.token("callback", link_id),
            language=contacts[0].language or self.language,
            attempt=held.attempts,
            only_one=self._only_one(contacts[0], channel, parts) if asks else True,
            also=also,
        )

    def _remember(self, parts: Sequence[Part], channel: Channel, id: str, at: datetime) -> datetime:
        """Keeps whom the message tells of what; when its first try began."""
        return self.store.remember_link(self._link(parts, channel, id, at), self.links_valid).at

    def name(self, parts: Sequence[Part], channel: Channel, message: Message) -> None:
        """Has the link of a message that is sent again stand for what it tells of now."""
        self.store.change_link(self._link(parts, channel, message.id, message.sent_at), self.links_valid)

    def _link(self, parts: Sequence[Part], channel: Channel, id: str, at: datetime) -> Link:
        first, *others = parts
        held = first.held
        # A document that tells one person acknowledges in their name, not in the channel's.
        answerer = held.people[0] if len(held.people) == 1 else held.person
        code = first.escalation.code
        also = dict.fromkeys((part.ticket_id, part.escalation.code) for part in others)
        also.pop((first.ticket_id, code), None)
        return Link(id, first.ticket_id, code, answerer, channel.name, at, tuple(also))

    def _only_one(self, contact: Contact, channel: Channel, parts: Sequence[Part]) -> bool:
        """Whether a bare "1" from this number can only mean this escalation; remembers what was texted, and to whom.

        Who owned the ticket when they were texted may not own it any more when they reply.
        """
        codes = {part.escalation.code for part in parts}
        if channel.kind != "sms":
            return len(codes) == 1
        new = (Texted(part.escalation.code, part.held.id, contact.key, contact.name) for part in parts)
        known = {one.code for one in texted(self.store.redis, contact.mobile, *new)}
        others = (self.engine.find(other) for other in known - codes)
        return len(codes) == 1 and not any(found and found[1].state.climbing for found in others)

    def forget_texted(self, parts: Sequence[Part]) -> None:
        """A text that reached nobody, for certain: no reply can mean what they were never texted about."""
        failed = [part.held.id for part in parts if not part.held.unsure]  # else an earlier try may have reached them
        contacts = self.contacts(parts[0])
        if failed and contacts:
            not_texted(self.store.redis, contacts[0].mobile, *failed)

    # --- about several tickets -------------------------------------------------------------------------------------

    def keep(self, bundle: Bundle) -> None:
        """Writes it, without what is a secret or a person's address; what was asked or answered is never forgotten."""
        message = bundle.message
        new = message is None and bundle.outcome is None
        if message is not None:
            message = replace(message, contacts=(), acknowledge_url="", token="")  # none is kept
        self.store.redis.set(_key(bundle.id), encode(replace(bundle, message=message)), ex=KEEP_BUNDLE, nx=new)

    def kept(self, id: str) -> Bundle | None:
        return to_bundle(self.store.redis.get(_key(id)))

    def as_sent(self, message: Message, contacts: tuple[Contact, ...]) -> Message:
        """A kept message with what wasn't kept, to be asked for."""
        token = self.signatures.token("acknowledge", message.id)
        url = f"{self.public_url}/ack/{token}" if self.public_url else ""
        signed = self.signatures.token("callback", message.id)
        return replace(message, contacts=contacts, acknowledge_url=url, token=signed)

    def held(self, id: str) -> Any:
        """Holds what becomes of a kept message: nobody else asks for it or sends it meanwhile."""
        return self.store.locks.hold(f"{_key(id)}:held")


def bundle_of(parts: Sequence[Part], now: datetime) -> Bundle:
    """The message about these parts, whose id says which they are and which try this is."""
    named = "|".join(sorted(f"{part.held.id} {part.held.attempts}" for part in parts))
    id = f"b-{hashlib.sha256(named.encode()).hexdigest()[:16]}"
    return Bundle(id, tuple((part.ticket_id, part.held.id) for part in parts), now)


def announce(case: Case, code: str, policy: Policy) -> Announced:
    """A ticket and its escalation, as a message about others tells of it, too."""
    ticket = policy.outside(case.ticket)
    facts = ticket.facts
    return Announced(code, ticket.number, ticket.title, ticket.url, facts.priority, facts.group, facts.organization)


def announced(parts: Sequence[Part], policy: Policy) -> tuple[Announced, ...]:
    """What a message tells of besides its first part; a ticket with two due notifications is named once."""
    found: dict[str, Announced] = {}
    for part in parts[1:]:
        found[part.escalation.code] = announce(part.case, part.escalation.code, policy)
    found.pop(parts[0].escalation.code, None)
    return tuple(found.values())


def _purpose(parts: Sequence[Part]) -> Purpose:
    """That nobody came is said only where it is true of all."""
    purposes = {part.held.purpose for part in parts}
    if len(purposes) > 1:
        purposes.discard(EXHAUSTED)
    return Purpose(min(purposes))


def _taker(escalation: Escalation) -> str:
    """The name of who has it; "" for nobody."""
    current = escalation.acknowledged
    return current.who if current is not None else ""


def _line(purpose: str, escalation: Escalation, number: str) -> str:
    """The sentence of what asks nobody to come."""
    if purpose == STILL_ON_IT:
        return f"{escalation.code}, ticket {number}: still on it?"
    if purpose != ALL_CLEAR:
        return ""
    if taker := _taker(escalation):
        return f"{escalation.code}, ticket {number}: {taker} has it."
    return f"{escalation.code}, ticket {number}: it is over."


def _key(id: str) -> str:
    return f"{PREFIX}message:{id}"
