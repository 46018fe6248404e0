"""Load, transition, commit: what every event goes through, wherever it comes from.

The engine talks to Redis alone; helpdesk and providers are spoken to by `observer`, `desk` and `delivery`, outside of
any transaction.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import redis

from ..core import acting, observing
from ..core.audience import Directory, owner_as_contact
from ..core.case import Case
from ..core.code import parse_code, readings
from ..core.contact import Contact
from ..core.escalation import Escalation
from ..core.events import Claim, Closed, Command, Entry, Event, Tick, Unlocked
from ..core.plan import Plan, Policy
from ..core.ticket import Actor, Person, Reading
from ..core.transition import transition
from ..core.wording import Reader
from ..core.words import Words
from ..faults import describe
from ..ports import Clock
from . import failures
from .agents import Agents
from .clocks import no_later, switched_on
from .names import with_names
from .operator import Operator
from .proofs import Signatures
from .store import Emptied, Store, Writes
from .writing import Writing

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """An event's effect on one escalation: as it was and as it is now (the same object: nothing happened)."""

    before: Escalation | None
    after: Escalation | None
    case: Case | None

    @property
    def changed(self) -> bool:
        return self.before is not self.after


@dataclass(frozen=True)
class Engine:
    """All that an event needs. `contact_of` describes an owner whom the config doesn't list."""

    store: Store
    policy: Policy
    people: Directory
    reader: Reader
    signatures: Signatures
    clock: Clock
    operator: Operator
    contact_of: Callable[[Person], Contact]

    # --- events ------------------------------------------------------------------------------------------------

    def wake(self, ticket_id: str) -> Outcome:
        """Does what is due on this ticket's escalation; where that fails, nobody else waits (see `failures`)."""
        try:
            return self.happen(ticket_id)
        except (redis.RedisError, Emptied):
            raise
        except Exception as error:
            failures.wake_failed(self, ticket_id, error)
            return Outcome(None, None, None)

    def happen(self, ticket_id: str, *events: Event) -> Outcome:
        """These events, one after the other, and the tick that follows them, in one commit."""
        before: list[Case | None] = [None]

        def decide(cases: Mapping[str, Case | None]) -> Sequence[Writes]:
            case = before[0] = cases[ticket_id]
            if case is None or case.escalation is None:
                return ()
            now = self.clock.now()
            after: Case = case
            commands: tuple[Command, ...] = ()
            for event in events:
                after, more = acting.apply(after, event, now)
                commands += more
            if not any(isinstance(event, Claim) for event in events):
                after, more = self._tick(after, now) if not events else self._try_tick(after, now)
                commands += more
            if after == case and not commands:
                return ()
            return [self.writes(case, after, commands)]

        written = self.store.commit([ticket_id], decide)
        old = before[0]
        new = written[0].new if written else old
        return Outcome(old.escalation if old else None, new.escalation if new else None, new)

    def observe(self, reading: Reading, since: datetime) -> observing.Observed | None:
        """Takes in a reading of a ticket, and does what is due then. Raises what that raised, but keeps the reading."""
        reading = with_names(reading, self.people, Agents(self.store.redis).meet(reading))
        ticket_id, result = reading.ticket.id, None
        failed: list[Exception] = []

        def decide(cases: Mapping[str, Case | None]) -> Sequence[Writes]:
            nonlocal result
            case, now = cases[ticket_id], self.clock.now()
            result = None
            failed.clear()
            if case is not None and case.moved_to:
                return ()
            righted = no_later(reading, now)
            on = switched_on(since, reading, righted)
            result = observing.observe(case, righted, self.policy, on, now)
            if not result.merged_into:
                after, more = self._try_tick(result.case, now, failed)
                result = replace(result, case=after, commands=(*result.commands, *more))
            return [self.writes(case, result.case, result.commands)]

        self.store.commit([ticket_id], decide)
        if failed:
            raise failed[-1]  # counted as one more failed reading of this ticket, which is read again
        return result

    def confirm(self, ticket_id: str, updated_at: datetime, at: datetime) -> None:
        """The ticket is still as it was read: nobody has saved it since `updated_at`, as seen at `at`."""

        def decide(cases: Mapping[str, Case | None]) -> Sequence[Writes]:
            case = cases[ticket_id]
            if case is None or case.ticket.updated_at != updated_at or case.read_at >= at:
                return ()
            after, commands = self._try_tick(replace(case, read_at=at), self.clock.now())
            return [self.writes(case, after, commands)]

        self.store.commit([ticket_id], decide)

    def merge(self, source_id: str, target: Reading, by: Actor, at: datetime, since: datetime) -> None:
        """The source was merged away: its escalation goes on at the target, or resolves when that has its own."""
        target_id = target.ticket.id

        def decide(cases: Mapping[str, Case | None]) -> Sequence[Writes]:
            source, known, now = cases[source_id], cases[target_id], self.clock.now()
            if source is None or source.escalation is None or not source.escalation.state.live:
                return ()
            # the form that merges locks when it opens: who only opened it and merged has acknowledged nothing
            source, taken_back = acting.apply(source, Unlocked(by, at), now)
            left_here = tuple(command for command in taken_back if isinstance(command, Entry))
            righted = no_later(target, now)
            goal = known or observing.first_sight(righted, self.policy, switched_on(since, target, righted))[0]
            if goal.escalation is not None and goal.escalation.state.live:
                words = Words("merged into ticket {number}", number=goal.ticket.number)
                after, commands = acting.apply(source, Closed(at, by, words), now)
                after, more = self._try_tick(after, now)
                return [self.writes(cases[source_id], after, (*left_here, *commands, *more))]
            left, moved, commands = observing.move(source, goal, by, at, now)
            return [self.writes(cases[source_id], left, left_here), self.writes(known, moved, commands)]

        self.store.commit([source_id, target_id], decide)

    def start(self, reading: Reading, plan: Plan, by: str) -> Escalation | None:
        """Starts a plan by hand; None when one is live already."""
        ticket_id, started = reading.ticket.id, None

        def decide(cases: Mapping[str, Case | None]) -> Sequence[Writes]:
            nonlocal started
            known, now = cases[ticket_id], self.clock.now()
            case = known or observing.first_sight(reading, self.policy, now)[0]
            if case.escalation is not None and case.escalation.state.live:
                started = None
                return ()
            case = replace(case, ticket=reading.ticket, facts=reading.ticket.facts, plan=plan.name)
            after, commands = acting.start(case, plan, now, Words("started by {who}", who=by))
            started = after.escalation
            return [self.writes(known, after, commands)]

        self.store.commit([ticket_id], decide)
        return started

    def find(self, code: str) -> tuple[str, Escalation] | None:
        """(ticket id, escalation) behind a code, also after its ticket was merged into another."""
        return next((found for parsed in readings(code) if (found := self._behind(parsed)) is not None), None)

    def _behind(self, parsed: tuple[str, int]) -> tuple[str, Escalation] | None:
        ticket_id, _ = parsed
        for _ in range(10):
            case = self.store.case(ticket_id)
            if case is None:
                return None
            if case.moved_to and case.escalation is None:
                ticket_id = case.moved_to
                continue
            escalation = case.escalation
            wanted = parse_code(escalation.code) if escalation is not None else None
            return (ticket_id, escalation) if escalation is not None and wanted == parsed else None
        return None

    # --- what follows an event -----------------------------------------------------------------------------------

    def _tick(self, case: Case, now: datetime) -> tuple[Case, tuple[Command, ...]]:
        if case.escalation is None:
            return case, ()
        escalation, commands = transition(case.escalation, Tick(self._people(case.escalation.owner), case.read_at), now)
        return replace(case, escalation=escalation), commands

    def _try_tick(
        self, case: Case, now: datetime, failed: list[Exception] | None = None
    ) -> tuple[Case, tuple[Command, ...]]:
        """What has happened is kept although the tick after it fails: a message that went out would go out again, and
        who has taken the ticket would not be known. The error is added to `failed`.
        """
        try:
            return self._tick(case, now)
        except Exception as error:  # counted by the next wake, which finds it too
            if failed is not None:
                failed.append(error)
            log.error("ticket %s: the tick after an event failed: %s", case.ticket.id, describe(error))
            return case, ()

    def _people(self, owner: Person | None) -> Directory:
        if owner is None or self.people.by_login(owner.login) is not None:
            return self.people
        return self.people.with_person(self.contact_of(owner))

    def person(self, case: Case, key: str) -> Contact | None:
        """The contact behind a key, as of now; an owner known only from the helpdesk included."""
        if key in self.people.contacts:
            return self.people.contacts[key]
        owner = case.escalation.owner if case.escalation else None
        if owner is not None and owner_as_contact(owner, self.people).key == key:
            return self.contact_of(owner)
        return None

    def writes(self, old: Case | None, new: Case, commands: Sequence[Command]) -> Writes:
        """What a commit has to write for these commands."""
        return Writing(self.store, self.reader, self.signatures, self.operator, self._people).writes(old, new, commands)
