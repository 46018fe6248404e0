"""`escalator plans`: every plan in plain words, for sharing."""

from pathlib import Path
from typing import Any

import click

from config.settings import Settings

from ..core.plan import Plan
from ..services import build_texts
from .common import Places, as_json, placed, print_json, reader, say, utc_now
from .sheet import Sentences, as_page, lines_of, page_of, put
from .words import ENGLISH, sheet_of_plans, times


@click.command()
@placed
@as_json
@as_page
def plans(places: Places, json_: bool, html: Path | None) -> None:
    """Every plan in plain words: who is told, by which way, when, and what stops it."""
    settings = places.settings()
    if json_:
        print_json({"plans": [_document(plan, settings) for plan in settings.policy.plans.values()]})
    elif html is not None:
        texts, language = build_texts(settings), settings.service.language
        sheet = sheet_of_plans(settings, Sentences(texts, language))
        put(page_of(sheet, texts, language, reader(settings), utc_now()), html)
    else:
        say(*lines_of(sheet_of_plans(settings, ENGLISH)))


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
