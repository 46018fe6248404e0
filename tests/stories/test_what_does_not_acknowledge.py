"""What looks like an acknowledgement and is none: the next step still comes after each of them (the table: ways.py)."""

import pytest

from .ways import FROM_THE_START, LOOKALIKES, Played
from .world import World


@pytest.mark.parametrize("what", [*LOOKALIKES, *FROM_THE_START])
def test_the_next_step_still_comes(world: World, played: Played, what: str) -> None:
    ticket = played.tickets[what]
    world.note(ticket, "step 2 of 2")
    assert not world.has(ticket, "acknowledged by")
    assert world.shown(ticket)["acknowledged"] is None
    assert len([entry for entry in world.shown(ticket)["history"] if entry["kind"] == "step"]) == 2


def test_a_new_owner_is_told_at_once_and_the_timetable_stays(world: World, played: Played) -> None:
    ticket = played.tickets["somebody else assigns it"]
    world.note(ticket, "step 2 of 2")
    first, to_bob, second = world.mails(ticket)
    assert first.to == ("dana@example.com",)
    assert to_bob.to == second.to == ("bob@example.com",)
    assert (world.stepped(ticket, 2) - world.stepped(ticket)).total_seconds() == pytest.approx(20, abs=2)


def test_the_customer_s_macro_leaves_an_internal_note_by_the_system_and_is_seen_through(
    world: World, played: Played
) -> None:
    ticket = played.tickets["the customer runs the macro"]
    world.note(ticket, "step 2 of 2")
    left = next(article for article in world.desk.articles(ticket) if article["body"] == "/ack")
    assert (left["sender"], left["internal"], left["created_by"]) == ("System", True, world.desk.cathy.login)
