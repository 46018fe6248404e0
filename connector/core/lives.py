"""How an escalation begins, changes its plan, ends and lives again."""

from dataclasses import replace
from datetime import datetime

from . import following, timetable
from .climbing import write_step_note
from .code import code_of
from .contact import key_of_login
from .escalation import Acknowledgement, Escalation, State
from .events import (
    CLOSED,
    DELETED,
    Acknowledge,
    Begun,
    Closed,
    CustomerWrote,
    Entry,
    Moved,
    MovedHere,
    PlanApplies,
    Raised,
    Reopened,
    Worked,
    WriteNote,
)
from .plan import Plan
from .taking import end_sending, name_of
from .ticket import Actor, Person, Role
from .words import NOTHING, Words


def begin(
    ticket_id: str,
    plan: Plan,
    at: datetime,
    *,
    life: int = 1,
    owner: Person | None = None,
    first: str = "",
    reason: Words = NOTHING,
) -> Moved:
    """A new escalation whose window starts at `at`. The ticket shows nothing of it yet."""
    escalation = Escalation(
        code=code_of(ticket_id, life),
        ticket_id=ticket_id,
        life=life,
        plan=plan,
        state=State.WAITING,
        created_at=at,
        updated_at=at,
        due_at=at + plan.respond_within,
        owner=owner,
        first=first,
    )
    name = plan.name
    words = Words("plan {plan}: {reason}", plan=name, reason=reason) if reason else Words("plan {plan}", plan=name)
    return escalation, (Begun(escalation.code), Entry(at, "created", words))


def plan_changed(escalation: Escalation, event: PlanApplies, now: datetime) -> Moved:
    """Another plan, or none, applies to a live escalation."""
    if event.plan is None:
        return _no_plan(escalation, event, now)
    if event.plan.name == escalation.plan.name:
        return escalation, ()
    who, old = name_of(event.by), escalation.plan.name
    words = Words("plan {plan} instead of {old}, changed by {who}", plan=event.plan.name, old=old, who=who)
    entry = Entry(event.at, "plan_changed", words)
    if not escalation.state.climbing:
        return _changed_while_taken(escalation, event.plan, event.at, now), (entry,)
    escalation, commands = write_step_note(escalation, now, whatever=True)
    parked = timetable.park(escalation, event.at)
    stands = timetable.unpark(escalation, event.plan, event.at)
    changed = stands if stands is not None else timetable.start_over(escalation, event.plan, event.at)
    changed = replace(changed, parked=parked, updated_at=now, sequence=changed.sequence + changed.shown)
    changed = following.drop_unsent(changed, now, Words("not sent: the plan changed"))
    note = WriteNote("plan-changed", event.at, changed, remarks=(Words("Changed by {who}.", who=who),))
    return changed, (*commands, entry, *((note,) if changed.shown else ()))


def _changed_while_taken(escalation: Escalation, plan: Plan, at: datetime, now: datetime) -> Escalation:
    """Somebody has it: it stays so, and would go on under the new plan, or where that one stood a short while ago."""
    parked = timetable.parked_lately(escalation, plan, at)
    back, round, step, left = (
        (parked.state, parked.round, parked.step, parked.left)
        if parked is not None
        else (State.WAITING, 1, 0, plan.respond_within)
    )
    current = escalation.acknowledged
    if current is not None and current.provisional:
        left += at - current.at  # taking it back counts from the lock, the new plan from its change
    return replace(
        escalation,
        plan=plan,
        back=back,
        round=round,
        step=step,
        left=left,
        parked=timetable.park(escalation, at),
        updated_at=now,
    )


def _no_plan(escalation: Escalation, event: PlanApplies, now: datetime) -> Moved:
    escalation, commands = write_step_note(escalation, now, whatever=True)
    gone = end_sending(timetable.pause(escalation, event.at), now, Words("not sent: no plan applies"))
    gone = replace(
        gone,
        state=State.CANCELLED,
        due_at=None,
        looked_at=None,
        ended_at=event.at,
        ended_by=event.by,
        updated_at=now,
    )
    gone = replace(gone, sequence=gone.sequence + gone.shown)
    who = name_of(event.by)
    entry = Entry(event.at, "cancelled", Words("no plan applies any more, changed by {who}", who=who))
    said = Words("No plan applies any more, changed by {who}.", who=who)
    note = WriteNote("cancelled", event.at, gone, remarks=(said,))
    return gone, (*commands, entry, *((note,) if gone.shown else ()))


