"""From a reading of the ticket to what becomes of its escalation: the fold over everything not taken in yet.

What people did, and nothing else: the clock is looked at by the tick that the shell lets follow.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from .acting import apply, start
from .case import Case, Seen
from .commands import Word, parse
from .escalation import Escalation, State
from .events import Acknowledge, Closed, Command, MovedHere, PlanApplies, Reopened
from .lagging import up_to_date
from .meaning import SAME_SAVE, Asked, in_saves, meaning
from .obeying import obey
from .plan import Policy
from .ticket import MATCHED, Actor, Change, Facts, Kind, Person, Phase, Reading, Role, Ticket, facts_with
from .transition import transition
from .words import Words

THE_HELPDESK = Actor(Role.SYSTEM, "")


@dataclass(frozen=True, slots=True)
class Observed:
    """The case after a reading, and what the shell is to do. `merged_into`: where a live escalation should move, which
    no tick fires a step of before it has gone there.
    """

    case: Case
    commands: tuple[Command, ...]
    merged_into: str = ""


def observe(case: Case | None, reading: Reading, policy: Policy, since: datetime, now: datetime) -> Observed:
    """Takes in what is new in `reading`. Tickets older than `since` start nothing by themselves."""
    commands: list[Command] = []
    if case is None:
        case, began = first_sight(reading, policy, since)
        commands += began
    case, more = take_in_all(case, reading, policy, now)
    commands += more
    return Observed(case, tuple(commands), _merged_into(case, reading))


def take_in_all(case: Case, reading: Reading, policy: Policy, now: datetime) -> tuple[Case, tuple[Command, ...]]:
    """What people did since the last reading."""
    reading = up_to_date(reading)
    commands: tuple[Command, ...] = ()
    new = {change.id for change in case.seen.news(reading.changes)}
    for save in in_saves(reading.changes if new else ()):
        news = tuple(change for change in save if change.id in new)
        if news:
            case, more = _take_in(case, news, save, policy, now)
            commands += more
    case, more = _catch_up(case, reading, policy, now)
    seen = case.seen.after(reading.changes)
    return replace(case, seen=seen, read_at=max(case.read_at, reading.read_at)), (*commands, *more)


def _merged_into(case: Case, reading: Reading) -> str:
    """Where a live escalation has to go, until it has gone there."""
    if case.escalation is None or not case.escalation.state.live or case.ticket.phase is not Phase.MERGED:
        return ""
    return next((c.target for c in reversed(reading.changes) if c.kind is Kind.MERGED), "")


def first_sight(reading: Reading, policy: Policy, since: datetime) -> tuple[Case, tuple[Command, ...]]:
    """The ticket as it was when it was made, or when Escalator was switched on if that is later."""
    reading = up_to_date(reading)
    ticket = reading.ticket
    old = ticket.created_at < since
    before = tuple(c for c in reading.changes if old and c.at < since)
    after = tuple(c for c in reading.changes if not (old and c.at < since))
    then, facts = as_it_was(reading, after)
    match = policy.match(facts)
    case = Case(then, Seen().after(before), facts, match.plan, reading.read_at)
    if old or match.plan is None or then.phase.ended:
        return case, ()
    return start(case, policy.plans[match.plan], ticket.created_at, match.reason)


def as_it_was(reading: Reading, after: Sequence[Change]) -> tuple[Ticket, Facts]:
    """The ticket and its matched fields before these changes, the last ones of the reading."""
    then = replace(reading.ticket, owner=_owner_before(reading, after), phase=_phase_before(reading, after))
    return then, _undone(reading.ticket.facts, [c for c in after if not c.at_creation])


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


def _phase_before(reading: Reading, changes: Sequence[Change]) -> Phase:
    """Whether it was open before these changes."""
    first = next((c for c in changes if c.kind is Kind.STATE and c.phase_before is not None), None)
    return first.phase_before if first is not None and first.phase_before is not None else reading.ticket.phase


def _take_in(
    case: Case, news: Sequence[Change], save: Sequence[Change], policy: Policy, now: datetime
) -> tuple[Case, tuple[Command, ...]]:
    """The news of one save: what it changes of the matched fields, all at once, and then what its entries mean one by
    one, beside all others of that save: an earlier reading may have seen the first of them.
    """
    case, commands = _matched_again(case, news, policy, now)
    for change in news:
        if case.escalation is None:
            case, more = _reopens(case, change, save, policy, now)
        else:
            case, more = _means(case, change, save, policy, now)
        commands += more
        if change.kind is Kind.OWNER:
            case = replace(case, ticket=replace(case.ticket, owner=change.owner))
        elif change.kind is Kind.STATE and change.phase is not None:
            case = replace(case, ticket=replace(case.ticket, phase=change.phase))
    return case, commands


def _matched_again(
    case: Case, news: Sequence[Change], policy: Policy, now: datetime
) -> tuple[Case, tuple[Command, ...]]:
    facts = case.facts
    matched = [change for change in news if change.kind in MATCHED]
    for change in matched:
        facts = facts_with(facts, change.kind, change.field, change.before, change.after)
    changed = facts != case.facts
    case = replace(case, facts=facts)
    asked = [c for c in matched if c.by.role is not Role.US and policy.asks_for(c.kind, c.field)]
    if not asked or not changed:
        return case, ()
    return rematch(case, policy, asked[-1].at, asked[-1].by, now, anew=True)


def _means(
    case: Case, change: Change, save: Sequence[Change], policy: Policy, now: datetime
) -> tuple[Case, tuple[Command, ...]]:
    assert case.escalation is not None
    commands: tuple[Command, ...] = ()
    plan, owner = policy.plan_for(case.facts), case.ticket.owner
    for event in meaning(change, save, case.escalation, plan, owner):
        was = case.escalation
        if isinstance(event, Acknowledge) and event.ends_hold and _put_off(case, save):
            event = replace(event, ends_hold=False)
        if isinstance(event, Asked):  # who asks for a plan gets it, whatever the matched fields say
            case, more = obey(case, event, policy, now)
            commands += more
            continue
        case, more = apply(case, event, now)
        commands += more
        case, more = _revived(case, was, change, policy, now)
        commands += more
    return case, commands


def _put_off(case: Case, save: Sequence[Change]) -> bool:
    """Whether the ticket itself is pending after this save, whoever has it."""
    phase = next((c.phase for c in reversed(save) if c.phase is not None), case.ticket.phase)
    return phase in (Phase.PENDING, Phase.PENDING_CLOSE)


def _revived(
    case: Case, was: Escalation, change: Change, policy: Policy, now: datetime
) -> tuple[Case, tuple[Command, ...]]:
    """An escalation that lives again: under the plan that the matched fields chose while it had ended."""
    escalation = case.escalation
    if escalation is None or was.state.live or not escalation.state.live:
        return case, ()
    if escalation.life > was.life:
        return replace(case, plan=escalation.plan.name), ()
    if case.plan == escalation.plan.name:
        return case, ()
    plan = policy.plans.get(case.plan) if case.plan is not None else None
    return apply(case, PlanApplies(plan, change.at, change.by), now)


def _reopens(
    case: Case, change: Change, save: Sequence[Change], policy: Policy, now: datetime
) -> tuple[Case, tuple[Command, ...]]:
    """A ticket without an escalation, older than Escalator itself or made closed, is opened again."""
    plan = policy.plan_for(case.facts)
    if change.kind is Kind.ARTICLE:
        return _asked(case, change, policy, now)
    if plan is None or change.kind is not Kind.STATE:
        return case, ()
    nothing = Escalation("", case.ticket.id, 0, plan, State.RESOLVED, change.at, change.at)
    reopened = [e for e in meaning(change, save, nothing, plan, case.ticket.owner) if isinstance(e, Reopened)]
    if not reopened or plan.reopened == "ignore":
        return case, ()
    case = replace(case, plan=plan.name)
    case, commands = start(case, plan, change.at, Words("reopened"))
    assert case.escalation is not None
    if reopened[0].automatic:
        waits = replace(case.escalation, state=State.RESOLVED, due_at=None, waits_for_work=True)
        return replace(case, escalation=waits), ()
    if change.by.role is Role.PERSON:
        case, more = apply(case, Acknowledge(change.by, change.at, "reopened"), now)
        commands += more
    return case, commands


def _asked(case: Case, change: Change, policy: Policy, now: datetime) -> tuple[Case, tuple[Command, ...]]:
    """An agent's `/why` or `/escalate` on a ticket that has no escalation; other commands have nothing to act on."""
    article = change.article
    agents = change.by.role is Role.PERSON and article is not None and not (article.public or article.by_mail)
    command = parse(article.first_line) if agents and article is not None and not change.at_creation else None
    if command is None or command.word not in (Word.WHY, Word.ESCALATE):
        return case, ()
    return obey(case, Asked(command, change.by, change.at), policy, now)


