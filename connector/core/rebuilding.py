"""From a ticket's notes and history to its escalation, as it would stand had Redis not been lost. Pure.

Rules
1. The newest note of the highest life says how it stood. History since then is folded in as always, so that what
   people did meanwhile counts from when they did it.
2. A ticket without notes of ours is taken in from its history alone: a window is counted from where it began.
3. The clock: what fires a step is done by a tick later on, never here. What the notes don't tell and nobody is told
   by (a window that became the first step's waiting time, the hourly word that nobody came) is counted on.
4. What can't be gone on with is left alone: known and silent, so that no history is read as a new escalation.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from . import timetable
from .case import Case, Seen
from .climbing import AGAIN_AT_MOST_EVERY
from .code import parse_code
from .escalation import Escalation, State, Told
from .events import Command
from .observing import as_it_was, first_sight, take_in_all
from .plan import Policy
from .ticket import Reading


@dataclass(frozen=True, slots=True)
class Standing:
    """What one note of ours says for certain. `escalation` is None when its plan isn't in the config any more."""

    ticket_id: str
    code: str
    life: int
    number: int  # of the escalation's notes
    digest: str  # of this note's data
    before: str  # digest of the one before
    proof: str
    at: datetime
    seen_until: datetime | None  # history taken in up to then, by the helpdesk's clock
    since: datetime | None  # service.since as it was then
    plan: str
    state: State
    escalation: Escalation | None = None


class Verdict(StrEnum):
    REBUILT = "rebuilt"  # from its notes
    WAITING = "waiting"  # from its history alone
    LEFT = "left alone"
    NOTHING = "nothing"  # nothing is running there


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """One ticket. `before` is the case as its newest note left it, `case` with everything since.

    `remarks` are for the person who looks: what was found wrong, and what may be told a second time.
    """

    verdict: Verdict
    case: Case
    before: Case | None = None
    commands: tuple[Command, ...] = ()
    proof: str = ""
    remarks: tuple[str, ...] = ()


def rebuilt(
    reading: Reading,
    standings: Sequence[Standing],
    flaws: Sequence[str],
    policy: Policy,
    since: datetime,
    now: datetime,
) -> Rebuilt:
    """What becomes of this ticket. `standings`: its notes that prove something, oldest first; `flaws`: what the others
    were. Tickets older than `since` start nothing by themselves.
    """
    newest = newest_of(standings)
    remarks = (*flaws, *gaps(standings))
    if newest is None:
        return _from_history(reading, flaws, policy, since, now)
    if newest.escalation is None:
        quiet = left_alone(reading, policy, max(one.life for one in standings))
        if newest.state.live:
            return Rebuilt(Verdict.LEFT, quiet, None, (), newest.proof, (*remarks, f"no plan {newest.plan} any more"))
        return Rebuilt(Verdict.NOTHING, quiet, None, (), newest.proof, remarks)
    before = _as_it_stood(newest, newest.escalation, standings, reading, policy)
    case, commands = take_in_all(before, reading, policy, now)
    case = _on_time(case, now)
    live = case.escalation is not None and case.escalation.state.live
    verdict = Verdict.REBUILT if live else Verdict.NOTHING
    return Rebuilt(verdict, case, before, commands, newest.proof, (*remarks, *_due_already(case, now)))


def newest_of(standings: Sequence[Standing]) -> Standing | None:
    """The last note of the highest life. A merge can bring a second escalation of one life: then the later one."""
    last = {one.code: one for one in sorted(standings, key=lambda one: one.number)}
    return max(last.values(), key=lambda one: (one.life, one.at), default=None)


def gaps(standings: Sequence[Standing]) -> tuple[str, ...]:
    """Where a note of the chain is missing; what follows it says all that is needed."""
    found = []
    last: dict[str, Standing] = {}
    for one in sorted(standings, key=lambda one: one.number):
        known = last.get(one.code)
        if one.before != (known.digest if known else ""):
            found.append(f"a note before number {one.number} of {one.code} is missing")
        last[one.code] = one
    return tuple(found)


