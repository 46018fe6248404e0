"""Commands that agents write as the first line of an internal note: `/ack`, `/escalate`, `/snooze`, `/stop`, `/why`.

Parsing only. What a command does is decided where its note is taken in (meaning.py, observing.py).
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from enum import StrEnum

from .words import NOTHING, Words


class Word(StrEnum):
    ACK = "ack"
    ESCALATE = "escalate"
    SNOOZE = "snooze"
    STOP = "stop"
    WHY = "why"


HELP = Words(
    "I know /ack, /ack 2h, /escalate, /escalate PLAN, /snooze 30m, /stop and /why, as the first line of a note."
)
NO_TIME = Words("/snooze wants a time: /snooze 30m, 2h or 1d.")

_COMMAND = re.compile(r"\s*/([a-z]+)(?![\w/.-])\s*(.*)", re.IGNORECASE)
_DURATION = re.compile(r"(\d{1,5})\s?(s|m|h|d|min|mins|std|sec)?\b", re.IGNORECASE)
_UNITS = {"s": "seconds", "sec": "seconds", "h": "hours", "std": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class NoteCommand:
    """`problem` says, for people, why it can't be carried out; `lasts` is positive."""

    word: Word | None
    lasts: timedelta | None = None
    rest: str = ""  # what stands behind the word
    problem: Words = NOTHING


def parse(first_line: str) -> NoteCommand | None:
    """The command in a note's first line; None for an ordinary note, also for one that begins with a path."""
    found = _COMMAND.match(first_line)
    if found is None:
        return None
    name, rest = found[1].lower(), found[2].strip()
    if name not in set(Word):
        meant = get_close_matches(name, list(Word), n=1, cutoff=0.7)
        problem = Words("I don't know /{command}. {help}", command=name, help=HELP)
        return NoteCommand(None, rest=rest, problem=problem) if meant else None
    word, lasts = Word(name), _lasts(rest)
    if word is Word.SNOOZE and lasts is None:
        return NoteCommand(word, rest=rest, problem=NO_TIME)
    return NoteCommand(word, lasts if word in (Word.ACK, Word.SNOOZE) else None, rest)


def _lasts(text: str) -> timedelta | None:
    """`30m`, `2 h`, `45` (minutes); None where no such time stands."""
    found = _DURATION.match(text)
    if found is None or int(found[1]) == 0:
        return None
    return timedelta(**{_UNITS.get((found[2] or "m").lower(), "minutes"): int(found[1])})
