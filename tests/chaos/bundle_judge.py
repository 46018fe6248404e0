"""The judge of what is told together: each ticket's part of each message, against what its history says. Pure.

Times are Unix seconds by this machine's clock, which all sides share.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .judge import UNDER_WAY, Findings, Line, fired_steps, went

ASKABLE = ("sms", "phone")  # where the provider answers the question whether it has a message
REFUSED = "not sent: more than"  # the ceiling's words
CUT = ("was lost", "was cut")  # the answer to a try that may have reached nobody
UNKNOWN = ("nobody knows", "possibly sent twice")  # honest about what can't be known
SAME_MOMENT = 1.0  # seconds between what two processes call now

#: What may never be found.
WRONG = (
    "never ended",
    "steps lost",
    "steps fired twice",
    "not told",
    "told twice",
    "told twice without a mark",
    "told after an acknowledgement",
    "not as the history says",
    "announced and not taken",
    "taken and not announced",
    "left behind",
    "over the ceiling",
    "ceiling not said once",
)


@dataclass(frozen=True, slots=True)
class Told:
    """A message that reached a person: the codes that it names. `id` is what its receiver knows a repeat by, if any.

    `unheard`: a call whose pressed key never reached Escalator, so that it rings once more. `last`: it says that it is
    the last one for a while.
    """

    way: str
    person: str
    at: float
    codes: tuple[str, ...]
    id: str = ""
    unheard: bool = False
    last: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """Key 1 in a call that named these codes, or "ALL" to all texts so far. `heard`: Escalator has said what it did."""

    way: str
    person: str
    at: float
    heard: bool
    heard_at: float
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket's life. `ways`: what each step of its plan tells `person`, a way at most once.

    `waits`: ways whose receipt hasn't come yet, so that the history can't say anything of them.
    """

    code: str
    person: str
    ways: tuple[tuple[str, ...], ...]
    ended: bool
    taken_at: float | None
    history: tuple[Line, ...]
    waits: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Night:
    """All of it. `left`: what is still to be sent, or being sent, when all tickets have come to their end."""

    tickets: Sequence[Ticket]
    told: Sequence[Told]
    answers: Sequence[Answer] = ()
    left: Sequence[str] = ()
    limits: Mapping[str, int] = field(default_factory=dict)  # messages to one person by one way


def judge_night(night: Night) -> Findings:
    findings = Findings({kind: [] for kind in WRONG})
    naming: dict[tuple[str, str], list[Told]] = defaultdict(list)
    for message in sorted(night.told, key=lambda message: message.at):
        findings.counted[f"{message.way} messages"] += 1
        findings.counted["about several tickets"] += len(message.codes) > 1
        for code in message.codes:
            naming[code, message.way].append(message)
    for ticket in night.tickets:
        findings.counted["tickets"] += 1
        _steps(ticket, findings)
        for way in [way for step in dict.fromkeys(fired_steps(ticket.history)) for way in ticket.ways[step - 1]]:
            _part(ticket, way, naming[ticket.code, way], findings)
    _answers(night, findings)
    _ceilings(night, findings)
    findings.wrong["left behind"] += night.left
    return findings


def _steps(ticket: Ticket, findings: Findings) -> None:
    steps = fired_steps(ticket.history)
    findings.counted["steps"] += len(steps)
    if not ticket.ended:
        findings.wrong["never ended"].append(f"{ticket.code}: steps {steps}")
    if len(set(steps)) < len(steps):
        findings.wrong["steps fired twice"].append(f"{ticket.code}: {steps}")
    wanted = len(ticket.ways) if ticket.taken_at is None else max(steps, default=0)
    if list(dict.fromkeys(steps)) != list(range(1, wanted + 1)):
        findings.wrong["steps lost"].append(f"{ticket.code}: fired {steps}")
    late = [line.late for line in ticket.history if line.kind == "step"]
    findings.latest_step = max([findings.latest_step, *late])


def _part(ticket: Ticket, way: str, named: Sequence[Told], findings: Findings) -> None:
    """One ticket, one way: once in a message and once in the history, or not at all and the history says why."""
    lines = [line for line in ticket.history if line.kind == "notification" and line.channel == way]
    lines = [line for line in lines if not line.text.endswith("(later)") and not line.text.startswith("all-clear")]
    sent, about = [line for line in lines if went(line)], f"{ticket.code}: {way}; {[line.text for line in lines]}"
    findings.counted["parts told"] += bool(named)
    findings.counted["parts in the histories"] += bool(sent)
    certain = [line for line in sent if not any(words in line.text for words in CUT)]
    if not named and (certain or (not lines and ticket.taken_at is None)):
        findings.wrong["not told"].append(about)
    elif not named and lines:
        findings.counted[f"not told, and said: {_why(lines)}"] += 1
    unknown = any(words in line.text for line in lines for words in UNKNOWN)
    if named and not sent and (unknown or way in ticket.waits):
        findings.counted["parts whose outcome nobody knows, or knew yet"] += 1
    if len(sent) > 1 or (named and not sent and not unknown and way not in ticket.waits):
        findings.wrong["not as the history says"].append(f"{about}, told {len(named)} times")
    _twice(ticket, way, named, lines, findings)
    if ticket.taken_at is not None:
        late = [message.at - ticket.taken_at for message in named if message.at > ticket.taken_at + UNDER_WAY]
        findings.wrong["told after an acknowledgement"] += [f"{ticket.code}: {way}, {after:.1f} s" for after in late]


