"""The filled-in data as the cross checks look at it: whatever has the wrong shape is simply not there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from . import later
from .filling import Filled
from .problems import Path, Report, nearest, shown
from .schema import SECTIONS


@dataclass(frozen=True, slots=True)
class Telling:
    """A place that says who is told by which ways: a step, `when_exhausted`, the operator."""

    path: Path
    title: str  # as it stands in a sentence
    plan: str | None = None


@dataclass(frozen=True, slots=True)
class View:
    filled: Filled
    kinds: Mapping[str, str]  # of channels, by name
    needs: Mapping[str, str]  # field of a contact, by kind of channel
    report: Report

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = self.filled.data
        return data

    def at(self, path: Path) -> Any:
        """The value at this path, or None."""
        value: Any = self.data
        for part in path:
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                return None
        return value

    def section(self, key: str) -> dict[str, Any] | None:
        value = self.data.get(key)
        return value if isinstance(value, dict) else None

    def names(self, key: str) -> list[str]:
        return list(self.section(key) or {})

    @property
    def misspelt(self) -> set[str]:
        """Sections that probably stand there under a wrong key; what they would hold isn't asked for."""
        wrong = [key for key in self.data if key not in SECTIONS and not later.is_later((), key)]
        return {best for key in wrong if (best := nearest(key, SECTIONS)) and best not in self.data}

    def entries(self, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, entry in (self.section(key) or {}).items():
            if isinstance(entry, dict):
                yield name, entry

    def words(self, path: Path) -> list[tuple[Path, str]]:
        """The texts at this path (one, or a list of them), each with its own path; gaps are left out."""
        value = self.at(path)
        if isinstance(value, list):
            found = [((*path, index), one) for index, one in enumerate(value)]
        else:
            found = [(path, value)]
        return [(at, one) for at, one in found if isinstance(one, str) and one and at not in self.filled.blank]

    def texts(self, path: Path) -> list[str]:
        return [word for _, word in self.words(path)]

    def quoted(self, path: Path, word: str) -> str:
        """The word for a sentence; what came from the environment isn't repeated."""
        return "this" if path in self.filled.hidden else f"`{shown(word)}`"

    def steps(self, plan: str) -> Iterator[Telling]:
        """The steps of a plan that are written as steps."""
        steps = self.at(("plans", plan, "steps"))
        for index, step in enumerate(steps if isinstance(steps, list) else []):
            if isinstance(step, dict):
                yield Telling(("plans", plan, "steps", index), f"step {index + 1} of plan `{shown(plan)}`", plan)

    def tellings(self) -> Iterator[Telling]:
        """Every place that says who is told by which ways."""
        for plan, _ in self.entries("plans"):
            yield from self.steps(plan)
            path: Path = ("plans", plan, "when_exhausted")
            if isinstance(self.at(path), dict):
                yield Telling(path, f"`when_exhausted` of plan `{shown(plan)}`", plan)
        if isinstance(self.at(("service", "operator")), dict):
            yield Telling(("service", "operator"), "`service.operator`")