def left_alone(reading: Reading, policy: Policy, lives: int) -> Case:
    """Known, with nothing running: only what happens from now on starts something, as a life of its own."""
    ticket = reading.ticket
    plan = policy.match(ticket.facts).plan
    return Case(ticket, Seen().after(reading.changes), ticket.facts, plan, reading.read_at, None, lives)


def moved_away(reading: Reading, policy: Policy, to: str) -> Case:
    """A ticket whose escalation goes on at another one, so that its code is found there."""
    return replace(left_alone(reading, policy, 1), moved_to=to)


def origin(standing: Standing) -> str:
    """Id of the ticket on which this escalation began."""
    parsed = parse_code(standing.code)
    return parsed[0] if parsed is not None else standing.ticket_id


def _from_history(reading: Reading, flaws: Sequence[str], policy: Policy, since: datetime, now: datetime) -> Rebuilt:
    case, began = first_sight(reading, policy, since)
    case, commands = take_in_all(case, reading, policy, now)
    case = _on_time(case, now)
    live = case.escalation is not None and case.escalation.state.live
    verdict = Verdict.WAITING if live else Verdict.NOTHING
    return Rebuilt(verdict, case, None, (*began, *commands), "", (*flaws, *_due_already(case, now)))


def _as_it_stood(
    newest: Standing, escalation: Escalation, standings: Sequence[Standing], reading: Reading, policy: Policy
) -> Case:
    """The case when its newest note was written; the ticket and its matched fields with what came later undone."""
    until = newest.seen_until
    news = tuple(c for c in reading.changes if until is None or c.written_at > until)
    taken = tuple(c for c in reading.changes if until is not None and c.written_at <= until)
    ticket, facts = as_it_was(reading, news)
    escalation = replace(escalation, owner=ticket.owner, told=_told(newest, standings))
    return Case(
        ticket,
        Seen().after(taken),
        facts,
        policy.match(facts).plan,
        min(newest.at, reading.read_at),
        escalation,
        max(one.life for one in standings),
    )


def _told(newest: Standing, standings: Sequence[Standing]) -> tuple[Told, ...]:
    """Each note names those told last: together they name everybody."""
    known: dict[tuple[str, str], Told] = {}
    for one in sorted(standings, key=lambda one: one.number):
        if one.code == newest.code and one.escalation is not None:
            known |= {(told.key, told.channel): told for told in one.escalation.told}
    return tuple(known.values())


def _on_time(case: Case, now: datetime) -> Case:
    """Moves of the timetable of which no note tells, counted on as if they had happened when they were due."""
    escalation = case.escalation
    if escalation is None or escalation.due_at is None or now < escalation.due_at:
        return case
    first, whom = escalation.plan.steps[0], escalation.plan.when_exhausted
    if escalation.state is State.WAITING and first.after:
        due = timetable.step_due(escalation.plan, 1, escalation.due_at)
        return replace(case, escalation=replace(escalation, state=State.RUNNING, due_at=due))
    if escalation.state is State.EXHAUSTED and whom is not None:
        every = max(whom.every, AGAIN_AT_MOST_EVERY)
        times = (now - escalation.due_at) // every + 1
        return replace(case, escalation=replace(escalation, due_at=escalation.due_at + times * every))
    return case


def _due_already(case: Case, now: datetime) -> tuple[str, ...]:
    """Said where a step may have fired whose note was never written."""
    escalation = case.escalation
    if escalation is None or escalation.due_at is None or now < escalation.due_at or not escalation.state.climbing:
        return ()
    if escalation.state is State.RUNNING and timetable.over(escalation):
        return ("due already",)
    number = escalation.step + 1 if escalation.step < len(escalation.plan.steps) else 1
    return (f"due already: step {number} comes now, perhaps a second time",)
