"""Notifications of one escalation: planned, claimed, sent.

What a provider says later is in `receipts.py`, what follows from them in `following.py`.

Rules
1. A notification is sent only by who has claimed it; a lease that ran out leaves it `unsure`. Nobody can claim one
   that asks for help once a person has the ticket, says that it is over while it climbs, or asks what was answered.
2. Network trouble, 429 and 5xx: again after 5, 15, 30, 60 s ... until the next step's own time; the `else` way starts
   after the second failure. Permanent: the `else` way starts at once.
3. A try that was taken over knows less than the one after it: its failure says nothing, its success counts. When both
   reached the provider, the note says so.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

from .audience import Directory
from .contact import Contact
from .escalation import Escalation, Notification, Stage, State, Told
from .events import Claim, Entry, Moved, Outcome
from .words import NOTHING, Words

RETRY_WAITS = (5, 15, 30, 60)  # seconds; the last one repeats
NOT_AGAIN_WITHIN = timedelta(minutes=10)  # after a change of plan
EVERYBODY = "*"
STEP, EXHAUSTED, ALL_CLEAR, HANG_UP, STILL_ON_IT = "step", "exhausted", "all-clear", "hang-up", "still-on-it"
ASKING = (STEP, EXHAUSTED)  # these ask a person to come
#: What the history says before those that do not.
ASIDE = {ALL_CLEAR: Words("all-clear: "), STILL_ON_IT: Words("still on it? ")}

Recorded = tuple[Escalation, tuple[Entry, ...]]


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
    """The notification with this id, or the first that a message of this id tells of."""
    return next(iter(told_by(escalation, id)), None)


def told_by(escalation: Escalation, id: str) -> list[Notification]:
    """What an id stands for: one notification, or those of this escalation that one message tells of."""
    return [n for n in escalation.notifications if id and id in (n.id, n.message)]


def bundles(notification: Notification) -> bool:
    """Whether it may be told of together with others: only what asks one person to come."""
    return notification.purpose in ASKING and notification.person != EVERYBODY


# --- one try ---------------------------------------------------------------------------------------------------------


def wanted(escalation: Escalation, notification: Notification) -> bool:
    """Whether it may still be begun."""
    if notification.purpose in ASKING:
        return escalation.state.climbing and not notification.dropped
    if notification.purpose == STILL_ON_IT:
        return escalation.state is State.ACKNOWLEDGED and escalation.asked_at == notification.due_at
    return notification.purpose != ALL_CLEAR or not escalation.state.climbing


def claim(escalation: Escalation, event: Claim, now: datetime) -> Moved:
    """Marks it as being sent, or returns the same escalation: not due, not wanted, or somebody else holds it.

    What went into one message is tried again together, though the parts of it failed some milliseconds apart.
    """
    notification = find(escalation, event.id)
    if notification is None or notification.stage not in (Stage.PLANNED, Stage.CLAIMED):
        return escalation, ()
    together = notification.stage is Stage.PLANNED and event.message and notification.message == event.message
    if now < notification.at and not together:
        return escalation, ()
    if not wanted(escalation, notification):
        return escalation, ()
    claimed = replace(
        notification,
        stage=Stage.CLAIMED,
        at=event.until,
        attempts=notification.attempts + 1,
        unsure=notification.unsure or notification.stage is Stage.CLAIMED,
        message=event.message,
        elsewhere=notification.elsewhere or event.elsewhere,
    )
    return with_notification(escalation, claimed), ()


def outcome(escalation: Escalation, event: Outcome, now: datetime) -> Moved:
    """Records what became of a try; a receipt may have been quicker, and then there is nothing left to record."""
    notification = find(escalation, event.id)
    if notification is None:
        return escalation, ()
    older = event.attempt not in (0, notification.attempts)
    if notification.stage in (Stage.SENT, Stage.ENDED):
        return _sent_twice(escalation, notification, event, now)
    if notification.stage is not Stage.CLAIMED and not (older and event.sent):
        return escalation, ()
    if not event.sent and older:
        return escalation, ()
    if not event.sent:
        failed = _failed(notification, event, now)
        return with_notification(escalation, failed), entries_of(failed, now)
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
    known = remember_told(with_notification(escalation, changed), changed, event.login, now)
    return known, entries_of(changed, now)


def _sent_twice(escalation: Escalation, notification: Notification, event: Outcome, now: datetime) -> Moved:
    """Two tries that both reached the provider, as the ids show that it gave them."""
    twice = event.provider_id and notification.provider_id and event.provider_id != notification.provider_id
    if not event.sent or not twice or notification.doubt:
        return escalation, ()
    changed = replace(notification, doubt=True, noted=False)
    return with_notification(escalation, changed), (entry_of(changed, event.words, now),)


def _failed(notification: Notification, event: Outcome, now: datetime) -> Notification:
    ended = replace(notification, stage=Stage.ENDED, at=now, outcome=event.words)
    if event.permanent:
        return replace(ended, permanent=True, unsure=False)
    in_doubt = replace(ended, doubt=notification.doubt or notification.unsure)  # an earlier try may have reached them
    if event.over:
        return in_doubt
    tries = max(notification.attempts - notification.rings, 1)
    wait = RETRY_WAITS[min(tries, len(RETRY_WAITS)) - 1]
    again = now + timedelta(seconds=max(wait, event.retry_after or 0))
    too_late = notification.retry_until is not None and again > notification.retry_until
    if too_late or notification.dropped:
        return replace(in_doubt, doubt=in_doubt.doubt or event.doubt)
    unsure = notification.unsure or event.doubt
    message = notification.message if unsure else ""  # what nobody has is told of anew, with whatever waits by then
    return replace(notification, stage=Stage.PLANNED, at=again, unsure=unsure, outcome=event.words, message=message)


def remember_told(escalation: Escalation, notification: Notification, login: str, now: datetime) -> Escalation:
    """Who was told, and how. Told when it is over already, by what was under way then: they are to hear that, too."""
    if notification.purpose not in ASKING:
        return escalation
    keys = notification.people or (notification.person,)
    logins = (login,) if login else notification.logins
    new = [
        Told(key, logins[i] if i < len(logins) else "", notification.channel, now, escalation.plan.name)
        for i, key in enumerate(keys)
    ]
    known = {(told.key, told.channel): told for told in (*escalation.told, *new)}
    clear_up_at = escalation.clear_up_at if escalation.state.climbing else now
    return replace(escalation, told=tuple(known.values()), clear_up_at=clear_up_at)


def entries_of(notification: Notification, now: datetime) -> tuple[Entry, ...]:
    """What the history says of a notification that has come to its end; nothing while it is under way."""
    if notification.stage is not Stage.ENDED or notification.purpose == HANG_UP or not notification.outcome:
        return ()
    return (entry_of(notification, notification.outcome, now),)


def entry_of(notification: Notification, words: Words, now: datetime) -> Entry:
    begun = notification.sent_at
    return Entry(
        now,
        "notification",
        Words(
            "{aside}{channel} to {name}: {outcome}{doubt}",
            aside=ASIDE.get(notification.purpose, NOTHING),
            channel=notification.channel,
            name=notification.name,
            outcome=Words(words),
            doubt=Words(", possibly sent twice") if notification.doubt else NOTHING,
        ),
        contact=notification.name,
        channel=notification.channel,
        outcome=words,
        late_s=max((begun - notification.due_at).total_seconds(), 0.0) if begun is not None else None,
    )
