"""Plans in plain words: pure, from the config to sentences for people who never saw it."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from channels import BUILT_IN
from config.settings import Settings

from ..core.plan import OWNER, UNASSIGNED, Criteria, Plan, Rule, Step, Way
from ..core.wording import duration
from .explaining import after_round
from .sheet import Chosen, Part, Row, Sentences, Sheet

ENGLISH = Sentences(BUILT_IN, "en")

#: A name in a sentence: `owner`, `unassigned` or `contact`, and what the contact is called.
Named = tuple[str, str]


def sheet_of_plans(settings: Settings, tell: Sentences) -> Sheet:
    """Every plan, and what no plan is for."""
    policy = settings.policy
    plans = [*policy.plans.values()]
    excluded = [_rule("rule", rule, tell) for rule in policy.rules if rule.plan is None]
    excluded += [tell("priorities", priorities=[name]) for name, plan in policy.priorities.items() if plan is None]
    none = (Part(tell("excluded"), tuple(excluded)),) if excluded else ()
    return Sheet(
        title=tell("plans"),
        intro=tuple(filter(None, [in_rehearsal(settings, tell)])),
        parts=(*(part_of(plan, settings, tell) for plan in plans), *none),
        outro=(tell("left alone"),),
        chosen=tuple(_chosen(settings, [plan.name for plan in plans], tell)),
    )


def in_rehearsal(settings: Settings, tell: Sentences = ENGLISH) -> str:
    """What a rehearsal doesn't do, in one sentence; "" when Escalator is live."""
    if not settings.service.rehearsal:
        return ""
    to = settings.contacts.get(settings.service.redirect_to)
    return tell("rehearsal", to=to.name if to is not None else "")


def part_of(plan: Plan, settings: Settings, tell: Sentences) -> Part:
    """A plan from its first minute to its end."""
    names = Names(settings)
    stand_ins = (tell("stand-ins", whom=names.of(plan.unassigned)),) if plan.unassigned else ()
    return Part(
        tell("plan", name=plan.name),
        (*_uses(plan.name, settings, tell), tell("window", window=duration(plan.respond_within))),
        tuple(_rows(plan, settings, names, tell)),
        (*stand_ins, stops(plan, tell)),
    )


def _rows(plan: Plan, settings: Settings, names: "Names", tell: Sentences) -> Iterator[Row]:
    """The steps, the rounds after them, and when nobody came."""
    before = timedelta(0)
    for step, at in zip(plan.steps, times(plan), strict=True):
        words = step_words(step, names.of(step.notify), tell)
        yield Row(duration(at), words, icons(step.by, settings), icons(step.otherwise, settings), at - before)
        before = at
    rounds, end = after_round(plan, 1, before)
    for number, at in rounds:
        yield Row(duration(at), tell("round", round=number, rounds=plan.rounds), waits=plan.pause_between_rounds)
    if (last := plan.when_exhausted) is None:
        yield Row(duration(end), tell("nobody came", by=()), waits=plan.give_up_after)
        return
    words = tell("nobody came", by=last.by, whom=names.of(last.notify), every=duration(last.every))
    yield Row(duration(end), words, icons(last.by, settings), waits=plan.give_up_after)


def stops(plan: Plan, tell: Sentences) -> str:
    """What ends it."""
    return tell("stops", by=[way.value for way in Way if way in plan.acknowledged_by])


def step_words(step: Step, whom: Iterable[Named], tell: Sentences = ENGLISH, number: int = 0) -> str:
    """`push to the owner, or SMS if that does not arrive`; with its number where there is one."""
    return tell("step", by=step.by, otherwise=step.otherwise, whom=tuple(whom), number=number)


def icons(names: Iterable[str], settings: Settings) -> tuple[str, ...]:
    """The kinds of these channels."""
    kinds = {name: channel.kind for name, channel in settings.channels.items()}
    return tuple(kinds.get(name, name) for name in names)


class Names:
    """Contacts by their names; the words of `notify` as they are."""

    def __init__(self, settings: Settings) -> None:
        self._names = {key: contact.name for key, contact in settings.contacts.items()}

    def of(self, keys: Iterable[str]) -> tuple[Named, ...]:
        return tuple(
            (key, "") if key in (OWNER, UNASSIGNED) else ("contact", self._names.get(key, key)) for key in keys
        )


# --- which tickets --------------------------------------------------------------------------------------------------


def _uses(plan: str, settings: Settings, tell: Sentences) -> list[str]:
    """What leads to this plan."""
    rules = [_rule("for rule", rule, tell) for rule in settings.policy.rules if rule.plan == plan]
    priorities = _priorities(plan, settings)
    return rules + ([tell("for priorities", priorities=priorities)] if priorities else [])


def _chosen(settings: Settings, plans: list[str], tell: Sentences) -> Iterator[Chosen]:
    """What chooses, in the order in which it is asked: exclusions, rules, priorities."""
    for rule in sorted(settings.policy.rules, key=lambda rule: rule.plan is not None):
        yield Chosen(_rule("rule", rule, tell), plans.index(rule.plan) + 1 if rule.plan in plans else 0)
    for number, plan in enumerate((None, *plans)):
        if priorities := _priorities(plan, settings):
            yield Chosen(tell("priorities", priorities=priorities), number)


def _rule(kind: str, rule: Rule, tell: Sentences) -> str:
    return tell(kind, criteria=_criteria(rule.when), line=rule.line)


def _priorities(plan: str | None, settings: Settings) -> list[str]:
    return [name for name, named in settings.policy.priorities.items() if named == plan]


def _criteria(when: Criteria) -> list[tuple[str, tuple[str, ...]]]:
    """What is asked: its name, and the values of which one must be there."""
    asked = [
        ("priority", when.priority),
        ("group", when.group),
        ("tag", when.tag),
        ("title", when.title),
        ("organization", when.organization),
        *when.fields,
    ]
    vip = [("vip", (str(when.vip).lower(),))] if when.vip is not None else []
    return [*((name, values) for name, values in asked if values), *vip]


def times(plan: Plan) -> list[timedelta]:
    """Each step's time after the start of the window, first round."""
    found, at = [], plan.respond_within
    for step in plan.steps:
        at += step.after
        found.append(at)
    return found
