"""Notifications of one escalation: planned, claimed, sent, ended, and which other way follows when none arrived.

Rules
1. A notification is sent only by who has claimed it; a lease that ran out leaves it `unsure`.
2. Network trouble, 429 and 5xx: again after 5, 15, 30, 60 s ... until the next step's own time; the `else` way starts
   after the second failure. Permanent: the `else` way starts at once.
3. A text without a receipt within its time has not arrived. A call that nobody took is rung once more.
4. Ended is ended: later receipts change no outcome.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

from .audience import Directory
from .contact import Contact
from .escalation import Escalation, Notification, Stage, Told
from .events import Claim, Outcome, Receipt

RETRY_WAITS = (5, 15, 30, 60)  # seconds; the last one repeats
RING_AGAIN = timedelta(seconds=45)
RINGS = 2
NOT_AGAIN_WITHIN = timedelta(minutes=10)  # after a change of plan
EVERYBODY = "*"
STEP, EXHAUSTED, ALL_CLEAR, HANG_UP = "step", "exhausted", "all-clear", "hang-up"


def plan_notification(
    escalation: Escalation,
    contact: Contact | None,
    channel: str,
    *,
    now: datetime,
    due_at: datetime,
    purpose: str = STEP,
    rank: int = 0,
    otherwise: tuple[str, ...] = (),
    people: tuple[str, ...] = (),
    retry_until: datetime | None = None,
    provider_id: str = "",
    names: str = "",
) -> Notification:
    """A new notification; what names it (with the due time, since a step can come again) makes its id."""
    person = contact.key if contact else EVERYBODY
    named = "|".join((person, channel, purpose, str(rank), due_at.isoformat(), provider_id))
    return Notification(
        id=f"{escalation.code.lower()}-{escalation.round}-{escalation.step}-{sha256(named.encode()).hexdigest()[:12]}",
        person=person,
        name=contact.name if contact else names,
        channel=channel,
        purpose=purpose,
        round=escalation.round,
        step=escalation.step,
        rank=rank,
        stage=Stage.PLANNED,
        at=now,
        due_at=due_at,
        people=people,
        otherwise=otherwise,
        retry_until=retry_until,
        provider_id=provider_id,
    )


def spread(
    escalation: Escalation,
    contacts: Sequence[Contact],
    channels: Iterable[str],
    people: Directory,
    *,
    now: datetime,
    due_at: datetime,
    purpose: str = STEP,
    rank: int = 0,
    otherwise: tuple[str, ...] = (),
    retry_until: datetime | None = None,
) -> Iterator[Notification]:
    """One notification a person and channel; one for everybody where the channel is shared."""
    keys = tuple(contact.key for contact in contacts)
    names = ", ".join(contact.name for contact in contacts)
    for channel in dict.fromkeys(channels):
        shared = channel in people.shared
        for contact in [None] if shared and contacts else contacts:
            if contact is not None and told_lately(escalation, contact.key, channel, now):
                continue
            yield plan_notification(
                escalation,
                contact,
                channel,
                now=now,
                due_at=due_at,
                purpose=purpose,
                rank=rank,
                otherwise=otherwise,
                people=keys if shared else (),
                names=names,
                retry_until=retry_until,
            )


def told_lately(escalation: Escalation, key: str, channel: str, now: datetime) -> bool:
    """Whether another plan has used this way on this person a moment ago."""
    return any(
        told.key == key and told.channel == channel and told.plan != escalation.plan.name
        for told in escalation.told
        if now - told.at < NOT_AGAIN_WITHIN
    )


def with_notification(escalation: Escalation, changed: Notification) -> Escalation:
    return replace(
        escalation, notifications=tuple(changed if n.id == changed.id else n for n in escalation.notifications)
    )


def find(escalation: Escalation, id: str) -> Notification | None:
    return next((n for n in escalation.notifications if n.id == id), None)


# --- one try ---------------------------------------------------------------------------------------------------------


def claim(escalation: Escalation, event: Claim, now: datetime) -> Escalation:
    """Marks it as being sent, or returns the same escalation: not due, not there, or somebody else holds it."""
    notification = find(escalation, event.id)
    if notification is None or notification.stage not in (Stage.PLANNED, Stage.CLAIMED) or now < notification.at:
        return escalation
    return with_notification(
        escalation,
        replace(
            notification,
            stage=Stage.CLAIMED,
            at=event.until,
            attempts=notification.attempts + 1,
            unsure=notification.unsure or notification.stage is Stage.CLAIMED,
        ),
    )


def outcome(escalation: Escalation, event: Outcome, now: datetime) -> Escalation:
    """Records what became of a try. A receipt may have been quicker: then only what it lacked is added."""
    notification = find(escalation, event.id)
    if notification is None or notification.stage is not Stage.CLAIMED:
        return escalation
    if not event.sent:
        return with_notification(escalation, _failed(notification, event, now))
    changed = replace(
        notification,
        stage=Stage.SENT if event.wait else Stage.ENDED,
        at=now + timedelta(seconds=event.wait),
        arrived=event.arrived and not event.wait,
        sent_at=now,
        unsure=False,
        doubt=notification.doubt or event.doubt,
        outcome=event.words,
        provider_id=event.provider_id or notification.provider_id,
    )
    return _remember_told(with_notification(escalation, changed), changed, event.login, now)


def _failed(notification: Notification, event: Outcome, now: datetime) -> Notification:
    if event.permanent:
        return replace(notification, stage=Stage.ENDED, at=now, permanent=True, unsure=False, outcome=event.words)
    wait = RETRY_WAITS[min(notification.attempts, len(RETRY_WAITS)) - 1]
    again = now + timedelta(seconds=max(wait, event.retry_after or 0))
    if notification.retry_until is not None and again > notification.retry_until:
        return replace(notification, stage=Stage.ENDED, at=now, outcome=event.words, doubt=event.doubt)
    return replace(
        notification, stage=Stage.PLANNED, at=again, unsure=notification.unsure or event.doubt, outcome=event.words
    )


def _remember_told(escalation: Escalation, notification: Notification, login: str, now: datetime) -> Escalation:
    if notification.purpose not in (STEP, EXHAUSTED):
        return escalation
    keys = notification.people or (notification.person,)
    new = [Told(key, login, notification.channel, now, escalation.plan.name) for key in keys]
    known = {(told.key, told.channel): told for told in (*escalation.told, *new)}
    return replace(escalation, told=tuple(known.values()))


# --- what comes later ------------------------------------------------------------------------------------------------


def receipt(escalation: Escalation, event: Receipt, now: datetime) -> Escalation:
    """A provider's later word; it also proves a try whose answer was lost."""
    notification = find(escalation, event.id)
    if notification is None or notification.stage is Stage.ENDED:
        return escalation
    provider_id = event.provider_id or notification.provider_id
    if notification.provider_id and event.provider_id and notification.provider_id != event.provider_id:
        return escalation  # of an earlier call
    if event.unanswered:
        return with_notification(escalation, not_taken(notification, event.words, now))
    stage = Stage.ENDED if event.final else Stage.SENT
    at = now if event.final else max(notification.at, now + timedelta(seconds=60))
    changed = replace(
        notification,
        stage=stage,
        at=at,
        arrived=event.arrived,
        permanent=event.permanent,
        unsure=False,
        outcome=event.words,
        provider_id=provider_id,
        sent_at=notification.sent_at or now,
    )
    return with_notification(escalation, changed)