def plan_applies_again(escalation: Escalation, event: PlanApplies, now: datetime) -> Moved:
    """A plan applies to a cancelled escalation: soon and it goes on where it was, else a new life begins.

    One that a person stopped stays stopped while its own plan goes on applying.
    """
    plan, ended = event.plan, escalation.ended_at
    if plan is None:
        return (replace(escalation, stopped=False) if escalation.stopped else escalation), ()
    if escalation.stopped and plan.name == escalation.plan.name:
        return escalation, ()
    if escalation.stopped or ended is None or event.at - ended >= timetable.GOES_ON_WITHIN:
        return next_life(escalation, plan, event.at, event.reason)
    if plan.name != escalation.plan.name:
        return plan_changed(_revived(escalation, event.at), event, now)
    if escalation.acknowledged is not None:
        return replace(_revived(escalation, event.at), updated_at=now), (
            Entry(
                event.at, "plan_changed", Words("plan {plan} applies again; it is still acknowledged", plan=plan.name)
            ),
        )
    again = _revived(escalation, event.at)
    again = replace(again, updated_at=now, sequence=again.sequence + again.shown)
    who = name_of(event.by)
    words = Words("plan {plan} applies again, changed by {who}", plan=plan.name, who=who)
    said = Words("Plan {plan} applies again, changed by {who}.", plan=plan.name, who=who)
    note = WriteNote("goes-on", event.at, again, remarks=(said,))
    return again, (Entry(event.at, "plan_changed", words), *((note,) if again.shown else ()))


def _revived(escalation: Escalation, at: datetime) -> Escalation:
    """An ended escalation as it stood before: with the person who had it, or climbing on where it was."""
    stands = escalation
    if stands.acknowledged is not None:
        stands = timetable.await_work(timetable.taken_again(stands), at)
    else:
        stands = timetable.go_on(stands, at)
    return replace(stands, ended_at=None, ended_by=None, waits_for_work=False)


def next_life(escalation: Escalation, plan: Plan, at: datetime, reason: Words) -> Moved:
    """A new window under a new code; who acknowledged last is told first."""
    last = escalation.acknowledged
    first = (last.key or (key_of_login(last.by.login) if last.by.login else "")) if last else escalation.first
    new, commands = begin(
        escalation.ticket_id,
        plan,
        at,
        life=escalation.life + 1,
        owner=escalation.owner,
        first=first,
        reason=reason,
    )
    return new, commands


def closed(escalation: Escalation, event: Closed, now: datetime) -> Moved:
    """The ticket is done. A person who closes it has acknowledged; a customer hasn't."""
    escalation, commands = write_step_note(escalation, now, whatever=True)
    climbing = escalation.state.climbing
    done = timetable.pause(escalation, event.at)
    if climbing:
        done = end_sending(done, now, Words("not sent: the ticket is closed"), but=event.by.login)
        if event.by.role is Role.PERSON and event.how == CLOSED:
            done = replace(done, acknowledged=Acknowledgement(event.by, event.at, "close"))
    done = replace(
        done,
        state=State.RESOLVED,
        due_at=None,
        looked_at=None,
        ended_at=event.at,
        ended_by=event.by,
        waits_for_work=False,
        updated_at=now,
    )
    done = replace(done, sequence=done.sequence + done.shown)
    said = Words("Ticket {how}.", how=event.how)
    note = WriteNote("closed", event.at, done, who=name_of(event.by), remarks=(said,))
    return done, (*commands, _ended(event), *((note,) if done.shown and event.how != DELETED else ()))


def closed_again(escalation: Escalation, event: Closed, now: datetime) -> Moved:
    """Only an automatic reply had reopened it, and it is closed once more."""
    if not escalation.waits_for_work:
        return escalation, ()
    closed = replace(escalation, waits_for_work=False, updated_at=now)
    if escalation.state is State.RESOLVED:
        closed = replace(closed, ended_at=event.at, ended_by=event.by)
        if event.by.role is Role.PERSON and event.how == CLOSED:
            closed = replace(closed, acknowledged=Acknowledgement(event.by, event.at, "close"), held_until=None)
    return closed, (_ended(event),)


def _ended(event: Closed) -> Entry:
    return Entry(event.at, "resolved", Words("{how} by {who}", how=event.how, who=name_of(event.by)))


