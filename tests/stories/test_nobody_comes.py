"""When the last step has brought nobody: those of `when_exhausted` are told again and again, until somebody comes."""

import pytest

from .world import World, eventually

LEE = "lee@example.com"


@pytest.fixture(scope="module")
def tickets(world: World) -> dict[str, str]:
    """Escalations to which nobody came."""
    found = {name: world.ticket("quick", priority="2 normal") for name in ("again", "customer", "raised", "taken")}
    for ticket in found.values():
        world.note(ticket, "nobody came")
    return found


def test_lee_is_told_at_once_and_again_and_again(world: World, tickets: dict[str, str]) -> None:
    ticket = tickets["again"]
    assert "Told: Lee Adams." in world.note(ticket, "nobody came")
    eventually(lambda: world.desk.tags(ticket) == ["escalation-nobody-came"], what="the tag")
    first, second = eventually(lambda: world.mails(ticket, LEE)[1:] and world.mails(ticket, LEE)[:2])
    assert (second.at - first.at).total_seconds() == pytest.approx(3, abs=1)
    assert sum("nobody came" in line for line in world.headlines(ticket)) == 1


def test_a_customer_who_writes_again_makes_it_climb_once_more(world: World, tickets: dict[str, str]) -> None:
    world.desk.answer_on_web(tickets["customer"])
    assert "The customer wrote again." in world.note(tickets["customer"], "it goes on")
    eventually(lambda: len(world.mails(tickets["customer"], "dana@example.com")) == 2, what="a second mail to Dana")


def test_a_raised_priority_makes_it_climb_once_more(world: World, tickets: dict[str, str]) -> None:
    world.desk.change(tickets["raised"], by=world.desk.bob, priority="3 high")
    assert "The priority was raised." in world.note(tickets["raised"], "it goes on")
    eventually(lambda: len(world.mails(tickets["raised"], "dana@example.com")) == 2, what="a second mail to Dana")


def test_it_can_still_be_taken_and_then_lee_is_left_alone(world: World, tickets: dict[str, str]) -> None:
    world.desk.take(tickets["taken"], by=world.desk.alice)
    world.note(tickets["taken"], "acknowledged by Alice Agent")
    told = len(world.mails(tickets["taken"], LEE))
    others = len(world.mails(tickets["again"], LEE))
    eventually(lambda: len(world.mails(tickets["again"], LEE)) >= others + 2, what="the same timetable's next mails")
    assert len(world.mails(tickets["taken"], LEE)) == told
    world.desk.close(tickets["again"], by=world.desk.alice)
