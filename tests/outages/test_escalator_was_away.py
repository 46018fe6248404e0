"""What happened in the helpdesk while nobody listened: all of it is found, nothing twice."""

from datetime import timedelta

from connector.core.code import code_of
from connector.core.escalation import State

from .conftest import Outage


def readings(world: Outage, ticket: str) -> int:
    return world.zammad.faults.requests[f"GET /api/v1/ticket_history/{ticket}"]


def test_200_tickets_that_came_within_10_minutes_are_found_each_of_them_once(world: Outage) -> None:
    tickets = []
    for _ in range(200):
        world.clock.passes(seconds=3)
        tickets.append(str(world.zammad.create_ticket(priority="3 high")["id"]))
    assert sorted(world.sweep.look_at_helpdesk(), key=int) == tickets
    world.desk.drain()
    cases = world.store.cases(tickets)
    assert sorted(cases, key=int) == tickets
    for ticket, case in cases.items():
        assert case.escalation is not None
        assert (case.escalation.state, case.escalation.created_at) == (State.WAITING, case.ticket.created_at)
        assert [entry.kind for entry in world.store.history(code_of(ticket))] == ["created"]
        assert readings(world, ticket) == 1
    assert world.sweep.look_at_helpdesk() == []
    assert world.zammad.faults.most_at_once <= 4


def test_what_people_did_meanwhile_counts_from_when_they_did_it(world: Outage) -> None:
    zammad = world.zammad
    taken, solved, merely_touched = (str(zammad.create_ticket(priority="3 high")["id"]) for _ in range(3))
    world.sweep.look_at_helpdesk()
    world.desk.drain()
    world.clock.passes(minutes=10)
    zammad.take(taken, zammad.alice)
    zammad.close(solved, zammad.bob)
    did = world.clock.now()
    world.clock.passes(minutes=10)
    zammad.save_sla(minutes=60)
    assert sorted(world.sweep.look_at_helpdesk()) == sorted([taken, solved])
    world.desk.drain()
    acknowledged = world.escalation(taken).acknowledged
    assert acknowledged is not None
    assert (acknowledged.by.name, did - acknowledged.at < timedelta(seconds=5)) == ("Alice Agent", True)
    assert world.escalation(solved).state is State.RESOLVED
    assert world.escalation(merely_touched).state is State.WAITING
    assert readings(world, merely_touched) == 1


def test_a_ticket_whose_step_was_due_meanwhile_fires_at_once(world: Outage) -> None:
    ticket = str(world.zammad.create_ticket(priority="3 high")["id"])
    world.clock.passes(minutes=40)
    world.sweep.look_at_helpdesk()
    world.desk.drain()
    assert [m.code for m in world.channels["email"].sent] == []
    world.due()
    assert [m.code for m in world.channels["email"].sent] == [code_of(ticket)]
