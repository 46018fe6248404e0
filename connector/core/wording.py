"""Sentences about an escalation, in their reader's language. Pure.

Short enough to read on a phone; times carry their zone, and the date when it isn't today; numbers show their last four
digits only.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import reduce

from .audience import Directory, audience
from .contact import Contact
from .escalation import Escalation, Notification, Stage, State
from .events import Entry
from .plan import Step
from .words import NOTHING, Catalogue, Words

CHANNEL_WORDS = {
    "sms": Words("SMS"),
    "phone": Words("phone call"),
    "push": Words("push"),
    "webpush": Words("Web Push"),
    "email": Words("mail"),
    "http_post": Words("POST"),
}
VIA = {
    "take": Words("took the ticket"),
    "lock": Words("locked the ticket"),
    "reply": Words("replied to the customer"),
    "pending": Words("set it pending"),
    "note": Words("note"),
    "snooze": Words("/snooze"),
    "mail": Words("mail"),
    "close": Words("closed it"),
}


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom it is written: their time zone, what the channels are called (name -> kind), and their language."""

    zone: tzinfo
    kinds: dict[str, str]
    catalogue: Catalogue = field(default_factory=dict)

    def says(self, words: str, /, **values: str | int) -> str:
        """These words in the reader's language; `words` without values may be what was made before."""
        return Words(words, **values).translated(self.catalogue)

    def channel(self, name: str) -> str:
        """What notes call it: a word to be translated, or the name that the config gave it."""
        return CHANNEL_WORDS.get(name, name)

    def clock(self, moment: datetime, now: datetime, seconds: bool = False) -> str:
        """`20:15 CET`, with the date when it isn't today."""
        local, today = moment.astimezone(self.zone), now.astimezone(self.zone)
        shown = local.strftime("%H:%M:%S" if seconds else "%H:%M")
        day = "" if local.date() == today.date() else f"{local:%Y-%m-%d} "
        return f"{day}{shown} {local.tzname()}"


def told(notification: Notification, people: Directory, reader: Reader, now: datetime) -> str:
    """`20:15 CET  SMS to Dana Reyes (+49 ... 4567): delivered`."""
    contact = people.contacts.get(notification.person)
    way = reader.channel(notification.channel)
    way = reader.says(way) if isinstance(way, Words) else way
    return reader.says(
        "{at}  {way} to {name}: {outcome}{doubt}",
        at=reader.clock(notification.sent_at or notification.at, now),
        way=f"{way[0].upper()}{way[1:]}",
        name=notification.name + (_tail(contact, reader.kinds.get(notification.channel, "")) if contact else ""),
        outcome=_outcome(notification),
        doubt=Words(", possibly sent twice") if notification.doubt else NOTHING,
    )


def _outcome(notification: Notification) -> Words:
    known = Words(notification.outcome)
    if notification.stage is Stage.ENDED:
        return known or Words("under way")
    return Words("{outcome}, no outcome yet", outcome=known) if known else Words("no outcome yet")


def _tail(contact: Contact, kind: str) -> str:
    return f" ({contact.mobile[:3]} ... {contact.mobile[-4:]})" if kind in ("sms", "phone") and contact.mobile else ""


def way_of(escalation: Escalation) -> Words:
    """How who has it took it."""
    current = escalation.acknowledged
    assert current is not None
    return VIA.get(current.via) or Words(current.via)


def after(escalation: Escalation, reader: Reader, now: datetime) -> Iterator[str]:
    """How long it took, and until when it holds."""
    current = escalation.acknowledged
    assert current is not None
    at, span = reader.clock(current.at, now, seconds=True), duration(current.at - escalation.created_at)
    yield reader.says("{at}, {span} after it began.", at=at, span=span)
    if escalation.state is State.HELD and escalation.held_until is not None:
        at = reader.clock(escalation.held_until, now)
        yield reader.says("Until {at}: then it goes on if the ticket is still open.", at=at)


def standing(escalation: Escalation, reader: Reader, now: datetime) -> str:
    """How it stands, in one sentence."""
    return reader.says(_standing(escalation, reader, now))


