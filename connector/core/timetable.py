"""When what is due: pure reckoning on an escalation's plan. Never early; late only by what Escalator was late."""

from dataclasses import replace
from datetime import datetime, timedelta

from .escalation import Escalation, Parked, Stage, State
from .plan import Plan

LATE = timedelta(seconds=5)  # fired later than this: people's time to react counts from when it fired
LOOK_AHEAD = timedelta(seconds=5)  # the ticket is read this long before a step
LOOK_PATIENCE = timedelta(seconds=2)  # how long an overdue step waits for that reading
LOOK_FORGOTTEN = timedelta(seconds=30)
FRESH = timedelta(seconds=10)  # a reading this young will do when it is due; asked for earlier, so that none is late
AT_LEAST_AFTER_HOLD = timedelta(minutes=1)
ANSWER_WITHIN = timedelta(minutes=15)  # to "still on it?"
GOES_ON_WITHIN = timedelta(minutes=30)  # a plan that applies again so soon goes on where it was


def step_due(plan: Plan, step: int, base: datetime) -> datetime:
    """When step number `step` (from 1) is due, counted from the step before or the end of the window."""
    return base + plan.steps[step - 1].after


def base_after(due_at: datetime, fired_at: datetime) -> datetime:
    """What the next `after` counts from."""
    return fired_at if fired_at - due_at > LATE else due_at


def after_step(escalation: Escalation, step: int, base: datetime) -> datetime:
    """What comes after `step` of this round: the next step, the next round, or giving up."""
    plan = escalation.plan
    if step < len(plan.steps):
        return step_due(plan, step + 1, base)
    if escalation.round < plan.rounds:
        return base + plan.pause_between_rounds
    return base + plan.give_up_after


def over(escalation: Escalation) -> bool:
    """Whether the last step of the last round has fired."""
    return escalation.step >= len(escalation.plan.steps) and escalation.round >= escalation.plan.rounds


def pause(escalation: Escalation, at: datetime) -> Escalation:
    """Stops the clock and remembers what was left of it; one that stands still already is left alone."""
    if not escalation.state.climbing:
        return escalation
    left = max(escalation.due_at - at, timedelta(0)) if escalation.due_at is not None else timedelta(0)
    return replace(escalation, back=escalation.state, left=left, due_at=None)


def go_on(escalation: Escalation, at: datetime, at_least: timedelta = timedelta(0)) -> Escalation:
    """Sets the clock going again at `at` with what was left of it, but no sooner than `at_least` later."""
    return replace(
        escalation,
        state=escalation.back,
        due_at=at + max(escalation.left, at_least),
        acknowledged=None,
        held_until=None,
        looked_at=None,
        asked_at=None,
        clear_up_at=None,  # who hasn't been told that it is over needn't be: it isn't
        clear_up_but="",
    )


def await_work(escalation: Escalation, at: datetime) -> Escalation:
    """Who has it did something at `at`: they are asked when nothing more is done for as long as the plan allows."""
    current = escalation.acknowledged
    if escalation.state is not State.ACKNOWLEDGED or current is None:
        return escalation
    lasts = current.lasts or escalation.plan.acknowledged_for
    due = at + lasts if lasts is not None else None
    if due == escalation.due_at and escalation.asked_at is None:
        return escalation
    return replace(escalation, due_at=due, asked_at=None, looked_at=None)


def end_hold(escalation: Escalation) -> Escalation:
    """Acknowledged without a time to which it is put off."""
    return replace(escalation, state=State.ACKNOWLEDGED, held_until=None, due_at=None, looked_at=None)


def taken_again(escalation: Escalation) -> Escalation:
    """Back with the person who had it; held until the same time if it was held."""
    held = escalation.held_until
    return replace(escalation, state=State.HELD if held else State.ACKNOWLEDGED, due_at=held, looked_at=None)


def start_over(escalation: Escalation, plan: Plan, at: datetime, window: bool = True) -> Escalation:
    """The first round of `plan`, from the start of its window; without one: from its first step."""
    return replace(
        escalation,
        plan=plan,
        state=State.WAITING if window else State.RUNNING,
        round=1,
        step=0,
        due_at=at + plan.respond_within if window else at,
        acknowledged=None,
        held_until=None,
        looked_at=None,
        report=None,
        new_owner_at=None,
        asked_at=None,
        clear_up_at=None,
        clear_up_but="",
    )


def park(escalation: Escalation, at: datetime) -> tuple[Parked, ...]:
    """The plan that stops applying, with those that stopped a short while ago."""
    recent = tuple(
        parked
        for parked in escalation.parked
        if at - parked.at < GOES_ON_WITHIN and parked.plan != escalation.plan.name
    )
    stands = pause(escalation, at)
    return (*recent, Parked(stands.plan.name, stands.back, stands.round, stands.step, stands.left, at))


def parked_lately(escalation: Escalation, plan: Plan, at: datetime) -> Parked | None:
    """Where `plan` stood when it stopped applying, or None when that was too long ago or never."""
    for parked in escalation.parked:
        if parked.plan == plan.name and at - parked.at < GOES_ON_WITHIN and parked.step <= len(plan.steps):
            return parked
    return None


def unpark(escalation: Escalation, plan: Plan, at: datetime) -> Escalation | None:
    """The escalation back in `plan` where that stood; the time in between doesn't count."""
    parked = parked_lately(escalation, plan, at)
    if parked is None:
        return None
    return replace(
        escalation,
        plan=plan,
        state=parked.state,
        round=parked.round,
        step=parked.step,
        due_at=at + parked.left,
        looked_at=None,
        new_owner_at=None,
    )


def may_fire(escalation: Escalation, now: datetime, read_at: datetime | None) -> bool:
    """Whether what is due may happen now: the ticket was read lately, or it was asked for and didn't come."""
    if escalation.due_at is None or now < escalation.due_at:
        return False
    if read_at is not None and read_at >= now - FRESH:
        return True
    looked_at = escalation.looked_at
    return looked_at is not None and now - looked_at >= LOOK_PATIENCE and not _forgotten(escalation, now)


def should_look(escalation: Escalation, now: datetime, read_at: datetime | None) -> bool:
    """Whether it is time to read the ticket for what is due soon."""
    due = escalation.due_at
    if due is None or now < due - LOOK_AHEAD:
        return False
    if escalation.looked_at is not None:
        return _forgotten(escalation, now)
    return read_at is None or read_at < max(due - LOOK_AHEAD, now - FRESH)


def _forgotten(escalation: Escalation, now: datetime) -> bool:
    """Asked for before it was due, and then Escalator was away: asked for again, once."""
    asked, due = escalation.looked_at, escalation.due_at
    return asked is not None and due is not None and asked < due and now - asked >= LOOK_FORGOTTEN


def next_wake(escalation: Escalation, read_at: datetime | None = None) -> datetime | None:
    """The next moment at which a tick can do something; None: nothing will happen by itself."""
    moments = [
        n.at for n in escalation.notifications if n.stage is Stage.SENT or (n.stage is Stage.CLAIMED and n.dropped)
    ]
    if escalation.report is not None:
        moments.append(escalation.report.write_at)
    due, asked = escalation.due_at, escalation.looked_at
    if due is not None and asked is not None:
        answered = read_at is not None and read_at >= asked and asked < due
        moments.append(due if answered else max(due, asked + LOOK_PATIENCE))
    elif due is not None:
        fresh = read_at is not None and read_at >= due - LOOK_AHEAD
        moments.append(due if fresh else due - LOOK_AHEAD)
    return min(moments, default=None)
