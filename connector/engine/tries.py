"""One try: what is asked of the provider, and what came of it."""

import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar, cast

import redis

from ..core.contact import LOGIN, Contact
from ..core.escalation import Notification
from ..core.events import Outcome
from ..core.sending import ALL_CLEAR, EVERYBODY, HANG_UP, STILL_ON_IT, bundles
from ..core.words import NOTHING, Words
from ..errors import Undelivered
from ..faults import describe
from ..points import reached
from ..ports import Channel, Message, PlaysCalls, Receipt
from . import pacing
from .messages import Messages, Part
from .numbers import called, called_by_others, own, owned_by_others
from .pacing import Pacing
from .records import Bundle

log = logging.getLogger(__name__)

T = TypeVar("T")

RECEIPT_WITHIN = 60.0  # seconds until a text without a receipt has not arrived
CALL_OVER_WITHIN = 150.0  # seconds until a call must have said how it ended
REDIS_BACK_WITHIN = 15.0  # seconds; less than any lease
CALL_TAKES = 0.7  # of a channel's lease: what its call of the provider may take


class NotBegun(Undelivered):
    """The provider wasn't asked, which says nothing about it."""


@dataclass(frozen=True)
class Tries:
    """`parts` are what this try tells of, claimed until `lease_ends`; the first is the most urgent."""

    messages: Messages
    pacing: Pacing

    def outcome(
        self, parts: Sequence[Part], channel: Channel | None, group: str, bundle: Bundle | None, lease_ends: datetime
    ) -> Outcome:
        """What became of it. Never raises: an unexpected error is a temporary failure, in words without details."""
        held = parts[0].held
        if channel is None:
            words = Words("channel {channel} is no longer in the config", channel=held.channel)
            return Outcome(held.id, words, sent=False, permanent=True)
        outcome = self._tried(parts, channel, group, bundle, lease_ends)
        if channel.kind == "sms" and not outcome.sent and not outcome.doubt:
            with contextlib.suppress(redis.RedisError):
                self.messages.forget_texted(parts)
        return outcome

    def _tried(
        self, parts: Sequence[Part], channel: Channel, group: str, bundle: Bundle | None, lease_ends: datetime
    ) -> Outcome:
        held = parts[0].held
        try:
            if held.purpose == HANG_UP:
                cast(PlaysCalls, channel).hang_up(held.provider_id)  # only planned for channels that ring
                return Outcome(held.id, Words("hung up"), sent=True, arrived=True)
            return self._outcome(parts, channel, group, bundle, lease_ends)
        except Undelivered as error:
            if not isinstance(error, NotBegun):
                self._failed(channel, error)
            return Outcome(
                held.id,
                Words(error.sentence),
                sent=False,
                permanent=error.permanent,
                doubt=error.maybe_sent,
                retry_after=error.retry_after,
            )
        except Exception as error:
            log.exception("a notification by %s failed: %s", channel.name, describe(error), exc_info=False)
            return Outcome(held.id, Words("Escalator failed to send it"), sent=False)

    def _outcome(
        self, parts: Sequence[Part], channel: Channel, group: str, bundle: Bundle | None, lease_ends: datetime
    ) -> Outcome:
        held = parts[0].held
        contacts = self.messages.contacts(parts[0])
        if not contacts:
            return _nobody(held)
        if channel.personal and not channel.address(contacts[0]):
            # who is asked quietly is asked by all quiet ways, whichever they have
            aside = held.purpose == STILL_ON_IT
            words = NOTHING if aside else Words("no address for {channel}", channel=channel.name)
            return Outcome(held.id, words, sent=False, permanent=True)
        message = insist(lambda: self.messages.compose(parts, channel, contacts, bundle))
        reached("sending composed")
        replication = self.messages.store.replication
        in_doubt = insist(lambda: replication.in_doubt(held.due_at))
        unsure = any(part.held.unsure for part in parts)
        person = held.person if bundles(held) else ""
        begin = insist(
            lambda: self.pacing.begin(
                self.messages.store.redis,
                self.messages.clock.now(),
                channel.name,
                channel.kind,
                person=person,
                group=group,
                id=message.id,
                counts=not in_doubt,
            )
        )
        reached("pace entered")
        if begin.away is not None:
            raise NotBegun(_away(begin.away))
        if begin.ceiling:
            return Outcome(held.id, self.pacing.over_the_ceiling(channel.kind), sent=False, over=True)
        message = replace(message, rests_until=begin.rests_until)
        never_asked = bundle is not None and bundle.message is None  # who kept it died before that
        ask = in_doubt or (unsure and not never_asked)
        # another Redis may have forgotten when it was sent first, too
        since = min(message.sent_at, held.due_at) if in_doubt else message.sent_at
        receipt, doubt = None, False
        if ask:
            theirs = self._theirs(parts, message)
            before = self._before(channel, message)
            asked = replace(message, sent_at=since, theirs=theirs, before=before, elsewhere=held.elsewhere)
            receipt, doubt = self._asked(channel, asked, contacts, bundle)
        if receipt is None:
            if bundle is not None and unsure:  # maybe some of what it was about is told of by somebody else
                insist(lambda: self.messages.name(parts, channel, message))
            if bundle is not None:
                bundle = bundle.about(tuple((part.ticket_id, part.held.id) for part in parts))
            counted = "" if unsure else person  # an earlier try may have reached them
            receipt = self._delivered(channel, message, bundle, counted, lease_ends, in_doubt)
        self._worked(channel, begin.failing)
        if receipt.provider_id and contacts[0].mobile and channel.address(contacts[0]) == contacts[0].mobile:
            with contextlib.suppress(redis.RedisError):  # who asks later may take it for theirs; it is recorded soon
                own(self.messages.store.redis, contacts[0].mobile, receipt.provider_id, message.id)
        return _taken(parts, channel, contacts, receipt, doubt, bool(message.callback_url))

    def _theirs(self, parts: Sequence[Part], message: Message) -> tuple[str, ...]:
        """What the provider has of other messages, which may go to the same person, or with the same code."""
        ours = {part.held.id for part in parts}
        known = parts[0].escalation.notifications
        ids = [n.provider_id for n in known if n.id not in ours and n.purpose != HANG_UP and n.provider_id]
        number = message.contacts[0].mobile
        if number:
            ids += insist(lambda: owned_by_others(self.messages.store.redis, number, message.id))
        return tuple(dict.fromkeys(ids))

    def _before(self, channel: Channel, message: Message) -> datetime | None:
        """When somebody else's call to this number can have begun. Half of the time that lay between the two at the
        least allows for the provider's clock.
        """
        number = message.contacts[0].mobile
        if channel.kind != "phone" or not number:
            return None
        redis, since = self.messages.store.redis, message.sent_at.timestamp()
        at = insist(lambda: called_by_others(redis, number, message.id, since))
        apart = channel.lease * (1 - CALL_TAKES) / 2
        return datetime.fromtimestamp(at - apart, UTC) if at is not None else None

    def _asked(
        self, channel: Channel, message: Message, contacts: tuple[Contact, ...], bundle: Bundle | None
    ) -> tuple[Receipt | None, bool]:
        """What the provider says about a try whose answer was lost, and whether sending again may double it."""
        kept = self.messages.as_sent(bundle.message, contacts) if bundle and bundle.message else message
        try:
            found = channel.find(replace(kept, theirs=message.theirs, before=message.before))
            reached("sending asked")
            return found, False
        except Undelivered as error:
            if not error.maybe_sent:
                raise
            return None, True

    def _delivered(
        self,
        channel: Channel,
        message: Message,
        bundle: Bundle | None,
        person: str,
        lease_ends: datetime,
        in_doubt: bool,
    ) -> Receipt:
        if bundle is not None:
            insist(lambda: self.messages.keep(replace(bundle, message=message)))
            reached("message kept")
        replication = self.messages.store.replication
        insist(replication.safe)  # or not: somebody waits to be told
        if not in_doubt and insist(lambda: replication.in_doubt(message.due_at)):  # it may not know of our claim
            raise NotBegun(Words("not tried: another Redis took over"))
        enough = timedelta(seconds=channel.lease * CALL_TAKES)
        if self.messages.clock.now() + enough > lease_ends:  # paused, or long asked: somebody else may have it soon
            raise NotBegun(Words("it took too long to begin"))
        if channel.kind == "phone" and message.contacts[0].mobile:
            number, now = message.contacts[0].mobile, self.messages.clock.now().timestamp()
            insist(lambda: called(self.messages.store.redis, number, message.id, now))
        try:
            return channel.deliver(message)
        except Undelivered as error:
            if not error.maybe_sent:
                with contextlib.suppress(redis.RedisError):
                    self.pacing.give_back(self.messages.store.redis, channel.kind, person, message.id)
            raise

    def _failed(self, channel: Channel, error: Undelivered) -> None:
        """What became of the try matters more: it is recorded whether or not the operator can be told."""
        with contextlib.suppress(redis.RedisError):
            if error.permanent:
                pacing.answered(self.messages.store.redis, channel.name)
                return
            away = pacing.failed(self.messages.store.redis, channel.name, str(error))
            if away or error.credentials:
                self.messages.engine.operator.tell(_topic(channel), f"Channel {channel.name}: {error}")

    def _worked(self, channel: Channel, failing: bool) -> None:
        with contextlib.suppress(redis.RedisError):
            if failing:
                pacing.answered(self.messages.store.redis, channel.name)
            self.messages.engine.operator.settled(_topic(channel))