def _why(lines: Sequence[Line]) -> str:
    return "the ceiling" if any(REFUSED in line.text for line in lines) else lines[-1].text.partition(": ")[2]


def _twice(ticket: Ticket, way: str, named: Sequence[Told], lines: Sequence[Line], findings: Findings) -> None:
    again = len(named) - 1 - sum(message.unheard for message in named[:-1])
    if again <= 0:
        return
    if all(message.id for message in named) and len({message.id for message in named}) == 1:
        findings.counted[f"{way} repeated under the same id"] += again
        return
    findings.counted[f"{way} told twice"] += again
    at = ", ".join(f"{message.at - named[0].at:.1f} s {' '.join(message.codes)}" for message in named)
    if way in ASKABLE:
        findings.wrong["told twice"].append(f"{ticket.code}: {way}: {at}; {[line.text for line in lines]}")
    elif not any("possibly sent twice" in line.text for line in lines):
        findings.wrong["told twice without a mark"].append(f"{ticket.code}: {way}: {at}")


# --- key 1, and ALL --------------------------------------------------------------------------------------------------


def _answers(night: Night, findings: Findings) -> None:
    over_at = {ticket.code: _over_at(ticket) for ticket in night.tickets}
    for answer in night.answers:
        findings.counted[f"answers by {answer.way}"] += 1
        if not answer.heard:
            findings.counted["answers that nobody heard"] += 1
            continue
        late = [
            code for code in _announced(answer, night.told) if over_at.get(code, 0.0) > answer.heard_at + SAME_MOMENT
        ]
        if late:
            findings.wrong["announced and not taken"].append(f"{answer.person} by {answer.way}: {late}")
    for ticket in night.tickets:
        for line in ticket.history:
            _was_announced(ticket, line, night, findings)


def _announced(answer: Answer, told: Iterable[Told]) -> set[str]:
    if answer.way == "phone":
        return set(answer.codes)
    texts = [text for text in told if (text.way, text.person) == ("sms", answer.person) and text.at <= answer.at]
    return {code for text in texts for code in text.codes}


def _over_at(ticket: Ticket) -> float:
    """When nobody had to come any more; infinite when it never was."""
    ends = [line.at for line in ticket.history if line.kind in ("acknowledged", "resolved", "cancelled")]
    return min(ends, default=float("inf"))


def _was_announced(ticket: Ticket, line: Line, night: Night, findings: Findings) -> None:
    """Whoever takes a ticket in a call, or by a reply, was told of it there before."""
    way = {"(phone call)": "phone", "(SMS)": "sms"}.get(line.text[line.text.rfind("(") :])
    if line.kind != "acknowledged" or way is None:
        return
    mine = [answer for answer in night.answers if (answer.way, answer.person) == (way, ticket.person)]
    if any(ticket.code in _announced(answer, night.told) and answer.at <= line.at + SAME_MOMENT for answer in mine):
        findings.counted[f"taken by {way}"] += 1
    elif way == "sms" and any("nobody knows" in said.text for said in ticket.history):
        findings.counted["taken in the moment before its text went out"] += 1
    else:
        findings.wrong["taken and not announced"].append(f"{ticket.code}: {line.text}")


# --- ceilings --------------------------------------------------------------------------------------------------------


def _ceilings(night: Night, findings: Findings) -> None:
    refused = {
        (ticket.person, line.channel) for ticket in night.tickets for line in ticket.history if REFUSED in line.text
    }
    for person in dict.fromkeys(ticket.person for ticket in night.tickets):
        for way, limit in night.limits.items():
            messages = _each_once(m for m in night.told if (m.person, m.way) == (person, way))
            said = [place for place, message in enumerate(messages) if message.last]
            about = f"{way} to {person}: {len(messages)} of {limit}, said with {[place + 1 for place in said]}"
            if len(messages) > limit:
                findings.wrong["over the ceiling"].append(about)
            reached = len(messages) >= limit or (person, way) in refused
            findings.counted["ceilings reached"] += reached
            if len(said) != reached:  # not always with the last one: who died on the way there comes later
                findings.wrong["ceiling not said once"].append(about)


def _each_once(messages: Iterable[Told]) -> list[Told]:
    """In the order in which they came; what came again under one id is one."""
    once: dict[object, Told] = {}
    for message in sorted(messages, key=lambda message: message.at):
        once.setdefault(message.id or object(), message)
    return list(once.values())
