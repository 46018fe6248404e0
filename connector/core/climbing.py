"""What the clock does to an escalation: windows end, steps fire, nobody comes, holds run out.

Everything here happens in a tick. A tick may come late, early or often: it does what is due by `now` and nothing else.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from . import following, receipts, sending, timetable
from .audience import Directory, audience
from .contact import Contact
from .escalation import Escalation, Notification, Stage, State, StepReport
from .events import Command, Entry, LookNow, Moved, Tick, WriteNote
from .plan import OWNER
from .words import Words

NOTE_AT_LATEST = timedelta(seconds=30)
FORWARD_AT_MOST_EVERY = timedelta(minutes=1)
AGAIN_AT_MOST_EVERY = timedelta(seconds=1)
BROUGHT_FORWARD = Words("Nobody could be reached in any way: the next step is brought forward.")


def tick(escalation: Escalation, event: Tick, now: datetime) -> Moved:
    """Does all that is due. Returns the same escalation and no command when nothing is."""
    commands: list[Command] = []
    moved, ended = receipts.waited_long_enough(escalation, event.people.calls, now)
    commands += ended
    while timetable.may_fire(moved, now, event.read_at):
        moved, more = _advance(moved, event, now)
        commands += more
    if moved.new_owner_at is not None and moved.state is State.RUNNING:
        moved = _tell_new_owner(moved, event.people, now)
    moved = following.drop_unwanted(moved, now)
    if moved.state.climbing:
        moved = following.start_other_ways(moved, event.people, now)
    else:
        moved, more = following.hang_up(moved, event.people, now)
        commands += more
        if moved.clear_up_at is not None:
            moved = following.clear_up(moved, event.people, now)
    moved = _bring_forward(moved, now)
    moved, more = write_step_note(moved, now)
    commands += more
    if timetable.should_look(moved, now, event.read_at):
        moved = replace(moved, looked_at=now)
        commands.append(LookNow())
    if moved == escalation and not commands:
        return escalation, ()
    return moved, tuple(commands)


def _advance(escalation: Escalation, event: Tick, now: datetime) -> Moved:
    """One move of the timetable."""
    assert escalation.due_at is not None
    unread = event.read_at is None or event.read_at < now - timetable.FRESH
    remarks = (Words("The helpdesk did not answer before this step."),) if unread else ()
    match escalation.state:
        case State.HELD:
            return _hold_over(escalation, now)
        case State.WAITING:
            at_once = escalation.plan.steps[0].after == timedelta(0)  # then its lateness is that of the window's end
            base = escalation.due_at if at_once else timetable.base_after(escalation.due_at, now)
            first = timetable.step_due(escalation.plan, 1, base)
            return replace(
                escalation, state=State.RUNNING, due_at=first, looked_at=_looked_at(escalation, first, now)
            ), ()
        case State.RUNNING if timetable.over(escalation):
            return _nobody_came(escalation, event.people, now, remarks)
        case State.RUNNING:
            return _fire(escalation, event.people, now, remarks)
        case State.EXHAUSTED:
            return _tell_again(escalation, event.people, now)
        case State.ACKNOWLEDGED if escalation.asked_at is None:
            return _ask(escalation, event.people, now)
        case State.ACKNOWLEDGED:
            return _no_answer(escalation, now)
    return replace(escalation, due_at=None), ()


def _looked_at(escalation: Escalation, next_due: datetime, now: datetime) -> datetime | None:
    """The fresh look that was asked for serves what is due at the same time as well."""
    return escalation.looked_at if next_due <= now else None


def _fire(escalation: Escalation, people: Directory, now: datetime, remarks: tuple[Words, ...]) -> Moved:
    """The next step: everybody it names is told by all ways of `by` at once."""
    assert escalation.due_at is not None
    due = escalation.due_at
    escalation, before = write_step_note(escalation, now, whatever=True)
    next_round = escalation.step >= len(escalation.plan.steps)
    number = 1 if next_round else escalation.step + 1
    round = escalation.round + 1 if next_round else escalation.round
    step = escalation.plan.steps[number - 1]
    fired = replace(escalation, round=round, step=number, shown=True, new_owner_at=None)
    next_due = timetable.after_step(fired, number, timetable.base_after(due, now))
    first = escalation.first if (round, number) == (1, 1) and not escalation.shown else ""
    contacts = audience(step.notify, escalation.plan, escalation.owner, people, first)
    new = tuple(
        sending.spread(
            fired,
            contacts,
            step.by,
            people,
            now=now,
            due_at=due,
            otherwise=step.otherwise,
            retry_until=next_due,
        )
    )
    if due == escalation.brought_forward_at:
        remarks = (*remarks, Words("Brought forward, since the step before could reach nobody in any way."))
    lately = bool(contacts) and not new
    if lately:
        remarks = (*remarks, Words("Everybody here was told in these ways a moment ago, under another plan."))
    if not contacts:
        remarks = (*remarks, Words("This step reaches nobody."))
    fired = replace(
        fired,
        due_at=next_due,
        looked_at=_looked_at(escalation, next_due, now),
        updated_at=now,
        report=StepReport(round, number, now, now + NOTE_AT_LATEST, remarks, lately),
        notifications=(*_still_needed(escalation), *new),
    )
    late = max((now - due).total_seconds(), 0.0)
    came = Words(
        "step {step} of {steps}, round {round}: {names}",
        step=number,
        steps=len(escalation.plan.steps),
        round=round,
        names=_names(contacts),
    )
    return fired, (*before, Entry(now, "step", came, late_s=late))


def _names(contacts: Sequence[Contact]) -> str:
    return ", ".join(contact.name for contact in contacts) or Words("nobody")


def _still_needed(escalation: Escalation) -> tuple[Notification, ...]:
    """Notifications of earlier steps about which something may still have to be said or done.

    While the outcome of one is unknown all of them stay: its provider may hold messages of the others to the same
    person, and knows them apart only by the ids that stand here.
    """
    if any(n.unsure or n.stage is Stage.CLAIMED for n in escalation.notifications):
        return escalation.notifications
    return _with_what_arrived(escalation, {n.id for n in escalation.notifications if _open(n) or not n.noted})


def _open(notification: Notification) -> bool:
    return notification.stage is not Stage.ENDED


def _with_what_arrived(escalation: Escalation, ids: set[str]) -> tuple[Notification, ...]:
    """These, and what has arrived of the same steps: whom that reached needs no `else` way when another one fails."""
    steps = {(n.round, n.step, n.due_at) for n in escalation.notifications if n.id in ids}
    return tuple(
        n for n in escalation.notifications if n.id in ids or (n.arrived and (n.round, n.step, n.due_at) in steps)
    )


def _tell_new_owner(escalation: Escalation, people: Directory, now: datetime) -> Escalation:
    """Somebody was given the ticket while it runs: told at once, by the ways of the first step for owners."""
    at = escalation.new_owner_at
    assert at is not None
    escalation = replace(escalation, new_owner_at=None)
    step = next((step for step in escalation.plan.steps if OWNER in step.notify), None)
    if step is None or escalation.owner is None:
        return escalation
    new = tuple(
        sending.spread(
            escalation,
            audience((OWNER,), escalation.plan, escalation.owner, people),
            step.by,
            people,
            now=now,
            due_at=at,
            otherwise=step.otherwise,
            retry_until=escalation.due_at,
        )
    )
    known = {n.id for n in escalation.notifications}
    return replace(escalation, notifications=(*escalation.notifications, *(n for n in new if n.id not in known)))


def _nobody_came(escalation: Escalation, people: Directory, now: datetime, remarks: tuple[Words, ...]) -> Moved:
    escalation, before = write_step_note(escalation, now, whatever=True)
    exhausted = replace(escalation, state=State.EXHAUSTED, looked_at=None, shown=True, updated_at=now)
    told, entries = _tell_again(exhausted, people, now)
    told = replace(told, sequence=told.sequence + 1)
    entry = Entry(now, "exhausted", Words("nobody came"))
    return told, (*before, entry, *entries, WriteNote("exhausted", now, told, remarks=remarks))


def _tell_again(escalation: Escalation, people: Directory, now: datetime) -> Moved:
    """The people of `when_exhausted`, the first time at once, then again and again."""
    assert escalation.due_at is not None
    due, whom = escalation.due_at, escalation.plan.when_exhausted
    if whom is None:
        return replace(escalation, due_at=None, looked_at=None), ()
    next_due = timetable.base_after(due, now) + max(whom.every, AGAIN_AT_MOST_EVERY)
    contacts = audience(whom.notify, escalation.plan, escalation.owner, people)
    new = tuple(
        sending.spread(
            escalation,
            contacts,
            whom.by,
            people,
            now=now,
            due_at=due,
            purpose=sending.EXHAUSTED,
            retry_until=next_due,
        )
    )
    entry = Entry(now, "step", Words("told that nobody came: {names}", names=_names(contacts)))
    kept = _with_what_arrived(escalation, {n.id for n in escalation.notifications if _open(n)})
    return replace(escalation, due_at=next_due, looked_at=None, notifications=(*kept, *new)), (entry,)


def _hold_over(escalation: Escalation, now: datetime) -> Moved:
    """Held until now, and the ticket is still open: on where it was."""
    assert escalation.due_at is not None
    base = timetable.base_after(escalation.due_at, now)
    goes_on = timetable.go_on(escalation, base, timetable.AT_LEAST_AFTER_HOLD)
    goes_on = replace(goes_on, updated_at=now, sequence=goes_on.sequence + goes_on.shown)
    entry = Entry(now, "held", Words("the time it was held for is over"))
    note = (WriteNote("goes-on", now, goes_on, remarks=(Words("The time it was put off to has come."),)),)
    return goes_on, (entry, *(note if goes_on.shown else ()))


def _ask(escalation: Escalation, people: Directory, now: datetime) -> Moved:
    """Nothing was done on the ticket for long: who has it is asked before anybody is called out of bed again."""
    asked = replace(
        escalation,
        asked_at=now,
        due_at=now + timetable.ANSWER_WITHIN,
        looked_at=None,
        shown=True,
        updated_at=now,
        sequence=escalation.sequence + 1,
    )
    asked = following.ask_holder(asked, people, now)
    who = _holder(escalation)
    entry = Entry(now, "acknowledged", Words("by {who}: still on it?", who=who))
    return asked, (entry, WriteNote("still-on-it", now, asked, who=who))


def _no_answer(escalation: Escalation, now: datetime) -> Moved:
    """Nobody says that they are on it: from the first step again."""
    assert escalation.due_at is not None
    base = timetable.base_after(escalation.due_at, now)
    on = timetable.start_over(escalation, escalation.plan, base, window=False)
    on = replace(on, updated_at=now, sequence=on.sequence + 1)
    who = _holder(escalation)
    entry = Entry(now, "handed_over", Words("{who} did not answer: it goes on from step 1", who=who))
    said = Words("{who} did not answer: it goes on from step 1.", who=who)
    return on, (entry, WriteNote("goes-on", now, on, remarks=(said,)))


def _holder(escalation: Escalation) -> str:
    current = escalation.acknowledged
    return current.who if current is not None else ""


def _bring_forward(escalation: Escalation, now: datetime) -> Escalation:
    """The next step now, when every way of everybody in this one failed for good; one a minute at the most."""
    report, due = escalation.report, escalation.due_at
    if due is None or escalation.state is not State.RUNNING or timetable.over(escalation):
        return escalation
    of_step = following.of_step(escalation, escalation.round, escalation.step)
    if any(not (n.stage is Stage.ENDED and n.permanent) or n.otherwise for n in of_step):
        return escalation
    if not of_step and (report is None or report.lately):
        return escalation
    last = escalation.brought_forward_at
    at = now if last is None else max(now, last + FORWARD_AT_MOST_EVERY)
    if at >= due:
        return escalation
    if report is not None:
        report = replace(report, remarks=(*report.remarks, BROUGHT_FORWARD), write_at=now)
    return replace(escalation, due_at=at, looked_at=None, brought_forward_at=at, report=report)


def write_step_note(escalation: Escalation, now: datetime, whatever: bool = False) -> Moved:
    """The fired step's note, once all its ways have an outcome, at the latest after 30 s.

    `whatever`: now, because something else has happened; then what would have come next is left out.
    """
    report = escalation.report
    if report is None:
        return escalation, ()
    of_step = following.of_step(escalation, report.round, report.step)
    waiting = any(n.stage is not Stage.ENDED for n in of_step)
    if waiting and now < report.write_at and not whatever:
        return escalation, ()
    to_say = tuple(n for n in escalation.notifications if not n.noted and (n in of_step or n.stage is Stage.ENDED))
    said = tuple(
        replace(n, noted=True) if n in to_say and n.stage is Stage.ENDED else n for n in escalation.notifications
    )
    first = (report.round, report.step) == (1, 1)
    if escalation.plan.notes == "milestones" and not first:
        return replace(escalation, report=None, notifications=said), ()
    written = replace(escalation, report=None, notifications=said, sequence=escalation.sequence + 1)
    as_told = replace(written, report=report, due_at=None if whatever else written.due_at)
    note = WriteNote("step", now, as_told, to_say, report.remarks)
    return written, (note,)
