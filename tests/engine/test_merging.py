"""A merged ticket: its escalation goes on at the ticket it went into, and everything goes with it."""

from connector.core.escalation import State
from connector.engine.keys import DUE, LIVE

from .conftest import World


def merged(world: World) -> None:
    """42 is told and goes into 43, which has no plan."""
    world.escalating("42")
    world.sends()
    world.helpdesk.ticket("43", "1 low")
    world.helpdesk.merges("42", "43")
    world.looks("42")


def test_it_goes_on_at_the_target_under_its_own_code(world: World) -> None:
    merged(world)
    assert world.case("42").escalation is None
    assert (world.escalation("43").code, world.escalation("43").state) == ("E-1A", State.RUNNING)
    found = world.engine.find("E-1A")
    assert found is not None
    assert found[0] == "43"
    assert world.redis.hgetall(LIVE) == {b"43": b"E-1A"}
    assert world.redis.zrange(DUE, 0, -1) == [b"43"]


def test_live_state_and_notes_that_wait_go_with_it(world: World) -> None:
    merged(world)
    world.writes()
    assert world.helpdesk.shown["42"][-1].status == ""
    assert world.helpdesk.shown["43"][-1].status == "running"
    assert world.helpdesk.notes["42"] == []
    first, second = world.helpdesk.headlines("43")
    assert first == "Escalation E-1A, step 1 of 3 (plan major)"
    assert "goes on" in second


def test_into_a_ticket_that_escalates_itself_it_ends_and_who_was_told_hears_so_at_once(world: World) -> None:
    world.channels["phone"].final = False
    world.escalating("42")
    world.sends()
    world.clock.passes(minutes=5, seconds=1)
    world.looks("42")
    world.engine.wake("42")
    world.sends()
    assert world.one("phone").provider_id == "phone-1", "it rings"
    world.escalating("43")
    world.sends()

    world.helpdesk.merges("42", "43")
    world.looks("42")
    world.sends()
    assert world.escalation("42").state is State.RESOLVED
    assert world.channels["phone"].hung_up == ["phone-1"]
    told = [(message.ticket_id, message.purpose.value) for message in world.channels["push"].sent]
    assert told == [("42", "step"), ("43", "step"), ("42", "all-clear")]
    assert world.escalation("43").state is State.RUNNING
