"""What persons do to an escalation by working on its ticket: acknowledge, give back, hand over.

Exactly one acknowledgement wins: whoever comes second finds it acknowledged and changes nothing but, inside the
helpdesk, who has the ticket.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from . import following, timetable
from .climbing import write_step_note
from .escalation import Acknowledgement, Assigned, Escalation, State
from .events import (
    Acknowledge,
    Entry,
    GroupSet,
    Moved,
    OwnerSet,
    SetOwner,
    Unlocked,
    Worked,
    WriteNote,
)
from .ticket import Actor, Person, Role
from .words import Words

SCREEN_KEEPS_OLD_OWNER = timedelta(minutes=15)


def acknowledge(escalation: Escalation, event: Acknowledge, now: datetime) -> Moved:
    """A person has it: the clock stops, nothing more is begun, and those who were told hear of it quietly."""
    escalation, commands = write_step_note(escalation, now, whatever=True)
    silent = not escalation.shown
    taken = timetable.pause(escalation, event.at)
    taken = replace(
        taken,
        state=State.HELD if event.until else State.ACKNOWLEDGED,
        acknowledged=Acknowledgement(event.by, event.at, event.via, event.key, event.provisional, event.lasts),
        held_until=event.until,
        due_at=event.until,
        looked_at=None,
        new_owner_at=None,
        updated_at=now,
    )
    taken = timetable.await_work(taken, event.at)
    assign = event.by.login if event.outside and escalation.owner is None else ""
    if assign:
        taken = replace(taken, assigned=Assigned(assign, "", now))
    taken = end_sending(taken, now, Words("not sent: acknowledged"), but=event.key or event.by.login)
    by = Words("by {who} ({way})", who=name_of(event.by), way=Words(event.via))
    entries = [Entry(event.at, "acknowledged", by, contact=event.key)]
    if event.until is not None:
        entries.append(_held_entry(event))
    if silent:
        return taken, (*commands, *entries, *((SetOwner(assign),) if assign else ()))
    taken = replace(taken, sequence=taken.sequence + 1)
    note = WriteNote("acknowledged", event.at, taken, who=name_of(event.by), assign=assign)
    return taken, (*commands, *entries, note)


def _held_entry(event: Acknowledge) -> Entry:
    assert event.until is not None
    until = f"{event.until:%Y-%m-%d %H:%M}"
    return Entry(event.at, "held", Words("until {until} UTC by {who}", until=until, who=name_of(event.by)))


def end_sending(escalation: Escalation, now: datetime, why: Words, but: str = "") -> Escalation:
    """Begins nothing more; the next tick clears up: a quiet all-clear for those told, a ringing call is hung up."""
    return replace(following.drop_unsent(escalation, now, why), clear_up_at=now, clear_up_but=but, new_owner_at=None)


def acknowledge_again(escalation: Escalation, event: Acknowledge, now: datetime) -> Moved:
    """Somebody has it already: their work makes a provisional lock firm, a colleague in the helpdesk takes it over."""
    current = escalation.acknowledged
    assert current is not None
    if event.outside and event.until is not None and not has_it(current, event.by, event.key):
        return escalation, ()  # nobody puts off from outside what somebody else has
    if event.until is not None and event.until != escalation.held_until:
        return _hold(escalation, event, current, now)
    if _ends_hold(escalation, event, current):
        return _taken_over(timetable.end_hold(escalation), event, now, tell=True)
    if has_it(current, event.by, event.key):
        mine = replace(current, lasts=event.lasts or current.lasts)
        stands = escalation if mine == current else replace(escalation, acknowledged=mine)
        yes = Words("by {who} ({way}): still on it", who=name_of(event.by), way=Words(event.via))
        entry = Entry(event.at, "acknowledged", yes, contact=event.key)
        said = (entry,) if escalation.asked_at is not None else ()
        return timetable.await_work(_firm(stands, event.provisional, now), event.at), said
    if event.provisional and not current.provisional:
        return escalation, ()  # a form that locks when it opens takes nothing from who has it for certain
    if current.provisional and not event.provisional:
        return _taken_over(escalation, event, now, tell=True)
    if event.outside or event.via not in ("take", "lock"):
        return escalation, ()
    return _taken_over(escalation, event, now, tell=False)


def _ends_hold(escalation: Escalation, event: Acknowledge, current: Acknowledgement) -> bool:
    """Whether it is put off no longer: a colleague takes it, or anybody says in so many words that they have it.

    Who put it off and then makes themself the owner still wants to be reminded.
    """
    if escalation.state is not State.HELD or not event.ends_hold or _before_it(current, event.at):
        return False
    return event.via != "take" or not has_it(current, event.by)


def _taken_over(escalation: Escalation, event: Acknowledge, now: datetime, *, tell: bool) -> Moved:
    """Somebody else has it now. `tell`: the ticket says something else: only a form's lock, or put off until a time."""
    current = escalation.acknowledged
    mine = current is not None and has_it(current, event.by, event.key)
    over = Acknowledgement(event.by, event.at, event.via, event.key, event.provisional, event.lasts)
    taken = timetable.await_work(replace(escalation, acknowledged=over, updated_at=now), event.at)
    who, way = name_of(event.by), Words(event.via)
    by = Words("by {who} ({way})", who=who, way=way) if mine else Words("taken over by {who} ({way})", who=who, way=way)
    entry = Entry(event.at, "acknowledged", by, contact=event.key)
    if not (tell and taken.shown):
        return taken, (entry,)
    taken = replace(taken, sequence=taken.sequence + 1)
    return taken, (entry, WriteNote("acknowledged", event.at, taken, who=name_of(event.by)))


