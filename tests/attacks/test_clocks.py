"""A helpdesk whose clock isn't ours: nobody is told late or early because of it, nothing is taken in twice."""

from dataclasses import replace
from datetime import timedelta

import pytest

from connector.core.escalation import State
from connector.core.ticket import Actor, Kind, Phase, Role
from tests.engine.conftest import World
from tests.engine.fakes import Clock

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


# --- what its answers tell of its clock ------------------------------------------------------------------------------


def skewed(world: World, by: timedelta) -> None:
    """From now on the helpdesk's clock is so far ahead, as its answers tell."""
    world.helpdesk.skew = by
    world.helpdesk.clock = Clock()
    world.helpdesk.clock.passes(seconds=by.total_seconds())


@pytest.mark.parametrize("minutes", [-600, -10, 10, 600])
def test_a_window_is_counted_from_when_the_ticket_was_made_whatever_the_helpdesks_clock_says(
    world: World, minutes: int
) -> None:
    skewed(world, timedelta(minutes=minutes))
    world.helpdesk.ticket("42", age=timedelta(minutes=2))
    made = world.clock.now() - timedelta(minutes=2)
    world.looks("42")
    assert abs(world.escalation().created_at - made) < timedelta(seconds=2)


def test_a_ticket_made_after_escalator_was_switched_on_is_not_taken_for_an_older_one(world: World) -> None:
    world.since = world.clock.now() - timedelta(minutes=1)
    skewed(world, -timedelta(minutes=10))
    world.helpdesk.ticket("42")
    world.looks("42")
    assert world.escalation().state is State.WAITING


def test_a_reopened_ticket_does_not_fire_early_for_a_clock_that_is_behind(world: World) -> None:
    skewed(world, -timedelta(hours=2))
    world.helpdesk.ticket("42")
    world.looks("42")
    world.helpdesk.closes("42")
    world.looks("42")
    for clock in (world.clock, world.helpdesk.clock):
        clock.passes(hours=1)
    world.helpdesk.changed(
        "42", Kind.STATE, {"phase": Phase.OPEN}, phase_before=Phase.CLOSED, phase=Phase.OPEN, after="open"
    )
    world.helpdesk.changes["42"][-1] = replace(world.helpdesk.changes["42"][-1], by=Actor(Role.CUSTOMER, "8"))
    world.looks("42")
    assert world.escalation().state is State.WAITING
    due = world.escalation().due_at
    assert due is not None
    assert timedelta(minutes=4) < due - world.clock.now() <= timedelta(minutes=5)


def test_a_change_is_taken_in_once_although_the_clock_is_set_right_meanwhile(world: World) -> None:
    skewed(world, timedelta(minutes=10))
    world.helpdesk.ticket("42")
    world.looks("42")
    world.helpdesk.takes("42")
    world.looks("42")
    world.helpdesk.skew = timedelta(0)
    for _ in range(3):
        world.looks("42")
        world.clock.passes(minutes=6)
    assert [entry.kind for entry in world.store.history("E-1A")].count("acknowledged") == 1


@pytest.mark.parametrize(
    ("by", "said"),
    [
        (timedelta(seconds=-600), "The helpdesk's clock is about 10 min behind Escalator's: set both by NTP."),
        (timedelta(seconds=20), "The helpdesk's clock is about 20 s ahead of Escalator's: set both by NTP."),
        (timedelta(seconds=-3), ""),
    ],
)
def test_the_operator_hears_of_a_clock_that_is_some_seconds_off_until_it_is_set(
    world: World, by: timedelta, said: str
) -> None:
    skewed(world, by)
    world.helpdesk.ticket("42")
    world.looks("42")
    assert world.troubles() == ([said] if said else [])
    skewed(world, timedelta(0))
    world.looks("42")
    assert world.troubles() == []


def test_less_than_some_seconds_are_left_as_they_are(world: World) -> None:
    world.helpdesk.skew = -timedelta(seconds=1.2)  # an answer's date has whole seconds
    world.helpdesk.ticket("42")
    world.looks("42")
    assert world.escalation().created_at == world.helpdesk.tickets["42"].created_at
