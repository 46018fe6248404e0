"""What will happen to a ticket by itself, and when: pure, from ticket, config and Escalator's own memory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from config.settings import Settings

from ..core.audience import Directory, audience
from ..core.contact import Contact
from ..core.escalation import Escalation, State
from ..core.plan import Match, Plan, Policy, satisfying
from ..core.ticket import MATCHED, Facts, Person, Phase, Reading, Ticket, facts_at_creation, facts_with
from ..core.timetable import over, step_due
from ..ports import Channel
from ..services import directory, owner_contact

STEP, ROUND, NOBODY_CAME, AGAIN = "step", "round", "nobody came", "again"


@dataclass(frozen=True, slots=True)
class Known:
    """What Escalator's own memory says: since when it runs, and the ticket's escalation."""

    since: datetime | None = None
    escalation: Escalation | None = None
    here: bool = True  # False: Redis is away

    @property
    def live(self) -> Escalation | None:
        return self.escalation if self.escalation is not None and self.escalation.state.live else None


@dataclass(frozen=True, slots=True)
class Silence:
    """Why nothing will happen by itself: a sentence of `plan/sentence.txt`, and what stands in it."""

    kind: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Coming:
    """One moment still to come. `kind` is STEP or ROUND (`number` says which), NOBODY_CAME or AGAIN."""

    kind: str
    at: datetime
    number: int = 0
    people: tuple[Contact, ...] = ()
    by: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()
    every: timedelta = timedelta(0)
    unreachable: tuple[tuple[str, str], ...] = ()  # (who, by which channel)


@dataclass(frozen=True, slots=True)
class Explained:
    """Everything that `explain` tells. `plan` is the one that goes on: an escalation keeps what it began with."""

    ticket: Ticket
    match: Match
    start: datetime
    known: Known
    plan: Plan | None
    silence: Silence | None
    coming: tuple[Coming, ...]


def explained(settings: Settings, channels: dict[str, Channel], reading: Reading, known: Known) -> Explained:
    """What isn't known is left out, and so is what `service.privacy` keeps inside: a page is for sharing."""
    ticket, match = reading.ticket, settings.policy.match(reading.ticket.facts)
    start, silence = applies_since(reading, settings.policy), silence_of(reading.ticket, match, known)
    plan = known.live.plan if known.live is not None else settings.policy.plans.get(match.plan or "")
    coming: tuple[Coming, ...] = ()
    if plan is not None and silence is None:
        coming = tuple(ahead(plan, start, known.live, _crowd(settings, channels, ticket, plan)))
    return Explained(settings.policy.outside(ticket), match, start, known, plan, silence, coming)


def silence_of(ticket: Ticket, match: Match, known: Known) -> Silence | None:
    """Why nothing will happen by itself; None when something will."""
    live, former = known.live, known.escalation
    if ticket.phase.ended:
        return Silence("merged" if ticket.phase is Phase.MERGED else "closed")
    if live is not None:
        return _standstill(live)
    if match.plan is None:
        return Silence("no plan", because(match, ticket.facts))
    if former is not None and former.stopped:
        return Silence("stopped")
    if known.since is not None and ticket.created_at < known.since:
        return Silence("before")
    if ticket.owner is not None and known.here and former is not None:
        return Silence("over", {"code": former.code})
    return None


def _standstill(live: Escalation) -> Silence | None:
    who = live.acknowledged.who if live.acknowledged is not None else ""
    if live.state is State.HELD and live.due_at is not None:
        return Silence("held", {"who": who, "until": live.due_at})
    if live.state is State.EXHAUSTED and (live.plan.when_exhausted is None or live.due_at is None):
        return Silence("exhausted")
    if live.state is State.ACKNOWLEDGED or live.due_at is None:
        return Silence("taken", {"who": who, "asked_at": live.due_at or ""})
    return None


def because(match: Match, facts: Facts) -> dict[str, Any]:
    """Why a plan applies, or none, for a sentence."""
    found = satisfying(match.rule.when, facts) if match.rule is not None else None
    return {
        "reason": match.reason,
        "rule": match.rule.line if match.rule is not None else 0,
        "found": found or (),
        "priority": facts.priority,
        "excluded": match.rule is not None,
    }


