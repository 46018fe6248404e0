"""YAML 1.2 as plain data, with the place of every key and value.

The file is composed to nodes and turned into dicts, lists and scalars here: no tag can construct anything, an alias
can't blow up memory, and a key that stands twice is seen (a loader would keep one of them in silence).
"""

import re
import warnings
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from .problems import Path, Place, Report, dotted, shown

MAX_BYTES = 1 << 20
MAX_NODES = 20_000
MAX_DEPTH = 30

_TAG = "tag:yaml.org,2002:"
_NUMBER = re.compile(r"[-+]?[0-9][0-9_]*")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(slots=True)
class Document:
    """The parsed file before anything is filled in."""

    data: Any = None
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    unread: set[Path] = field(default_factory=set)  # told already


class _TooMuch(Exception):
    """More nodes or levels than any config has."""


def parse(text: str, report: Report) -> Document | None:
    """The document, or None when nothing can be read from the text; either way `report` tells what is wrong."""
    root = _compose(text, report)
    if root is None:
        return None
    reading = _Reading(report)
    report.keys, report.values = reading.document.keys, reading.document.values
    try:
        reading.document.data = reading.value(root, ())
    except _TooMuch:
        report.error((), "This file nests or repeats more than any config needs.", "Write it out without aliases.")
        return None
    if not isinstance(reading.document.data, dict):
        report.error((), "The file holds no keys.", "Begin with `helpdesk:`, as `config/escalation.example.yml` does.")
        return None
    return reading.document


def _compose(text: str, report: Report) -> Node | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            root = YAML(typ="rt", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else None
        # only the parser's own words: its context quotes the file, which may hold a secret
        problem = shown(str(error.problem or error.context or "it can't be read"), 120)
        report.error((), f"This is no YAML: {problem}.", _YAML_MENDS.get(problem, ""), place=place)
    except RecursionError:
        report.error((), "This file nests deeper than any config needs.")
    except YAMLError:
        report.error((), "This is no YAML: it holds characters that don't belong into a text file.")
    except Exception:  # the parser itself stumbles over some texts; whatever it says, this is no config
        report.error((), "This is no YAML.")
    else:
        if root is None:
            report.error((), "The file is empty.", "Copy `config/escalation.example.yml` and change it.")
        return root if isinstance(root, Node) else None
    return None


_YAML_MENDS = {
    "mapping values are not allowed here": "Put text that holds `: ` in quotes, and indent keys of one level alike.",
    "found character '\\t' that cannot start any token": "Indent with spaces, not tabs.",
    "found character '@' that cannot start any token": "Put the text in quotes.",
    "found character '%' that cannot start any token": "Put the text in quotes.",
    "expected a single document in the stream": "Take the `---` line out.",
}


class _Reading:
    """One walk over the nodes."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.document = Document()
        self.left = MAX_NODES

    def value(self, node: Node, path: Path) -> Any:
        self.left -= 1
        if self.left < 0 or len(path) > MAX_DEPTH:
            raise _TooMuch
        self.document.values[path] = _place(node)
        if isinstance(node, ScalarNode):
            return self.scalar(node, path)
        if str(node.tag) not in (_TAG + "map", _TAG + "seq"):
            self._tagged(node, path)
        if isinstance(node, MappingNode):
            return self.mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return None

    def mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self.key(key_node, path)
            if key is None:
                continue
            here = (*path, key)
            if key in found:
                first = self.document.keys[here]
                self.report.error(
                    here,
                    f"`{dotted(here)}` stands twice, first in line {first.line}.",
                    "Keep one of them.",
                    place=_place(key_node),
                )
                continue
            self.document.keys[here] = _place(key_node)
            found[key] = self.value(value_node, here)
        return found

    def key(self, node: Node, path: Path) -> str | None:
        place = _place(node)
        if not isinstance(node, ScalarNode):
            self.report.error(
                path, "A key must be a word.", "Put text that begins with `{` or `[` in quotes.", place=place
            )
            return None
        if str(node.tag) == _TAG + "merge":
            self.report.error(path, "`<<` is no YAML 1.2.", "Write the keys out.", place=place)
            return None
        if str(node.tag) != _TAG + "str" or _CONTROL.search(node.value):
            key = shown(node.value)
            self.report.error(
                path, f"The key {key or '(nothing)'} isn't text.", f'Put it in quotes: "{key}".', place=place
            )
        return str(node.value)

    def scalar(self, node: ScalarNode, path: Path) -> Any:
        tag, raw = str(node.tag).removeprefix(_TAG), str(node.value)
        if tag == "null":
            return None
        if tag == "bool":
            return raw.lower() in ("true", "yes", "on", "y")
        if tag == "int":
            return _number(raw, int)
        if tag == "float":
            return _number(raw, float)
        if tag not in ("str", "timestamp"):
            self._tagged(node, path)
        if _CONTROL.search(raw):
            self.document.unread.add(path)
            self.report.error(path, f"`{dotted(path)}` holds a control character.", "Take it out.")
        return raw

    def _tagged(self, node: Node, path: Path) -> None:
        self.document.unread.add(path)
        tag = shown(str(node.tag).replace(_TAG, "!!"))
        self.report.error(path, f"The tag {tag} means nothing here.", "Take it out, or put the text in quotes.")


def _number(raw: str, kind: type[int] | type[float]) -> int | float | str:
    """The number, or the text where Python reads numbers otherwise than YAML does."""
    text = raw.replace("_", "")
    try:
        if kind is int:
            return int(text) if _NUMBER.fullmatch(text) else int(text, 0)
        return float(text)
    except ValueError:
        return raw


def _place(node: Node) -> Place:
    mark = node.start_mark
    return Place(mark.line + 1, mark.column + 1) if mark is not None else Place()
