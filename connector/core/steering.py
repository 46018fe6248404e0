"""What persons ask of an escalation: the next step now, another plan, silence."""

from dataclasses import replace
from datetime import datetime

from . import following, timetable
from .climbing import write_step_note
from .escalation import Escalation, State
from .events import Entry, Escalate, Moved, Stop, WriteNote
from .plan import Plan
from .taking import end_sending, name_of
from .words import Words


def escalate(escalation: Escalation, event: Escalate, now: datetime) -> Moved:
    """The next step now, whatever the state unless the event says otherwise; or the first one of another plan."""
    if event.while_climbing and not escalation.state.climbing:
        return escalation, ()
    if event.plan is not None and event.plan.name != escalation.plan.name:
        return _other_plan(escalation, event.plan, event, now)
    if escalation.state in (State.WAITING, State.RUNNING) and not timetable.over(escalation):
        on = replace(escalation, state=State.RUNNING, due_at=event.at, looked_at=None, updated_at=now)
    else:
        resumes = escalation.state in (State.ACKNOWLEDGED, State.HELD)
        stands = replace(escalation, state=escalation.back) if resumes else escalation
        if resumes and not timetable.over(stands):
            on = replace(timetable.go_on(escalation, now), state=State.RUNNING, due_at=event.at)
        else:
            on = timetable.start_over(escalation, escalation.plan, event.at, window=False)
        on = replace(on, stopped=False, ended_at=None, ended_by=None, waits_for_work=False, updated_at=now)
    on = replace(on, sequence=on.sequence + on.shown)
    who = name_of(event.by)
    entry = Entry(event.at, "operator", Words("{who} asked for the next step now", who=who))
    said = Words("{who} asked for the next step now.", who=who)
    note = WriteNote("goes-on", event.at, on, remarks=(said,), who=who)
    return on, (entry, *((note,) if on.shown else ()))


def _other_plan(escalation: Escalation, plan: Plan, event: Escalate, now: datetime) -> Moved:
    """A person chose it: its first step now, whatever was under way."""
    escalation, commands = write_step_note(escalation, now, whatever=True)
    dropped = following.drop_unsent(escalation, now, Words("not sent: another plan was started"))
    on = timetable.start_over(dropped, plan, event.at, window=False)
    on = replace(on, stopped=False, ended_at=None, ended_by=None, waits_for_work=False, updated_at=now)
    on = replace(on, sequence=on.sequence + on.shown)
    who = name_of(event.by)
    entry = Entry(event.at, "plan_changed", Words("{who} started plan {plan}", who=who, plan=plan.name))
    said = Words("{who} started plan {plan}.", who=who, plan=plan.name)
    note = WriteNote("plan-changed", event.at, on, remarks=(said,), who=who)
    return on, (*commands, entry, *((note,) if on.shown else ()))


def stop(escalation: Escalation, event: Stop, now: datetime) -> Moved:
    """Stopped by a person: silent until a matched field changes the plan, the ticket reopens, or somebody escalates."""
    escalation, commands = write_step_note(escalation, now, whatever=True)
    stopped = end_sending(timetable.pause(escalation, event.at), now, Words("not sent: stopped"))
    stopped = replace(
        stopped,
        state=State.CANCELLED,
        stopped=True,
        due_at=None,
        looked_at=None,
        ended_at=event.at,
        ended_by=event.by,
        updated_at=now,
    )
    stopped = replace(stopped, sequence=stopped.sequence + stopped.shown)
    who = name_of(event.by)
    entry = Entry(event.at, "cancelled", Words("stopped by {who}", who=who))
    note = WriteNote("cancelled", event.at, stopped, remarks=(Words("Stopped by {who}.", who=who),))
    return stopped, (*commands, entry, *((note,) if stopped.shown else ()))
