"""From a reading of the ticket to what becomes of its escalation: the fold over everything not taken in yet."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from .audience import Directory
from .case import Case, Seen
from .escalation import Escalation
from .events import Command, Event, MovedHere, PlanApplies, Tick
from .lives import begin
from .meaning import in_saves, meaning
from .plan import Plan, Policy
from .ticket import MATCHED, Actor, Change, Facts, Kind, Person, Reading, Role, facts_with
from .transition import transition

THE_HELPDESK = Actor(Role.SYSTEM, "")


@dataclass(frozen=True, slots=True)
class Observed:
    """The case after a reading, and what the shell is to do. `merged_into`: where a live escalation should move."""

    case: Case
    commands: tuple[Command, ...]
    merged_into: str = ""


def observe(
    case: Case | None, reading: Reading, policy: Policy, people: Directory, since: datetime, now: datetime
) -> Observed:
    """Takes in what is new in `reading`. Tickets older than `since` start nothing by themselves."""
    commands: list[Command] = []
    if case is None:
        case, began = first_sight(reading, policy, since)
        commands += began
    news = case.seen.news(reading.changes)
    merged_into = ""
    for save in in_saves(news):
        for change in save:
            case, more = _take_in(case, change, save, reading, policy, now)
            commands += more
            if change.kind is Kind.MERGED and case.escalation is not None and case.escalation.state.live:
                merged_into = change.target
    case, more = _catch_up(case, reading, policy, now)
    commands += more
    case = replace(case, seen=case.seen.after(reading.changes), read_at=max(case.read_at, reading.read_at))
    if case.escalation is not None and not merged_into:
        escalation, more2 = transition(case.escalation, Tick(people, case.read_at), now)
        case, commands = replace(case, escalation=escalation), [*commands, *more2]
    return Observed(case, tuple(commands), merged_into)


def first_sight(reading: Reading, policy: Policy, since: datetime) -> tuple[Case, tuple[Command, ...]]:
    """The ticket as it was when it was made, or when Escalator was switched on if that is later."""
    ticket = reading.ticket
    start = max(ticket.created_at, since)
    before = [c for c in reading.changes if c.at < start and ticket.created_at < since]
    after = [c for c in reading.changes if c not in before]
    facts = _undone(ticket.facts, after)
    match = policy.match(facts)
    case = Case(ticket, Seen().after(before), facts, match.plan, reading.read_at)
    if ticket.created_at < since or match.plan is None:
        return case, ()
    escalation, commands = begin(
        ticket.id, policy.plans[match.plan], ticket.created_at, owner=_owner_before(reading, after), reason=match.reason
    )
    return replace(case, escalation=escalation, lives=1), commands


def _undone(facts: Facts, changes: Sequence[Change]) -> Facts:
    for change in reversed(changes):
        if change.kind in MATCHED:
            facts = facts_with(facts, change.kind, change.field, change.after, change.before)
    return facts


def _owner_before(reading: Reading, changes: Sequence[Change]) -> Person | None:
    """Who owned the ticket before these changes."""
    first = next((c for c in changes if c.kind is Kind.OWNER), None)
    if first is None:
        return reading.ticket.owner
    return Person("", first.before, first.before) if first.before else None


def _take_in(
    case: Case, change: Change, save: Sequence[Change], reading: Reading, policy: Policy, now: datetime
) -> tuple[Case, tuple[Command, ...]]:
    commands: tuple[Command, ...] = ()
    if change.kind in MATCHED:
        facts = facts_with(case.facts, change.kind, change.field, change.before, change.after)
        case = replace(case, facts=facts)
        if change.by.role is not Role.US and not change.at_creation:
            case, commands = rematch(case, policy, change.at, change.by, now)
    if case.escalation is None:
        return case, commands
    plan = _plan(policy, case.facts)
    for event in meaning(change, save, case.escalation, plan, reading.ticket.owner):
        case, more = apply(case, event, now)
        commands += more
    return case, commands


def _plan(policy: Policy, facts: Facts) -> Plan | None:
    name = policy.match(facts).plan
    return policy.plans[name] if name is not None else None


def rematch(case: Case, policy: Policy, at: datetime, by: Actor, now: datetime) -> tuple[Case, tuple[Command, ...]]:
    """Chooses the plan again after a matched field changed."""
    match = policy.match(case.facts)
    if match.plan == case.plan:
        return case, ()
    case = replace(case, plan=match.plan)
    plan = policy.plans[match.plan] if match.plan is not None else None
    if case.escalation is not None:
        return apply(case, PlanApplies(plan, at, by, match.reason), now)
    if plan is None or case.ticket.phase.ended:
        return case, ()
    return start(case, plan, at, match.reason)


def start(case: Case, plan: Plan, at: datetime, reason: str) -> tuple[Case, tuple[Command, ...]]:
    """A new escalation for a ticket that has none alive."""
    escalation, commands = begin(case.ticket.id, plan, at, life=case.lives + 1, owner=case.ticket.owner, reason=reason)
    return replace(case, escalation=escalation, lives=case.lives + 1), commands


def apply(case: Case, event: Event, now: datetime) -> tuple[Case, tuple[Command, ...]]:
    """One event on the case's escalation; a case without one stays as it is."""
    if case.escalation is None:
        return case, ()
    escalation, commands = transition(case.escalation, event, now)
    lives = case.lives + 1 if escalation.life > case.escalation.life else case.lives
    return replace(case, escalation=escalation, lives=lives), commands


def _catch_up(case: Case, reading: Reading, policy: Policy, now: datetime) -> tuple[Case, tuple[Command, ...]]:
    """What the history doesn't tell (an organization's VIP mark, a field without history) is seen in the row itself."""
    ticket = reading.ticket
    if ticket.updated_at < case.ticket.updated_at and reading.read_at < case.read_at:
        return case, ()
    case = replace(case, ticket=ticket)
    commands: tuple[Command, ...] = ()
    if case.facts != ticket.facts:
        case = replace(case, facts=ticket.facts)
        case, commands = rematch(case, policy, ticket.updated_at, THE_HELPDESK, now)
    escalation: Escalation | None = case.escalation
    if escalation is not None and escalation.owner != ticket.owner and escalation.state.live:
        same = escalation.owner and ticket.owner and escalation.owner.login == ticket.owner.login
        if same or escalation.state.climbing:
            case = replace(case, escalation=replace(escalation, owner=ticket.owner))
    return case, commands


def move(source: Case, target: Case, by: Actor, at: datetime, now: datetime) -> tuple[Case, Case, tuple[Command, ...]]:
    """The source's escalation goes on, on the ticket it was merged into."""
    assert source.escalation is not None
    moved, commands = transition(source.escalation, MovedHere(target.ticket.id, at, by, target.ticket.owner), now)
    return (
        replace(source, escalation=None, moved_to=target.ticket.id),
        replace(target, escalation=moved, lives=max(target.lives, 1)),
        commands,
    )
