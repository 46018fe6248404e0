"""Sends notifications: claim, look at the lease, call the provider, record the outcome.

One job drains all that is due with a pool of threads, since a provider call takes 0.2 to 1 s. Nothing is sent without
a claim, and a claim is refused once somebody has acknowledged. What one person is to be told by one way within a short
time goes into one message: each ticket's part is claimed and recorded in that ticket's own commit. A try whose outcome
is unknown (the worker died, the answer was cut) is settled before the next one: the provider is asked; where it can't
tell, one extra may go out, and the note says so.
"""

import contextlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

import redis

from ..core.case import Case
from ..core.escalation import Notification, Stage
from ..core.events import Claim, Outcome
from ..core.sending import HANG_UP
from ..core.sending import find as find_notification
from ..points import reached
from ..ports import Channel, Clock
from . import outgoing
from .drain import Drain
from .engine import Engine
from .messages import Messages, Part, bundle_of
from .numbers import held_for, hold, keep, line_key, release
from .outgoing import Due
from .pacing import Pacing
from .records import Bundle, NotOurs
from .store import Store
from .tries import Tries, insist

CALLS_AT_ONCE = 32
LINE_BUSY = timedelta(seconds=10)
SAME_CALL = timedelta(seconds=0.5)
CLAIMED_WITHIN = 5  # seconds for which a line is held by who hasn't claimed its call yet
SETTLING = timedelta(seconds=1)  # until a message that somebody else settles is looked at again
NO_CHANNEL_LEASE = 20.0  # seconds
EACH_PART = 0.01  # seconds by which the lease of a message grows with each of its parts, for claiming the others
PARTS_AT_MOST = 5.0  # seconds by which it grows in all