def rematch(
    case: Case, policy: Policy, at: datetime, by: Actor, now: datetime, anew: bool = False
) -> tuple[Case, tuple[Command, ...]]:
    """Chooses the plan again after a matched field changed.

    `anew`: a ticket that has never had an escalation gets one even if its plan is the same as before.
    """
    match = policy.match(case.facts)
    same, closed = match.plan == case.plan, case.ticket.phase.ended
    case = replace(case, plan=match.plan)
    plan = policy.plans[match.plan] if match.plan is not None else None
    if case.escalation is None:
        if plan is None or closed or (same and not anew):
            return case, ()
        return start(case, plan, at, match.reason)
    if same or (closed and not case.escalation.state.live):
        return case, ()
    return apply(case, PlanApplies(plan, at, by, match.reason), now)


def _catch_up(case: Case, reading: Reading, policy: Policy, now: datetime) -> tuple[Case, tuple[Command, ...]]:
    """What the history doesn't tell (an organization's VIP mark, a field without history) is seen in the row itself."""
    ticket = reading.ticket
    if reading.read_at < case.read_at or _row_lags(reading):
        return case, ()  # an older reading rolls nothing back
    case = replace(case, ticket=ticket)
    commands: tuple[Command, ...] = ()
    if case.facts != ticket.facts:
        at = min(ticket.updated_at, reading.read_at) if ticket.updated_at > case.read_at else reading.read_at
        case = replace(case, facts=ticket.facts)
        case, commands = rematch(case, policy, at, THE_HELPDESK, now)
    escalation = case.escalation
    if escalation is None or not escalation.state.live:
        return case, commands
    if ticket.phase is Phase.CLOSED:  # the history doesn't say when, or by whom
        case, more = apply(case, Closed(ticket.updated_at, THE_HELPDESK), now)
        return case, (*commands, *more)
    if escalation.owner != ticket.owner:
        same = escalation.owner and ticket.owner and escalation.owner.login == ticket.owner.login
        if same or escalation.state.climbing:
            case = replace(case, escalation=replace(escalation, owner=ticket.owner))
    return case, commands


def _row_lags(reading: Reading) -> bool:
    """Whether the history, read a moment after the row, tells of changes that the row doesn't have yet."""
    kinds = MATCHED | {Kind.OWNER, Kind.STATE}
    latest = max((c.written_at for c in reading.changes if c.kind in kinds), default=reading.ticket.updated_at)
    return latest > reading.ticket.updated_at + SAME_SAVE


def move(source: Case, target: Case, by: Actor, at: datetime, now: datetime) -> tuple[Case, Case, tuple[Command, ...]]:
    """The source's escalation goes on, on the ticket it was merged into. Later lives there get codes of their own."""
    assert source.escalation is not None
    moved, commands = transition(source.escalation, MovedHere(target.ticket.id, at, by, target.ticket.owner), now)
    lives = max(target.lives, 1)
    return (
        replace(source, escalation=None, moved_to=target.ticket.id),
        replace(target, escalation=replace(moved, life=lives), lives=lives),
        commands,
    )
