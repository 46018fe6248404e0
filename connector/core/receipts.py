"""What is heard of notifications later: receipts, and nothing in time.

Rules
1. A text without a receipt within its time has not arrived. A call that nobody took is rung once more.
2. Ended is ended: later receipts change no outcome, they only enter the history.
3. A receipt for a message is one for everything that the message told of.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from .escalation import Escalation, Notification, Stage
from .events import Entry, Moved, Receipt
from .sending import Recorded, entries_of, entry_of, remember_told, told_by, wanted, with_notification
from .words import Words

RING_AGAIN = timedelta(seconds=45)
RINGS = 2
REHEARSED = "rehearsal"  # the provider's id of what a rehearsal takes for sent


def receipt(escalation: Escalation, event: Receipt, now: datetime) -> Moved:
    """A provider's later word on all that a message told of; it also proves a try whose answer was lost."""
    commands: tuple[Entry, ...] = ()
    for notification in told_by(escalation, event.id):
        escalation, entries = _received(escalation, notification, event, now)
        commands += entries
    return escalation, commands


def _received(escalation: Escalation, notification: Notification, event: Receipt, now: datetime) -> Recorded:
    if _of_another_call(notification, event):
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
        known = remember_told(known, changed, "", now)
    return known, entries_of(changed, now)


def _of_another_call(notification: Notification, event: Receipt) -> bool:
    """Whether nothing is under way that this could be about. A call's second ringing has another provider's id."""
    if notification.stage is Stage.PLANNED and not notification.unsure:
        return True
    known = bool(notification.provider_id and event.provider_id)
    if notification.stage in (Stage.SENT, Stage.ENDED):
        return known and notification.provider_id != event.provider_id
    return known and notification.rings > 0 and notification.provider_id == event.provider_id


def _too_late(escalation: Escalation, notification: Notification, event: Receipt, now: datetime) -> Recorded:
    """It has ended: its outcome stands, and the history says what came later, once."""
    if not event.final or event.words in (notification.outcome, notification.later):
        return escalation, ()
    changed = with_notification(escalation, replace(notification, later=event.words))
    return changed, (entry_of(notification, Words("{outcome} (later)", outcome=Words(event.words)), now),)


def not_taken(notification: Notification, words: Words, now: datetime) -> Notification:
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
            message="",
        )
    return replace(notification, stage=Stage.ENDED, at=now, rings=rings, outcome=words)


def waited_long_enough(escalation: Escalation, calls: frozenset[str], now: datetime) -> Moved:
    """Sent ones whose receipt didn't come in time, and unwanted ones whose sender never came back."""
    entries: tuple[Entry, ...] = ()
    for notification in escalation.notifications:
        if now < notification.at:
            continue
        if notification.stage is Stage.SENT and notification.channel in calls:
            called = notification.provider_id != REHEARSED
            changed = not_taken(notification, Words("no answer") if called else notification.outcome, now)
        elif notification.stage is Stage.SENT:
            changed = replace(notification, stage=Stage.ENDED, at=now, outcome=Words("no receipt"))
        elif notification.stage is Stage.CLAIMED and not wanted(escalation, notification):
            unknown = Words("nobody knows whether it was sent")
            changed = replace(notification, stage=Stage.ENDED, at=now, outcome=unknown)
        else:
            continue
        escalation = with_notification(escalation, changed)
        entries += entries_of(changed, now)
    return escalation, entries