def _hold(escalation: Escalation, event: Acknowledge, current: Acknowledgement, now: datetime) -> Moved:
    """Put off until a time, or until another one; whoever only opened a form has worked now."""
    if current.provisional:
        mine = has_it(current, event.by, event.key)
        current = (
            replace(current, provisional=False) if mine else Acknowledgement(event.by, event.at, event.via, event.key)
        )
    held = replace(
        escalation,
        state=State.HELD,
        acknowledged=current,
        held_until=event.until,
        due_at=event.until,
        looked_at=None,
        updated_at=now,
    )
    held = replace(held, sequence=held.sequence + held.shown)
    note = WriteNote("held", event.at, held, who=name_of(event.by))
    return held, (_held_entry(event), *((note,) if held.shown else ()))


def _firm(escalation: Escalation, provisional: bool, now: datetime) -> Escalation:
    current = escalation.acknowledged
    if current is None or not current.provisional or provisional:
        return escalation
    return replace(escalation, acknowledged=replace(current, provisional=False), updated_at=now)


def worked(escalation: Escalation, event: Worked, now: datetime) -> Moved:
    """Work by who holds it makes a provisional acknowledgement firm; anybody's answers "still on it?"."""
    current = escalation.acknowledged
    if current is not None and same(event.by, current.by):
        escalation = _firm(escalation, False, now)
    return timetable.await_work(escalation, event.at), ()


def unlocked(escalation: Escalation, event: Unlocked, now: datetime) -> Moved:
    """Unlocked by the same agent without work: it was only an opened form, and the escalation goes on."""
    current = escalation.acknowledged
    if current is None or not current.provisional or not same(event.by, current.by):
        return escalation, ()
    if not _only_a_form(escalation, event.by, event.at):
        return _firm(escalation, False, now), ()
    return take_back(escalation, event.by, event.at, now)


def _only_a_form(escalation: Escalation, by: Actor, at: datetime) -> bool:
    """Whether the acknowledgement was only a form's lock, a short while ago, of the one who does this now."""
    current = escalation.acknowledged
    provisional = current is not None and current.provisional and same(by, current.by)
    return provisional and current is not None and at - current.at <= escalation.plan.lock_grace


def take_back(escalation: Escalation, by: Actor, at: datetime, now: datetime, to: str = "") -> Moved:
    """A provisional acknowledgement was none: on at the next step, at its own time. `to`: who was given the ticket."""
    current = escalation.acknowledged
    assert current is not None
    on = replace(timetable.go_on(escalation, current.at), updated_at=now)
    on = replace(on, sequence=on.sequence + on.shown)
    who = name_of(by)
    if to:
        kind, words = "handed-over", Words("to {to} by {who}", to=to, who=who)
        said = Words("Changed by {who}.", who=who)
    else:
        kind, words = "goes-on", Words("{who} locked the ticket and left it without work", who=who)
        said = Words("{who} locked the ticket and left it without work.", who=who)
    note = WriteNote(kind, at, on, remarks=(said,), who=to or who)
    return on, (Entry(at, "handed_over", words), *((note,) if on.shown else ()))


def note_owner(escalation: Escalation, event: OwnerSet, now: datetime) -> Moved:
    """While it climbs: assigning is no acknowledgement; a new owner is told at once when it runs."""
    was, owner = escalation.owner, event.owner
    if was == owner:
        return escalation, ()
    given = owner is not None and not _took(event) and not _same_person(was, owner)
    running = escalation.state is State.RUNNING and escalation.shown
    tell = given and running and not event.back and event.by.role is not Role.US
    return replace(
        escalation,
        owner=owner,
        new_owner_at=event.at if tell else escalation.new_owner_at,
        updated_at=now,
    ), ()


