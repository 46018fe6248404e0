"""What other systems and a terminal may do by hand: start, hurry, stop; each is noted on the ticket."""

from .plans import BOB
from .world import World, eventually


def test_started_by_hand_for_a_ticket_that_no_rule_names(world: World) -> None:
    ticket = world.ticket("calm", priority="1 low")
    begun = world.api("", ticket=str(world.desk.ticket(ticket)["number"]), plan="twice", by="lee")
    assert (begun.status_code, begun.json()["plan"]) == (201, "twice")
    world.note(ticket, "step 1 of 2 (plan twice)")
    assert world.api("", ticket=f"id:{ticket}", plan="twice", by="lee").status_code == 409


def test_hurried_and_stopped_by_hand(world: World) -> None:
    ticket = world.ticket("patient")
    eventually(lambda: world.api(f"/{world.code(ticket)}/escalate", by="bob").ok, what="an escalation to hurry")
    world.running(ticket)
    assert len(world.mails(ticket, "dana@example.com")) == 1
    world.api(f"/{world.code(ticket)}/stop", by="bob").raise_for_status()
    assert "Stopped by Bob Builder." in world.note(ticket, "cancelled")
    assert eventually(lambda: world.desk.tags(ticket) == [], what="no tag is left") is True


def test_the_owner_of_the_moment_is_told_when_the_window_is_over(world: World) -> None:
    ticket = world.ticket("slow")
    world.desk.assign(ticket, to=world.desk.bob, by=world.desk.alice)
    world.running(ticket)
    assert [text.to for text in world.texts(ticket)] == [BOB]