def not_taken(notification: Notification, words: str, now: datetime) -> Notification:
    """A call that nobody took: rung once more, then over."""
    rings = notification.rings + 1
    if rings < RINGS:
        return replace(
            notification,
            stage=Stage.PLANNED,
            at=now + RING_AGAIN,
            rings=rings,
            provider_id="",
            unsure=False,
            outcome=words,
        )
    return replace(notification, stage=Stage.ENDED, at=now, rings=rings, outcome=words)


def waited_long_enough(escalation: Escalation, calls: frozenset[str], now: datetime) -> Escalation:
    """Sent ones whose receipt didn't come in time."""
    for notification in escalation.notifications:
        if notification.stage is Stage.SENT and now >= notification.at:
            if notification.channel in calls:
                changed = not_taken(notification, "no answer", now)
            else:
                changed = replace(notification, stage=Stage.ENDED, at=now, outcome="no receipt")
            escalation = with_notification(escalation, changed)
    return escalation


def start_other_ways(escalation: Escalation, people: Directory, now: datetime) -> Escalation:
    """Plans the next `else` way for everybody whom no way so far has reached."""
    for group in _groups(escalation.notifications):
        rank = max(n.rank for n in group)
        latest = [n for n in group if n.rank == rank]
        first = latest[0]
        hopeless = all(_failing(n) for n in latest) and not any(n.arrived for n in group)
        if not hopeless or not first.otherwise or first.purpose != STEP:
            continue
        new = tuple(
            replace(n, round=first.round, step=first.step)
            for n in spread(
                escalation,
                [
                    people.contacts.get(key, Contact(key=key, name=first.name))
                    for key in first.people or (first.person,)
                ],
                first.otherwise[:1],
                people,
                now=now,
                due_at=first.due_at,
                rank=rank + 1,
                otherwise=first.otherwise[1:],
                retry_until=first.retry_until,
            )
        )
        escalation = replace(
            escalation,
            notifications=(
                *(replace(n, otherwise=()) if n in latest else n for n in escalation.notifications),
                *(n for n in new if find(escalation, n.id) is None),
            ),
        )
    return escalation