def _nobody(held: Notification) -> Outcome:
    """Nobody is there any more whom it was for. That a ticket has another owner brings no step forward."""
    if all(key.startswith(LOGIN) for key in held.people or (held.person,)):
        return Outcome(held.id, Words("no longer the owner"), sent=False, over=True)
    return Outcome(held.id, Words("no longer in the config"), sent=False, permanent=True)


def _taken(
    parts: Sequence[Part],
    channel: Channel,
    contacts: tuple[Contact, ...],
    receipt: Receipt,
    doubt: bool,
    hears: bool,
) -> Outcome:
    """Without callbacks nothing more will be heard: what the provider took has arrived, as far as we know."""
    held = parts[0].held
    final = receipt.final or not hears or held.purpose == ALL_CLEAR
    usual = CALL_OVER_WITHIN if channel.kind == "phone" else RECEIPT_WITHIN
    wait = 0.0 if final else receipt.wait or usual
    return Outcome(
        held.id,
        Words(receipt.detail or "accepted"),
        sent=True,
        arrived=final,
        doubt=doubt,
        provider_id=receipt.provider_id,
        login=contacts[0].login if held.person != EVERYBODY else "",
        wait=wait,
    )


def _away(words: str) -> Words:
    return Words("not tried: {why}", why=Words(words)) if words else Words("not tried: the provider is away")


def _topic(channel: Channel) -> str:
    return f"channel-{channel.name}"


def insist(act: Callable[[], T]) -> T:
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
