"""`escalator plans`: every plan in plain words, for sharing."""

from typing import Any

import click

from config.settings import Settings

from ..core.plan import Plan
from .common import Places, as_json, placed, print_json, reader, say
from .words import criteria_words, plan_lines, times


@click.command()
@placed
@as_json
def plans(places: Places, json_: bool) -> None:
    """Every plan in plain words: who is told, by which way, when, and what stops it."""
    settings = places.settings()
    policy = settings.policy
    if json_:
        print_json({"plans": [_document(plan, settings) for plan in policy.plans.values()]})
        return
    for plan in policy.plans.values():
        say(*plan_lines(plan, settings, reader(settings)), "")
    excluded = [f"  {criteria_words(rule.when)} (line {rule.line})" for rule in policy.rules if rule.plan is None]
    excluded += [f'  priority "{name}"' for name, plan_name in policy.priorities.items() if plan_name is None]
    if excluded:
        say("Never escalated", *excluded, "")
    say("Tickets that nothing here names are left alone.")


def _document(plan: Plan, settings: Settings) -> dict[str, Any]:
    last = plan.when_exhausted
    return {
        "name": plan.name,
        "respond_within_s": plan.respond_within.total_seconds(),
        "unassigned": list(plan.unassigned),
        "steps": [
            {
                "at_s": at.total_seconds(),
                "notify": list(step.notify),
                "by": list(step.by),
                "else": list(step.otherwise),
            }
            for step, at in zip(plan.steps, times(plan), strict=True)
        ],
        "rounds": plan.rounds,
        "again_after_s": plan.pause_between_rounds.total_seconds(),
        "give_up_after_s": plan.give_up_after.total_seconds(),
        "when_exhausted": None
        if last is None
        else {"notify": list(last.notify), "by": list(last.by), "every_s": last.every.total_seconds()},
        "acknowledged_by": sorted(plan.acknowledged_by),
        "priorities": [name for name, named in settings.policy.priorities.items() if named == plan.name],
        "rules": [rule.line for rule in settings.policy.rules if rule.plan == plan.name],
    }
