"""What follows from notifications: other ways when none arrived, a quiet question, clearing up when it is over."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from .audience import Directory
from .contact import Contact, login_in_key
from .escalation import Escalation, Notification, Stage, Told
from .sending import (
    ALL_CLEAR,
    ASKING,
    HANG_UP,
    STEP,
    STILL_ON_IT,
    Recorded,
    entries_of,
    find,
    plan_notification,
    spread,
    wanted,
)
from .words import Words

ALL_CLEAR_WITHIN = timedelta(minutes=5)


# --- other ways ------------------------------------------------------------------------------------------------------


def start_other_ways(escalation: Escalation, people: Directory, now: datetime) -> Escalation:
    """Plans the next `else` way for everybody whom no way so far has reached."""
    for step in _steps(escalation.notifications):
        unreached: dict[tuple[int, tuple[str, ...]], list[Contact]] = {}
        tried: set[str] = set()
        for key in _keys(step):
            theirs = [n for n in step if key == n.person or key in n.people]
            rank = max(n.rank for n in theirs)
            latest = [n for n in theirs if n.rank == rank]
            ways = next((n.otherwise for n in latest if n.otherwise), ())
            if ways and all(_failing(n) for n in latest) and not any(n.arrived for n in theirs):
                unreached.setdefault((rank, ways), []).append(_contact(key, theirs[0], people))
                tried |= {n.id for n in latest}
        for (rank, ways), contacts in unreached.items():
            new = _next_way(escalation, contacts, ways, people, now, rank + 1, step[0])
            kept = tuple(replace(n, otherwise=()) if n.id in tried else n for n in escalation.notifications)
            escalation = replace(escalation, notifications=(*kept, *new))
    return escalation


def _next_way(
    escalation: Escalation,
    contacts: list[Contact],
    ways: tuple[str, ...],
    people: Directory,
    now: datetime,
    rank: int,
    like: Notification,
) -> tuple[Notification, ...]:
    """The first of `ways` that may be used on these people now."""
    stands = replace(escalation, round=like.round, step=like.step)
    for place, way in enumerate(ways):
        new = tuple(
            n
            for n in spread(
                stands,
                contacts,
                (way,),
                people,
                now=now,
                due_at=like.due_at,
                rank=rank,
                otherwise=ways[place + 1 :],
                retry_until=like.retry_until,
            )
            if find(escalation, n.id) is None
        )
        if new:
            return new
    return ()


def _failing(notification: Notification) -> bool:
    """Not arrived, or failed twice and still being tried."""
    if notification.stage is Stage.ENDED:
        return not notification.arrived
    trying = notification.stage in (Stage.PLANNED, Stage.CLAIMED)
    tries = notification.attempts - notification.rings - (notification.stage is Stage.CLAIMED)
    return trying and tries >= 2


def _steps(notifications: tuple[Notification, ...]) -> Iterator[list[Notification]]:
    """Notifications that one step (or one new owner) brought about, as long as they are wanted."""
    steps: dict[tuple[int, int, datetime], list[Notification]] = {}
    for notification in notifications:
        if notification.purpose == STEP and not notification.dropped:
            which = (notification.round, notification.step, notification.due_at)
            steps.setdefault(which, []).append(notification)
    yield from steps.values()


def _keys(step: list[Notification]) -> Iterator[str]:
    """Everybody these notifications are for, each once."""
    yield from dict.fromkeys(key for n in step for key in (n.people or (n.person,)))


def _contact(key: str, notification: Notification, people: Directory) -> Contact:
    """Who is behind a key today, or at least under which name and login they were told."""
    login = login_in_key(key)
    return people.contacts.get(key) or Contact(key=key, name=notification.name, login=login)


def of_step(escalation: Escalation, round: int, step: int) -> tuple[Notification, ...]:
    """The notifications of one step that are still wanted."""
    return tuple(
        n
        for n in escalation.notifications
        if (n.round, n.step) == (round, step) and n.purpose in ASKING and not n.dropped
    )


# --- while somebody has it -------------------------------------------------------------------------------------------


def ask_holder(escalation: Escalation, people: Directory, now: datetime) -> Escalation:
    """The question whether they are still on it, to who has it alone, by every way that can be quiet.

    Somebody whom the config doesn't list can't be reached quietly: for them the note has to do.
    """
    current = escalation.acknowledged
    if current is None or escalation.asked_at is None:
        return escalation
    contact = people.contacts.get(current.key) or people.by_login(current.by.login)
    ways = sorted(people.quiet - people.shared) if contact is not None else ()
    new = tuple(
        plan_notification(
            escalation,
            contact,
            channel,
            now=now,
            due_at=escalation.asked_at,
            purpose=STILL_ON_IT,
            retry_until=escalation.due_at,
        )
        for channel in ways
    )
    kept = tuple(n for n in escalation.notifications if n.purpose != STILL_ON_IT or n.stage is not Stage.ENDED)
    return replace(escalation, notifications=(*kept, *new))


#: What nobody is to hear any more once it goes on, or is answered; asking somebody to come is dropped with its step.
_NOT_SENT = {ALL_CLEAR: Words("not sent: it goes on"), STILL_ON_IT: Words("not sent: no longer asked")}


def drop_unwanted(escalation: Escalation, now: datetime) -> Escalation:
    """No all-clear while it climbs, and no question that was answered, or asked in vain."""

    def dropped(notification: Notification) -> Notification:
        why = _NOT_SENT.get(notification.purpose)
        if why is None or wanted(escalation, notification):
            return notification
        if notification.stage is Stage.PLANNED:
            return replace(notification, stage=Stage.ENDED, at=now, outcome=why)
        return replace(notification, dropped=True) if notification.stage is Stage.CLAIMED else notification

    left = tuple(dropped(n) for n in escalation.notifications)
    return escalation if left == escalation.notifications else replace(escalation, notifications=left)


# --- when it is over -------------------------------------------------------------------------------------------------


def drop_unsent(escalation: Escalation, now: datetime, why: Words) -> Escalation:
    """Nothing more is begun: what is planned ends here, what is under way is left to itself."""

    def dropped(notification: Notification) -> Notification:
        if notification.purpose not in ASKING:
            return notification
        left = replace(notification, otherwise=(), dropped=True)
        if notification.stage is Stage.PLANNED and notification.unsure:
            return replace(left, stage=Stage.CLAIMED, at=now)  # as if its sender had never come back
        if notification.stage is Stage.PLANNED and notification.rings:
            return replace(left, stage=Stage.SENT, at=now)  # it has rung, and nobody answered: the history says so
        if notification.stage is Stage.PLANNED:
            return replace(left, stage=Stage.ENDED, at=now, outcome=why, noted=True)
        return left

    return replace(escalation, notifications=tuple(dropped(n) for n in escalation.notifications))


def clear_up(escalation: Escalation, people: Directory, now: datetime) -> Escalation:
    """One quiet all-clear for everybody told by a way that can be quiet, but for who knows it best."""
    at = escalation.clear_up_at
    assert at is not None
    new: list[Notification] = []
    ways = people.quiet | (people.texts if escalation.plan.all_clear else frozenset())
    open_ones = [told for told in escalation.told if told.channel in ways and not told.cleared]
    for channel in dict.fromkeys(told.channel for told in open_ones):
        theirs = [t for t in open_ones if t.channel == channel and not _knows(escalation, t.key, (t.login,))]
        contacts = [people.contacts.get(t.key) or Contact(key=t.key, name=t.login, login=t.login) for t in theirs]
        new += spread(
            replace(escalation, told=()),
            contacts,
            (channel,),
            people,
            now=now,
            due_at=at,
            purpose=ALL_CLEAR,
            retry_until=at + ALL_CLEAR_WITHIN,
        )
    told = tuple(replace(t, cleared=True) if t in open_ones else t for t in escalation.told)
    kept = tuple(n for n in escalation.notifications if n.stage is not Stage.ENDED or not n.noted)
    return replace(escalation, clear_up_at=None, told=_lean(told), notifications=(*kept, *new))


def hang_up(escalation: Escalation, people: Directory, now: datetime) -> Recorded:
    """Ends calls that ring although a person has the ticket; not the one in which they just said so."""
    ringing = [
        n
        for n in escalation.notifications
        if n.dropped
        and n.stage is Stage.SENT
        and n.provider_id
        and n.channel in people.calls
        and not n.message  # it tells of others, too
        and not _knows(escalation, n.person, n.logins)
    ]
    if not ringing:
        return escalation, ()
    over = {n.id: replace(n, stage=Stage.ENDED, at=now, outcome=Words("hung up")) for n in ringing}
    new = tuple(
        plan_notification(
            escalation,
            None,
            n.channel,
            now=now,
            due_at=n.due_at,
            purpose=HANG_UP,
            provider_id=n.provider_id,
            names=n.name,
            retry_until=now + timedelta(minutes=1),
        )
        for n in ringing
    )
    notifications = (*(over.get(n.id, n) for n in escalation.notifications), *new)
    said = tuple(entry for n in over.values() for entry in entries_of(n, now))
    return replace(escalation, notifications=notifications), said


def _knows(escalation: Escalation, key: str, logins: tuple[str, ...]) -> bool:
    """Whether this is the person who has it, or who ended it."""
    names = {escalation.clear_up_but}
    if escalation.acknowledged is not None:
        names |= {escalation.acknowledged.key, escalation.acknowledged.by.login}
    wanted = {name.casefold() for name in names if name}
    return any(name.casefold() in wanted for name in (key, *logins) if name)


def _lean(told: tuple[Told, ...]) -> tuple[Told, ...]:
    """The last hundred: an escalation that lives for years has met many people."""
    return told[-100:]
