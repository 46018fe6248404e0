"""An escalation that ends and lives again under a code of its own, also where one reading tells of both."""

from connector.core.escalation import State

from .conftest import World


def reopened_unread(world: World) -> None:
    """Its first step has fired; closed and, after the quarter of an hour, opened again, before anybody reads it."""
    world.escalating("42")
    world.sends()
    world.helpdesk.closes("42")
    world.clock.passes(minutes=30)
    world.helpdesk.reopens("42")
    world.looks("42")


def test_each_life_has_its_own_history(world: World) -> None:
    reopened_unread(world)
    assert (world.escalation().code, world.escalation().state) == ("E-1A-2", State.WAITING)
    assert world.history("E-1A")[-2:] == ["push to Dana Reyes: accepted", "closed by Alice Agent"]
    assert world.history("E-1A-2") == ["plan major: reopened"]


def test_the_life_that_ended_is_listed_with_those_that_are_past(world: World) -> None:
    reopened_unread(world)
    assert world.store.past_codes() == [("E-1A", "42")]
    world.helpdesk.closes("42")
    world.looks("42")
    assert sorted(world.store.past_codes()) == [("E-1A", "42"), ("E-1A-2", "42")]


def test_its_closing_note_sums_up_its_own_history_and_the_next_life_begins_a_chain_of_its_own(world: World) -> None:
    reopened_unread(world)
    world.writes()
    note = world.helpdesk.notes["42"][-1]
    assert note.lines[0] == "Escalation E-1A closed"
    assert (world.store.last_proof("E-1A"), world.store.last_proof("E-1A-2")) == (note.proof, "")


def test_a_ticket_first_read_in_its_second_life_has_two_histories_too(world: World) -> None:
    world.helpdesk.ticket("42")
    world.helpdesk.closes("42")
    world.clock.passes(minutes=30)
    world.helpdesk.reopens("42")
    world.looks("42")
    assert world.history("E-1A") == ['plan major: priority is "3 high"', "closed by Alice Agent"]
    assert world.history("E-1A-2") == ["plan major: reopened"]
    assert world.store.past_codes() == [("E-1A", "42")]
