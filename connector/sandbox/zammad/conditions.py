"""Zammad's selectors: the conditions of triggers, SLAs and searches, evaluated on rows in memory.

A selector is `{"ticket.state_id": {...}}` (all must hold) or nested `{"operator": "AND|OR|NOT", "conditions": [...]}`.
Facts: `lib/selector/sql.rb` of Zammad 6.0; without an article every `article.` condition is false, even "is not".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .rows import NOBODY, Row, moment

_SPANS = {"minute": 1, "hour": 60, "day": 1440, "week": 10080, "month": 43200, "year": 525600}  # in minutes


class UnknownCondition(Exception):
    """A key or operator that Zammad doesn't know."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a selector is held against. `action` and `changed` only mean something for an event."""

    ticket: Row
    now: datetime
    actor_id: int = NOBODY
    tags: tuple[str, ...] = ()
    article: Row | None = None
    action: str = ""
    changed: frozenset[str] = field(default_factory=frozenset)


def matches(selector: Mapping[str, Any], subject: Subject) -> bool:
    """Whether the selector holds. Raises UnknownCondition."""
    if "conditions" in selector:
        held = [matches(inner, subject) for inner in selector["conditions"]]
        if selector.get("operator") == "OR":
            return any(held)
        return not any(held) if selector.get("operator") == "NOT" else all(held)
    if "name" in selector:
        return _holds(selector["name"], selector, subject)
    return all(_holds(name, condition, subject) for name, condition in selector.items())


def names_in(selector: Mapping[str, Any]) -> set[str]:
    """The attributes that a selector asks about ("ticket.state_id")."""
    if "conditions" in selector:
        return set().union(*(names_in(inner) for inner in selector["conditions"]))
    return {selector["name"]} if "name" in selector else set(selector)


def _holds(name: str, condition: Mapping[str, Any], subject: Subject) -> bool:
    table, _, column = name.partition(".")
    if table == "article":
        if subject.article is None:
            return False
        row: Row = {**subject.article, "action": "create"}
    elif table == "ticket":
        row = {**subject.ticket, "action": subject.action, "tags": subject.tags}
    else:
        raise UnknownCondition(name)
    if column not in row:
        raise UnknownCondition(name)
    operator = condition.get("operator", "")
    if operator == "has changed":
        return column in subject.changed
    test = _OPERATORS.get(operator)
    if test is None:
        raise UnknownCondition(f"{name} {operator}")
    return test(row[column], condition, subject)


def _wanted(condition: Mapping[str, Any], subject: Subject) -> list[str]:
    """The values asked for, as text: ids come as numbers or texts alike."""
    if condition.get("pre_condition") == "current_user.id":
        return [str(subject.actor_id)]
    if condition.get("pre_condition") == "not_set":
        return [str(NOBODY), ""]
    value = condition.get("value")
    return [_text(one) for one in (value if isinstance(value, list) else [value])]


def _text(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _words(value: Any) -> set[str]:
    parts = value if isinstance(value, list | tuple) else str(value or "").split(",")
    return {str(part).strip() for part in parts} - {""}


def _is(value: Any, condition: Mapping[str, Any], subject: Subject) -> bool:
    return _text(value) in _wanted(condition, subject)


def _contains(value: Any, condition: Mapping[str, Any], subject: Subject) -> bool:
    return any(one.lower() in _text(value).lower() for one in _wanted(condition, subject))


def _one(value: Any, condition: Mapping[str, Any], _: Subject) -> bool:
    return bool(_words(value) & _words(condition.get("value")))


def _all(value: Any, condition: Mapping[str, Any], _: Subject) -> bool:
    return _words(condition.get("value")) <= _words(value)


def _span(condition: Mapping[str, Any]) -> timedelta:
    unit = str(condition.get("range", ""))
    if unit not in _SPANS:
        raise UnknownCondition(f"range {unit}")
    return timedelta(minutes=_SPANS[unit] * int(condition.get("value", 0)))


def _compared(test: Callable[[datetime, Mapping[str, Any], datetime], bool]) -> "Test":
    """A test of a time column; an empty one never holds."""

    def holds(value: Any, condition: Mapping[str, Any], subject: Subject) -> bool:
        return value is not None and test(moment(value), condition, subject.now)

    return holds


def _not(test: "Test") -> "Test":
    return lambda value, condition, subject: not test(value, condition, subject)


Test = Callable[[Any, Mapping[str, Any], Subject], bool]
_OPERATORS: dict[str, Test] = {
    "is": _is,
    "is not": _not(_is),
    "contains": _contains,
    "contains not": _not(_contains),
    "contains one": _one,
    "contains one not": _not(_one),
    "contains all": _all,
    "contains all not": _not(_all),
    "before (absolute)": _compared(lambda at, condition, _: at <= moment(condition["value"])),
    "after (absolute)": _compared(lambda at, condition, _: at >= moment(condition["value"])),
    "before (relative)": _compared(lambda at, condition, now: at <= now - _span(condition)),
    "after (relative)": _compared(lambda at, condition, now: at >= now + _span(condition)),
    "within last (relative)": _compared(lambda at, condition, now: now - _span(condition) <= at <= now),
    "within next (relative)": _compared(lambda at, condition, now: now <= at <= now + _span(condition)),
    "till (relative)": _compared(lambda at, condition, now: at <= now + _span(condition)),
    "from (relative)": _compared(lambda at, condition, now: at >= now - _span(condition)),
}
