"""What the code says to people: every sentence that is made into Words, found in the source."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SAYING = ("Words", "says")
#: Calls in `channels` whose first argument is a sentence of ours that may stand on a ticket.
FAILING = ("Undelivered", "Problem", "Answer")


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
    channel = file.parent.name == "channels"
    saying = (*SAYING, *FAILING) if channel else SAYING
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        sentence: ast.expr | None = None
        if isinstance(node, ast.Call) and node.args and _name(node.func) in saying:
            sentence = node.args[0]
        elif channel and isinstance(node, ast.Assign) and _name(node.targets[0]) in ("sentence", "_REFUSED_KEY"):
            sentence = node.value
        given = node.keywords if isinstance(node, ast.Call) and _name(node.func) in SAYING else []
        for words in _texts(sentence):
            yield Said(f"{file.relative_to(ROOT)}:{node.lineno}", words, frozenset(str(one.arg) for one in given))


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _texts(node: ast.expr | None) -> Iterator[str]:
    """A text, or both of `one if so else another`."""
    if isinstance(node, ast.IfExp):
        yield from (*_texts(node.body), *_texts(node.orelse))
    elif isinstance(node, ast.JoinedStr):  # filled in before anybody could translate it
        yield f"f-string: {ast.unparse(node)}"
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value


def left_in_english(text: str, catalogue: Mapping[str, str]) -> list[str]:
    """English sentences in a text, whatever fills their gaps, of which the catalogue has others."""
    translated = (english for english, said in catalogue.items() if english != said)
    return [english for english in translated if _pattern(english).search(text)]


@cache
def _pattern(sentence: str) -> re.Pattern[str]:
    parts = (re.escape(part) for part in re.split(r"\{\w+\}", sentence))
    return re.compile(rf"(?<![\w/]){'.+'.join(parts)}(?!\w)")  # commands stay what they are: /snooze