def _standing(escalation: Escalation, reader: Reader, now: datetime) -> Words:
    current, until = escalation.acknowledged, escalation.held_until
    match escalation.state:
        case State.WAITING:
            return Words("The response window runs.")
        case State.RUNNING:
            step, steps = escalation.step, len(escalation.plan.steps)
            return Words("Step {step} of {steps} has come, and nobody has taken the ticket.", step=step, steps=steps)
        case State.EXHAUSTED:
            return Words("All steps have come, and nobody has taken the ticket.")
        case State.RESOLVED:
            return Words("The ticket is closed.")
        case State.CANCELLED:
            return Words("It was stopped.") if escalation.stopped else Words("No plan applies any more.")
    assert current is not None
    who, since = current.who, reader.clock(current.at, now)
    if escalation.state is State.HELD and until is not None:
        at = reader.clock(until, now)
        return Words("{who} has it since {since}; put off until {at}.", who=who, since=since, at=at)
    return Words("{who} has it since {since}.", who=who, since=since)


def names_of(words: Iterable[str], escalation: Escalation, people: Directory) -> str:
    """Whom these words of `notify` reach now."""
    found = audience(words, escalation.plan, escalation.owner, people)
    return _listed(contact.name for contact in found) or Words("nobody")


def _listed(names: Iterable[str]) -> str:
    """`one and another`; "" for none. What is to be translated in it stays so."""
    return reduce(lambda these, this: Words("{these} and {this}", these=these, this=this) if these else this, names, "")


def next_step(escalation: Escalation) -> Step | None:
    """The step that `due_at` is about, or None when it is about something else."""
    if escalation.state not in (State.WAITING, State.RUNNING) or escalation.due_at is None:
        return None
    if escalation.step < len(escalation.plan.steps):
        return escalation.plan.steps[escalation.step]
    return escalation.plan.steps[0] if escalation.round < escalation.plan.rounds else None


def what_comes(escalation: Escalation, people: Directory, reader: Reader, now: datetime) -> Iterator[str]:
    """What will happen by itself, and when."""
    if escalation.due_at is None or not escalation.state.climbing:
        return
    at, step, whom = reader.clock(escalation.due_at, now), next_step(escalation), escalation.plan.when_exhausted
    if step is not None:
        yield reader.says(
            "Next: {ways} to {names} at {at} unless somebody takes the ticket.",
            ways=_listed(reader.channel(channel) for channel in step.by),
            names=names_of(step.notify, escalation, people),
            at=at,
        )
    elif whom is not None:
        yield reader.says(
            "Next: at {at} it counts as nobody came: {names} will be told, unless somebody takes the ticket.",
            at=at,
            names=names_of(whom.notify, escalation, people),
        )
    else:
        yield reader.says("Next: at {at} it counts as nobody came, unless somebody takes the ticket.", at=at)


def summary(escalation: Escalation, history: Sequence[Entry], reader: Reader, now: datetime) -> Iterator[str]:
    """The timeline, and how long it took."""
    current = escalation.acknowledged
    if current is None:
        yield reader.says("Nobody acknowledged it.")
    else:
        span = duration(current.at - escalation.created_at)
        way = way_of(escalation)
        yield reader.says("Acknowledged by {who} ({way}) after {span}.", who=current.who, way=way, span=span)
    lines = [f"{reader.clock(e.at, now, seconds=True)}  {entry_words(e, reader)}" for e in history if e.kind != "note"]
    yield from lines[-40:]


def entry_words(entry: Entry, reader: Reader) -> str:
    """One history entry for people."""
    text = Words(entry.text)
    if entry.kind == "notification":
        way = reader.channel(entry.channel)
        if not text.values:  # stored before its values were
            return text.replace(f"{entry.channel} to ", f"{way} to ", 1)
        text = text.using(channel=way)
    if entry.kind == "created":
        text = Words("began: {what}", what=text)
    elif entry.kind == "acknowledged":
        text = Words("acknowledged {what}", what=text)
    return reader.says(text)


def duration(span: timedelta) -> str:
    """`45 s`, `12 min`, `3 h 20 min`, `24 h`, `2 d 4 h`."""
    seconds = max(int(span.total_seconds()), 0)
    if seconds < 120:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 120:
        return f"{minutes} min"
    if hours < 48:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{days} d {hours % 24} h" if hours % 24 else f"{days} d"
