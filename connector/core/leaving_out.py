"""What is done with a step on which Escalator itself fails again and again: it is parked, and the plan goes on.

The plainest reckoning there is: nobody is looked up, nothing is put into words, so that what fails there can't fail
here. What comes next keeps its own due time; what is overdue by then is due at once.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from . import timetable
from .escalation import Escalation, Stage, State
from .events import Entry, Moved, WriteNote
from .words import Words

PARKED = "parked"  # kind of the note
WHY = Words("Escalator failed on it five times. Its operator has been told.")
LEAST = timedelta(seconds=1)


def leave_out(escalation: Escalation, now: datetime) -> Moved:
    """Without what is due by now: the step; or, where none is, all else that a tick would do.

    The same escalation and no command when there is nothing to leave out.
    """
    if escalation.due_at is not None and escalation.due_at <= now:
        left, what = _without_step(escalation, escalation.due_at, now)
    else:
        left, what = _without_the_rest(escalation, now)
    if left == escalation:
        return escalation, ()
    left = replace(left, shown=True, looked_at=None, updated_at=now, sequence=left.sequence + 1)
    entry = Entry(now, "step", Words("{what}: parked, Escalator failed on it five times", what=what))
    return left, (entry, WriteNote(PARKED, now, left, remarks=(Words("{what} is left out", what=what), WHY)))


def _without_step(escalation: Escalation, due: datetime, now: datetime) -> tuple[Escalation, Words]:
    """Moves on as if it had fired. The note of the step before goes too: it may be what fails."""
    escalation = replace(escalation, report=None, new_owner_at=None)
    if escalation.state is State.WAITING:
        due = timetable.step_due(escalation.plan, 1, due)
        escalation = replace(escalation, state=State.RUNNING, due_at=due)
        if due > now:
            return escalation, Words("the end of the response window")
    whom = escalation.plan.when_exhausted
    again = max(due + whom.every, now + LEAST) if whom is not None else None
    match escalation.state:
        case State.RUNNING if timetable.over(escalation):
            return replace(escalation, state=State.EXHAUSTED, due_at=again), Words("telling that nobody came")
        case State.RUNNING:
            return _next(escalation, due)
        case State.EXHAUSTED:
            return replace(escalation, due_at=again), Words("telling again that nobody came")
        case State.HELD | State.ACKNOWLEDGED:
            on = timetable.go_on(escalation, now, timetable.AT_LEAST_AFTER_HOLD)
            return on, Words("what was due while it was held")
    return replace(escalation, due_at=None), Words("what was due")


def _next(escalation: Escalation, due: datetime) -> tuple[Escalation, Words]:
    steps = len(escalation.plan.steps)
    next_round = escalation.step >= steps
    number = 1 if next_round else escalation.step + 1
    round = escalation.round + 1 if next_round else escalation.round
    moved = replace(escalation, round=round, step=number)
    moved = replace(moved, due_at=timetable.after_step(moved, number, due))
    if round > 1:
        return moved, Words("step {step} of {steps}, round {round}", step=number, steps=steps, round=round)
    return moved, Words("step {step} of {steps}", step=number, steps=steps)


def _without_the_rest(escalation: Escalation, now: datetime) -> tuple[Escalation, Words]:
    """No note of the last step, no further ways, no more waiting for receipts that are overdue, no all-clear."""
    notifications = tuple(
        replace(n, otherwise=(), stage=Stage.ENDED, outcome=n.outcome or Words("nobody knows"))
        if n.at <= now and (n.stage is Stage.SENT or (n.stage is Stage.CLAIMED and n.dropped))
        else replace(n, otherwise=())
        for n in escalation.notifications
    )
    left = replace(escalation, report=None, new_owner_at=None, clear_up_at=None, notifications=notifications)
    return left, Words("what was left of step {step}", step=escalation.step)
