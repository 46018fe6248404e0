"""Plans in plain words: pure, from a plan to lines for people who never saw the config."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from config.settings import Settings

from ..core.plan import OWNER, UNASSIGNED, Criteria, Plan, Step, Way
from ..core.wording import Reader, duration

_DID = {
    Way.TAKE: "makes themself the owner",
    Way.LOCK: "locks the ticket",
    Way.REPLY: "replies to the customer",
    Way.PENDING: "sets it pending",
    Way.NOTE: "writes an internal note (as owner, as somebody told, or starting with /ack)",
    Way.OUTSIDE: "answers from the phone",
    Way.MAIL: "answers by mail",
}


def plan_lines(plan: Plan, settings: Settings, reader: Reader) -> list[str]:
    """A plan from its first minute to its end."""
    names = Names(settings)
    lines = [f"Plan {plan.name}", *(f"  For {what}" for what in _uses(plan.name, settings))]
    lines.append(f"  A ticket's response window is {duration(plan.respond_within)}. If nobody has taken it then:")
    for step, at in zip(plan.steps, times(plan), strict=True):
        lines.append(f"    {duration(at):>12}  {step_words(step, names.of(step.notify), reader)}")
    if plan.rounds > 1:
        lines.append(
            f"  {plan.rounds} rounds in all, the next one {duration(plan.pause_between_rounds)} after a last step."
        )
    if plan.unassigned:
        lines.append(f"  While nobody owns the ticket, {names.of(plan.unassigned)} is told in the owner's place.")
    last = plan.when_exhausted
    then = "nobody else is told."
    if last is not None:
        ways = _either(last.by, reader, " and ")
        then = f"{ways} to {names.of(last.notify)} at once and every {duration(last.every)}."
    lines.append(f"  {duration(plan.give_up_after)} after the last step it counts as nobody came: {then}")
    did = [words for way, words in _DID.items() if way in plan.acknowledged_by]
    lines.append(f"  It stops as soon as an agent {'; '.join(did)}.")
    return lines


def step_words(step: Step, whom: str, reader: Reader) -> str:
    """`push to the owner, or SMS if that does not arrive`."""
    ways = _either(step.by, reader, " and ")
    otherwise = f", or {_either(step.otherwise, reader, ', or ')} if that does not arrive" if step.otherwise else ""
    return f"{ways} to {whom}{otherwise}"


def _either(channels: Iterable[str], reader: Reader, by: str) -> str:
    return by.join(reader.channel(channel) for channel in channels)


class Names:
    """Contacts by their names; the words of `notify` in plain ones."""

    def __init__(self, settings: Settings) -> None:
        self._names = {key: contact.name for key, contact in settings.contacts.items()}
        self._names |= {OWNER: "the owner", UNASSIGNED: "who stands in for the owner"}

    def of(self, keys: Iterable[str]) -> str:
        return " and ".join(self._names.get(key, key) for key in keys) or "nobody"


def _uses(plan: str, settings: Settings) -> list[str]:
    """What leads to this plan."""
    policy = settings.policy
    rules = [f"{criteria_words(rule.when)} (line {rule.line})" for rule in policy.rules if rule.plan == plan]
    priorities = [f'"{name}"' for name, named in policy.priorities.items() if named == plan]
    return rules + ([f"priority {' or '.join(priorities)}, when no rule matched"] if priorities else [])


def criteria_words(when: Criteria) -> str:
    """`group "Network", priority "2 normal" or "3 high"`."""
    asked: list[tuple[str, Sequence[str]]] = [
        ("priority", when.priority),
        ("group", when.group),
        ("tag", when.tag),
        ("a title with", when.title),
        ("organization", when.organization),
        *when.fields,
    ]
    words = [f"{name} {' or '.join(map(_quoted, values))}" for name, values in asked if values]
    if when.vip is not None:
        words.append("a VIP customer" if when.vip else "a customer who is no VIP")
    return ", ".join(words) or "every ticket"


def _quoted(value: str) -> str:
    return f'"{value}"'


def times(plan: Plan) -> list[timedelta]:
    """Each step's time after the start of the window, first round."""
    found, at = [], plan.respond_within
    for step in plan.steps:
        at += step.after
        found.append(at)
    return found
