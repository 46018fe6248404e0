"""A rehearsal: all is computed as live, nothing is sent to those it is meant for, nothing is written to the helpdesk.

Two wrappers stand where the engine meets the world. What would have gone out enters the history instead. What a
rehearsal can't know, it takes for granted: that each message arrives, that nobody answers a call (an answer would have
ended it), that the helpdesk takes each note and each owner.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from .core.contact import Contact
from .core.events import Entry
from .core.receipts import REHEARSED
from .core.words import Words
from .engine.noting import NOTE_KIND
from .engine.numbers import Texted, texted
from .engine.proofs import Signatures
from .engine.store import Store
from .errors import HelpdeskAway
from .ports import Channel, Clock, Helpdesk, Live, Message, Note, PlaysCalls, Receipt

#: All of a helpdesk that a rehearsal can reach; whatever else an adapter can do, now or later, it has no way to.
READS = frozenset(
    {
        "about",
        "clock_skew",
        "find",
        "find_changed",
        "find_note",
        "find_shown",
        "kind",
        "names",
        "parse",
        "people",
        "proofs",
        "prove",
        "read",
        "request_limit",
        "rows",
        "tagged",
    }
)
NOT_SENT = Words("not sent (rehearsal)")
RINGS_FOR = 25.0  # seconds that a call is taken to ring


@dataclass(frozen=True)
class _ReadOnly:
    """A helpdesk that is asked as ever and never changed."""

    _helpdesk: Helpdesk
    _store: Store
    _signatures: Signatures
    _clock: Clock

    def __getattr__(self, name: str) -> Any:
        if name not in READS:
            raise AttributeError(f"a rehearsal asks nothing of the helpdesk but {', '.join(sorted(READS))}")
        return getattr(self._helpdesk, name)

    def add_note(self, ticket_id: str, note: Note) -> str:  # noqa: ARG002 - a port's signature
        """Has its text in the history; the answer to a command on a ticket without an escalation is nowhere."""
        data = self._signatures.read_proof(note.proof) or {}
        self._enter(str(data.get("c", "")), " / ".join(note.lines))
        return REHEARSED

    def show(self, ticket_id: str, live: Live) -> None:
        words = f"{live.status}, step {live.step}, plan {live.plan}" if live.status else "none"
        self._enter(self._code(ticket_id), f"live state {words}")

    def assign(self, ticket_id: str, login: str) -> bool:
        self._enter(self._code(ticket_id), f"owner {login}")
        return True

    def _code(self, ticket_id: str) -> str:
        case = self._store.case(ticket_id)
        return case.escalation.code if case is not None and case.escalation is not None else ""

    def _enter(self, code: str, words: str) -> None:
        """Once, also when a worker died between this and crossing it off."""
        if not self._store.begun():
            raise HelpdeskAway("Escalator goes live: what waits is not the rehearsal's any more.")
        text = Words("not written (rehearsal): {what}", what=words)
        known = [entry.text for entry in self._store.history(code) if entry.kind == NOTE_KIND] if code else [text]
        if text not in known[-1:]:
            self._store.add_entry(code, Entry(self._clock.now(), NOTE_KIND, text))


def read_only(helpdesk: Helpdesk, store: Store, signatures: Signatures, clock: Clock) -> Helpdesk:
    """The same helpdesk for a rehearsal."""
    return cast(Helpdesk, _ReadOnly(helpdesk, store, signatures, clock))


class Silent:
    """A channel that reaches the same people and sends nothing."""

    def __init__(self, channel: Channel, rings: bool) -> None:
        self._channel, self._rings = channel, rings
        self.name, self.kind, self.personal = channel.name, channel.kind, channel.personal
        self.acknowledges, self.lease = channel.acknowledges, channel.lease

    def address(self, contact: Contact) -> str:
        return self._channel.address(contact)

    def deliver(self, message: Message) -> Receipt:  # noqa: ARG002 - a port's signature
        if self._rings:
            return Receipt(REHEARSED, final=False, detail=NOT_SENT, wait=RINGS_FOR)
        return Receipt(REHEARSED, detail=NOT_SENT)

    def find(self, message: Message) -> Receipt | None:  # noqa: ARG002
        return None

    def hang_up(self, provider_id: str) -> None:
        """Nothing rings."""


class Redirected(Silent):
    """A channel that tells one contact instead of everybody, and says whom each message is meant for.

    Who is reached is decided by whom it is meant for, as live; only then comes the question whether the contact is. As
    in any rehearsal what was taken has arrived; only a call is real, and goes on as people answer it. Who answers
    answers for whom it is meant; an SMS is the contact's own, since it comes from their number.
    """

    def __init__(self, channel: Channel, rings: bool, contact: Contact, language: str, store: Store) -> None:
        super().__init__(channel, rings)
        self._contact, self._language, self._store = contact, contact.language or language, store

    def deliver(self, message: Message) -> Receipt:
        """Raises Undelivered."""
        if not self._reaches():
            return super().deliver(message)
        receipt = self._channel.deliver(self._redirected(message))
        if self.kind == "sms":  # so that an answer from there finds what it is about
            codes = (message.code, *(other.code for other in message.also))
            texted(self._store.redis, self._contact.mobile, *(Texted(code) for code in codes))
        outcome = Words(receipt.detail or "accepted")
        told = Words("{outcome}, sent to {who} (rehearsal)", outcome=outcome, who=self._contact.name)
        return replace(receipt, final=receipt.final or not self._rings, detail=told)

    def find(self, message: Message) -> Receipt | None:
        return self._channel.find(self._redirected(message)) if self._reaches() else None

    def hang_up(self, provider_id: str) -> None:
        if provider_id != REHEARSED:
            cast(PlaysCalls, self._channel).hang_up(provider_id)

    def _reaches(self) -> bool:
        return self.personal and bool(self._channel.address(self._contact))

    def _redirected(self, message: Message) -> Message:
        """A bare 1 can't tell which of several people's messages it answers: the code is asked for."""
        return replace(
            message,
            contacts=(self._contact,),
            language=self._language,
            only_one=False,
            rehearsed_for=", ".join(contact.name for contact in message.contacts),
        )


def silenced(
    channels: Mapping[str, Channel], ringing: frozenset[str], to: Contact | None, language: str, store: Store
) -> dict[str, Channel]:
    """The same channels for a rehearsal: those of the kinds `ringing` make calls; `to` is told instead of everybody."""
    return {
        name: Silent(one, one.kind in ringing)
        if to is None
        else Redirected(one, one.kind in ringing, to, language, store)
        for name, one in channels.items()
    }
