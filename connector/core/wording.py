"""The words on the ticket (English). Pure: from what happened to lines of text, the first one being the headline.

Short enough to read on a phone; times carry their zone, and the date when it isn't today; numbers show their last four
digits only.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from .audience import Directory, audience
from .contact import Contact
from .escalation import Escalation, Notification, Stage, State
from .events import Entry, WriteNote
from .plan import Step

CHANNEL_WORDS = {
    "sms": "SMS",
    "phone": "phone call",
    "push": "push",
    "webpush": "Web Push",
    "email": "mail",
    "http_post": "POST",
}


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom it is written: their time zone, and what the channels are called (name -> kind)."""

    zone: tzinfo
    kinds: dict[str, str]

    def channel(self, name: str) -> str:
        kind = self.kinds.get(name, name)
        return CHANNEL_WORDS.get(name) or (CHANNEL_WORDS.get(kind, kind) if kind == name else name)

    def clock(self, moment: datetime, now: datetime, seconds: bool = False) -> str:
        """`20:15 CET`, with the date when it isn't today."""
        local, today = moment.astimezone(self.zone), now.astimezone(self.zone)
        shown = local.strftime("%H:%M:%S" if seconds else "%H:%M")
        day = "" if local.date() == today.date() else f"{local:%Y-%m-%d} "
        return f"{day}{shown} {local.tzname()}"


def note_lines(command: WriteNote, people: Directory, reader: Reader, history: Sequence[Entry] = ()) -> tuple[str, ...]:
    """The note that `command` asks for; `history` is needed for the closing summary only."""
    escalation = command.escalation
    first, *more = _KINDS.get(command.kind, _goes_on)(command, people, reader, history)
    return (f"Escalation {escalation.code}{first}", *more)


def _step(command: WriteNote, people: Directory, reader: Reader, _: Sequence[Entry]) -> Iterator[str]:
    escalation, report = command.escalation, command.escalation.report
    assert report is not None
    again = f", round {report.round}" if report.round > 1 else ""
    yield f", step {report.step} of {len(escalation.plan.steps)}{again} (plan {escalation.plan.name})"
    yield from (_told(n, people, reader, command.at) for n in command.notifications)
    yield from command.remarks
    yield from _next(escalation, people, reader, command.at)


def _acknowledged(command: WriteNote, _: Directory, reader: Reader, __: Sequence[Entry]) -> Iterator[str]:
    yield f" acknowledged by {command.who} ({_via(command.escalation)})"
    yield from _after(command.escalation, reader, command.at)


def _handed_over(command: WriteNote, people: Directory, reader: Reader, _: Sequence[Entry]) -> Iterator[str]:
    yield f" handed to {command.who}, not yet taken"
    yield from command.remarks
    yield from _next(command.escalation, people, reader, command.at)


def _exhausted(command: WriteNote, people: Directory, _: Reader, __: Sequence[Entry]) -> Iterator[str]:
    whom = command.escalation.plan.when_exhausted
    yield ": nobody came"
    yield from command.remarks
    yield f"Told: {_names(whom.notify, command.escalation, people)}." if whom else "Nobody else is named to be told."


def _closed(command: WriteNote, _: Directory, reader: Reader, history: Sequence[Entry]) -> Iterator[str]:
    yield " closed"
    yield from command.remarks
    yield from _summary(command.escalation, history, reader, command.at)


def _cancelled(command: WriteNote, *_: object) -> Iterator[str]:
    yield " cancelled"
    yield from command.remarks


def _plan_changed(command: WriteNote, people: Directory, reader: Reader, _: Sequence[Entry]) -> Iterator[str]:
    yield f": plan {command.escalation.plan.name} from now on"
    yield from command.remarks
    yield from _next(command.escalation, people, reader, command.at)


def _held(command: WriteNote, _: Directory, reader: Reader, __: Sequence[Entry]) -> Iterator[str]:
    until = command.escalation.held_until
    said = f" until {reader.clock(until, command.at)}" if until else ""
    yield f": put off{said} by {command.who}"


def _goes_on(command: WriteNote, people: Directory, reader: Reader, _: Sequence[Entry]) -> Iterator[str]:
    yield ": it goes on"
    yield from command.remarks
    yield from _next(command.escalation, people, reader, command.at)


def _still_on_it(command: WriteNote, _: Directory, reader: Reader, __: Sequence[Entry]) -> Iterator[str]:
    escalation, current = command.escalation, command.escalation.acknowledged
    assert current is not None
    yield f": {command.who}, still on it?"
    lasts = current.lasts or escalation.plan.acknowledged_for
    quiet = f"Nothing was done on this ticket for {duration(lasts)}. " if lasts is not None else ""
    until = f" by {reader.clock(escalation.due_at, command.at)}" if escalation.due_at is not None else ""
    yield f"{quiet}A note or any other work on it{until} is a yes; without one it goes on from step 1."


def _answer(command: WriteNote, *_: object) -> Iterator[str]:
    yield f": answer to {command.who}"
    yield from command.remarks


def _why(command: WriteNote, people: Directory, reader: Reader, _: Sequence[Entry]) -> Iterator[str]:
    yield ": why"
    yield from command.remarks
    yield standing(command.escalation, reader, command.at)
    yield from _next(command.escalation, people, reader, command.at)


