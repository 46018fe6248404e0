"""A server outage at priority "3 high" that nobody takes: push, SMS, call; key 1; the ticket tells the story."""

from .plans import DANA
from .world import World, eventually


def test_nobody_takes_it_so_the_phone_rings_and_key_1_takes_it(world: World) -> None:
    world.providers.twilio.on_call(DANA).press("1")
    ticket = world.ticket("ladder")
    note = world.note(ticket, "acknowledged by Dana Reyes (phone call)")
    assert len(world.texts(ticket, DANA)) == 1
    assert len(world.calls(ticket)) == 1
    assert [line.split(" ", 2)[2] for line in world.headlines(ticket)] == [
        "step 1 of 3 (plan ladder)",
        "step 2 of 3 (plan ladder)",
        "step 3 of 3 (plan ladder)",
        "acknowledged by Dana Reyes (phone call)",
    ]
    assert "after it began" in note
    assert eventually(lambda: world.desk.tags(ticket) == ["escalation-acknowledged"], what="the tag")
    assert world.desk.ticket(ticket)["owner"] == world.desk.alice.login
    assert world.desk.ticket(ticket)["first_response_at"] is None
    assert all(note["internal"] for note in world.desk.notes(ticket))


def test_the_summary_tells_the_whole_story_when_the_ticket_is_closed(world: World) -> None:
    ticket = world.ticket("slow")
    world.note(ticket, "step 1 of 2")
    world.desk.take(ticket, by=world.desk.alice)
    world.note(ticket, "acknowledged by Alice Agent (took the ticket)")
    world.desk.close(ticket, by=world.desk.alice)
    summary = world.note(ticket, "closed")
    assert "Acknowledged by Alice Agent" in summary
    assert "step 1 of 2" in summary
    assert eventually(lambda: world.desk.tags(ticket) == [], what="no tag is left")


def test_what_ends_inside_the_first_window_leaves_nothing(world: World) -> None:
    ticket = world.ticket("slow")
    world.desk.take(ticket, by=world.desk.alice)
    marker = world.ticket("slow")
    world.note(marker, "step 1 of 2")
    assert world.notes(ticket) == []
    assert world.desk.tags(ticket) == []
    assert world.texts(ticket) == []