def _failing(notification: Notification) -> bool:
    if notification.stage is Stage.ENDED:
        return not notification.arrived
    return notification.stage is Stage.PLANNED and notification.attempts - notification.rings >= 2


def _groups(notifications: Iterable[Notification]) -> Iterator[list[Notification]]:
    """Notifications of one person for one step."""
    groups: dict[tuple[str, str, datetime], list[Notification]] = {}
    for notification in notifications:
        groups.setdefault((notification.person, notification.purpose, notification.due_at), []).append(notification)
    yield from groups.values()


def of_step(escalation: Escalation, round: int, step: int) -> tuple[Notification, ...]:
    return tuple(
        n for n in escalation.notifications if (n.round, n.step) == (round, step) and n.purpose in (STEP, EXHAUSTED)
    )


def drop_unsent(escalation: Escalation, now: datetime, why: str) -> Escalation:
    """Nothing more is begun: what is planned ends here. What is under way may still arrive."""
    dropped = tuple(
        replace(n, stage=Stage.ENDED, at=now, outcome=why, noted=True)
        if n.stage is Stage.PLANNED and n.purpose in (STEP, EXHAUSTED)
        else n
        for n in escalation.notifications
    )
    return replace(escalation, notifications=dropped)


def clear_up(escalation: Escalation, people: Directory, now: datetime) -> Escalation:
    """A quiet all-clear for those told by a way that can be quiet, and an end to ringing calls."""
    at = escalation.clear_up_at
    assert at is not None
    kept = tuple(n for n in escalation.notifications if n.stage is not Stage.ENDED or not n.noted)
    rings = [n for n in kept if n.channel in people.calls and n.stage is Stage.SENT and n.provider_id]
    hang_up = [
        plan_notification(
            escalation, None, n.channel, now=now, due_at=at, purpose=HANG_UP, provider_id=n.provider_id, names=n.name
        )
        for n in rings
    ]
    but = escalation.clear_up_but
    clear = [
        plan_notification(
            escalation,
            people.contacts.get(told.key, Contact(key=told.key, name=told.login)),
            told.channel,
            now=now,
            due_at=at,
            purpose=ALL_CLEAR,
            retry_until=at + timedelta(minutes=5),
        )
        for told in escalation.told
        if told.channel in people.quiet and not (but and but in (told.key, told.login))
    ]
    return replace(escalation, clear_up_at=None, clear_up_but="", notifications=(*kept, *hang_up, *clear))
