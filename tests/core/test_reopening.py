"""Closed and opened again, merged, and what an automatic reply does."""

from dataclasses import replace

import pytest

from connector.core.escalation import State
from connector.core.events import Acknowledge, Closed, CustomerWrote, OwnerSet, PlanApplies, Reopened, Worked
from connector.core.observing import move
from connector.core.plan import Plan
from connector.core.ticket import Actor, Kind, Phase

from .builders import (
    ANNA,
    BY_ANNA,
    BY_BEN,
    CUSTOMER,
    MAJOR,
    MINOR,
    POLICY,
    SYSTEM,
    Desk,
    Story,
    Watch,
    at,
    running,
)


def closed(by: Actor = CUSTOMER, minutes: float = 12) -> Story:
    story = running()
    story.send("dana", "push", at(10, 1))
    story.happens(Closed(at(minutes), by), at(minutes))
    assert story.state is State.RESOLVED
    return story


def reopen(story: Story, minutes: float, by: Actor = CUSTOMER, plan: Plan = MAJOR, automatic: bool = False) -> None:
    story.happens(Reopened(at(minutes), by, plan, automatic), at(minutes))


def test_closed_by_the_customer_and_reopened_soon_it_goes_on_at_its_next_step() -> None:
    story = closed()
    assert story.escalation.acknowledged is None

    reopen(story, 20)
    assert ("E-1A", State.RUNNING, 1, at(23)) == (
        story.escalation.code,
        story.state,
        story.escalation.step,
        story.due,
    )


def test_reopened_soon_the_acknowledgement_stands() -> None:
    story = closed(BY_ANNA)
    reopen(story, 27)
    assert (story.state, story.escalation.code) == (State.ACKNOWLEDGED, "E-1A")


def test_reopened_later_a_new_window_starts_and_who_had_it_is_told_first() -> None:
    story = closed(BY_ANNA)
    reopen(story, 27.1)
    assert ("E-1A-2", State.WAITING, at(37.1)) == (story.escalation.code, story.state, story.due)

    story.people = replace(
        story.people,
        contacts={
            **story.people.contacts,
            "anna": replace(story.people.contacts["lead"], key="anna", login=ANNA.login),
        },
    )
    story.until(at(37.1))
    assert story.planned == [("anna", "push"), ("dana", "push")]


def test_a_reopened_tickets_owner_is_who_owns_it_now() -> None:
    story = closed(BY_ANNA)
    story.happens(OwnerSet(ANNA, at(13), BY_ANNA), at(13))
    reopen(story, 60)
    assert story.escalation.owner is None


def test_an_agent_who_reopens_has_it() -> None:
    story = closed()
    reopen(story, 60, BY_BEN)
    assert (story.state, story.escalation.code) == (State.ACKNOWLEDGED, "E-1A")
    assert story.escalation.acknowledged is not None
    assert story.escalation.acknowledged.by == BY_BEN


def test_an_automatic_reply_does_nothing_until_the_customer_writes() -> None:
    story = closed()
    reopen(story, 60, automatic=True)
    assert story.state is State.RESOLVED

    story.happens(CustomerWrote(at(90), CUSTOMER, MAJOR), at(90))
    assert ("E-1A-2", at(100)) == (story.escalation.code, story.due)


def test_an_automatic_reply_does_nothing_until_an_agent_works() -> None:
    story = closed()
    reopen(story, 60, automatic=True)
    story.happens(Worked(BY_ANNA, at(90)), at(90))
    assert story.state is State.ACKNOWLEDGED


def test_an_automatic_reply_to_a_cancelled_one_waits_for_work_too() -> None:
    story = running()
    story.happens(PlanApplies(None, at(12), BY_ANNA), at(12))
    reopen(story, 60, automatic=True)
    story.happens(CustomerWrote(at(90), CUSTOMER, MAJOR), at(90))
    assert (State.WAITING, at(100)) == (story.state, story.due)


def test_closed_again_after_an_automatic_reply_nothing_waits_any_more() -> None:
    story = closed()
    reopen(story, 60, automatic=True)
    story.happens(Closed(at(61), BY_ANNA), at(61))
    story.happens(CustomerWrote(at(62), CUSTOMER, MAJOR), at(62))
    assert story.state is State.RESOLVED


def test_a_plan_may_ignore_reopening() -> None:
    story = closed()
    before = story.escalation
    reopen(story, 60, plan=replace(MAJOR, reopened="ignore"))
    assert story.escalation is before


def test_a_hold_stands_as_well() -> None:
    story = running()
    story.happens(Acknowledge(BY_ANNA, at(11), "pending", until=at(60)), at(11))
    story.happens(Closed(at(12), CUSTOMER), at(12))
    reopen(story, 13)
    assert (State.HELD, at(60)) == (story.state, story.due)


def test_deleted_leaves_no_note() -> None:
    story = running()
    story.send("dana", "push", at(10, 1))
    story.happens(Closed(at(12), SYSTEM, "deleted"), at(12))
    assert "closed" not in story.notes


# --- as the history tells it -----------------------------------------------------------------------------------------


