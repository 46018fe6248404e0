"""Sends notifications: claim, look at the lease, call the provider, record the outcome.

One job drains all that is due with a pool of threads, since a provider call takes 0.2 to 1 s. Nothing is sent without
a claim, and a claim is refused once somebody has acknowledged. A try whose outcome is unknown (the worker died, the
answer was cut) is settled before the next one: the provider is asked; where it can't tell, one extra may go out, and
the note says so.
"""

import contextlib
import logging
import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import redis

from ..core.case import Case
from ..core.contact import Contact
from ..core.escalation import Escalation, Notification, Stage
from ..core.events import Claim, Outcome
from ..core.sending import ALL_CLEAR, EVERYBODY, HANG_UP
from ..core.sending import find as find_notification
from ..errors import Undelivered
from ..faults import describe
from ..points import reached
from ..ports import Channel, Clock, Message, Purpose, Receipt
from . import outgoing
from .drain import Drain
from .engine import Engine
from .keys import OUT
from .numbers import held_for, hold, keep, line_key, release, texted
from .proofs import Signatures
from .records import Link
from .store import Store

log = logging.getLogger(__name__)

T = TypeVar("T")

CALLS_AT_ONCE = 32
RECEIPT_WITHIN = 60.0  # seconds until a text without a receipt has not arrived
CALL_OVER_WITHIN = 150.0  # seconds until a call must have said how it ended
REDIS_BACK_WITHIN = 15.0  # seconds; less than any lease
LINE_BUSY = timedelta(seconds=10)
SAME_CALL = timedelta(seconds=0.5)
CLAIMED_WITHIN = 5  # seconds for which a line is held by who hasn't claimed its call yet


