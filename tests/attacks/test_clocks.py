"""A helpdesk whose clock is ahead of ours: nobody is told late because of it, nothing is taken in twice."""

from dataclasses import replace
from datetime import timedelta

from connector.core.escalation import State
from connector.core.ticket import Kind
from tests.engine.conftest import World

AHEAD = timedelta(minutes=10)


def dated_ahead(world: World, id: str = "42") -> None:
    """Everything that the helpdesk has written so far carries a time that hasn't come yet."""
    ticket = world.helpdesk.tickets[id]
    made, saved = ticket.created_at + AHEAD, ticket.updated_at + AHEAD
    world.helpdesk.tickets[id] = replace(ticket, created_at=made, updated_at=saved)
    world.helpdesk.changes[id] = [replace(change, at=change.at + AHEAD) for change in world.helpdesk.changes[id]]


def test_the_window_of_a_ticket_dated_in_the_future_begins_now(world: World) -> None:
    world.helpdesk.ticket("42")
    dated_ahead(world)
    before = world.clock.now()
    world.looks("42")
    assert before <= world.escalation().created_at <= world.clock.now()


def test_the_operator_hears_of_a_clock_that_is_ahead_until_it_agrees_again(world: World) -> None:
    world.helpdesk.ticket("42")
    dated_ahead(world)
    world.looks("42")
    assert world.troubles() == ["The helpdesk's clock is about 10 min ahead of Escalator's: set both by NTP."]
    world.helpdesk.ticket("43")
    world.looks("43")
    assert world.troubles() == []


def test_a_change_dated_in_the_future_counts_now_and_once(world: World) -> None:
    world.helpdesk.ticket("42")
    world.looks("42")
    world.helpdesk.takes("42")
    dated_ahead(world)
    for _ in range(3):
        world.looks("42")
        world.clock.passes(minutes=6)
    assert world.escalation().state is State.ACKNOWLEDGED
    taken = world.escalation().acknowledged
    assert taken is not None
    assert taken.at < world.clock.now()
    assert [entry.kind for entry in world.store.history("E-1A")].count("acknowledged") == 1


def test_a_priority_raised_in_the_future_starts_its_window_now(world: World) -> None:
    world.helpdesk.ticket("42", priority="1 low")
    world.looks("42")
    facts = replace(world.helpdesk.tickets["42"].facts, priority="3 high")
    world.helpdesk.changed("42", Kind.PRIORITY, {"facts": facts}, before="1 low", after="3 high", raised=True)
    dated_ahead(world)
    world.looks("42")
    assert world.escalation().created_at <= world.clock.now()