def applies_since(reading: Reading, policy: Policy) -> datetime:
    """When the plan that applies now began to: the ticket's creation, or the last change that led to it."""
    facts = facts_at_creation(reading)
    plan, since = policy.match(facts).plan, reading.ticket.created_at
    for change in reading.changes:
        if change.kind in MATCHED:
            facts = facts_with(facts, change.kind, change.field, change.before, change.after)
            if (now := policy.match(facts).plan) != plan:
                plan, since = now, change.at
    return since


# --- what is ahead --------------------------------------------------------------------------------------------------


def ahead(plan: Plan, start: datetime, live: Escalation | None, crowd: "Crowd") -> list[Coming]:
    """This round's steps that are still to come, the rounds after it, and the end.

    A live escalation keeps the times that it has; without one the window begins at `start`.
    """
    first, round_, at = 1, 1, start + plan.respond_within
    if live is not None and live.due_at is not None:
        if live.state is State.EXHAUSTED or over(live):
            return [crowd.end(AGAIN if live.state is State.EXHAUSTED else NOBODY_CAME, live.due_at)]
        first = live.step % len(plan.steps) + 1
        round_ = live.round + (live.step >= len(plan.steps))
        waits = live.state is State.WAITING and live.step == 0  # `due_at` is the window's end, else that step's time
        at = live.due_at if waits else live.due_at - plan.steps[first - 1].after
    found = []
    for number in range(first, len(plan.steps) + 1):
        at = step_due(plan, number, at)
        found.append(crowd.step(number, at))
    rounds, end = after_round(plan, round_, at)
    return [*found, *(Coming(ROUND, begins, number) for number, begins in rounds), crowd.end(NOBODY_CAME, end)]


Time = TypeVar("Time", datetime, timedelta)


def after_round(plan: Plan, round_: int, last: Time) -> tuple[list[tuple[int, Time]], Time]:
    """What follows the last step of a round, which is due at `last`: (round, its beginning) each, and nobody came."""
    begins, at = [], last
    for number in range(round_ + 1, plan.rounds + 1):
        begins.append((number, at + plan.pause_between_rounds))
        at = begins[-1][1] + sum((step.after for step in plan.steps[1:]), timedelta(0))
    return begins, at + plan.give_up_after


@dataclass(frozen=True, slots=True)
class Crowd:
    """Whom a plan reaches for a ticket with this owner, as the config is now."""

    plan: Plan
    owner: Person | None
    people: Directory
    channels: Mapping[str, Channel] = field(default_factory=dict)

    def step(self, number: int, at: datetime) -> Coming:
        """Step `number` (from 1)."""
        step = self.plan.steps[number - 1]
        people = audience(step.notify, self.plan, self.owner, self.people)
        missing = self._unreachable(people, (*step.by, *step.otherwise))
        return Coming(STEP, at, number, people, step.by, step.otherwise, unreachable=missing)

    def end(self, kind: str, at: datetime) -> Coming:
        """Nobody came, or they are told so again."""
        last = self.plan.when_exhausted
        if last is None:
            return Coming(kind, at)
        people = audience(last.notify, self.plan, self.owner, self.people)
        missing = self._unreachable(people, last.by)
        return Coming(kind, at, people=people, by=last.by, every=last.every, unreachable=missing)

    def _unreachable(self, people: Iterable[Contact], by: Iterable[str]) -> tuple[tuple[str, str], ...]:
        ways = [name for name in by if name in self.channels and name not in self.people.shared]
        return tuple((one.name, way) for one in people for way in ways if not self.channels[way].address(one))


def _crowd(settings: Settings, channels: dict[str, Channel], ticket: Ticket, plan: Plan) -> Crowd:
    people, owner = directory(settings, channels), ticket.owner
    if owner is not None and people.by_login(owner.login) is None:
        people = people.with_person(owner_contact(settings)(owner))
    return Crowd(plan, owner, people, channels)
