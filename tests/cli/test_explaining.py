"""What `explain` says is ahead, held against what then happens."""

from dataclasses import replace
from datetime import datetime

import pytest

from connector.cli.common import Places, reader
from connector.cli.explain import sheet_of_ticket
from connector.cli.explaining import AGAIN, NOBODY_CAME, ROUND, STEP, Crowd, Known, ahead, explained, silence_of
from connector.cli.sheet import lines_of
from connector.cli.words import ENGLISH
from connector.core.escalation import State
from connector.core.events import Acknowledge, Stop
from connector.core.plan import Criteria, Match, Plan, Policy, Rule
from connector.core.ticket import Phase
from tests.core.builders import BY_ANNA, MAJOR, PEOPLE, T0, Desk, Story, at, running, waiting

from .conftest import Bench

TWICE = replace(MAJOR, rounds=2)
ALONE = replace(TWICE, when_exhausted=None)


def said(story: Story) -> list[tuple[str, int, datetime]]:
    live = story.escalation
    return [(one.kind, one.number, one.at) for one in ahead(live.plan, T0, live, Crowd(live.plan, None, PEOPLE))]


def came(story: Story) -> list[tuple[str, int, datetime]]:
    """Plays the escalation to its end: each step of this round, the beginning of the others, and the end."""
    happened, first = [], story.escalation.round + (story.escalation.step >= len(story.escalation.plan.steps))
    while story.due is not None and (moment := story.due):
        story.tick(moment)
        now = story.escalation
        if story.state is State.EXHAUSTED:
            return [*happened, (NOBODY_CAME, 0, moment)]
        if now.round == first and now.step:
            happened.append((STEP, now.step, moment))
        elif now.step == 1:
            happened.append((ROUND, now.round, moment))
    return happened


@pytest.mark.parametrize("plan", [MAJOR, TWICE, ALONE], ids=["once", "twice", "nobody else"])
@pytest.mark.parametrize("minutes", [0, 10, 15, 20, 25, 30], ids="{} min".format)
def test_what_is_said_to_come_comes(plan: Plan, minutes: int) -> None:
    story = waiting(plan)
    story.until(at(minutes))
    assert story.state is not State.EXHAUSTED

    assert said(story) == came(story)


def test_before_anything_is_known_of_a_ticket_its_window_counts() -> None:
    coming = ahead(TWICE, T0, None, Crowd(TWICE, None, PEOPLE))
    assert [(one.kind, one.at) for one in coming] == [
        (STEP, at(10)),
        (STEP, at(15)),
        (STEP, at(20)),
        (ROUND, at(25)),
        (NOBODY_CAME, at(50)),
    ]
    assert [contact.name for contact in coming[0].people] == ["Dana"]


def test_who_came_to_nobody_is_told_again() -> None:
    story = waiting(MAJOR)
    story.until(at(35))
    [again] = ahead(MAJOR, T0, story.escalation, Crowd(MAJOR, None, PEOPLE))
    assert (again.kind, again.at, [one.name for one in again.people]) == (AGAIN, at(95), ["Lee"])


def why(story: Story | None, plan: str | None = "major", **ticket: object) -> str:
    """The sentence; "" where something will happen."""
    known = Known(escalation=story.escalation if story is not None else None)
    silence = silence_of(replace(Desk().ticket, **ticket), Match(plan, 'priority is "3 high"'), known)  # type: ignore[arg-type]
    return ENGLISH(silence.kind, **silence.facts) if silence is not None else ""


def test_while_it_climbs_something_will_happen() -> None:
    story = waiting(MAJOR)
    assert (why(None), why(story)) == ("", "")
    story.until(at(12))
    assert why(story) == ""


def test_who_has_it_is_named() -> None:
    story = waiting(MAJOR)
    story.happens(Acknowledge(BY_ANNA, at(3), "take"), at(3))
    assert why(story) == "Nothing will happen by itself: Anna has it."


def test_who_will_be_asked_whether_they_still_have_it_is_told_when() -> None:
    story = waiting(replace(MAJOR, acknowledged_for=240 * (at(1) - at(0))))
    story.happens(Acknowledge(BY_ANNA, at(3), "take"), at(3))
    assert why(story).startswith("Nothing will happen by itself: Anna has it. Without work on it they are asked at")


def test_what_is_put_off_goes_on_at_its_time() -> None:
    story = waiting(MAJOR)
    story.happens(Acknowledge(BY_ANNA, at(3), "snooze", until=at(33)), at(3))
    assert why(story).startswith("Anna has it until 2026-01-31 20:33")
    assert why(story).endswith("; then it goes on if the ticket is still open.")


def test_where_nobody_is_left_to_be_told_that_is_said() -> None:
    story = waiting(replace(MAJOR, when_exhausted=None))
    story.until(at(35))
    assert why(story) == "Nothing more will happen: nobody came, and the plan names nobody else to be told."


def test_what_a_person_stopped_stays_stopped() -> None:
    story = waiting(MAJOR)
    story.happens(Stop(BY_ANNA, at(3)), at(3))
    assert why(story) == "Nothing will happen: a person stopped it."


def test_what_is_closed_merged_or_excluded_says_so() -> None:
    assert why(None, phase=Phase.CLOSED) == "Nothing will happen: the ticket is closed."
    assert why(None, phase=Phase.MERGED) == "Nothing will happen: the ticket is merged."
    facts = Desk().ticket.facts
    policy = Policy({"major": MAJOR}, (Rule(Criteria(group=(facts.group,)), None, 12),))
    silence = silence_of(Desk().ticket, policy.match(facts), Known())
    assert silence is not None
    assert ENGLISH(silence.kind, **silence.facts) == (
        f'Nothing will happen: the rule in line 12 matched: group is "{facts.group}".'
    )


def test_a_plan_that_a_person_started_is_told_though_nothing_in_the_config_names_it(alone: Bench) -> None:
    settings = Places(alone.path, alone.folder / "data").settings()
    desk = Desk()
    desk.ticket = replace(desk.ticket, facts=replace(desk.ticket.facts, priority="1 low"))
    story = running(TWICE)
    told = explained(settings, {}, desk.read(at(12)), Known(escalation=story.escalation))

    lines = [*lines_of(sheet_of_ticket(told, settings, reader(settings), at(12), ENGLISH))]

    code = story.escalation.code
    assert told.match.plan is None
    assert f"Escalation {code} (plan major) is running." in lines
    assert "  21:15 CET  step 2: phone call to Dana Reyes" in lines
    assert "  21:25 CET  round 2 of 2 begins, again from step 1" in lines
    assert lines[-1].startswith("It stops as soon as an agent")
