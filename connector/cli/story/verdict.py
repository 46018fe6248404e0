"""Whether the story went as it should: pure, from what was seen to sentences about what differs."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from . import PLAN, Script
from .seen import Seen, Told

LATE = 3.0  # seconds after which a step counts as late; a program's first push, just after its start, takes the longest
EARLY = 0.001  # seconds; the helpdesk's times are whole milliseconds

WORDS = {"push": "push", "sms": "SMS", "phone": "phone call"}


def before_the_end(seen: Seen, script: Script, name: str, late: float = LATE) -> list[str]:
    """What differs once it has been acknowledged (or wasn't), before the agent closes the ticket."""
    return [*_ways(seen, script, late), *_acknowledged(seen, name), *_tags(seen, ("escalation-acknowledged",))]


def at_the_end(seen: Seen, script: Script, name: str, late: float = LATE) -> list[str]:
    """What differs after the agent has closed the ticket."""
    return [
        *_ways(seen, script, late),
        *_acknowledged(seen, name),
        *_notes(seen, script),
        *_nothing_after(seen),
        *_tags(seen, ()),
    ]


def _ways(seen: Seen, script: Script, most: float) -> Iterator[str]:
    """One of each, in order, never early, hardly late."""
    for way, due in script.due():
        sent = seen.by(way)
        word = WORDS[way]
        if len(sent) != 1:
            yield f"{len(sent)} times {word} instead of once."
            continue
        late = seen.minutes(sent[0].at) - due
        if late < -EARLY:
            yield f"The {word} came {-late:.1f} s early."
        elif late > most:
            yield f"The {word} came {late:.1f} s late."
        if not sent[0].arrived:
            yield f"The {word} did not arrive."
    order = [told.way for told in seen.told if not told.all_clear]
    wanted = [way for way, _ in script.steps]
    if sorted(order) == sorted(wanted) and order != wanted:
        yield f"The order was {_listed(order)} instead of {_listed(wanted)}."


def _acknowledged(seen: Seen, name: str) -> Iterator[str]:
    note = seen.acknowledgement
    if not any(told.keys == "1" for told in seen.by("phone")):
        yield "Nobody pressed key 1 in the call."
    if note is None:
        yield "Nobody acknowledged: the note about it is missing."
        return
    if f" acknowledged by {name} (phone call)" not in note.first:
        yield f"The acknowledgement reads: {note.first}."
    if seen.owner != name:
        yield f"{name} is not the ticket's owner."


def _notes(seen: Seen, script: Script) -> Iterator[str]:
    """Internal, in order: one a step, the acknowledgement, the summary."""
    steps = len(script.steps)
    wanted = [f", step {n} of {steps} (plan {PLAN})" for n in range(1, steps + 1)]
    wanted += [" acknowledged by ", " closed"]
    firsts = [note.first for note in seen.notes]
    if len(firsts) != len(wanted) or not all(w in first for w, first in zip(wanted, firsts, strict=True)):
        yield f"The notes are {_listed(firsts) or 'missing'}; wanted was one a step, the acknowledgement, the summary."
    if any(not note.internal for note in seen.notes):
        yield "A note is visible to the customer."
    if any(later.at < earlier.at for earlier, later in pairwise(seen.notes)):
        yield "The notes are out of order."


def _nothing_after(seen: Seen) -> Iterator[str]:
    note = seen.acknowledgement
    after = [told for told in seen.told if note is not None and told.at > note.at and not told.all_clear]
    if after:
        yield f"After the acknowledgement came {_listed([WORDS[told.way] for told in after])}."


def _tags(seen: Seen, wanted: Sequence[str]) -> Iterator[str]:
    ours = [tag for tag in seen.tags if tag.startswith("escalation-")]
    if ours != list(wanted):
        yield f"The ticket's tags are {_listed(ours) or 'none'} instead of {_listed(wanted) or 'none'}."


def lateness(seen: Seen, script: Script) -> list[tuple[Told, float]]:
    """What was sent for each step, and how many seconds after its due time."""
    return [(sent[0], seen.minutes(sent[0].at) - due) for way, due in script.due() if (sent := seen.by(way))]


def _listed(words: Sequence[str]) -> str:
    return ", then ".join(words)
