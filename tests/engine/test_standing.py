"""What a note's signed data says of its escalation, and that it is read back as it was."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connector.core.case import Seen
from connector.core.escalation import Assigned, Escalation, Parked, State, Told
from connector.core.events import Acknowledge, Stop, WriteNote
from connector.engine.proofs import Signatures
from connector.engine.standing import TOLD_AT_MOST, Unreadable, data_of, standing_of

from ..core.builders import BY_ANNA, BY_DANA, MAJOR, PEOPLE, T0, Desk, Story, at, running, waiting
from ..core.builders import Watch as Looking

PLANS = {"major": MAJOR}
KEYS = Signatures(["a-key-that-is-only-for-tests-1234"])

#: Fields that a restart doesn't need, or that the ticket itself tells.
NOT_KEPT = {
    "report": None,
    "notifications": (),
    "updated_at": T0,
    "clear_up_at": None,
    "clear_up_but": "",
    "owner": None,
}


def told(escalation: Escalation, kind: str = "step", **more: Any) -> tuple[dict[str, Any], str]:
    """The data of a note about this escalation, and as it stands in the note."""
    looking = Looking()
    looking.looks(at(1))
    assert looking.case is not None
    case = replace(looking.case, seen=Seen(at(9)))
    note = WriteNote(kind, at(20), escalation, **more)
    data = data_of(case, note, escalation.due_at, "the data of the note before", case, T0)
    return data, KEYS.proof(data)


def again(escalation: Escalation) -> Escalation:
    data, proof = told(escalation)
    read = standing_of(json.loads(json.dumps(data)), proof, PLANS, PEOPLE).escalation
    assert read is not None
    return read


def kept(escalation: Escalation) -> Escalation:
    """What is expected to come back."""
    return replace(escalation, **{**NOT_KEPT, "shown": True})  # type: ignore[arg-type]


def twice_told() -> Story:
    story = running()
    story.send("dana", "push", at(10))
    story.until(at(15))
    story.send("dana", "phone", at(15))
    return story


def acknowledged(**more: Any) -> Story:
    story = twice_told()
    story.happens(Acknowledge(BY_ANNA, at(17), "take", **more), at(17))
    return story


def exhausted() -> Story:
    story = twice_told()
    story.until(at(40))
    assert story.state is State.EXHAUSTED
    return story


def stopped() -> Story:
    story = twice_told()
    story.happens(Stop(BY_DANA, at(17)), at(17))
    return story


@pytest.mark.parametrize(
    "story",
    [
        pytest.param(twice_told(), id="running"),
        pytest.param(waiting(), id="waiting"),
        pytest.param(acknowledged(), id="acknowledged"),
        pytest.param(acknowledged(provisional=True), id="acknowledged by a form"),
        pytest.param(acknowledged(outside=True, key="dana"), id="acknowledged by phone"),
        pytest.param(acknowledged(until=at(120)), id="held"),
        pytest.param(exhausted(), id="exhausted"),
        pytest.param(stopped(), id="stopped"),
    ],
)
def test_an_escalation_is_read_back_as_it_was(story: Story) -> None:
    assert replace(again(story.escalation), updated_at=T0) == kept(story.escalation)


def test_whatever_else_it_has_comes_back_too() -> None:
    odd = replace(
        twice_told().escalation,
        waits_for_work=True,
        first="dana",
        brought_forward_at=at(3),
        assigned=Assigned("anna@example.com", "", at(2), again=True, again_at=at(4)),
        parked=(Parked("minor", State.RUNNING, 1, 1, timedelta(minutes=3), at(19)),),
        told=(Told("dana", "dana@example.com", "push", at(1), "minor", cleared=True),),
    )
    assert replace(again(odd), updated_at=T0) == kept(odd)


def test_a_plan_that_stopped_applying_long_ago_is_left_out() -> None:
    parked = (Parked("minor", State.RUNNING, 1, 1, timedelta(minutes=3), at(20) - timedelta(hours=1)),)
    assert again(replace(twice_told().escalation, parked=parked)).parked == ()


def test_a_person_whom_the_config_does_not_list_keeps_their_login() -> None:
    someone = Told("login:carl", "carl", "email", at(1), "major")
    assert again(replace(twice_told().escalation, told=(someone,))).told == (someone,)


def test_without_its_plan_it_still_says_which_one_it_was() -> None:
    data, proof = told(twice_told().escalation)
    read = standing_of(data, proof, {}, PEOPLE)
    assert (read.escalation, read.plan, read.state) == (None, "major", State.RUNNING)


@pytest.mark.parametrize("spoiled", [{"v": 1}, {"t": "42x"}, {"l": 0}, {"at": "2026-01-31T20:00:00"}, {"s": "asleep"}])
def test_what_is_not_in_this_form_is_unreadable(spoiled: dict[str, Any]) -> None:
    data, proof = told(twice_told().escalation)
    with pytest.raises(Unreadable):
        standing_of({**data, **spoiled}, proof, PLANS, PEOPLE)


def test_the_line_in_the_note_stays_short() -> None:
    usual = [twice_told(), acknowledged(outside=True, key="dana"), exhausted()]
    assert max(len(told(story.escalation)[1]) for story in usual) <= 450
    many = tuple(Told(f"person-{n}", "", "email", at(n), "major") for n in range(3 * TOLD_AT_MOST))
    longest = len(told(replace(acknowledged().escalation, told=many))[1])
    assert longest <= 1000
    print(f"\n{[len(told(story.escalation)[1]) for story in usual]} characters; with {TOLD_AT_MOST} people {longest}")


def test_nobody_is_named_by_number_or_address() -> None:
    data, _ = told(twice_told().escalation)
    assert not any(number in json.dumps(data) for number in ("4567", "@"))
    assert Desk().ticket.title not in json.dumps(data)
