"""The words on the ticket (English). Pure: from what happened to lines of text, the first one being the headline.

Short enough to read on a phone; times carry their zone, and the date when it isn't today; numbers show their last four
digits only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from .audience import Directory, audience
from .contact import Contact
from .escalation import Escalation, Notification, Stage, State
from .events import Entry, WriteNote
from .plan import Step

CHANNEL_WORDS = {"sms": "SMS", "phone": "phone call", "push": "push", "email": "mail", "http_post": "POST"}


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
    head = f"Escalation {escalation.code}"
    match command.kind:
        case "step":
            report = escalation.report
            assert report is not None
            again = f", round {report.round}" if report.round > 1 else ""
            steps = len(escalation.plan.steps)
            first = f"{head}, step {report.step} of {steps}{again} (plan {escalation.plan.name})"
            told = [_told(n, people, reader, command.at) for n in command.notifications]
            return (first, *told, *command.remarks, *_next(escalation, people, reader, command.at))
        case "acknowledged":
            return (
                f"{head} acknowledged by {command.who} ({_via(escalation)})",
                *_after(escalation, reader, command.at),
            )
        case "handed-over":
            first = f"{head} handed to {command.who}, not yet taken"
            return (first, *command.remarks, *_next(escalation, people, reader, command.at))
        case "exhausted":
            whom = escalation.plan.when_exhausted
            told = (
                [f"Told: {_names(whom.notify, escalation, people)}."] if whom else ["Nobody else is named to be told."]
            )
            return (f"{head}: nobody came", *command.remarks, *told)
        case "closed":
            return (f"{head} closed", *command.remarks, *_summary(escalation, history, reader, command.at))
        case "cancelled":
            return (f"{head} cancelled", *command.remarks)
        case "plan-changed":
            first = f"{head}: plan {escalation.plan.name} from now on"
            return (first, *command.remarks, *_next(escalation, people, reader, command.at))
        case "held":
            until = escalation.held_until
            said = f" until {reader.clock(until, command.at)}" if until else ""
            return (f"{head}: put off{said} by {command.who}",)
    return (f"{head}: it goes on", *command.remarks, *_next(escalation, people, reader, command.at))


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
        f"Acknowledged by {current.by.name or current.by.login} ({_via(escalation)}) "
        f"after {duration(current.at - escalation.created_at)}."
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
