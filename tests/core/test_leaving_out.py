"""A step on which Escalator fails five times is left out, and the plan goes on to the next one at its own time."""

from dataclasses import replace

from connector.core.escalation import Stage, State
from connector.core.events import WriteNote
from connector.core.leaving_out import leave_out
from connector.core.plan import WhenExhausted

from .builders import MAJOR, MINUTE, Story, at, running, waiting


def left(story: Story, minutes: float, seconds: float = 0) -> tuple[State, int, str]:
    """Leaves out what is due then: the state and step afterwards, and the note's headline."""
    story.escalation, commands = leave_out(story.escalation, at(minutes, seconds))
    story.commands += commands
    notes = [command for command in commands if isinstance(command, WriteNote)]
    return story.state, story.escalation.step, notes[0].remarks[0] if notes else ""


def test_the_next_step_keeps_its_own_due_time() -> None:
    story = running()
    due = story.due
    assert due is not None
    assert left(story, 15, 51) == (State.RUNNING, 2, "step 2 of 3 is left out")
    assert story.due == at(20)


def test_the_end_of_the_window_takes_the_first_step_with_it_when_that_is_due_at_once() -> None:
    story = waiting()
    assert left(story, 10, 51) == (State.RUNNING, 1, "step 1 of 3 is left out")
    assert story.due == at(15)


def test_after_the_last_step_nobody_came_even_if_that_could_not_be_told() -> None:
    story = running(replace(MAJOR, when_exhausted=WhenExhausted(("lee",), ("email",))))
    story.until(at(20))
    assert left(story, 36) == (State.EXHAUSTED, 3, "telling that nobody came is left out")
    assert story.due == at(35 + 60)
    assert left(story, 96)[2] == "telling again that nobody came is left out"
    assert story.due == at(35 + 120)


def test_without_anybody_to_tell_an_exhausted_one_is_done() -> None:
    story = running(replace(MAJOR, when_exhausted=None))
    story.until(at(20))
    assert left(story, 36)[0] is State.EXHAUSTED
    assert story.due is None


def test_a_second_round_says_so() -> None:
    story = running(replace(MAJOR, rounds=2, again_after=5 * MINUTE))
    story.until(at(20))
    assert left(story, 26) == (State.RUNNING, 1, "step 1 of 3, round 2 is left out")


def test_where_no_step_is_due_the_rest_is_left_out_and_the_step_is_not() -> None:
    story = running()
    story.send("dana", "push", at(10, 1), wait=60)
    assert left(story, 11, 30) == (State.RUNNING, 1, "what was left of step 1 is left out")
    assert (story.due, story.one("dana", "push").stage) == (at(15), Stage.ENDED)


def test_where_nothing_is_left_nothing_happens() -> None:
    story = waiting()
    before = story.escalation
    assert leave_out(before, at(1)) == (before, ())
