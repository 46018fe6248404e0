"""Nobody came."""

from dataclasses import replace

from connector.core.escalation import State
from connector.core.events import Acknowledge, CustomerWrote, Raised

from .builders import BY_ANNA, CUSTOMER, MAJOR, Story, at, running


def exhausted() -> Story:
    story = running()
    story.until(at(35))
    assert story.state is State.EXHAUSTED
    return story


def test_after_the_last_step_it_gives_up_and_tells_somebody_at_once() -> None:
    story = exhausted()
    assert ("lead", "email") in story.planned
    assert story.notes[-1] == "exhausted"
    assert "exhausted" in story.history


def test_they_are_told_again_and_again() -> None:
    story = exhausted()
    assert at(95) == story.due
    story.send("lead", "email", at(35, 1))
    story.until(at(95))
    assert ("lead", "email") in story.planned
    assert at(155) == story.due


def test_a_customers_message_climbs_once_more_from_the_first_step() -> None:
    story = exhausted()
    story.happens(CustomerWrote(at(40), CUSTOMER), at(40))
    story.tick(at(40))
    assert (State.RUNNING, 1, 1, at(45)) == (story.state, story.escalation.round, story.escalation.step, story.due)
    assert story.planned == [("dana", "push")]


def test_a_raised_priority_does_too() -> None:
    story = exhausted()
    story.happens(Raised(at(40), BY_ANNA), at(40))
    assert (State.RUNNING, at(40)) == (story.state, story.due)


def test_it_can_still_be_taken() -> None:
    story = exhausted()
    story.happens(Acknowledge(BY_ANNA, at(40), "reply"), at(40))
    assert (story.state, story.due) == (State.ACKNOWLEDGED, None)


def test_without_anybody_to_tell_it_just_stands() -> None:
    story = running(replace(MAJOR, when_exhausted=None))
    story.until(at(35))
    assert (story.state, story.due) == (State.EXHAUSTED, None)


def test_put_off_without_anybody_to_tell_it_doesnt_climb_anew() -> None:
    story = running(replace(MAJOR, when_exhausted=None))
    story.until(at(35))
    story.happens(Acknowledge(BY_ANNA, at(40), "pending", until=at(60)), at(40))
    story.tick(at(60))
    story.tick(at(61))
    assert (story.state, story.due) == (State.EXHAUSTED, None)
