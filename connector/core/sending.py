"""Notifications of one escalation: planned, claimed, sent, ended. What follows from them is in `following.py`.

Rules
1. A notification is sent only by who has claimed it; a lease that ran out leaves it `unsure`. Nobody can claim one
   that asks for help once a person has the ticket, or says that it is over while it climbs.
2. Network trouble, 429 and 5xx: again after 5, 15, 30, 60 s ... until the next step's own time; the `else` way starts
   after the second failure. Permanent: the `else` way starts at once.
3. A text without a receipt within its time has not arrived. A call that nobody took is rung once more.
4. Ended is ended: later receipts change no outcome, they only enter the history.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

from .audience import Directory
from .contact import Contact
from .escalation import Escalation, Notification, Stage, Told
from .events import Claim, Entry, Moved, Outcome, Receipt

RETRY_WAITS = (5, 15, 30, 60)  # seconds; the last one repeats
RING_AGAIN = timedelta(seconds=45)
RINGS = 2
NOT_AGAIN_WITHIN = timedelta(minutes=10)  # after a change of plan
EVERYBODY = "*"
STEP, EXHAUSTED, ALL_CLEAR, HANG_UP = "step", "exhausted", "all-clear", "hang-up"
ASKING = (STEP, EXHAUSTED)  # these ask a person to come


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
    logins: tuple[str, ...] = (),
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
        logins=logins or ((contact.login,) if contact else ()),
        otherwise=otherwise,
        retry_until=retry_until,
        provider_id=provider_id,
        noted=purpose not in ASKING,  # no note tells of these
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
    logins = tuple(contact.login for contact in contacts)
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
                logins=logins if shared else (),
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


def wanted(escalation: Escalation, notification: Notification) -> bool:
    """Whether it may still be begun."""
    if notification.purpose in ASKING:
        return escalation.state.climbing and not notification.dropped
    return notification.purpose != ALL_CLEAR or not escalation.state.climbing


def claim(escalation: Escalation, event: Claim, now: datetime) -> Moved:
    """Marks it as being sent, or returns the same escalation: not due, not wanted, or somebody else holds it."""
    notification = find(escalation, event.id)
    if notification is None or notification.stage not in (Stage.PLANNED, Stage.CLAIMED) or now < notification.at:
        return escalation, ()
    if not wanted(escalation, notification):
        return escalation, ()
    claimed = replace(
        notification,
        stage=Stage.CLAIMED,
        at=event.until,
        attempts=notification.attempts + 1,
        unsure=notification.unsure or notification.stage is Stage.CLAIMED,
    )
    return with_notification(escalation, claimed), ()


def outcome(escalation: Escalation, event: Outcome, now: datetime) -> Moved:
    """Records what became of a try; a receipt may have been quicker, and then there is nothing left to record."""
    notification = find(escalation, event.id)
    if notification is None or notification.stage is not Stage.CLAIMED:
        return escalation, ()
    if not event.sent:
        failed = _failed(notification, event, now)
        return with_notification(escalation, failed), _entries(failed, now)
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
    known = _remember_told(with_notification(escalation, changed), changed, event.login, now)
    return known, _entries(changed, now)


def _failed(notification: Notification, event: Outcome, now: datetime) -> Notification:
    ended = replace(notification, stage=Stage.ENDED, at=now, outcome=event.words)
    if event.permanent:
        return replace(ended, permanent=True, unsure=False)
    tries = max(notification.attempts - notification.rings, 1)
    wait = RETRY_WAITS[min(tries, len(RETRY_WAITS)) - 1]
    again = now + timedelta(seconds=max(wait, event.retry_after or 0))
    too_late = notification.retry_until is not None and again > notification.retry_until
    if too_late or notification.dropped:
        return replace(ended, doubt=notification.doubt or event.doubt)
    return replace(
        notification, stage=Stage.PLANNED, at=again, unsure=notification.unsure or event.doubt, outcome=event.words
    )


def _remember_told(escalation: Escalation, notification: Notification, login: str, now: datetime) -> Escalation:
    if notification.purpose not in ASKING:
        return escalation
    keys = notification.people or (notification.person,)
    logins = (login,) if login else notification.logins
    new = [
        Told(key, logins[i] if i < len(logins) else "", notification.channel, now, escalation.plan.name)
        for i, key in enumerate(keys)
    ]
    known = {(told.key, told.channel): told for told in (*escalation.told, *new)}
    return replace(escalation, told=tuple(known.values()))


def _entries(notification: Notification, now: datetime) -> tuple[Entry, ...]:
    """What the history says of a notification that has come to its end; nothing while it is under way."""
    if notification.stage is not Stage.ENDED or notification.purpose == HANG_UP:
        return ()
    return (_entry(notification, notification.outcome, now),)


def _entry(notification: Notification, words: str, now: datetime) -> Entry:
    begun = notification.sent_at
    return Entry(
        now,
        "notification",
        f"{'all-clear: ' if notification.purpose == ALL_CLEAR else ''}{notification.channel} to {notification.name}: "
        f"{words}{', possibly sent twice' if notification.doubt else ''}",
        contact=notification.name,
        channel=notification.channel,
        outcome=words,
        late_s=max((begun - notification.due_at).total_seconds(), 0.0) if begun is not None else None,
    )


# --- what comes later ------------------------------------------------------------------------------------------------


def receipt(escalation: Escalation, event: Receipt, now: datetime) -> Moved:
    """A provider's later word; it also proves a try whose answer was lost."""
    notification = find(escalation, event.id)
    if notification is None or _of_another_call(notification, event):
        return escalation, ()
    if notification.stage is Stage.ENDED:
        return _too_late(escalation, notification, event, now)
    if event.unanswered:
        changed = not_taken(notification, event.words, now)
    else:
        changed = replace(
            notification,
            stage=Stage.ENDED if event.final else Stage.SENT,
            at=now if event.final else max(notification.at, now + timedelta(seconds=60)),
            arrived=event.arrived,
            permanent=event.permanent,
            unsure=False,
            outcome=event.words,
            provider_id=event.provider_id or notification.provider_id,
            sent_at=notification.sent_at or now,
        )
    if changed == notification:
        return escalation, ()
    known = with_notification(escalation, changed)
    if notification.stage is not Stage.SENT:  # the provider's answer itself was lost or is still to come
        known = _remember_told(known, changed, "", now)
    return known, _entries(changed, now)


