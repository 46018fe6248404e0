"""The judge: what must have happened to each ticket, against what helpdesk, providers and history say. Pure.

Times are Unix seconds by this machine's clock, which all sides share.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

UNDER_WAY = 10.0  # seconds that a request may still be under way when an acknowledgement is recorded
ASKABLE = ("sms", "phone", "pager", "note")  # where the other side answers the question, or knows a repeat by its id

_STEP = re.compile(r"step (\d+) of \d+")


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that reached a person. `id` is what its receiver knows a repeat by, "" where there is no such thing.

    `unheard`: a call whose pressed key never reached Escalator, so that it rings once more.
    """

    way: str
    at: float
    id: str = ""
    unheard: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the history, in the order in which it was recorded."""

    kind: str
    text: str
    channel: str = ""
    late: float = 0.0
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Story:
    """One ticket's life. `ways`: what each step of its plan tells. `taken_at`: an acknowledgement stands by then."""

    ticket: str
    ways: tuple[tuple[str, ...], ...]
    ended: bool
    taken_at: float | None
    history: tuple[Line, ...]
    notes: tuple[str, ...]  # the headlines, oldest first
    effects: tuple[Effect, ...]


@dataclass
class Findings:
    """What was wrong, a sentence each; and what was counted."""

    wrong: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in WRONG})
    counted: Counter[str] = field(default_factory=Counter)
    latest_step: float = 0.0

    @property
    def clean(self) -> bool:
        return not any(self.wrong.values())


#: What may never be found.
WRONG = (
    "never ended",
    "steps lost",
    "steps fired twice",
    "notifications missing",
    "begun after an acknowledgement",
    "notes missing",
    "notes out of order",
    "doubled",
    "doubled without a mark",
)


def judge(stories: Iterable[Story], *, forgiving: bool = False, may_give_up: bool = False) -> Findings:
    """`forgiving`: processes stood still or had another time: what is doubled and marked then is only counted.

    `may_give_up`: what couldn't be sent until the next step's time is given up, if the history says so.
    """
    findings = Findings()
    for story in stories:
        findings.counted["stories"] += 1
        _steps(story, findings)
        _notifications(story, findings, forgiving, may_give_up or forgiving)
        _after_taken(story, findings, forgiving)
        _notes(story, findings, forgiving)
    return findings


def fired(story: Story) -> list[int]:
    """The steps that fired, in the order in which they did."""
    return fired_steps(story.history)


def fired_steps(history: Iterable[Line]) -> list[int]:
    return [int(found[1]) for line in history if line.kind == "step" and (found := _STEP.match(line.text))]


def _steps(story: Story, findings: Findings) -> None:
    steps = fired(story)
    findings.counted["steps"] += len(steps)
    if not story.ended:
        findings.wrong["never ended"].append(f"{story.ticket}: steps {steps}, notes {list(story.notes)}")
    doubled = [step for step, times in Counter(steps).items() if times > 1]
    if doubled:
        findings.wrong["steps fired twice"].append(f"{story.ticket}: {doubled}")
    wanted = list(range(1, (len(story.ways) if story.taken_at is None else max(steps, default=0)) + 1))
    lost = sorted(set(wanted) - set(steps))
    if lost or sorted(set(steps)) != list(dict.fromkeys(steps)):
        findings.wrong["steps lost"].append(f"{story.ticket}: {lost}, fired {steps}")
    late = [line.late for line in story.history if line.kind == "step"]
    findings.latest_step = max([findings.latest_step, *late])


def _notifications(story: Story, findings: Findings, forgiving: bool, may_give_up: bool) -> None:
    for step in dict.fromkeys(fired(story)):
        for way in story.ways[step - 1]:
            effects = [effect for effect in story.effects if effect.way == way]
            told = [line for line in story.history if line.kind == "notification" and line.channel == way]
            findings.counted[f"{way} sent"] += len(effects)
            if not effects:
                _missing(story, f"{way} of step {step}", told, findings, may_give_up)
            _doubled(story, way, effects, told, findings, forgiving)


def _missing(story: Story, what: str, told: Sequence[Line], findings: Findings, may_give_up: bool) -> None:
    """An acknowledgement may have come first. What couldn't be sent until the next step's time may end, aloud."""
    sent = any(went(line) for line in told)
    if may_give_up and told and not sent:
        findings.counted["given up, and said so"] += 1
    elif story.taken_at is None or sent:
        findings.wrong["notifications missing"].append(f"{story.ticket}: {what}; {_said(told)}")


def _doubled(
    story: Story, way: str, effects: Sequence[Effect], told: Sequence[Line], findings: Findings, forgiving: bool
) -> None:
    again = len(effects) - 1 - sum(effect.unheard for effect in effects[:-1])
    if again <= 0:
        return
    if all(effect.id for effect in effects) and len({effect.id for effect in effects}) == 1:
        findings.counted[f"{way} repeated under the same id"] += again
        return
    findings.counted[f"{way} doubled"] += again
    marked = any("possibly sent twice" in line.text for line in told)
    if not forgiving and way in ASKABLE:
        findings.wrong["doubled"].append(f"{story.ticket}: {way}, {len(effects)} times")
    elif not marked:
        findings.wrong["doubled without a mark"].append(f"{story.ticket}: {way}; {_said(told)}")


def _after_taken(story: Story, findings: Findings, forgiving: bool) -> None:
    taken = next((place for place, line in enumerate(story.history) if line.kind == "acknowledged"), None)
    if taken is not None and any(line.kind == "step" for line in story.history[taken:]):
        findings.wrong["begun after an acknowledgement"].append(f"{story.ticket}: a step")
    if story.taken_at is None:
        return
    for effect in story.effects:
        late = effect.at - story.taken_at
        if late > UNDER_WAY and forgiving:
            findings.counted["was under way for long when it was taken"] += 1
        elif late > UNDER_WAY:
            findings.wrong["begun after an acknowledgement"].append(f"{story.ticket}: {effect.way}, {late:.1f} s")


def _notes(story: Story, findings: Findings, forgiving: bool) -> None:
    findings.counted["notes"] += len(story.notes)
    wanted = list(_headlines(story))
    got = [next((want for want in wanted if want in note), note) for note in story.notes]
    once = list(dict.fromkeys(got))
    missing = [want for want in wanted if want not in once]
    if missing:
        findings.wrong["notes missing"].append(f"{story.ticket}: {missing} of {wanted}")
    if [note for note in once if note in wanted] != [want for want in wanted if want in once]:
        findings.wrong["notes out of order"].append(f"{story.ticket}: {once}")
    again = len(got) - len(once)
    findings.counted["notes doubled"] += again
    if again and not forgiving:
        findings.wrong["doubled"].append(f"{story.ticket}: a note, {got}")


def _headlines(story: Story) -> Iterable[str]:
    """Words of each note that the history asks for, in order. What ends in the first window leaves nothing."""
    shown = False
    for line in story.history:
        if line.kind == "step" and (found := _STEP.match(line.text)):
            shown = True
            yield f"step {found[1]} of"
        elif shown and line.kind in _NOTES:
            yield _NOTES[line.kind]


_NOT_SENT = ("not sent", "nobody knows", "no longer", "failed", "not be reached", "too long to begin", "not tried")
_NOTES = {"acknowledged": "acknowledged by", "exhausted": "nobody came", "resolved": "closed"}


def went(line: Line) -> bool:
    """Whether the history says that it was sent."""
    return not any(words in line.text for words in _NOT_SENT)


def _said(told: Sequence[Line]) -> str:
    return "; ".join(line.text for line in told) or "the history says nothing of it"
