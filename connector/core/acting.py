"""One event, or a new escalation, on what is known of a ticket."""

from dataclasses import replace
from datetime import datetime

from .case import Case
from .events import Command, Event
from .lives import begin
from .plan import Plan
from .transition import transition
from .words import Words


def start(case: Case, plan: Plan, at: datetime, reason: Words) -> tuple[Case, tuple[Command, ...]]:
    """A new escalation for a ticket that has none alive."""
    escalation, commands = begin(case.ticket.id, plan, at, life=case.lives + 1, owner=case.ticket.owner, reason=reason)
    return replace(case, escalation=escalation, lives=case.lives + 1), commands


def apply(case: Case, event: Event, now: datetime) -> tuple[Case, tuple[Command, ...]]:
    """One event on the case's escalation; a case without one stays as it is."""
    if case.escalation is None:
        return case, ()
    escalation, commands = transition(case.escalation, event, now)
    return replace(case, escalation=escalation, lives=max(case.lives, escalation.life)), commands