@dataclass(frozen=True)
class Delivery:
    channels: Mapping[str, Channel]
    engine: Engine
    store: Store
    messages: Messages
    clock: Clock
    pacing: Pacing = field(default_factory=Pacing)
    drained: Drain = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "drained", Drain(self._work, CALLS_AT_ONCE, "deliver"))

    def drain(self) -> None:
        """Sends what is due until nothing is for a moment."""
        self.drained.run()

    def _work(self, busy: set[str], room: int) -> dict[str, Callable[[], None]]:
        return {due.key: partial(self.send, due) for due in self.due(room, busy)}

    def due(self, most: int, busy: set[str] | frozenset[str] = frozenset()) -> list[Due]:
        """What may be sent now; a group that is among it is this caller's for a moment."""
        found = outgoing.take(self.store.redis, self.clock.now(), most, bundling=self.pacing.bundles, busy=busy)
        if self.pacing.bundles and any(due.group for due in found):
            reached("group taken")
        return found

    # --- one message -----------------------------------------------------------------------------------------------

    def send(self, due: Due) -> None:
        """One try at what is due, or nothing where somebody else has it or it is no longer wanted."""
        parts = self._parts(due)
        if not parts:
            return
        if len(parts) == 1 and parts[0].held.message:
            self._settle(due, parts[0])
        elif len(parts) == 1 or self._reachable(parts[0]):
            parts = self.messages.in_order(parts)
            self._send(due, parts, bundle_of(parts, self.clock.now()) if len(parts) > 1 else None)
        else:  # each ticket is told why
            for part in parts:
                self._send(Due(((part.ticket_id, part.held.id),), due.group), [part], None)

    def _parts(self, due: Due) -> list[Part]:
        if len(due.members) == 1:
            only = due.members[0][0]
            case = self.store.case(only)
            cases = {only: case} if case is not None else {}
        else:
            cases = self.store.cases(list(dict.fromkeys(ticket for ticket, _ in due.members)))
        parts = []
        for ticket_id, id in due.members:
            case = cases.get(ticket_id)
            held = _find(case, id)
            if case is None or held is None or held.stage not in (Stage.PLANNED, Stage.CLAIMED):
                self._put_right(due, ticket_id, id)
            else:
                parts.append(Part(case, held))
        return parts

    def _settle(self, due: Due, part: Part) -> None:
        """A message about several tickets may have gone out: what became of it is found out for all of them."""
        id = part.held.message
        with self.messages.held(id) as mine:
            if not mine:
                outgoing.put_off(self.store.redis, due, self.clock.now() + SETTLING)
                return
            bundle = self.messages.kept(id)
            if bundle is None:
                self._send(due, [part], None, elsewhere=True)
                return
            cases = self.store.cases(list(dict.fromkeys(ticket for ticket, _ in bundle.parts)))
            found = [(cases.get(ticket), _find(cases.get(ticket), one)) for ticket, one in bundle.parts]
            parts = [Part(case, held) for case, held in found if case and held and held.message == id]
            asked = bundle.message is not None or bundle.outcome is not None
            if asked and part.held.id not in [one for _, one in bundle.parts]:  # it went out about the others alone
                left_out = part.held.id in [one for _, one in bundle.left_out]
                self._send(due, [part], None, elsewhere=left_out)
                return
            if part.held.id not in [each.held.id for each in parts]:  # merged into another ticket meanwhile
                parts.append(part)
            self._send(due, parts, bundle)

    def _send(self, due: Due, parts: Sequence[Part], bundle: Bundle | None, *, elsewhere: bool = False) -> None:
        """`elsewhere`: a message under another id may have told of it."""
        channel = self.channels.get(parts[0].held.channel)
        id = bundle.id if bundle else parts[0].held.id
        line = self._line(parts[0], channel)
        if line and not hold(self.store.redis, line, id, CLAIMED_WITHIN):
            wait = SAME_CALL if held_for(self.store.redis, line, id) else LINE_BUSY
            outgoing.put_off(self.store.redis, due, self.clock.now() + wait)
            return
        if bundle is not None and bundle.message is None:
            insist(lambda: self.messages.keep(bundle))
            reached("bundle kept")
        lease = (channel.lease if channel else NO_CHANNEL_LEASE) + min(EACH_PART * (len(parts) - 1), PARTS_AT_MOST)
        # its own moment, by which it knows its claim again when Redis' answer was lost
        lease_ends = self.clock.now() + timedelta(seconds=lease + random.random())  # noqa: S311  # no secret
        message = bundle.id if bundle else ""
        claimed = [self._claim(due, part, Claim(part.held.id, lease_ends, message, elsewhere)) for part in parts]
        ours = [part for part in claimed if part is not None]
        if not ours:
            release(self.store.redis, line, id)
            return
        reached("sending claimed")
        keep(self.store.redis, line, lease)
        outcome = self._try(due, ours, channel, bundle, lease_ends)
        reached("sending accepted")
        for part in ours:
            self._record(part, replace(outcome, id=part.held.id, attempt=part.held.attempts))
            if bundle is not None:
                reached("part recorded")
        reached("sending recorded")
        if outcome.sent and outcome.wait:
            keep(self.store.redis, line, outcome.wait)
        else:
            release(self.store.redis, line, id)

    def _claim(self, due: Due, part: Part, claim: Claim) -> Part | None:
        """The part as it stands now that it is ours; None when it isn't: somebody has the ticket, or this part."""
        claimed = insist(lambda: self.engine.happen(part.ticket_id, claim))
        if claim.message:
            reached("part claimed")
        held = _find(claimed.case, part.held.id)
        if claimed.case is None or held is None or held.stage is not Stage.CLAIMED or held.at != claim.until:
            self._put_right(due, part.ticket_id, part.held.id)
            return None
        return Part(claimed.case, held)

    def _try(
        self, due: Due, ours: Sequence[Part], channel: Channel | None, bundle: Bundle | None, lease_ends: datetime
    ) -> Outcome:
        """Once a message about several tickets is out, that is kept before it is recorded with each of them."""
        if bundle is not None and bundle.outcome is not None:
            return bundle.outcome
        outcome = Tries(self.messages, self.pacing).outcome(ours, channel, due.group, bundle, lease_ends)
        if bundle is not None and outcome.sent:
            reached("outcome known")
            with contextlib.suppress(redis.RedisError):  # else the provider is asked
                self.messages.keep(replace(self.messages.kept(bundle.id) or bundle, outcome=outcome))
        return outcome

    def _record(self, part: Part, outcome: Outcome) -> None:
        if insist(lambda: self.engine.happen(part.ticket_id, outcome)).before is None:  # merged away meanwhile
            found = self.engine.find(part.escalation.code)
            if found is not None:
                self.engine.happen(found[0], outcome)
        self.store.count("notifications_sent" if outcome.sent else "notifications_failed")

    def _put_right(self, due: Due, ticket_id: str, id: str) -> None:
        try:
            outgoing.put_right(self.store.redis, ticket_id, id, self.clock.now(), due.group)
        except NotOurs:
            if not due.group:
                raise
            outgoing.set_apart(self.store.redis, ticket_id, id, due.group)

    # --- one person, one way ---------------------------------------------------------------------------------------

    def _reachable(self, part: Part) -> bool:
        """Whether there is an address to which one message about all of it can go."""
        channel, contacts = self.channels.get(part.held.channel), self.messages.contacts(part)
        return channel is not None and channel.personal and bool(contacts and channel.address(contacts[0]))

    def _line(self, part: Part, channel: Channel | None) -> str:
        """One call per number at a time."""
        if channel is None or channel.kind != "phone" or part.held.purpose == HANG_UP:
            return ""
        contacts = self.messages.contacts(part)
        return line_key(contacts[0].mobile) if contacts and contacts[0].mobile else ""


def _find(case: Case | None, id: str) -> Notification | None:
    return find_notification(case.escalation, id) if case is not None and case.escalation is not None else None