_KINDS: Mapping[str, Callable[[WriteNote, Directory, Reader, Sequence[Entry]], Iterator[str]]] = {
    "step": _step,
    "acknowledged": _acknowledged,
    "handed-over": _handed_over,
    "exhausted": _exhausted,
    "closed": _closed,
    "cancelled": _cancelled,
    "plan-changed": _plan_changed,
    "held": _held,
    "still-on-it": _still_on_it,
    "answer": _answer,
    "why": _why,
}


def _told(notification: Notification, people: Directory, reader: Reader, now: datetime) -> str:
    at = reader.clock(notification.sent_at or notification.at, now)
    contact = people.contacts.get(notification.person)
    to = notification.name + (_tail(contact, reader.kinds.get(notification.channel, "")) if contact else "")
    doubt = ", possibly sent twice" if notification.doubt else ""
    outcome = notification.outcome or "under way"
    if notification.stage is not Stage.ENDED:
        outcome = f"{outcome}, no outcome yet" if notification.outcome else "no outcome yet"
    way = reader.channel(notification.channel)
    return f"{at}  {way[0].upper()}{way[1:]} to {to}: {outcome}{doubt}"


def _tail(contact: Contact, kind: str) -> str:
    return f" ({contact.mobile[:3]} ... {contact.mobile[-4:]})" if kind in ("sms", "phone") and contact.mobile else ""


def _via(escalation: Escalation) -> str:
    current = escalation.acknowledged
    assert current is not None
    words = {
        "take": "took the ticket",
        "lock": "locked the ticket",
        "reply": "replied to the customer",
        "pending": "set it pending",
        "note": "note",
        "snooze": "/snooze",
        "mail": "mail",
        "close": "closed it",
    }
    return words.get(current.via, current.via)


def _after(escalation: Escalation, reader: Reader, now: datetime) -> tuple[str, ...]:
    current = escalation.acknowledged
    assert current is not None
    lines = [
        f"{reader.clock(current.at, now, seconds=True)}, {duration(current.at - escalation.created_at)} after it began."
    ]
    if escalation.state is State.HELD and escalation.held_until is not None:
        lines.append(f"Until {reader.clock(escalation.held_until, now)}: then it goes on if the ticket is still open.")
    return tuple(lines)


def standing(escalation: Escalation, reader: Reader, now: datetime) -> str:
    """How it stands, in one sentence."""
    current, steps = escalation.acknowledged, len(escalation.plan.steps)
    has = f"{current.who} has it since {reader.clock(current.at, now)}" if current else ""
    words = {
        State.WAITING: "The response window runs.",
        State.RUNNING: f"Step {escalation.step} of {steps} has come, and nobody has taken the ticket.",
        State.EXHAUSTED: "All steps have come, and nobody has taken the ticket.",
        State.ACKNOWLEDGED: f"{has}.",
        State.HELD: f"{has}; put off until {reader.clock(escalation.held_until, now)}."
        if escalation.held_until
        else f"{has}.",
        State.RESOLVED: "The ticket is closed.",
        State.CANCELLED: "It was stopped." if escalation.stopped else "No plan applies any more.",
    }
    return words[escalation.state]


def _names(words: Iterable[str], escalation: Escalation, people: Directory) -> str:
    found = audience(words, escalation.plan, escalation.owner, people)
    return " and ".join(contact.name for contact in found) or "nobody"


def next_step(escalation: Escalation) -> Step | None:
    """The step that `due_at` is about, or None when it is about something else."""
    if escalation.state not in (State.WAITING, State.RUNNING) or escalation.due_at is None:
        return None
    if escalation.step < len(escalation.plan.steps):
        return escalation.plan.steps[escalation.step]
    return escalation.plan.steps[0] if escalation.round < escalation.plan.rounds else None


def _next(escalation: Escalation, people: Directory, reader: Reader, now: datetime) -> tuple[str, ...]:
    """What will happen by itself, and when."""
    if escalation.due_at is None or not escalation.state.climbing:
        return ()
    at = reader.clock(escalation.due_at, now)
    step = next_step(escalation)
    if step is not None:
        ways = " and ".join(reader.channel(channel) for channel in step.by)
        whom = _names(step.notify, escalation, people)
        return (f"Next: {ways} to {whom} at {at} unless somebody takes the ticket.",)
    whom_else = escalation.plan.when_exhausted
    told = f": {_names(whom_else.notify, escalation, people)} will be told" if whom_else else ""
    return (f"Next: at {at} it counts as nobody came{told}, unless somebody takes the ticket.",)


def _summary(escalation: Escalation, history: Sequence[Entry], reader: Reader, now: datetime) -> tuple[str, ...]:
    """The timeline, and how long it took."""
    current = escalation.acknowledged
    taken = (
        f"Acknowledged by {current.who} ({_via(escalation)}) after {duration(current.at - escalation.created_at)}."
        if current is not None
        else "Nobody acknowledged it."
    )
    lines = [f"{reader.clock(e.at, now, seconds=True)}  {entry_words(e, reader)}" for e in history if e.kind != "note"]
    return (taken, *lines[-40:])


def entry_words(entry: Entry, reader: Reader) -> str:
    """One history entry for people."""
    if entry.kind == "notification":
        return entry.text.replace(f"{entry.channel} to ", f"{reader.channel(entry.channel)} to ", 1)
    return {"created": f"began: {entry.text}", "acknowledged": f"acknowledged {entry.text}"}.get(entry.kind, entry.text)


def duration(span: timedelta) -> str:
    """`45 s`, `12 min`, `3 h 20 min`, `2 d 4 h`."""
    seconds = max(int(span.total_seconds()), 0)
    if seconds < 120:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 120:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{days} d {hours % 24} h"
