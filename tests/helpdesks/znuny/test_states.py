"""What a state of a name of its own means: asked of a ticket that is in it, and never taken for known before that."""

import json

import pytest
import responses

from connector.errors import HelpdeskAway
from connector.helpdesks.znuny.client import Client
from connector.helpdesks.znuny.states import ASK_AGAIN, TRIES, States

from ..conftest import Clock
from .composed import BASE, URL, asked_by_two, captured

OPEN = {"State": "open", "StateType": "open"}
IN_IT = {"Ticket": [{"TicketID": 9, "State": "resolved", "StateType": "closed"}]}


@pytest.fixture
def states(clock: Clock) -> States:
    return States(Client(URL, "Escalation", "escalation", "pw"), clock=clock)


def finds_a_ticket() -> None:
    responses.post(f"{BASE}/TicketSearch", json={"TicketID": ["9"]})


@responses.activate
def test_znunys_own_states_and_the_tickets_own_cost_no_call(states: States) -> None:
    types = states.types({"State": "bei Carla", "StateType": "pending reminder"}, {"new", "bei Carla"})
    assert (types["new"], types["bei Carla"]) == ("new", "pending reminder")
    assert len(responses.calls) == 0


@responses.activate
def test_a_name_in_the_history_is_asked_of_a_ticket_that_is_in_that_state_once(states: States) -> None:
    finds_a_ticket()
    responses.get(f"{BASE}/Ticket/9", json=IN_IT)
    assert states.types(OPEN, {"open", "resolved"})["resolved"] == "closed"
    assert json.loads(responses.calls[0].request.body or "") == {"States": ["resolved"], "Limit": 1}
    states.types(OPEN, {"open", "resolved"})
    assert len(responses.calls) == 2


@responses.activate
def test_a_state_that_no_ticket_is_in_is_asked_for_again_after_a_while_only(states: States, clock: Clock) -> None:
    responses.post(f"{BASE}/TicketSearch", json={})
    for seconds in (0.0, 1.0, ASK_AGAIN - 1):
        clock.seconds = seconds
        assert "resolved" not in states.types(OPEN, {"resolved"})
    assert len(responses.calls) == 1
    clock.seconds = ASK_AGAIN
    responses.replace(responses.POST, f"{BASE}/TicketSearch", json={"TicketID": ["9"]})
    responses.get(f"{BASE}/Ticket/9", json=IN_IT)
    assert states.types(OPEN, {"resolved"})["resolved"] == "closed"


@responses.activate
def test_one_that_could_not_be_asked_for_is_asked_for_again_at_once(states: States) -> None:
    responses.post(f"{BASE}/TicketSearch", status=502)
    with pytest.raises(HelpdeskAway):
        states.types(OPEN, {"resolved"})
    responses.replace(responses.POST, f"{BASE}/TicketSearch", json={"TicketID": ["9"]})
    responses.get(f"{BASE}/Ticket/9", json=IN_IT)
    assert states.types(OPEN, {"resolved"})["resolved"] == "closed"


@responses.activate
def test_who_needs_one_that_is_being_asked_for_waits_for_the_answer(states: States) -> None:
    with asked_by_two(lambda: states.types(OPEN, {"resolved"}).get("resolved", ""), '{"TicketID": ["9"]}') as answers:
        responses.get(f"{BASE}/Ticket/9", json=IN_IT)
    assert answers == ["closed", "closed"]
    assert len(responses.calls) == 2, "one of them asked"


@responses.activate
def test_a_ticket_that_has_left_the_state_since_the_search_is_not_the_last_one_asked(states: States) -> None:
    finds_a_ticket()
    responses.get(f"{BASE}/Ticket/9", json={"Ticket": [{"TicketID": 9, **OPEN}]})
    responses.get(f"{BASE}/Ticket/9", json=captured("error-unknown-ticket-get")["response"]["body"])
    responses.get(f"{BASE}/Ticket/9", json=IN_IT)
    assert states.types(OPEN, {"resolved"})["resolved"] == "closed"


@responses.activate
def test_but_there_is_an_end_to_asking(states: States) -> None:
    finds_a_ticket()
    responses.get(f"{BASE}/Ticket/9", json=captured("error-unknown-ticket-get")["response"]["body"])
    for _ in range(3):
        assert "resolved" not in states.types(OPEN, {"resolved"})
    assert len(responses.calls) == 2 * TRIES
