"""The helpdesk doesn't answer for ten minutes: people are told on time, and no note is lost."""

import re
from collections.abc import Sequence

import pytest

from connector.core.code import code_of
from connector.engine.keys import DESK, PREFIX

from .conftest import Outage

TICKETS = 10


@pytest.fixture
def tickets(world: Outage) -> Sequence[str]:
    """Known tickets, a minute before the end of their window."""
    made = [str(world.zammad.create_ticket(priority="3 high")["id"]) for _ in range(TICKETS)]
    world.sweep.look_at_helpdesk()
    world.desk.drain()
    world.clock.passes(minutes=29)
    return made


def goes_by(world: Outage, *seconds: float) -> None:
    """Time passes in steps, and after each what is due happens, as far as that is possible."""
    for each in seconds:
        world.clock.passes(seconds=each)
        world.due()
        world.desk.drain()


def away_for_ten_minutes(world: Outage) -> None:
    world.zammad.go_away()
    goes_by(world, 56, 7, 60, 120, 114, 7, 236)
    world.zammad.come_back()


def test_people_are_told_on_time_all_the_same(world: Outage, tickets: Sequence[str]) -> None:
    away_for_ten_minutes(world)
    for ticket in tickets:
        steps = [entry for entry in world.store.history(code_of(ticket)) if entry.kind == "step"]
        assert len(steps) == 2
        assert all(entry.late_s is not None and entry.late_s < 30 for entry in steps)
    assert len(world.channels["email"].sent) == 2 * TICKETS


def test_no_note_is_lost_and_they_arrive_in_order_with_their_true_times(world: Outage, tickets: Sequence[str]) -> None:
    away_for_ten_minutes(world)
    assert all(world.headlines(ticket) == [] for ticket in tickets)
    waiting = {ticket: world.redis.llen(f"{PREFIX}desk:{ticket}") for ticket in tickets}
    assert set(waiting.values()) == {2}
    goes_by(world, 61)
    assert world.redis.zcard(DESK) == 0
    for ticket in tickets:
        first, second = world.headlines(ticket)
        assert (", step 1 of 2" in first, ", step 2 of 2" in second) == (True, True)
        times = [re.findall(r"\d\d:\d\d (?=CET|CEST)", str(note["body"]))[0] for note in world.zammad.notes(ticket)]
        minutes = [int(time[:2]) * 60 + int(time[3:5]) for time in times]
        assert (minutes[1] - minutes[0]) % 1440 in (5, 6), "when it happened, not when it was written"


def test_of_the_live_states_only_the_newest_is_written(world: Outage, tickets: Sequence[str]) -> None:
    world.zammad.go_away()
    goes_by(world, 56, 7)
    world.answers.acknowledge(code_of(tickets[0]), world.engine.people.contacts["dana"], "API")
    world.zammad.come_back()
    world.zammad.faults.forget_requests()
    goes_by(world, 61)
    assert world.zammad.tags(tickets[0]) == ["escalation-acknowledged"]
    assert world.zammad.tags(tickets[1]) == ["escalation-running"]
    requests = world.zammad.faults.requests
    assert (requests["POST /api/v1/tags/add"], requests["DELETE /api/v1/tags/remove"]) == (TICKETS, 0)


def test_it_is_asked_no_more_than_four_things_at_a_time_when_it_is_back(world: Outage, tickets: Sequence[str]) -> None:
    away_for_ten_minutes(world)
    world.zammad.faults.forget_requests()
    world.zammad.faults.slow(0.02)
    goes_by(world, 61)
    assert 2 <= world.zammad.faults.most_at_once <= 4
    assert all(len(world.headlines(ticket)) == 2 for ticket in tickets)


def test_what_was_acknowledged_there_meanwhile_is_seen_before_the_next_step(
    world: Outage, tickets: Sequence[str]
) -> None:
    away_for_ten_minutes(world)
    world.zammad.take(tickets[0], world.zammad.alice)
    world.sweep.look_at_helpdesk()
    goes_by(world, 1)
    acknowledged = world.escalation(tickets[0]).acknowledged
    assert acknowledged is not None
    assert acknowledged.by.login == world.zammad.alice.login
