"""Plans and the rules that choose one: frozen data, and the match with its reason."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from functools import reduce

from .ticket import Facts, Kind, Ticket
from .words import Words

MINUTE = timedelta(minutes=1)

#: Words of `notify` that are no contact.
OWNER, UNASSIGNED = "owner", "unassigned"


class Way(StrEnum):
    """What counts as an acknowledgement (`acknowledged_by`)."""

    TAKE = "take"
    LOCK = "lock"
    REPLY = "reply"
    PENDING = "pending"
    NOTE = "note"
    OUTSIDE = "outside"
    MAIL = "mail"


DEFAULT_WAYS = frozenset(Way) - {Way.MAIL}


@dataclass(frozen=True, slots=True)
class Step:
    """Whom to notify (`owner`, `unassigned`, contacts), by which channels at once, and what else when none arrived."""

    notify: tuple[str, ...]
    by: tuple[str, ...]
    otherwise: tuple[str, ...] = ()  # `else`
    after: timedelta = timedelta(0)  # from the step before; the first: from the end of the window


@dataclass(frozen=True, slots=True)
class WhenExhausted:
    """Who is told, again and again, when nobody came."""

    notify: tuple[str, ...]
    by: tuple[str, ...]
    every: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """An escalation plan. All durations are counted from the due time of what came before."""

    name: str
    respond_within: timedelta
    steps: tuple[Step, ...]
    unassigned: tuple[str, ...] = ()
    rounds: int = 1
    again_after: timedelta | None = None  # None: the plan's longest `after`
    give_up_after: timedelta = 15 * MINUTE
    when_exhausted: WhenExhausted | None = None
    acknowledged_by: frozenset[Way] = DEFAULT_WAYS
    reopened: str = "restart"  # or "ignore"
    reopened_within: timedelta = 15 * MINUTE
    lock_grace: timedelta = 15 * MINUTE
    acknowledged_for: timedelta | None = None  # without work for so long, who has it is asked; None: never
    longest_snooze: timedelta = 480 * MINUTE
    notes: str = "every-step"  # or "milestones": the middle steps leave no note
    all_clear: bool = False  # whether those who were texted get their all-clear as a text, too

    @property
    def pause_between_rounds(self) -> timedelta:
        return self.again_after if self.again_after is not None else max(step.after for step in self.steps)


@dataclass(frozen=True, slots=True)
class Criteria:
    """`when`: keys are AND, values of one key are OR; an empty tuple (or None) asks nothing."""

    priority: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    title: tuple[str, ...] = ()  # words or phrases, any case
    organization: tuple[str, ...] = ()
    vip: bool | None = None
    fields: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """`plan` is None for an exclusion (`plan: none`). `line` is where it stands in the config file."""

    when: Criteria
    plan: str | None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Match:
    """Which plan applies (None: none) and why, in words; `rule` is the one that matched, None: the priority chose."""

    plan: str | None
    reason: Words
    rule: Rule | None = None


@dataclass(frozen=True)
class Policy:
    """All plans, and what chooses among them: exclusions first, then the first rule, then the priority.

    `private`: tickets of which texts outside the helpdesk tell the number alone.
    """

    plans: Mapping[str, Plan] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    priorities: Mapping[str, str | None] = field(default_factory=dict)  # priority name -> plan; None: `none`
    private: tuple[Criteria, ...] = ()

    def asks_for(self, kind: Kind, field: str = "") -> bool:
        """Whether a rule (or the priorities) looks at this; `field` names the one, where the kind is a field."""
        if kind is Kind.PRIORITY and self.priorities:
            return True
        return any(_looks_at(rule.when, kind, field) for rule in self.rules)

    def outside(self, ticket: Ticket) -> Ticket:
        """The ticket as it may be told of outside the helpdesk."""
        if not any(satisfied(when, ticket.facts) is not None for when in self.private):
            return ticket
        return replace(ticket, facts=replace(ticket.facts, title="", organization=""))

    def plan_for(self, facts: Facts) -> Plan | None:
        name = self.match(facts).plan
        return self.plans[name] if name is not None else None

    def match(self, facts: Facts) -> Match:
        """The plan for these facts. Exclusions win wherever they stand; then first match wins."""
        for rule in sorted(self.rules, key=lambda rule: rule.plan is not None):
            if (why := satisfied(rule.when, facts)) is not None:
                where = Words("the rule in line {line}", line=rule.line) if rule.line else Words("a rule")
                return Match(rule.plan, Words("{rule} matched: {why}", rule=where, why=why), rule)
        if facts.priority in self.priorities:
            chosen = Words('priority is "{priority}"', priority=facts.priority)
            return Match(self.priorities[facts.priority], chosen)
        return Match(None, Words('no rule matched and priority "{priority}" has no plan', priority=facts.priority))


def _looks_at(when: Criteria, kind: Kind, field: str) -> bool:
    asked = {
        Kind.PRIORITY: when.priority,
        Kind.GROUP: when.group,
        Kind.TAG: when.tag,
        Kind.TITLE: when.title,
        Kind.ORGANIZATION: when.organization,
        Kind.FIELD: tuple(name for name, _ in when.fields if name == field),
    }
    vip = when.vip is not None and kind is Kind.ORGANIZATION  # another organization may be another VIP
    return vip or bool(asked.get(kind))


def satisfied(when: Criteria, facts: Facts) -> Words | None:
    """Why these facts satisfy all criteria, in words, or None if they don't."""
    values = satisfying(when, facts)
    if values is None:
        return None
    reasons = [Words('{what} is "{value}"', what=name, value=value) for name, value in values]
    if not reasons:
        return Words("it asks nothing")
    return reduce(lambda these, this: Words("{these}, {this}", these=these, this=this), reasons)


def satisfying(when: Criteria, facts: Facts) -> tuple[tuple[str, str], ...] | None:
    """What satisfies each criterion, as (its name, the value), or None if one of them isn't satisfied."""
    found = [(name, next(filter(holds, wanted), None)) for name, wanted, holds in _asked(when, facts)]
    if any(value is None for _, value in found):
        return None
    return tuple((name, value) for name, value in found if value is not None)


def _asked(when: Criteria, facts: Facts) -> Iterator[tuple[str, Iterable[str], Callable[[str], bool]]]:
    """Each criterion that asks something: its name, the wanted values, and the test of one value."""
    for name, wanted, actual in (
        (Words("priority"), when.priority, facts.priority),
        (Words("group"), when.group, facts.group),
        (Words("organization"), when.organization, facts.organization),
        *((name, values, facts.field(name)) for name, values in when.fields),
    ):
        if wanted:
            yield name, wanted, actual.__eq__
    if when.tag:
        yield Words("a tag"), when.tag, facts.tags.__contains__
    if when.title:
        yield Words("a word of the title"), when.title, lambda phrase: _has_words(facts.title, phrase)
    if when.vip is not None:
        yield Words("vip"), [Words("true") if when.vip else Words("false")], str(facts.vip).lower().__eq__


def _has_words(title: str, phrase: str) -> bool:
    """Whole words, any case: "server" is in "Server outage", "serve" isn't."""

    def words(text: str) -> list[str]:
        return "".join(letter if letter.isalnum() else " " for letter in text.casefold()).split()

    wanted, there = words(phrase), words(title)
    return bool(wanted) and any(there[i : i + len(wanted)] == wanted for i in range(len(there) - len(wanted) + 1))