def reopened(escalation: Escalation, event: Reopened, now: datetime) -> Moved:
    """Soon after closing the old escalation stands; later a new window starts; an automatic reply does nothing yet."""
    if event.plan is None or event.plan.reopened == "ignore":
        return escalation, ()
    if event.automatic:
        return (escalation if escalation.waits_for_work else replace(escalation, waits_for_work=True)), ()
    if event.by.role is Role.PERSON:
        return _taken_by_reopening(escalation, event.plan, event.by, event.at, now)
    ended = escalation.ended_at
    soon = ended is not None and event.at - ended <= escalation.plan.reopened_within
    if escalation.state is State.CANCELLED or not soon:
        return next_life(replace(escalation, owner=event.owner), event.plan, event.at, Words("reopened"))
    who = name_of(event.by)
    entry = Entry(event.at, "created", Words("reopened by {who} soon after it was closed", who=who))
    said = Words("Reopened by {who} soon after it was closed.", who=who)
    on = replace(_revived(escalation, event.at), updated_at=now)
    on = replace(on, sequence=on.sequence + on.shown)
    note = WriteNote("goes-on", event.at, on, remarks=(said,))
    return on, (entry, *((note,) if on.shown else ()))


def _taken_by_reopening(escalation: Escalation, plan: Plan, by: Actor, at: datetime, now: datetime) -> Moved:
    """An agent who reopens a ticket has it."""
    taken = replace(
        escalation,
        plan=plan,
        state=State.ACKNOWLEDGED,
        acknowledged=Acknowledgement(by, at, "reopened"),
        held_until=None,
        ended_at=None,
        ended_by=None,
        stopped=False,
        waits_for_work=False,
        back=State.WAITING,
        left=plan.respond_within,
        round=1,
        step=0,
        updated_at=now,
    )
    taken = timetable.await_work(taken, at)
    taken = replace(taken, sequence=taken.sequence + taken.shown)
    note = WriteNote("acknowledged", at, taken, who=name_of(by))
    entry = Entry(at, "acknowledged", Words("reopened and so taken by {who}", who=name_of(by)))
    return taken, (entry, *((note,) if taken.shown else ()))


def written_for_real(escalation: Escalation, event: CustomerWrote, now: datetime) -> Moved:
    """After an automatic reply had reopened the ticket, the customer writes."""
    if not escalation.waits_for_work:
        return escalation, ()
    return reopened(escalation, Reopened(event.at, event.by, event.plan, owner=escalation.owner), now)


def worked_after_reopening(escalation: Escalation, event: Acknowledge | Worked, now: datetime) -> Moved:
    """After an automatic reply had reopened the ticket, an agent works on it."""
    if not escalation.waits_for_work or event.by.role is not Role.PERSON:
        return escalation, ()
    return _taken_by_reopening(escalation, escalation.plan, event.by, event.at, now)


def plan_applies_after_end(escalation: Escalation, event: PlanApplies, _now: datetime) -> Moved:
    """The ticket is open again without an escalation, and a matched field made a plan apply: a new life."""
    if event.plan is None:
        return escalation, ()
    return next_life(escalation, event.plan, event.at, event.reason)


def climb_once_more(escalation: Escalation, event: CustomerWrote | Raised, now: datetime) -> Moved:
    """Nobody had come, and it matters more now: from the first step again."""
    dropped = following.drop_unsent(escalation, now, Words("not sent: it climbs once more"))
    again = timetable.start_over(dropped, escalation.plan, event.at, window=False)
    wrote = isinstance(event, CustomerWrote)
    why = Words("The customer wrote again.") if wrote else Words("The priority was raised.")
    again = replace(again, sequence=again.sequence + 1, updated_at=now)
    return again, (Entry(event.at, "created", why), WriteNote("goes-on", event.at, again, remarks=(why,)))


def moved_here(escalation: Escalation, event: MovedHere, now: datetime) -> Moved:
    """Its ticket was merged into another one: it goes on there under its own code."""
    moved = replace(escalation, ticket_id=event.ticket_id, owner=event.owner, looked_at=None, updated_at=now)
    moved = replace(moved, sequence=moved.sequence + moved.shown)
    who = name_of(event.by)
    words = Words("merged by {who}: the escalation goes on here", who=who)
    said = Words("Merged by {who}: the escalation goes on here.", who=who)
    note = WriteNote("goes-on", event.at, moved, remarks=(said,))
    return moved, (Entry(event.at, "created", words), *((note,) if moved.shown else ()))
