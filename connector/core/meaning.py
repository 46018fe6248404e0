"""What the changes in a ticket's history mean for its escalation.

A webhook is only a hint, so meaning comes from here alone: the history is folded, in the helpdesk's own order, into
events. What one change means depends on the escalation as it stood then: a note by somebody who has been told is an
acknowledgement, the same note by anybody else isn't. Hints in any order and number therefore end in the same state.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .commands import NoteCommand, Word, parse
from .escalation import Escalation
from .events import (
    Acknowledge,
    Closed,
    CustomerWrote,
    Event,
    GroupSet,
    OwnerSet,
    Raised,
    Reopened,
    Stop,
    Unlocked,
    Worked,
)
from .plan import Plan, Way
from .ticket import Actor, Change, Kind, Person, Phase, Role

SAME_SAVE = timedelta(seconds=1)
MOST_IN_A_SAVE = 100  # entries; each is judged by all others of its save, and a hostile history has thousands
PENDING_CLOSE_LATE = timedelta(minutes=20)  # Zammad looks for pending closes every 15 minutes
#: Within one save: matched fields and group first, then who has it, then what was written, then open or closed; last
#: the unlocking that goes with all forms that lock when they open.
_ORDER = {Kind.LOCK: 1, Kind.OWNER: 2, Kind.ACKNOWLEDGED: 3, Kind.ARTICLE: 4, Kind.STATE: 5, Kind.UNLOCK: 6}


@dataclass(frozen=True, slots=True)
class Asked:
    """A command in a note whose effect depends on more than the escalation: `/why`, `/escalate`, one not understood."""

    command: NoteCommand
    by: Actor
    at: datetime


def in_saves(changes: Sequence[Change]) -> Iterator[tuple[Change, ...]]:
    """The changes as people saved them: neighbours by one hand within a second, in a fixed order inside."""
    save: list[Change] = []
    for change in changes:
        another = save and (change.by.id != save[0].by.id or abs(change.at - save[0].at) > SAME_SAVE)
        if another or len(save) >= MOST_IN_A_SAVE:
            yield _ordered(save)
            save = []
        save.append(change)
    if save:
        yield _ordered(save)


def _ordered(save: list[Change]) -> tuple[Change, ...]:
    return tuple(sorted(save, key=lambda change: _ORDER.get(change.kind, 0)))


def meaning(
    change: Change, save: Sequence[Change], escalation: Escalation, plan: Plan | None, owner: Person | None
) -> tuple[Event | Asked, ...]:
    """The events of one change. `plan` is what applies to the ticket now, `owner` who owns it after the change."""
    if change.by.role is Role.US and change.kind is not Kind.OWNER:
        return ()
    if any(other.kind is Kind.MERGED or other.phase is Phase.MERGED for other in save):
        return ()  # a merge also takes the owner away; what becomes of the escalation is decided where it goes
    match change.kind:
        case Kind.OWNER:
            return _owner(change, save, escalation)
        case Kind.ARTICLE:
            return _article(change, save, escalation, plan)
        case Kind.STATE:
            return _state(change, save, escalation, plan, owner)
        case Kind.GROUP:
            return (GroupSet(change.after, change.at, change.by),)
        case Kind.PRIORITY if change.raised:
            return (Raised(change.at, change.by),)
    return _mark(change, save, escalation) if change.by.role is Role.PERSON else ()


def _mark(change: Change, save: Sequence[Change], escalation: Escalation) -> tuple[Event, ...]:
    """Locks and the helpdesk's own "Acknowledge escalation", by a person."""
    match change.kind:
        case Kind.LOCK if not change.at_creation and not _assigns(save):
            return _way(Way.LOCK, change, escalation, provisional=True)
        case Kind.UNLOCK:
            return (Unlocked(change.by, change.at),)
        case Kind.ACKNOWLEDGED if not change.at_creation:
            return _way(Way.NOTE, change, escalation, via="Acknowledge escalation", plainly=True)
    return ()


def _assigns(save: Sequence[Change]) -> bool:
    """Whether this save gives the ticket to somebody else than who saved it."""
    return any(c.kind is Kind.OWNER and (c.owner is None or c.owner.id != c.by.id) for c in save)


