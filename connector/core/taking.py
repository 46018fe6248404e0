"""What persons do to an escalation: acknowledge, give back, hand over, ask for more, stop.

Exactly one acknowledgement wins: whoever comes second finds it acknowledged and changes nothing but, inside the
helpdesk, who has the ticket.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from . import sending, timetable
from .climbing import Moved, write_step_note
from .escalation import Acknowledgement, Assigned, Escalation, State
from .events import (
    Acknowledge,
    Entry,
    Escalate,
    GroupSet,
    OwnerSet,
    SetOwner,
    Stop,
    Unlocked,
    Worked,
    WriteNote,
)
from .ticket import Actor, Role

SCREEN_KEEPS_OLD_OWNER = timedelta(minutes=15)


def ignore(escalation: Escalation, _event: object, _now: datetime) -> Moved:
    """Nothing: the same object, no command."""
    return escalation, ()


def acknowledge(escalation: Escalation, event: Acknowledge, now: datetime) -> Moved:
    """A person has it: the clock stops, nothing more is begun, and those who were told hear of it quietly."""
    escalation, commands = write_step_note(escalation, now, whatever=True)
    silent = not escalation.shown
    taken = timetable.pause(escalation, event.at)
    taken = replace(
        taken,
        state=State.HELD if event.until else State.ACKNOWLEDGED,
        acknowledged=Acknowledgement(event.by, event.at, event.via, event.key, event.provisional),
        held_until=event.until,
        due_at=event.until,
        looked_at=None,
        new_owner_at=None,
        updated_at=now,
    )
    assign = event.by.login if event.outside and escalation.owner is None else ""
    if assign:
        taken = replace(taken, assigned=Assigned(assign, "", now))
    taken = end_sending(taken, now, "not sent: acknowledged", but=event.key or event.by.login)
    entry = Entry(event.at, "acknowledged", f"by {name_of(event.by)} ({event.via})", contact=event.key)
    if silent:
        return taken, (*commands, entry, *((SetOwner(assign),) if assign else ()))
    taken = replace(taken, sequence=taken.sequence + 1)
    note = WriteNote("acknowledged", event.at, taken, who=name_of(event.by), assign=assign)
    return taken, (*commands, entry, note)


def end_sending(escalation: Escalation, now: datetime, why: str, but: str = "") -> Escalation:
    """Begins nothing more; the next tick clears up: a quiet all-clear for those told, a ringing call is hung up."""
    return replace(sending.drop_unsent(escalation, now, why), clear_up_at=now, clear_up_but=but)


def acknowledge_again(escalation: Escalation, event: Acknowledge, now: datetime) -> Moved:
    """Somebody has it already: their work makes a provisional lock firm, a colleague in the helpdesk takes it over."""
    current = escalation.acknowledged
    assert current is not None
    if event.until is not None and event.until != escalation.held_until:
        held = replace(
            escalation, state=State.HELD, held_until=event.until, due_at=event.until, updated_at=now, looked_at=None
        )
        held = replace(held, sequence=held.sequence + held.shown)
        note = WriteNote("held", event.at, held, who=name_of(event.by))
        entry = Entry(event.at, "held", f"by {name_of(event.by)}")
        return held, (entry, *((note,) if held.shown else ()))
    if event.outside:
        return escalation, ()
    if same(event.by, current.by):
        return _firm(escalation, event.provisional, now), ()
    if event.via not in ("take", "lock"):
        return escalation, ()
    over = Acknowledgement(event.by, event.at, event.via, provisional=event.provisional)
    taken_over = replace(escalation, acknowledged=over, updated_at=now)
    return taken_over, (Entry(event.at, "acknowledged", f"taken over by {name_of(event.by)} ({event.via})"),)


def _firm(escalation: Escalation, provisional: bool, now: datetime) -> Escalation:
    current = escalation.acknowledged
    if current is None or not current.provisional or provisional:
        return escalation
    return replace(escalation, acknowledged=replace(current, provisional=False), updated_at=now)


def worked(escalation: Escalation, event: Worked, now: datetime) -> Moved:
    """Work by who holds it makes a provisional acknowledgement firm."""
    current = escalation.acknowledged
    if current is None or not same(event.by, current.by):
        return escalation, ()
    return _firm(escalation, False, now), ()


def unlocked(escalation: Escalation, event: Unlocked, now: datetime) -> Moved:
    """Unlocked by the same agent without work: it was only an opened form, and the escalation goes on."""
    current = escalation.acknowledged
    if current is None or not current.provisional or not same(event.by, current.by):
        return escalation, ()
    if event.at - current.at > escalation.plan.lock_grace:
        return _firm(escalation, False, now), ()
    return take_back(escalation, event.by, event.at, now)


def take_back(escalation: Escalation, by: Actor, at: datetime, now: datetime) -> Moved:
    """A provisional acknowledgement was none: on at the next step, at its own time."""
    current = escalation.acknowledged
    assert current is not None
    on = replace(timetable.go_on(escalation, current.at), updated_at=now)
    on = replace(on, sequence=on.sequence + on.shown)
    words = f"{name_of(by)} locked the ticket and left it without work"
    note = WriteNote("goes-on", at, on, remarks=(f"{words}.",), who=name_of(by))
    return on, (Entry(at, "handed_over", words), *((note,) if on.shown else ()))


def note_owner(escalation: Escalation, event: OwnerSet, now: datetime) -> Moved:
    """While it climbs: assigning is no acknowledgement; a new owner is told at once when it runs."""
    was, owner = escalation.owner, event.owner
    given = owner is not None and owner.id != event.by.id and (was is None or was.login != owner.login)
    tell = given and escalation.state is State.RUNNING and event.by.role is not Role.US
    return replace(
        escalation,
        owner=event.owner,
        new_owner_at=event.at if tell else escalation.new_owner_at,
        updated_at=now,
    ), ()


def owner_changed(escalation: Escalation, event: OwnerSet, now: datetime) -> Moved:
    """While somebody has it: given to somebody else, or to nobody, ends the acknowledgement."""
    current, was = escalation.acknowledged, escalation.owner
    assert current is not None
    if event.by.role is Role.US:
        return replace(escalation, owner=event.owner), ()
    if event.by.role is Role.CUSTOMER:
        return escalation, ((SetOwner(was.login),) if was is not None else ())
    if _old_screen(escalation, event):
        assert escalation.assigned is not None
        again = replace(escalation, assigned=replace(escalation.assigned, again=True))
        return again, (SetOwner(escalation.assigned.login),)
    with_owner = replace(escalation, owner=event.owner)
    if event.owner is not None and event.owner.login == current.by.login:
        return with_owner, ()
    if current.provisional and same(event.by, current.by):
        on, commands = take_back(with_owner, event.by, event.at, now)
        return replace(on, new_owner_at=event.at if event.owner and on.state is State.RUNNING else None), commands
    return _hand_over(with_owner, event.owner.name if event.owner else "nobody", event.by, event.at, now)


def _old_screen(escalation: Escalation, event: OwnerSet) -> bool:
    """A screen opened before we set the owner has written its whole form back: no handover."""
    ours, current = escalation.assigned, escalation.acknowledged
    if ours is None or ours.again or event.at - ours.at > SCREEN_KEEPS_OLD_OWNER or current is None:
        return False
    login = event.owner.login if event.owner else ""
    return login == ours.before and (same(event.by, current.by) or not event.alone)


def group_changed(escalation: Escalation, event: GroupSet, now: datetime) -> Moved:
    """Another group has it now: whoever acknowledged is no longer the one."""
    current = escalation.acknowledged
    if event.by.role not in (Role.PERSON, Role.SYSTEM):
        return escalation, ()
    if current is not None and current.provisional and same(event.by, current.by):
        return take_back(escalation, event.by, event.at, now)
    return _hand_over(escalation, f"group {event.group}", event.by, event.at, now)


def _hand_over(escalation: Escalation, to: str, by: Actor, at: datetime, now: datetime) -> Moved:
    handed = timetable.start_over(escalation, escalation.plan, at)
    handed = replace(handed, shown=True, sequence=handed.sequence + 1, assigned=None, updated_at=now)
    entry = Entry(at, "handed_over", f"to {to} by {name_of(by)}")
    return handed, (entry, WriteNote("handed-over", at, handed, who=to, remarks=(f"Changed by {name_of(by)}.",)))


def escalate(escalation: Escalation, event: Escalate, now: datetime) -> Moved:
    """The next step now, whatever the state."""
    if escalation.state in (State.WAITING, State.RUNNING) and not timetable.over(escalation):
        on = replace(escalation, state=State.RUNNING, due_at=event.at, looked_at=None, updated_at=now)
    else:
        resumes = escalation.state in (State.ACKNOWLEDGED, State.HELD)
        stands = replace(escalation, state=escalation.back) if resumes else escalation
        if resumes and not timetable.over(stands):
            on = replace(timetable.go_on(escalation, now), state=State.RUNNING, due_at=event.at)
        else:
            on = timetable.start_over(escalation, escalation.plan, event.at, window=False)
        on = replace(on, stopped=False, ended_at=None, ended_by=None, updated_at=now)
    on = replace(on, sequence=on.sequence + on.shown)
    words = f"{name_of(event.by)} asked for the next step now"
    note = WriteNote("goes-on", event.at, on, remarks=(f"{words}.",), who=name_of(event.by))
    return on, (Entry(event.at, "operator", words), *((note,) if on.shown else ()))


def stop(escalation: Escalation, event: Stop, now: datetime) -> Moved:
    """Stopped by a person: silent until a matched field changes the plan, the ticket reopens, or somebody escalates."""
    escalation, commands = write_step_note(escalation, now, whatever=True)
    stopped = end_sending(timetable.pause(escalation, event.at), now, "not sent: stopped")
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
    words = f"stopped by {name_of(event.by)}"
    note = WriteNote("cancelled", event.at, stopped, remarks=(f"{words[0].upper()}{words[1:]}.",))
    return stopped, (*commands, Entry(event.at, "cancelled", words), *((note,) if stopped.shown else ()))


def same(one: Actor, other: Actor) -> bool:
    return bool((one.id and one.id == other.id) or (one.login and one.login == other.login))


def name_of(actor: Actor) -> str:
    """How a note names who did it."""
    if actor.role is Role.SYSTEM:
        return "the helpdesk"
    if actor.role is Role.US:
        return "Escalator"
    if actor.role is Role.CUSTOMER:
        return f"customer {actor.name or actor.login}".strip()
    return actor.name or actor.login or f"agent {actor.id}"
