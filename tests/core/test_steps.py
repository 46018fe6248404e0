"""Steps, rounds and the timetable."""

from dataclasses import replace
from datetime import timedelta

import pytest

from connector.core.escalation import State
from connector.core.events import LookNow, Outcome, WriteNote
from connector.core.plan import Step

from .builders import ANNA, MAJOR, MINUTE, at, running, waiting


def test_each_step_fires_its_time_after_the_one_before() -> None:
    story = running()
    assert at(15) == story.due

    story.until(at(15))
    assert (2, at(20)) == (story.escalation.step, story.due)

    story.until(at(20))
    assert (3, at(35)) == (story.escalation.step, story.due), "after the last one: give_up_after"


def test_a_step_is_written_onto_the_ticket_when_all_its_ways_have_an_outcome() -> None:
    story = running()
    assert story.notes == []

    story.send("dana", "push", at(10, 1))
    assert story.notes == ["step"]


def test_a_step_note_waits_thirty_seconds_at_most() -> None:
    story = running()
    story.tick(at(10, 29))
    assert story.notes == []

    story.tick(at(10, 30))
    assert story.notes == ["step"]


def test_an_outcome_that_comes_later_opens_the_next_note() -> None:
    story = running()
    story.tick(at(10, 30))
    story.send("dana", "push", at(11))
    story.until(at(15))
    story.send("dana", "phone", at(15, 1))

    last = [command for command in story.commands if isinstance(command, WriteNote)][-1]
    assert [n.channel for n in last.notifications] == ["push", "phone"]


def test_all_ways_of_by_are_used_at_once() -> None:
    story = running()
    story.until(at(20))
    assert {("dana", "sms"), ("dana", "phone"), ("lead", "sms"), ("lead", "phone")} <= set(story.planned)


def test_while_nobody_owns_the_ticket_the_plans_people_stand_in() -> None:
    assert running().planned == [("dana", "push")]
    assert [(f"login:{ANNA.login}", "push")] == running(owner=ANNA).planned


def test_a_channel_that_tells_all_at_once_gets_one_notification_a_step() -> None:
    plan = replace(MAJOR, steps=(Step(("dana", "lead"), ("chat",)),))
    story = running(plan)
    assert story.planned == [("*", "chat")]
    assert story.one("*", "chat").people == ("dana", "lead")


@pytest.mark.parametrize("late", [timedelta(0), timedelta(seconds=5)])
def test_a_little_late_doesnt_move_the_timetable(late: timedelta) -> None:
    story = waiting()
    story.tick(at(10) + late)
    assert at(15) == story.due


def test_after_a_stop_of_escalator_one_step_fires_and_the_timetable_shifts() -> None:
    story = running()
    story.tick(at(50))

    assert (2, at(55)) == (story.escalation.step, story.due)
    assert story.planned == [("dana", "push"), ("dana", "phone")], "the first one was never sent, and still is"


def test_steps_without_a_pause_between_them_fire_together() -> None:
    plan = replace(MAJOR, steps=(Step(("owner",), ("push",)), Step(("lead",), ("sms",))))
    story = running(plan)
    assert story.planned == [("dana", "push"), ("lead", "sms")]


def test_a_second_round_starts_again_after_the_last_step_without_a_window() -> None:
    story = running(replace(MAJOR, rounds=2, again_after=7 * MINUTE))
    story.until(at(20))
    assert at(27) == story.due

    story.until(at(27))
    assert (story.escalation.round, story.escalation.step) == (2, 1)
    assert (State.RUNNING, at(32)) == (story.state, story.due)


def test_the_pause_between_rounds_is_the_longest_after_unless_the_plan_says_otherwise() -> None:
    story = running(replace(MAJOR, rounds=2))
    story.until(at(20))
    assert at(25) == story.due


def test_notifications_of_rounds_and_lives_never_share_an_id() -> None:
    story = running(replace(MAJOR, rounds=3))
    ids = [n.id for n in story.escalation.notifications]
    for minutes in range(11, 60):
        before = {n.id for n in story.escalation.notifications}
        story.tick(at(minutes))
        ids += [n.id for n in story.escalation.notifications if n.id not in before]
    assert len(ids) == len(set(ids)) > 9
    assert all(set(id) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for id in ids)


def test_a_record_doesnt_grow_however_often_people_are_told() -> None:
    story = running()
    for hour in range(1, 200):
        story.until(at(60 * hour))
        for person, channel in dict.fromkeys(story.planned):
            story.send(person, channel, at(60 * hour, 50))
    assert len(story.escalation.notifications) < 10
    assert len(story.escalation.told) < 10


# --- brought forward -------------------------------------------------------------------------------------------------


def test_the_next_step_is_brought_forward_when_everybody_failed_for_good() -> None:
    story = running()
    story.fail("dana", "push", at(10, 1), permanent=True)
    story.fail("dana", "sms", at(10, 2), permanent=True)
    assert at(10, 2) == story.due

    story.tick(at(10, 3))
    assert story.escalation.step == 2


def test_trouble_that_may_pass_moves_nothing() -> None:
    story = running()
    story.fail("dana", "push", at(10, 1), permanent=True)
    story.fail("dana", "sms", at(10, 2))
    assert at(15) == story.due


def test_one_person_who_can_be_reached_is_enough_to_wait() -> None:
    story = running()
    story.until(at(20))
    for channel in ("sms", "phone"):
        story.fail("dana", channel, at(20, 1), permanent=True)
    story.send("lead", "sms", at(20, 2))
    story.fail("lead", "phone", at(20, 3), permanent=True)
    assert at(35) == story.due


def test_a_step_that_reaches_nobody_is_passed_over() -> None:
    story = waiting(replace(MAJOR, unassigned=()))
    story.tick(at(10))
    assert story.planned == []
    assert at(10) == story.due


def test_no_more_than_one_step_a_minute_is_brought_forward() -> None:
    plan = replace(MAJOR, unassigned=(), steps=(*MAJOR.steps[:2], *MAJOR.steps[1:]))
    story = running(plan)
    assert (2, at(11)) == (story.escalation.step, story.due)

    story.tick(at(10, 59))
    assert story.escalation.step == 2


def test_for_good_may_turn_out_after_the_steps_note() -> None:
    story = running()
    story.fail("dana", "push", at(10, 1), permanent=True)
    story.fail("dana", "sms", at(10, 2))
    story.tick(at(11))
    story.fail("dana", "sms", at(11, 1), permanent=True)
    assert at(11, 1) == story.due


def test_a_brought_forward_step_gets_its_fresh_look_too() -> None:
    story = running()
    story.fail("dana", "push", at(10, 1), permanent=True)
    story.claim("dana", "sms", at(10, 2))
    story.happens(Outcome(story.one("dana", "sms").id, "no such number", sent=False, permanent=True), at(11))
    assert LookNow() in story.tick(at(11), read_at=at(10))


def test_while_a_try_is_open_the_ids_of_what_was_sent_stay_known() -> None:
    """Else its provider, asked about it, could be taken to speak of another step's message to the same person."""
    story = running(replace(MAJOR, steps=tuple(replace(step, by=("sms",), otherwise=()) for step in MAJOR.steps)))
    assert story.claim("dana", "sms", at(10, 1))  # and its sender dies
    story.until(at(15))
    story.send("dana", "sms", at(15, 1), provider_id="SM2")
    story.until(at(20))

    assert "SM2" in {notification.provider_id for notification in story.escalation.notifications}