@dataclass(frozen=True)
class Delivery:
    channels: Mapping[str, Channel]
    engine: Engine
    store: Store
    signatures: Signatures
    clock: Clock
    public_url: str = ""
    links_valid: timedelta = timedelta(hours=24)
    language: str = "en"

    def drain(self) -> None:
        """Sends what is due until nothing is for a moment."""
        with ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="deliver") as pool:
            Drain(self._due, pool, CALLS_AT_ONCE).run()

    def _due(self, busy: set[str], room: int) -> dict[str, Callable[[], None]]:
        found = outgoing.due(self.store.redis, self.clock.now(), room + len(busy))
        work = {f"{ticket} {id}": (ticket, id) for ticket, id in found}
        return {
            key: (lambda one=one: self.send(*one))  # type: ignore[misc]
            for key, one in list(work.items())
            if key not in busy
        }

    # --- one notification ----------------------------------------------------------------------------------------

    def send(self, ticket_id: str, id: str) -> None:
        """One try at one notification, or nothing when somebody else has it or it is no longer wanted."""
        case = self.store.case(ticket_id)
        notification = _find(case, id)
        if case is None or notification is None:
            outgoing.put_right(self.store.redis, ticket_id, id, self.clock.now())
            return
        channel = self.channels.get(notification.channel)
        line = self._line(case, notification, channel)
        if line and not hold(self.store.redis, line, id, CLAIMED_WITHIN):
            self._line_busy(ticket_id, id, line)
            return
        lease = channel.lease if channel else 30.0
        # its own moment, by which it knows its claim again when Redis' answer was lost
        lease_ends = self.clock.now() + timedelta(seconds=lease + random.random())  # noqa: S311  # no secret
        claimed = _insist(lambda: self.engine.happen(ticket_id, Claim(id, lease_ends)))
        held = _find(claimed.case, id)
        ours = held is not None and held.stage is Stage.CLAIMED and held.at == lease_ends
        if claimed.case is None or held is None or not ours:
            release(self.store.redis, line, id)
            outgoing.put_right(self.store.redis, ticket_id, id, self.clock.now())
            return
        reached("sending claimed")
        keep(self.store.redis, line, lease)
        outcome = self._try(claimed.case, held, channel, lease_ends)
        reached("sending accepted")
        assert case.escalation is not None
        self._record(ticket_id, case.escalation.code, outcome, lease_ends)
        reached("sending recorded")
        if outcome.sent and outcome.wait:
            keep(self.store.redis, line, CALL_OVER_WITHIN)
        else:
            release(self.store.redis, line, id)

    def _record(self, ticket_id: str, code: str, outcome: Outcome, lease_ends: datetime) -> None:
        """A failure that comes after the lease counts for nothing: somebody else may be sending by now."""
        if not outcome.sent and self.clock.now() >= lease_ends:
            return
        if _insist(lambda: self.engine.happen(ticket_id, outcome)).before is None:  # merged away meanwhile
            found = self.engine.find(code)
            if found is not None:
                self.engine.happen(found[0], outcome)
        self.store.count("notifications_sent" if outcome.sent else "notifications_failed")

    def _try(self, case: Case, held: Notification, channel: Channel | None, lease_ends: datetime) -> Outcome:
        """What became of it. Never raises: an unexpected error is a temporary failure, in words without details."""
        if channel is None:
            return Outcome(held.id, f"channel {held.channel} is no longer in the config", sent=False, permanent=True)
        try:
            if held.purpose == HANG_UP:
                channel.hang_up(held.provider_id)  # type: ignore[attr-defined]  # only planned for channels that ring
                return Outcome(held.id, "hung up", sent=True, arrived=True)
            return self._deliver(case, held, channel, lease_ends)
        except Undelivered as error:
            if error.credentials:
                self._tell_operator(channel, error)
            return Outcome(
                held.id,
                str(error),
                sent=False,
                permanent=error.permanent,
                doubt=error.maybe_sent,
                retry_after=error.retry_after,
            )
        except Exception as error:
            log.exception("a notification by %s failed: %s", channel.name, describe(error), exc_info=False)
            return Outcome(held.id, "Escalator failed to send it", sent=False)

    def _tell_operator(self, channel: Channel, error: Undelivered) -> None:
        """What became of the try matters more: it is recorded whether or not the operator can be told."""
        with contextlib.suppress(redis.RedisError):
            self.engine.operator.tell(_topic(channel), f"Channel {channel.name}: {error}")

    def _deliver(self, case: Case, held: Notification, channel: Channel, lease_ends: datetime) -> Outcome:
        contacts = self._contacts(case, held)
        if not contacts:
            return Outcome(held.id, "no longer in the config", sent=False, permanent=True)
        if channel.personal and not channel.address(contacts[0]):
            return Outcome(held.id, f"no address for {channel.name}", sent=False, permanent=True)
        message = _insist(lambda: self._message(case, held, channel, contacts))
        replication = self.store.replication
        unsure = held.unsure or _insist(lambda: replication.in_doubt(held.due_at))
        receipt, doubt = self._asked(channel, message) if unsure else (None, False)
        if receipt is None:
            _insist(replication.safe)  # or not: somebody waits to be told
            if self.clock.now() >= lease_ends:  # paused for longer than the lease: somebody else may have it
                raise Undelivered("it took too long to begin", maybe_sent=False)
            receipt = channel.deliver(message)
        with contextlib.suppress(redis.RedisError):
            self.engine.operator.settled(_topic(channel))
        return self._outcome(held, channel, contacts, receipt, doubt, bool(message.callback_url))

    def _asked(self, channel: Channel, message: Message) -> tuple[Receipt | None, bool]:
        """What the provider says about a try whose answer was lost, and whether sending again may double it."""
        try:
            found = channel.find(message)
            reached("sending asked")
            return found, False
        except Undelivered as error:
            if not error.maybe_sent:
                raise
            return None, True

    def _outcome(
        self,
        held: Notification,
        channel: Channel,
        contacts: tuple[Contact, ...],
        receipt: Receipt,
        doubt: bool,
        hears: bool,
    ) -> Outcome:
        """Without callbacks nothing more will be heard: what the provider took has arrived, as far as we know."""
        final = receipt.final or not hears or held.purpose == ALL_CLEAR
        wait = 0.0 if final else (CALL_OVER_WITHIN if channel.kind == "phone" else RECEIPT_WITHIN)
        return Outcome(
            held.id,
            receipt.detail or "accepted",
            sent=True,
            arrived=final,
            doubt=doubt,
            provider_id=receipt.provider_id,
            login=contacts[0].login if held.person != EVERYBODY else "",
            wait=wait,
        )

    # --- what is said to whom --------------------------------------------------------------------------------------

    def _contacts(self, case: Case, notification: Notification) -> tuple[Contact, ...]:
        keys = notification.people or (notification.person,)
        return tuple(contact for key in keys if (contact := self.engine.person(case, key)) is not None)

    def _message(self, case: Case, held: Notification, channel: Channel, contacts: tuple[Contact, ...]) -> Message:
        escalation = case.escalation
        assert escalation is not None
        now = self.clock.now()
        id = held.id if not held.rings else f"{held.id}-{held.rings + 1}"
        # A document that tells one person acknowledges in their name, not in the channel's.
        answerer = held.people[0] if len(held.people) == 1 else held.person
        link = Link(held.id, case.ticket.id, escalation.code, answerer, channel.name, now)
        first_try = self.store.remember_link(link, self.links_valid)
        token = self.signatures.token("acknowledge", held.id)
        asks = held.purpose not in (ALL_CLEAR,)
        public = self.public_url
        facts = case.ticket.facts
        return Message(
            id=id,
            purpose=Purpose(held.purpose),
            code=escalation.code,
            contacts=contacts,
            sent_at=first_try.at if not held.rings else now,
            ticket_id=case.ticket.id,
            ticket_number=case.ticket.number,
            ticket_title=case.ticket.title,
            ticket_url=case.ticket.url,
            priority=facts.priority,
            group=facts.group,
            organization=facts.organization,
            plan=escalation.plan.name,
            step=held.step,
            steps=len(escalation.plan.steps),
            round=held.round,
            due_at=held.due_at,
            line=_all_clear(escalation, case.ticket.number) if not asks else "",
            acknowledge_url=f"{public}/ack/{token}" if public and asks else "",
            escalation_url=f"{public}/api/v1/escalations/{escalation.code}" if public else "",
            callback_url=f"{public}/callbacks/twilio" if public else "",
            token=self.signatures.token("callback", held.id),
            language=contacts[0].language or self.language,
            attempt=held.attempts,
            only_one=self._only_one(contacts[0], channel, escalation.code) if asks else True,
        )

    def _only_one(self, contact: Contact, channel: Channel, code: str) -> bool:
        """Whether a bare "1" from this number can only mean this escalation; remembers that it was texted."""
        if channel.kind != "sms":
            return True
        codes = texted(self.store.redis, contact.mobile, code)
        others = (self.engine.find(other) for other in codes if other != code)
        return not any(found and found[1].state.climbing for found in others)

    # --- one call per number at a time -----------------------------------------------------------------------------

    def _line(self, case: Case, notification: Notification, channel: Channel | None) -> str:
        if channel is None or channel.kind != "phone" or notification.purpose == HANG_UP:
            return ""
        contacts = self._contacts(case, notification)
        return line_key(contacts[0].mobile) if contacts and contacts[0].mobile else ""

    def _line_busy(self, ticket_id: str, id: str, line: str) -> None:
        """Another call rings there, or somebody is about to claim this very one (or has died over that)."""
        wait = SAME_CALL if held_for(self.store.redis, line, id) else LINE_BUSY
        self.store.redis.zadd(OUT, {f"{ticket_id} {id}": (self.clock.now() + wait).timestamp()})


def _topic(channel: Channel) -> str:
    return f"channel-{channel.name}"


def _find(case: Case | None, id: str) -> Notification | None:
    return find_notification(case.escalation, id) if case is not None and case.escalation is not None else None


def _insist(act: Callable[[], T]) -> T:
    """Does it again while Redis is away for a moment: what a sender knows of a try, nobody else can know.

    Whether the first one was committed is open then; a repeated event changes nothing.
    """
    until = time.monotonic() + REDIS_BACK_WITHIN
    while True:
        try:
            return act()
        except (redis.ConnectionError, redis.TimeoutError):
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def _all_clear(escalation: Escalation, number: str) -> str:
    current = escalation.acknowledged
    if current is not None:
        return f"{escalation.code}, ticket {number}: {current.by.name or current.by.login} has it."
    return f"{escalation.code}, ticket {number}: it is over."