def _way(
    way: Way,
    change: Change,
    escalation: Escalation,
    *,
    provisional: bool = False,
    via: str = "",
    until: datetime | None = None,
    lasts: timedelta | None = None,
    plainly: bool = False,
) -> tuple[Event, ...]:
    if way not in escalation.plan.acknowledged_by:
        return (Worked(change.by, change.at),)
    how = via or way.value
    return (
        Acknowledge(change.by, change.at, how, provisional=provisional, until=until, lasts=lasts, ends_hold=plainly),
    )


def _owner(change: Change, save: Sequence[Change], escalation: Escalation) -> tuple[Event, ...]:
    took = (
        change.by.role is Role.PERSON
        and not change.at_creation
        and change.owner is not None
        and change.owner.id == change.by.id
    )
    alone = not any(other.kind is not Kind.OWNER for other in save)
    owner_set = OwnerSet(change.owner, change.at, change.by, alone, back=change.with_lock and not took)
    if not took:
        return (owner_set,)
    return (owner_set,) if change.with_lock else (*_way(Way.TAKE, change, escalation, plainly=True), owner_set)


def _article(
    change: Change, save: Sequence[Change], escalation: Escalation, plan: Plan | None
) -> tuple[Event | Asked, ...]:
    article = change.article
    if article is None or article.automatic or change.at_creation:
        return ()
    if change.by.role is Role.CUSTOMER:
        # a customer can run an agents' macro and so leave an internal note: that isn't a message
        return (CustomerWrote(change.at, change.by, plan),) if article.public else ()
    if change.by.role is not Role.PERSON:
        return ()
    if article.by_mail:
        wanted = Way.MAIL in escalation.plan.acknowledged_by
        return (Acknowledge(change.by, change.at, Way.MAIL.value),) if wanted else ()
    worked = (Worked(change.by, change.at),)
    if article.public:
        return (*_way(Way.REPLY, change, escalation), *worked) if article.reply else worked
    command = parse(article.first_line)
    if command is not None:
        return (*_commanded(command, change, escalation), *worked)
    concerned = _is_owner(change, escalation) or _was_told(change, escalation)
    return (*_way(Way.NOTE, change, escalation), *worked) if concerned and not _assigns(save) else worked


def _commanded(command: NoteCommand, change: Change, escalation: Escalation) -> tuple[Event | Asked, ...]:
    if command.problem:
        return (Asked(command, change.by, change.at),)
    match command.word:
        case Word.ACK:
            return _way(Way.NOTE, change, escalation, lasts=command.lasts, plainly=True)
        case Word.SNOOZE:
            assert command.lasts is not None
            until = change.at + min(command.lasts, escalation.plan.longest_snooze)
            return _way(Way.NOTE, change, escalation, via="snooze", until=until)
        case Word.STOP:
            return (Stop(change.by, change.at),)
    return (Asked(command, change.by, change.at),)


def _is_owner(change: Change, escalation: Escalation) -> bool:
    owner, by = escalation.owner, change.by
    if owner is None:
        return False
    return (bool(owner.id) and owner.id == by.id) or owner.login.casefold() == by.login.casefold() != ""


def _was_told(change: Change, escalation: Escalation) -> bool:
    login = change.by.login.casefold()
    return bool(login) and any(told.login.casefold() == login for told in escalation.told)


def _state(
    change: Change, save: Sequence[Change], escalation: Escalation, plan: Plan | None, owner: Person | None
) -> tuple[Event, ...]:
    was, now = change.phase_before, change.phase
    ended_before, ends = was is not None and was.ended, now is not None and now.ended
    if ends:
        return () if ended_before else (Closed(change.at, change.by),)
    if ended_before:
        automatic = any(c.article is not None and c.article.automatic for c in save)
        return (Reopened(change.at, change.by, plan, automatic, owner),)
    if change.by.role is not Role.PERSON:
        return ()
    if now in (Phase.PENDING, Phase.PENDING_CLOSE) and not change.at_creation:
        until = change.until
        if until is not None and now is Phase.PENDING_CLOSE:
            until += PENDING_CLOSE_LATE
        if Way.PENDING in escalation.plan.acknowledged_by:
            future = until if until is not None and until > change.at else None
            return (Acknowledge(change.by, change.at, Way.PENDING.value, until=future),)
    return (Worked(change.by, change.at),)
