"""The notes on the ticket, a function a kind: the headline first, then what happened and what comes next. Pure.

Notes are known again by their proof, never by their words.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from .audience import Directory
from .events import Entry, WriteNote
from .wording import Reader, after, duration, names_of, standing, summary, told, way_of, what_comes
from .words import NOTHING, Words


def note_lines(command: WriteNote, people: Directory, reader: Reader, history: Sequence[Entry] = ()) -> tuple[str, ...]:
    """The note that `command` asks for; `history` is needed for the closing summary only."""
    return tuple(_KINDS.get(command.kind, _goes_on)(command, people, reader, history))


def _step(command: WriteNote, people: Directory, reader: Reader, _: Sequence[Entry]) -> Iterator[str]:
    escalation, report = command.escalation, command.escalation.report
    assert report is not None
    yield reader.says(
        "Escalation {code}, step {step} of {steps}{again} (plan {plan})",
        code=escalation.code,
        step=report.step,
        steps=len(escalation.plan.steps),
        again=Words(", round {round}", round=report.round) if report.round > 1 else NOTHING,
        plan=escalation.plan.name,
    )
    yield from (told(n, people, reader, command.at) for n in command.notifications)
    yield from _remarks(command, reader)
    yield from what_comes(escalation, people, reader, command.at)


def _acknowledged(command: WriteNote, _: Directory, reader: Reader, __: Sequence[Entry]) -> Iterator[str]:
    code, way = command.escalation.code, way_of(command.escalation)
    yield reader.says("Escalation {code} acknowledged by {who} ({way})", code=code, who=command.who, way=way)
    yield from after(command.escalation, reader, command.at)


def _handed_over(command: WriteNote, people: Directory, reader: Reader, _: Sequence[Entry]) -> Iterator[str]:
    code = command.escalation.code
    yield reader.says("Escalation {code} handed to {who}, not yet taken", code=code, who=command.who)
    yield from _remarks(command, reader)
    yield from what_comes(command.escalation, people, reader, command.at)


def _exhausted(command: WriteNote, people: Directory, reader: Reader, __: Sequence[Entry]) -> Iterator[str]:
    escalation, whom = command.escalation, command.escalation.plan.when_exhausted
    yield reader.says("Escalation {code}: nobody came", code=escalation.code)
    yield from _remarks(command, reader)
    if whom is None:
        yield reader.says("Nobody else is named to be told.")
    else:
        yield reader.says("Told: {names}.", names=names_of(whom.notify, escalation, people))


def _closed(command: WriteNote, _: Directory, reader: Reader, history: Sequence[Entry]) -> Iterator[str]:
    yield reader.says("Escalation {code} closed", code=command.escalation.code)
    yield from _remarks(command, reader)
    yield from summary(command.escalation, history, reader, command.at)


def _cancelled(command: WriteNote, _: Directory, reader: Reader, __: Sequence[Entry]) -> Iterator[str]:
    yield reader.says("Escalation {code} cancelled", code=command.escalation.code)
    yield from _remarks(command, reader)


def _plan_changed(command: WriteNote, people: Directory, reader: Reader, _: Sequence[Entry]) -> Iterator[str]:
    escalation = command.escalation
    yield reader.says("Escalation {code}: plan {plan} from now on", code=escalation.code, plan=escalation.plan.name)
    yield from _remarks(command, reader)
    yield from what_comes(escalation, people, reader, command.at)


def _held(command: WriteNote, _: Directory, reader: Reader, __: Sequence[Entry]) -> Iterator[str]:
    code, until = command.escalation.code, command.escalation.held_until
    if until is None:
        yield reader.says("Escalation {code}: put off by {who}", code=code, who=command.who)
        return
    at = reader.clock(until, command.at)
    yield reader.says("Escalation {code}: put off until {at} by {who}", code=code, at=at, who=command.who)


def _goes_on(command: WriteNote, people: Directory, reader: Reader, _: Sequence[Entry]) -> Iterator[str]:
    yield reader.says("Escalation {code}: it goes on", code=command.escalation.code)
    yield from _remarks(command, reader)
    yield from what_comes(command.escalation, people, reader, command.at)


def _still_on_it(command: WriteNote, _: Directory, reader: Reader, __: Sequence[Entry]) -> Iterator[str]:
    escalation, current = command.escalation, command.escalation.acknowledged
    assert current is not None
    yield reader.says("Escalation {code}: {who}, still on it?", code=escalation.code, who=command.who)
    lasts = current.lasts or escalation.plan.acknowledged_for
    due = escalation.due_at
    yield reader.says(
        "{quiet}A note or any other work on it{until} is a yes; without one it goes on from step 1.",
        quiet=Words("Nothing was done on this ticket for {span}. ", span=duration(lasts))
        if lasts is not None
        else NOTHING,
        until=Words(" by {at}", at=reader.clock(due, command.at)) if due is not None else NOTHING,
    )


def _answer(command: WriteNote, _: Directory, reader: Reader, __: Sequence[Entry]) -> Iterator[str]:
    yield reader.says("Escalation {code}: answer to {who}", code=command.escalation.code, who=command.who)
    yield from _remarks(command, reader)


def _why(command: WriteNote, people: Directory, reader: Reader, _: Sequence[Entry]) -> Iterator[str]:
    yield reader.says("Escalation {code}: why", code=command.escalation.code)
    yield from _remarks(command, reader)
    yield standing(command.escalation, reader, command.at)
    yield from what_comes(command.escalation, people, reader, command.at)


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


def _remarks(command: WriteNote, reader: Reader) -> Iterator[str]:
    return (reader.says(remark) for remark in command.remarks)