def remember_owner(escalation: Escalation, event: OwnerSet, _now: datetime) -> Moved:
    """Nothing follows from it, but whose ticket it is must be known when it goes on."""
    return (escalation if escalation.owner == event.owner else replace(escalation, owner=event.owner)), ()


def _took(event: OwnerSet) -> bool:
    """Whether the new owner made themself the owner."""
    owner = event.owner
    return owner is not None and bool(owner.id) and owner.id == event.by.id


def _same_person(one: Person | None, other: Person | None) -> bool:
    if one is None or other is None:
        return one is other
    return same(Actor(Role.PERSON, one.id, one.login), Actor(Role.PERSON, other.id, other.login))


def owner_changed(escalation: Escalation, event: OwnerSet, now: datetime) -> Moved:
    """While somebody has it: given to somebody else, or to nobody, ends the acknowledgement."""
    current, was = escalation.acknowledged, escalation.owner
    assert current is not None
    if _same_person(was, event.owner) or event.by.role is Role.US or _before_it(current, event.at):
        return remember_owner(escalation, event, now)
    if event.by.role is Role.CUSTOMER:
        return escalation, ((SetOwner(was.login),) if was is not None else ())
    if escalation.assigned is not None and escalation.assigned.again_at == event.at:
        return escalation, ()
    if _old_screen(escalation, event):
        assert escalation.assigned is not None
        again = replace(escalation, assigned=replace(escalation.assigned, again=True, again_at=event.at))
        return again, (SetOwner(escalation.assigned.login),)
    with_owner = replace(escalation, owner=event.owner)
    mine = event.owner is not None and event.owner.login.casefold() == current.by.login.casefold() != ""
    if mine or _took(event):
        return with_owner, ()
    if _only_a_form(escalation, event.by, event.at):
        return _form_gave_it_on(with_owner, event, now)
    if event.back and not current.provisional:
        return with_owner, ()
    return _hand_over(with_owner, event.owner.name if event.owner else Words("nobody"), event.by, event.at, now)


def _before_it(current: Acknowledgement, at: datetime) -> bool:
    """Whether what was saved at `at`, and is only read now, came before an acknowledgement from outside.

    That one stands in no history, which would put it in its place, and was taken in at once. Within the few seconds
    that two clocks may differ either may be taken for the earlier one: the person is on it as surely as a moment ago.
    """
    outside = bool(current.key) or not current.by.id
    return outside and at < current.at


def _form_gave_it_on(escalation: Escalation, event: OwnerSet, now: datetime) -> Moved:
    """A form that locked the ticket has given it to somebody, or was left."""
    to = event.owner.name if event.owner is not None and not event.back else ""
    on, commands = take_back(escalation, event.by, event.at, now, to)
    tell = to and on.state is State.RUNNING and on.shown
    return (replace(on, new_owner_at=event.at) if tell else on), commands


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
    if current is None or event.by.role in (Role.CUSTOMER, Role.US) or _before_it(current, event.at):
        return escalation, ()
    if _only_a_form(escalation, event.by, event.at):
        return take_back(escalation, event.by, event.at, now, Words("group {group}", group=event.group))
    return _hand_over(escalation, Words("group {group}", group=event.group), event.by, event.at, now)


def _hand_over(escalation: Escalation, to: str, by: Actor, at: datetime, now: datetime) -> Moved:
    handed = timetable.start_over(escalation, escalation.plan, at)
    handed = replace(handed, shown=True, sequence=handed.sequence + 1, assigned=None, updated_at=now)
    entry = Entry(at, "handed_over", Words("to {to} by {who}", to=to, who=name_of(by)))
    said = Words("Changed by {who}.", who=name_of(by))
    return handed, (entry, WriteNote("handed-over", at, handed, who=to, remarks=(said,)))


def has_it(current: Acknowledgement, by: Actor, key: str = "") -> bool:
    """Whether it is this person who has it: by the helpdesk's names, or as the contact `key`, whom it need not know."""
    return same(by, current.by) or bool(key and key == current.key)


def same(one: Actor, other: Actor) -> bool:
    return bool((one.id and one.id == other.id) or (one.login and one.login.casefold() == other.login.casefold()))


def name_of(actor: Actor) -> str:
    """How a note names who did it: Words, where it is more than a name."""
    name = actor.name or actor.login
    if actor.role is Role.SYSTEM:
        return Words("the helpdesk")
    if actor.role is Role.US:
        return "Escalator"
    if actor.role is Role.CUSTOMER:
        return Words("customer {name}", name=name) if name else Words("customer")
    return name or Words("agent {id}", id=actor.id)