def test_an_out_of_office_mail_that_reopens_is_told_from_a_real_one() -> None:
    watch = Watch()
    watch.desk.state(at(5), BY_ANNA, Phase.CLOSED)
    watch.looks(at(6))
    watch.desk.article(at(60), CUSTOMER, public=True, by_mail=True, automatic=True)
    watch.desk.state(at(60, 0.1), CUSTOMER, Phase.OPEN)
    watch.looks(at(60, 5))
    assert watch.escalation.state is State.RESOLVED

    watch.desk.article(at(70), CUSTOMER, public=True, by_mail=True)
    watch.looks(at(70, 5))
    assert ("E-1A-2", at(80)) == (watch.escalation.code, watch.escalation.due_at)


def test_a_plan_that_comes_to_apply_after_reopening_without_one_starts_a_window() -> None:
    watch = Watch(policy=replace(POLICY, priorities={"3 high": "major"}))
    watch.looks(at(1))
    watch.desk.state(at(5), BY_ANNA, Phase.CLOSED)
    watch.desk.sets(at(6), BY_ANNA, Kind.PRIORITY, "1 low")
    watch.desk.state(at(60), CUSTOMER, Phase.OPEN)
    watch.looks(at(61))
    assert watch.escalation.state is State.RESOLVED

    watch.desk.sets(at(70), BY_ANNA, Kind.PRIORITY, "3 high")
    watch.looks(at(70, 5))
    assert ("E-1A-2", at(80)) == (watch.escalation.code, watch.escalation.due_at)


def test_a_field_changed_while_it_was_closed_starts_nothing_on_a_closed_ticket() -> None:
    watch = Watch()
    watch.looks(at(1))
    watch.desk.state(at(5), BY_ANNA, Phase.CLOSED)
    watch.desk.sets(at(60), BY_ANNA, Kind.PRIORITY, "2 normal")
    watch.looks(at(61))
    assert watch.escalation.state is State.RESOLVED


def test_reopened_soon_under_another_plan_that_plan_goes_on() -> None:
    watch = Watch()
    watch.looks(at(1))
    watch.desk.state(at(5), CUSTOMER, Phase.CLOSED)
    watch.desk.sets(at(6), BY_ANNA, Kind.PRIORITY, "2 normal")
    watch.desk.state(at(8), CUSTOMER, Phase.OPEN)
    watch.looks(at(9))
    assert (MINOR.name, at(38)) == (watch.escalation.plan.name, watch.escalation.due_at)


def test_a_closing_that_only_the_row_tells_ends_it_too() -> None:
    watch = Watch()
    watch.looks(at(1))
    watch.desk.ticket = replace(watch.desk.ticket, phase=Phase.CLOSED, updated_at=at(5))
    watch.looks(at(9, 56))
    assert watch.escalation.state is State.RESOLVED


# --- merged ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("taken", [False, True], ids=["climbing", "acknowledged"])
def test_merging_is_no_acknowledgement_and_no_handover(taken: bool) -> None:
    watch = Watch()
    watch.looks(at(1))
    if taken:
        watch.desk.owned(at(2), BY_ANNA, ANNA)
        watch.looks(at(2, 5))
    before = watch.escalation.state
    watch.desk.merged(at(5), BY_ANNA, "77")
    seen = watch.looks(at(5, 5))

    assert seen.merged_into == "77"
    assert watch.escalation.state is before
    assert watch.looks(at(30)).merged_into == "77", "until it has gone there"


def test_the_moved_one_keeps_its_code_and_timetable() -> None:
    source, target = Watch(), Watch(Desk(replace(Desk().ticket, id="77", number="50077")), since=at(60))
    source.looks(at(1))
    target.looks(at(1))
    source.desk.merged(at(5), BY_ANNA, "77")
    source.looks(at(5, 5))
    assert source.case is not None
    assert target.case is not None
    left, there, _ = move(source.case, target.case, BY_ANNA, at(5), at(5, 5))

    assert (left.escalation, left.moved_to) == (None, "77")
    assert there.escalation is not None
    assert ("E-1A", "77", at(10)) == (there.escalation.code, there.escalation.ticket_id, there.escalation.due_at)


def test_a_moved_ones_next_life_has_a_code_of_its_own() -> None:
    source, target = Watch(), Watch(Desk(replace(Desk().ticket, id="77", number="50077")))
    source.looks(at(1))
    target.desk.state(at(2), BY_ANNA, Phase.CLOSED)
    target.desk.state(at(30), CUSTOMER, Phase.OPEN)
    target.desk.state(at(31), BY_ANNA, Phase.CLOSED)
    target.looks(at(32))
    assert target.escalation.code == "E-2D-2"
    assert source.case is not None
    assert target.case is not None
    _, there, _ = move(source.case, target.case, BY_ANNA, at(33), at(33))
    story = Story(there.escalation)  # type: ignore[arg-type]
    story.happens(Closed(at(40), BY_ANNA), at(40))
    reopen(story, 90)
    assert story.escalation.code == "E-2D-3"
