"""What a busy Zammad sends, moves and hides: none of it is an event, and none of it loses one."""

import hashlib
import hmac
import json

import pytest
import requests

from .world import SECRET, World


@pytest.fixture(scope="module")
def tickets(world: World) -> dict[str, str]:
    """One escalation that runs, one that was acknowledged and one that is over."""
    found = {state: world.ticket("calm") for state in ("running", "acknowledged", "closed")}
    world.running(*found.values())
    world.desk.take(found["acknowledged"], by=world.desk.alice)
    world.note(found["acknowledged"], "acknowledged by")
    world.desk.close(found["closed"], by=world.desk.alice)
    world.note(found["closed"], "closed")
    return found


def told(world: World, tickets: dict[str, str]) -> list[tuple[list[str], int]]:
    return [(world.headlines(ticket), len(world.mails(ticket))) for ticket in tickets.values()]


def marker(world: World) -> None:
    """A new ticket's first note: by then what came before it has been looked at, too."""
    world.running(world.ticket("calm"))


def test_a_customer_who_moves_sends_a_delivery_for_each_ticket_closed_ones_too(
    world: World, tickets: dict[str, str]
) -> None:
    before, deliveries = told(world, tickets), len(world.desk.deliveries.log)
    world.desk.move_customer(world.desk.cathy, "Somewhere Else")
    assert world.desk.deliveries.wait(20)
    assert len(world.desk.deliveries.log) >= deliveries + 3
    marker(world)
    assert told(world, tickets) == before


def test_a_saved_sla_moves_the_time_of_every_ticket(world: World, tickets: dict[str, str]) -> None:
    before, times = told(world, tickets), world.desk.ticket(tickets["running"])["updated_at"]
    world.desk.save_sla("Contract")
    assert world.desk.ticket(tickets["running"])["updated_at"] > times
    marker(world)
    assert told(world, tickets) == before


def test_with_an_sla_a_new_ticket_sends_twice_and_is_told_once(world: World) -> None:
    world.desk.save_sla("Contract")
    before = len(world.desk.deliveries.log)
    ticket = world.ticket("calm")
    world.running(ticket)
    assert len(world.desk.deliveries.log) >= before + 2
    assert len(world.mails(ticket)) == 1
    assert len(world.notes(ticket)) == 1


def test_a_delivery_that_comes_again_and_again_changes_nothing(world: World, tickets: dict[str, str]) -> None:
    before = told(world, tickets)
    for entry in list(world.desk.deliveries.log)[:10]:
        raw = entry["request"]["content"].encode()
        signature = hmac.new(SECRET.encode(), raw, hashlib.sha1).hexdigest()
        headers = {"X-Hub-Signature": f"sha1={signature}", "Content-Type": "application/json"}
        answer = requests.post(f"{world.url}/webhooks/zammad", raw, headers=headers, timeout=10)
        assert answer.status_code == 202
    marker(world)
    assert told(world, tickets) == before


def test_a_take_that_is_hidden_behind_our_own_save_is_found(world: World) -> None:
    desk, ticket = world.desk, world.ticket("calm")
    world.running(ticket)
    desk.deliveries.delay = 1.0
    desk.take(ticket, by=desk.alice)
    desk.change(ticket, by=desk.escalator, title="Server outage, seen (calm)")
    desk.deliveries.delay = 0.1
    world.note(ticket, "acknowledged by Alice Agent (took the ticket)")
    assert desk.deliveries.wait(20)
    sent = [json.loads(entry["request"]["content"])["ticket"] for entry in desk.deliveries.log]
    assert next(row for row in sent if str(row["id"]) == ticket)["updated_by"]["login"] == desk.escalator.login


def test_a_ticket_whose_webhook_never_came_is_found_and_its_window_began_with_the_ticket(world: World) -> None:
    assert world.desk.deliveries.wait(20)
    world.desk.deliveries.drop(2)  # the second one is the SLA's
    ticket = world.ticket("calm")
    world.running(ticket)
    began = world.shown(ticket)["created_at"]
    assert began == world.desk.ticket(ticket)["created_at"]
    world.desk.deliveries.drop(0)


def test_a_change_whose_webhook_never_came_is_found(world: World) -> None:
    ticket = world.ticket("calm")
    world.running(ticket)
    assert world.desk.deliveries.wait(20)
    world.desk.deliveries.drop(1)
    world.desk.take(ticket, by=world.desk.alice)
    world.note(ticket, "acknowledged by Alice Agent")


def test_nobody_without_the_secret_is_heard(world: World) -> None:
    forged = {"X-Hub-Signature": f"sha1={'0' * 40}"}
    for headers in ({}, forged):
        answer = requests.post(f"{world.url}/webhooks/zammad", json={"ticket": {"id": 1}}, headers=headers, timeout=10)
        assert answer.status_code == 401
