"""Another plan, or none, applies: matched again only when a matched field changes, in the history's order."""

from dataclasses import replace

from connector.core.escalation import Stage, State
from connector.core.events import Acknowledge, Entry, Escalate, PlanApplies, Stop, WriteNote
from connector.core.plan import Plan, Policy, Step
from connector.core.ticket import Kind

from .builders import (
    ANNA,
    BY_ANNA,
    BY_BEN,
    CUSTOMER,
    MAJOR,
    MINOR,
    MINUTE,
    POLICY,
    Desk,
    Story,
    Watch,
    at,
    running,
    waiting,
)


def changed(story: Story, minutes: float, plan: Plan | None = MINOR) -> None:
    story.happens(PlanApplies(plan, at(minutes), BY_ANNA), at(minutes))


def test_another_plan_starts_with_its_own_window_from_the_change() -> None:
    watch = Watch()
    watch.looks(at(1))
    watch.desk.sets(at(5), BY_ANNA, Kind.PRIORITY, "2 normal")
    watch.looks(at(6))

    assert ("minor", State.WAITING, at(35)) == (
        watch.escalation.plan.name,
        watch.escalation.state,
        watch.escalation.due_at,
    )
    assert watch.escalation.code == "E-1A"


def test_the_old_plans_timers_end() -> None:
    story = running()
    changed(story, 12)
    assert story.planned == []
    assert not story.claim("dana", "push", at(12, 1))


def test_an_old_plans_text_starts_no_other_way_under_the_new_one() -> None:
    story = running()
    story.send("dana", "push", at(10, 1), wait=60)
    changed(story, 10.5)
    story.tick(at(12))
    assert story.planned == []


def test_a_way_used_in_the_last_ten_minutes_isnt_used_on_the_same_person_again() -> None:
    story = running()
    story.send("dana", "push", at(10, 1))
    second = Step(("lead",), ("sms",), after=15 * MINUTE)
    changed(story, 12, replace(MINOR, respond_within=5 * MINUTE, steps=(*MINOR.steps, second)))
    story.until(at(17))

    assert (story.escalation.plan.name, story.escalation.step) == ("minor", 1)
    assert story.planned == []
    assert story.due == at(32), "nothing failed: nothing is brought forward"


def test_after_ten_minutes_it_is_used_again() -> None:
    story = running()
    story.send("dana", "push", at(10, 1))
    changed(story, 12)
    story.until(at(42))
    assert story.planned == [("dana", "push")]


def test_lowered_and_raised_within_half_an_hour_it_goes_on_where_it_was() -> None:
    story = running()
    changed(story, 12)
    changed(story, 20, MAJOR)

    assert ("major", 1, at(23)) == (story.escalation.plan.name, story.escalation.step, story.due)


def test_half_an_hour_later_it_starts_anew() -> None:
    story = running()
    changed(story, 12, replace(MINOR, respond_within=120 * MINUTE))
    changed(story, 43, MAJOR)
    assert (State.WAITING, 0, at(53)) == (story.state, story.escalation.step, story.due)


def test_no_plan_any_more_cancels_and_the_note_says_who_did_it() -> None:
    story = running()
    story.send("dana", "push", at(10, 1))
    story.happens(PlanApplies(None, at(12), CUSTOMER), at(12))

    assert story.state is State.CANCELLED
    assert "No plan applies any more, changed by customer Carla." in str(story.commands[-1])


def test_cancelled_and_back_within_half_an_hour_it_goes_on_where_it_was() -> None:
    story = running()
    changed(story, 12, None)
    changed(story, 20, MAJOR)
    assert (State.RUNNING, 1, at(23)) == (story.state, story.escalation.step, story.due)
    assert story.escalation.code == "E-1A"


def test_cancelled_and_back_later_it_has_a_second_life() -> None:
    story = running()
    changed(story, 12, None)
    changed(story, 43, MAJOR)
    assert ("E-1A-2", State.WAITING, at(53)) == (story.escalation.code, story.state, story.due)


def test_by_way_of_no_plan_nobody_is_told_twice_either() -> None:
    story = running()
    story.send("dana", "push", at(10, 1))
    changed(story, 11, None)
    changed(story, 12, replace(MINOR, respond_within=5 * MINUTE))
    story.until(at(17))
    assert [n for n in story.escalation.notifications if n.purpose == "step" and n.stage is Stage.PLANNED] == []


# --- while somebody has it -------------------------------------------------------------------------------------------


def taken() -> Story:
    story = running()
    story.send("dana", "push", at(10, 1))
    story.happens(Acknowledge(BY_ANNA, at(11), "take"), at(11))
    return story


def test_while_acknowledged_it_stays_acknowledged() -> None:
    story = taken()
    changed(story, 12)
    assert (story.escalation.plan.name, story.state, story.due) == ("minor", State.ACKNOWLEDGED, None)


def test_also_while_acknowledged_a_plan_goes_on_where_it_was() -> None:
    story = taken()
    changed(story, 12)
    changed(story, 14, MAJOR)
    assert (story.escalation.back, story.escalation.step, story.escalation.left) == (State.RUNNING, 1, 4 * MINUTE)


