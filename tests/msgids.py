"""What the code says to people: every sentence that is made into Words, found in the source."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SAYING = ("Words", "says")


@dataclass(frozen=True)
class Said:
    """A sentence where it stands, with the names of the values that it is given there."""

    where: str
    msgid: str
    given: frozenset[str]


@cache
def said() -> tuple[Said, ...]:
    """Every sentence that the code names itself; what comes in from outside is not among them."""
    files = sorted(file for top in ("connector", "channels") for file in (ROOT / top).rglob("*.py"))
    return tuple(one for file in files for one in _in(file))


def _in(file: Path) -> Iterator[Said]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        sentence = node.args[0]
        if name in SAYING and isinstance(sentence, ast.Constant) and sentence.value:
            where = f"{file.relative_to(ROOT)}:{node.lineno}"
            yield Said(where, sentence.value, frozenset(str(one.arg) for one in node.keywords))


def left_in_english(text: str, catalogue: Mapping[str, str]) -> list[str]:
    """English sentences in a text, whatever fills their gaps, of which the catalogue has others."""
    translated = (english for english, said in catalogue.items() if english != said)
    return [english for english in translated if _pattern(english).search(text)]


@cache
def _pattern(sentence: str) -> re.Pattern[str]:
    parts = (re.escape(part) for part in re.split(r"\{\w+\}", sentence))
    return re.compile(rf"(?<![\w/]){'.+'.join(parts)}(?!\w)")  # commands stay what they are: /snooze
