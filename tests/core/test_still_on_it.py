"""`acknowledged_for`: without work for so long who has it is asked quietly; no answer, and it goes on from step 1."""

from dataclasses import replace
from datetime import timedelta

from connector.core.escalation import State
from connector.core.events import Acknowledge, OwnerSet, Worked

from .builders import ANNA, BEN, BY_ANNA, BY_BEN, MAJOR, SYSTEM, Story, at, running

PATIENT = replace(MAJOR, acknowledged_for=timedelta(hours=4))
ASKED = at(11 + 240)


def taken(lasts: timedelta | None = None) -> Story:
    story = running(PATIENT)
    story.happens(Acknowledge(BY_ANNA, at(11), "take", lasts=lasts), at(11))
    return story


def asked() -> Story:
    story = taken()
    story.tick(ASKED)
    return story


def test_after_that_time_without_work_who_has_it_is_asked_on_the_ticket() -> None:
    story = asked()
    assert story.state is State.ACKNOWLEDGED
    assert story.notes[-1] == "still-on-it"
    assert story.due == ASKED + timedelta(minutes=15)
    assert story.planned == []


def test_without_an_answer_it_goes_on_from_the_first_step() -> None:
    story = asked()
    story.tick(at(11 + 255))
    assert (story.state, story.escalation.step) == (State.RUNNING, 1)
    assert story.planned == [("dana", "push")]
    assert story.notes[-1] == "goes-on"


def test_any_work_is_an_answer_and_starts_the_time_anew() -> None:
    story = asked()
    story.happens(Worked(BY_BEN, at(255)), at(255))
    story.tick(at(11 + 255))
    assert story.state is State.ACKNOWLEDGED
    assert story.due == at(255 + 240)


def test_work_before_that_puts_the_question_off() -> None:
    story = taken()
    story.happens(Worked(BY_ANNA, at(100)), at(100))
    story.tick(ASKED)
    assert story.notes[-1] == "acknowledged"
    assert story.due == at(340)


def test_who_acknowledges_again_from_the_phone_has_answered() -> None:
    story = asked()
    story.happens(Acknowledge(BY_ANNA, at(255), "link", outside=True), at(255))
    assert story.due == at(255 + 240)


def test_a_colleague_who_takes_it_over_gets_the_whole_time() -> None:
    story = asked()
    story.happens(Acknowledge(BY_BEN, at(255), "take"), at(255))
    assert story.due == at(255 + 240)


def test_an_acknowledgement_may_name_its_own_time() -> None:
    story = taken(timedelta(hours=1))
    assert story.due == at(71)


def test_without_the_option_nobody_is_asked() -> None:
    story = running()
    story.happens(Acknowledge(BY_ANNA, at(11), "take"), at(11))
    assert story.due is None


def test_a_handover_counts_for_itself() -> None:
    story = asked()
    story.happens(OwnerSet(ANNA, at(252), BY_ANNA), at(252))
    story.happens(OwnerSet(BEN, at(253), SYSTEM), at(253))
    assert (story.state, story.due) == (State.WAITING, at(263))
    assert story.escalation.asked_at is None