def test_no_plan_and_back_leaves_it_with_who_had_it() -> None:
    story = taken()
    changed(story, 12, None)
    changed(story, 14, MAJOR)
    assert story.state is State.ACKNOWLEDGED

    story.happens(Acknowledge(BY_ANNA, at(15), "pending", until=at(30)), at(15))
    story.tick(at(30))
    assert (State.RUNNING, at(34)) == (story.state, story.due)


def test_a_hold_survives_that_too() -> None:
    story = waiting()
    story.happens(Acknowledge(BY_ANNA, at(4), "pending", until=at(60)), at(4))
    changed(story, 12, None)
    changed(story, 14, MAJOR)
    assert (State.HELD, at(60)) == (story.state, story.due)


def test_a_form_left_after_a_plan_change_counts_from_the_change() -> None:
    story = running()
    story.happens(Acknowledge(BY_ANNA, at(11), "lock", provisional=True), at(11))
    changed(story, 13)
    assert story.escalation.left == 32 * MINUTE


# --- stopped ---------------------------------------------------------------------------------------------------------


def test_stopped_it_is_silent_while_its_plan_applies() -> None:
    story = running()
    story.happens(Stop(BY_BEN, at(11)), at(11))
    before = story.escalation
    changed(story, 12, MAJOR)
    assert story.escalation is before


def test_stopped_another_plan_starts_it_anew() -> None:
    story = running()
    story.happens(Stop(BY_BEN, at(11)), at(11))
    changed(story, 12)
    assert (story.escalation.code, story.state) == ("E-1A-2", State.WAITING)


def test_stopped_its_plan_applies_anew_after_none_did() -> None:
    story = running()
    story.happens(Stop(BY_BEN, at(11)), at(11))
    changed(story, 12, None)
    changed(story, 50, MAJOR)
    assert (story.escalation.code, story.state) == ("E-1A-2", State.WAITING)


def test_stopped_somebody_may_still_ask_for_the_next_step() -> None:
    story = running()
    story.happens(Stop(BY_BEN, at(11)), at(11))
    story.happens(Escalate(BY_ANNA, at(12)), at(12))
    assert (State.RUNNING, at(12)) == (story.state, story.due)


# --- what counts as a change -----------------------------------------------------------------------------------------


def test_a_config_edit_changes_nothing() -> None:
    watch = Watch()
    watch.looks(at(1))
    watch.policy = replace(POLICY, priorities={"3 high": "minor"})
    watch.looks(at(2))
    assert watch.escalation.plan.name == "major"


def test_the_steps_of_the_plan_it_started_with_are_kept() -> None:
    watch = Watch()
    watch.looks(at(1))
    watch.policy = Policy({"major": replace(MAJOR, steps=MAJOR.steps[:1]), "minor": MINOR}, (), POLICY.priorities)
    watch.looks(at(2))
    assert len(watch.escalation.plan.steps) == 3


def test_one_save_is_one_change() -> None:
    desk = Desk()
    watch = Watch(desk, replace(POLICY, priorities={**POLICY.priorities, "1 low": None}))
    watch.looks(at(1))
    desk.sets(at(5), BY_ANNA, Kind.PRIORITY, "1 low")
    desk.sets(at(5, 0.2), BY_ANNA, Kind.PRIORITY, "2 normal")
    watch.looks(at(6))
    assert [c.kind for c in watch.commands if isinstance(c, Entry | WriteNote)] == ["created", "plan_changed"]


def test_a_customer_who_lowers_the_priority_is_named() -> None:
    watch = Watch(policy=replace(POLICY, priorities={"3 high": "major"}))
    watch.looks(at(1))
    watch.desk.sets(at(5), CUSTOMER, Kind.PRIORITY, "1 low")
    watch.looks(at(6))
    assert watch.escalation.state is State.CANCELLED
    assert "customer Carla" in str(watch.commands[-1])


def test_an_older_reading_rolls_nothing_back() -> None:
    watch = Watch()
    old = watch.desk.read(at(1))
    watch.desk.sets(at(2), BY_ANNA, Kind.PRIORITY, "2 normal")
    watch.desk.owned(at(3), BY_ANNA, ANNA)
    watch.looks(at(4))
    known = watch.case
    watch.looks(at(5), old)
    watch.looks(at(6))

    assert known is not None
    assert known.escalation == watch.escalation


def test_a_row_that_lags_behind_its_history_rolls_nothing_back() -> None:
    watch = Watch()
    watch.looks(at(1))
    row = watch.desk.ticket
    watch.desk.sets(at(2), BY_ANNA, Kind.PRIORITY, "2 normal")
    watch.looks(at(2, 5), replace(watch.desk.read(at(2, 5)), ticket=row))
    assert watch.escalation.plan.name == "minor"


def test_a_field_without_history_counts_from_when_it_was_seen() -> None:
    watch = Watch(policy=replace(POLICY, priorities={"1 low": None, "3 high": "major"}))
    watch.desk.ticket = replace(watch.desk.ticket, facts=replace(watch.desk.ticket.facts, priority="1 low"))
    watch.looks(at(1))
    watch.desk.ticket = replace(watch.desk.ticket, facts=replace(watch.desk.ticket.facts, priority="3 high"))
    watch.looks(at(30))
    assert watch.escalation.due_at == at(40)
