"""What is wrong with a config: where, in one sentence, and what to write instead."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum

#: Where something stands in the config: keys and list indexes from the top.
Path = tuple[str | int, ...]


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column, counted from 1 as editors do; 0 is the file as a whole."""

    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `sentence` and `mend` hold no secret and no phone number."""

    severity: Severity
    file: str
    line: int
    column: int
    path: str
    sentence: str
    mend: str = ""

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{where}: {self.sentence} {self.mend}".rstrip()


class Complaint(str):
    """What a schema's field says: a sentence that is told with the field's place, and its mend.

    Marshmallow carries messages as strings, so this is one. `{name}` stands for the field's path.
    """

    __slots__ = ("key", "mend")

    mend: str
    key: bool

    def __new__(cls, sentence: str, mend: str = "", *, key: bool = False) -> "Complaint":
        """`key`: the complaint is about the key itself, so its place is the key's."""
        complaint = super().__new__(cls, sentence)
        complaint.mend = mend
        complaint.key = key
        return complaint


@dataclass(slots=True)
class Report:
    """Collects the problems of one file; `keys` and `values` tell where each path stands."""

    file: str
    keys: Mapping[Path, Place] = field(default_factory=dict)
    values: Mapping[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def error(
        self, path: Path, sentence: str, mend: str = "", *, key: bool = False, place: Place | None = None
    ) -> None:
        self._add(Severity.ERROR, path, sentence, mend, place or self.place(path, key=key))

    def warning(self, path: Path, sentence: str, mend: str = "", *, key: bool = False) -> None:
        self._add(Severity.WARNING, path, sentence, mend, self.place(path, key=key))

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Where the value (or its key) stands; for what isn't there, where the nearest thing around it does."""
        first, second = (self.keys, self.values) if key else (self.values, self.keys)
        if found := first.get(path) or second.get(path):
            return found
        while path:
            path = path[:-1]
            if found := self.keys.get(path) or self.values.get(path):
                return found
        return Place()

    @property
    def failed(self) -> bool:
        return any(problem.is_error for problem in self.problems)

    def in_order(self) -> tuple[Problem, ...]:
        """In the order of the file; errors first where two stand at one place."""
        unique = dict.fromkeys(self.problems)
        return tuple(sorted(unique, key=lambda p: (p.line, p.column, p.severity, p.path, p.sentence)))

    def _add(self, severity: Severity, path: Path, sentence: str, mend: str, place: Place) -> None:
        self.problems.append(Problem(severity, self.file, place.line, place.column, dotted(path), sentence, mend))


def dotted(path: Path) -> str:
    """`plans.major.steps[0].by`, as it stands in problems."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{shown(part)}" if text else shown(part)
    return text


def shown(text: str, limit: int = 60) -> str:
    """Text from the config as it may stand in a sentence: one line, printable, not endless."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in text)
    return printable if len(printable) <= limit else printable[: limit - 1] + "…"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant, whatever its case."""
    by_folded = {one.casefold(): one for one in sorted(known)}
    found = get_close_matches(name[:200].casefold(), by_folded, n=1)
    return by_folded[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The mend for a name that doesn't exist: the nearest one, else all there are."""
    names = sorted(known)
    if best := nearest(name, names):
        return f"Did you mean `{shown(best)}`?"
    if not names:
        return "There is none yet."
    return f"There is {', '.join(f'`{shown(one)}`' for one in names[:12])}{' and more' if len(names) > 12 else ''}."
