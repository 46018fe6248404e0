"""The state machine of an escalation.

    transition(escalation, event, now) -> (escalation, commands)

Rules
1. Pure: no clock, no randomness, no input or output. `now` is passed in, aware UTC.
2. What the table doesn't name is ignored: the same object comes back, and no command. Repeated, late and early events
   are harmless by construction.
3. After each event the shell lets a Tick follow; only a Tick fires steps, and never before they are due.
4. Nothing but a person acknowledges; which history entries are a person's work is decided in `meaning.py`.

The table, a row a state:

    waiting       acknowledged by a person, silently · window over (Tick): running
    running       acknowledged · steps fire (Tick) · after the last one: exhausted
    exhausted     acknowledged · when_exhausted again (Tick) · customer writes, priority raised: running
    acknowledged  given to somebody else, another group, unlocked unworked: climbs again · pending: held
    held          its time comes (Tick): on where it was · handed over like acknowledged · snoozed, and somebody takes
                  it or says that they have it: acknowledged
    resolved      reopened: as it stood, or a new life · open without an escalation, and a plan applies: a new life
    cancelled     a plan applies again, or it reopens · somebody asks for the next step
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from .climbing import tick
from .escalation import Escalation, State
from .events import (
    Acknowledge,
    Claim,
    Closed,
    CustomerWrote,
    Escalate,
    Event,
    GroupSet,
    Moved,
    MovedHere,
    Outcome,
    OwnerSet,
    PlanApplies,
    Raised,
    Receipt,
    Reopened,
    Stop,
    Tick,
    Unlocked,
    Worked,
)
from .lives import (
    climb_once_more,
    closed,
    closed_again,
    moved_here,
    plan_applies_after_end,
    plan_applies_again,
    plan_changed,
    reopened,
    worked_after_reopening,
    written_for_real,
)
from .receipts import receipt
from .sending import claim, outcome
from .steering import escalate, stop
from .taking import (
    acknowledge,
    acknowledge_again,
    group_changed,
    note_owner,
    owner_changed,
    remember_owner,
    unlocked,
    worked,
)

Rule = Callable[[Escalation, Any, datetime], Moved]


ALWAYS: Mapping[type, Rule] = {
    Tick: tick,
    Claim: claim,
    Outcome: outcome,
    Receipt: receipt,
}
LIVE: Mapping[type, Rule] = {
    **ALWAYS,
    PlanApplies: plan_changed,
    Closed: closed,
    Escalate: escalate,
    Stop: stop,
    MovedHere: moved_here,
}
CLIMBING: Mapping[type, Rule] = {**LIVE, Acknowledge: acknowledge, OwnerSet: note_owner}
TAKEN: Mapping[type, Rule] = {
    **LIVE,
    Acknowledge: acknowledge_again,
    Worked: worked,
    Unlocked: unlocked,
    OwnerSet: owner_changed,
    GroupSet: group_changed,
}
ENDED: Mapping[type, Rule] = {
    **ALWAYS,
    Reopened: reopened,
    OwnerSet: remember_owner,
    CustomerWrote: written_for_real,
    Acknowledge: worked_after_reopening,
    Worked: worked_after_reopening,
    Closed: closed_again,
}
TABLE: Mapping[State, Mapping[type, Rule]] = {
    State.WAITING: CLIMBING,
    State.RUNNING: CLIMBING,
    State.EXHAUSTED: {**CLIMBING, CustomerWrote: climb_once_more, Raised: climb_once_more},
    State.ACKNOWLEDGED: TAKEN,
    State.HELD: TAKEN,
    State.RESOLVED: {**ENDED, PlanApplies: plan_applies_after_end},
    State.CANCELLED: {**ENDED, PlanApplies: plan_applies_again, Escalate: escalate},
}


def transition(escalation: Escalation, event: Event, now: datetime) -> Moved:
    """The escalation after `event`, and what the shell is to do about it."""
    rule = TABLE[escalation.state].get(type(event))
    return rule(escalation, event, now) if rule is not None else (escalation, ())