def _of_another_call(notification: Notification, event: Receipt) -> bool:
    """Whether nothing is under way that this could be about. A call's second ringing has another provider's id."""
    if notification.stage is Stage.PLANNED and not notification.unsure:
        return True
    known = bool(notification.provider_id and event.provider_id)
    if notification.stage in (Stage.SENT, Stage.ENDED):
        return known and notification.provider_id != event.provider_id
    return known and notification.rings > 0 and notification.provider_id == event.provider_id


def _too_late(escalation: Escalation, notification: Notification, event: Receipt, now: datetime) -> Moved:
    """It has ended: its outcome stands, and the history says what came later, once."""
    if not event.final or event.words in (notification.outcome, notification.later):
        return escalation, ()
    changed = with_notification(escalation, replace(notification, later=event.words))
    return changed, (_entry(notification, f"{event.words} (later)", now),)


def not_taken(notification: Notification, words: str, now: datetime) -> Notification:
    """A call that nobody took: rung once more, then over."""
    rings = notification.rings + 1
    if rings < RINGS and not notification.dropped:
        return replace(
            notification,
            stage=Stage.PLANNED,
            at=now + RING_AGAIN,
            rings=rings,
            unsure=False,
            outcome=words,
        )
    return replace(notification, stage=Stage.ENDED, at=now, rings=rings, outcome=words)


def waited_long_enough(escalation: Escalation, calls: frozenset[str], now: datetime) -> Moved:
    """Sent ones whose receipt didn't come in time, and unwanted ones whose sender never came back."""
    entries: tuple[Entry, ...] = ()
    for notification in escalation.notifications:
        if now < notification.at:
            continue
        if notification.stage is Stage.SENT and notification.channel in calls:
            changed = not_taken(notification, "no answer", now)
        elif notification.stage is Stage.SENT:
            changed = replace(notification, stage=Stage.ENDED, at=now, outcome="no receipt")
        elif notification.stage is Stage.CLAIMED and not wanted(escalation, notification):
            changed = replace(notification, stage=Stage.ENDED, at=now, outcome="nobody knows whether it was sent")
        else:
            continue
        escalation = with_notification(escalation, changed)
        entries += _entries(changed, now)
    return escalation, entries
