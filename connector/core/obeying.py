"""What commands in notes do whose effect depends on more than the escalation: `/why`, `/escalate PLAN`, and answers."""

from dataclasses import replace
from datetime import datetime

from .acting import apply, start
from .case import Case
from .commands import Word
from .escalation import Escalation, State
from .events import Command, Escalate, Say, WriteNote
from .meaning import Asked
from .plan import Plan, Policy
from .taking import name_of
from .words import Words

Obeyed = tuple[Case, tuple[Command, ...]]


def obey(case: Case, asked: Asked, policy: Policy, now: datetime) -> Obeyed:
    """The case after a command, and what is said about it on the ticket."""
    command = asked.command
    if command.problem:
        return _say(case, asked, command.problem)
    if command.word is Word.WHY:
        return _why(case, asked, policy)
    return _escalate(case, asked, policy, now)


def _escalate(case: Case, asked: Asked, policy: Policy, now: datetime) -> Obeyed:
    """The next step now; with a plan's name behind it: that plan from its first step."""
    if case.ticket.phase.ended:
        return _say(case, asked, Words("The ticket is closed: open it again first."))
    plan = _named(asked.command.rest, policy)
    if case.escalation is not None and case.escalation.state is not State.RESOLVED:
        return apply(case, Escalate(asked.by, asked.at, plan), now)
    chosen = plan or policy.plan_for(case.facts)
    if chosen is None:
        why, plans = _reason(case, policy), ", ".join(sorted(policy.plans))
        return _say(case, asked, Words("{why} Name one: /escalate PLAN ({plans}).", why=why, plans=plans))
    case, commands = start(case, chosen, asked.at, Words("started by {who}", who=name_of(asked.by)))
    case, more = apply(case, Escalate(asked.by, asked.at), now)  # without its window: somebody wants it now
    return case, (*commands, *more)


def _why(case: Case, asked: Asked, policy: Policy) -> Obeyed:
    if case.escalation is None:
        return _say(case, asked, _reason(case, policy))
    return _note(case, case.escalation, WriteNote("why", asked.at, case.escalation, remarks=(_reason(case, policy),)))


def _say(case: Case, asked: Asked, sentence: Words) -> Obeyed:
    if case.escalation is None:
        return case, (Say(asked.at, (Words("Escalator"), sentence)),)
    answer = WriteNote("answer", asked.at, case.escalation, remarks=(sentence,), who=name_of(asked.by))
    return _note(case, case.escalation, answer)


def _note(case: Case, escalation: Escalation, note: WriteNote) -> Obeyed:
    """An answer is a note like the others: numbered and signed."""
    told = replace(escalation, sequence=escalation.sequence + 1)
    return replace(case, escalation=told), (replace(note, escalation=told),)


def _reason(case: Case, policy: Policy) -> Words:
    match = policy.match(case.facts)
    if match.plan is None:
        return Words("No plan applies: {reason}.", reason=match.reason)
    applies = Words("Plan {plan} applies: {reason}.", plan=match.plan, reason=match.reason)
    if case.escalation is not None:
        return applies
    return Words("{why} The ticket was there before that, so nothing was started.", why=applies)


def _named(rest: str, policy: Policy) -> Plan | None:
    """The plan that stands behind the word, if one does: other words are a remark."""
    names = {name.casefold(): plan for name, plan in policy.plans.items()}
    first = rest.split(maxsplit=1)[0] if rest else ""
    return names.get(rest.casefold()) or names.get(first.casefold())
