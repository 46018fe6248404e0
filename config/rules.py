"""Rules that never match, and rules that match more than was probably meant."""

from dataclasses import dataclass

from marshmallow import ValidationError

from connector.core.plan import Criteria

from .build import NO_PLAN, criteria
from .problems import Path
from .schema import WhenSchema
from .view import View


@dataclass(frozen=True, slots=True)
class _Ranked:
    path: Path
    when: Criteria
    plan: str
    line: int


def check(view: View) -> None:
    found = _readable(view)
    for rule in found:
        if rule.plan != NO_PLAN and not rule.when.priority:
            sentence = "This rule asks for no priority: it takes tickets of every priority."
            view.report.warning(rule.path, sentence, 'Add `priority: ["3 high"]` with the priorities you mean.')
    ranked = sorted(found, key=lambda rule: rule.plan != NO_PLAN) + _of_priorities(view)  # exclusions win anywhere
    for index, rule in enumerate(ranked):
        earlier = next((one for one in ranked[:index] if covers(one.when, rule.when)), None)
        if earlier is None:
            continue
        if rule.path[0] == "priorities":
            sentence = f"This priority never gets here: the rule in line {earlier.line} takes all its tickets."
            view.report.warning(rule.path, sentence, "Take it out, or narrow that rule.", key=True)
        else:
            sentence = f"This rule can never match: the rule in line {earlier.line} covers it."
            movable = earlier.plan != NO_PLAN or rule.plan == NO_PLAN
            mend = (
                "Move it above that one, or take it out." if movable else "Take one of them out: exclusions come first."
            )
            view.report.warning(rule.path, sentence, mend)


def _readable(view: View) -> list[_Ranked]:
    """The rules whose criteria can be read; the others were told already."""
    rules = view.data.get("rules")
    found = []
    for index, rule in enumerate(rules if isinstance(rules, list) else []):
        path: Path = ("rules", index)
        if not isinstance(rule, dict) or not isinstance(rule.get("plan"), str) or _has_gaps(view, path):
            continue
        try:
            when = criteria(WhenSchema().load(rule.get("when") or {}))
        except ValidationError:
            continue
        found.append(_Ranked(path, when, rule["plan"], view.report.place(path).line))
    return found


def _has_gaps(view: View, path: Path) -> bool:
    return any(blank[: len(path)] == path for blank in view.filled.blank)


def _of_priorities(view: View) -> list[_Ranked]:
    """`priorities` are like rules after all others."""
    entries = view.section("priorities") or {}
    return [
        _Ranked(("priorities", name), Criteria(priority=(name,)), plan, 0)
        for name, plan in entries.items()
        if isinstance(plan, str)
    ]


def covers(wide: Criteria, narrow: Criteria) -> bool:
    """Whether every ticket that satisfies `narrow` satisfies `wide`, too."""
    for asked, given in (
        (wide.priority, narrow.priority),
        (wide.group, narrow.group),
        (wide.organization, narrow.organization),
        (wide.tag, narrow.tag),
        *((values, dict(narrow.fields).get(name, ())) for name, values in wide.fields),
    ):
        if asked and not (given and set(given) <= set(asked)):
            return False
    if wide.vip is not None and wide.vip is not narrow.vip:
        return False
    return not wide.title or (bool(narrow.title) and all(_said(phrase, wide.title) for phrase in narrow.title))


def _said(phrase: str, wanted: tuple[str, ...]) -> bool:
    """Whether a title with this phrase has one of the wanted ones in it."""
    words = f" {' '.join(phrase.casefold().split())} "
    return any(f" {' '.join(one.casefold().split())} " in words for one in wanted)
