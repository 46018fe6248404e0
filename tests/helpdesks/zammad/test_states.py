"""When Zammad is asked what its states mean: seldom, but never too late for a new one.

What was taken in with a state of unknown meaning stays so: a close that counted as nothing is nobody's, for good.
"""

from collections.abc import Iterator

import pytest
import responses

from connector.core.ticket import Phase
from connector.helpdesks.zammad.client import Client
from connector.helpdesks.zammad.states import States

from .composed import URL, answer
from .served import API

NEW = 44


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add("GET", f"{API}/ticket_states", json=answer("ticket_states_expand"))
        yield mock


@pytest.fixture
def states(mock, clock) -> States:
    return States(Client(URL, "T"), clock=clock)


def make(mock: responses.RequestsMock, state_type: str) -> None:
    """An administrator makes a state, or gives it another type."""
    made = {"id": NEW, "name": "on hold", "state_type": state_type, "next_state_id": None}
    mock.replace("GET", f"{API}/ticket_states", json=[*answer("ticket_states_expand"), made])


def test_states_are_asked_for_once_and_then_remembered(states, mock):
    for _ in range(3):
        assert states.by_id([1, 4])[4] is Phase.CLOSED
    assert len(mock.calls) == 1


def test_a_new_state_is_asked_for_at_once(states, mock):
    states.by_id([1])
    make(mock, "closed")
    assert states.by_id([1, NEW])[NEW] is Phase.CLOSED


def test_also_while_another_one_stays_unknown(states, mock, clock):
    states.by_id([99])
    clock.seconds = 60
    states.by_id([99])
    make(mock, "closed")
    assert states.by_id([99, NEW])[NEW] is Phase.CLOSED


def test_one_that_stays_unknown_costs_no_call_on_every_read(states, mock, clock):
    for clock.seconds in (0, 1, 59):
        states.by_id([99])
    assert len(mock.calls) == 1
    clock.seconds = 60
    states.by_id([99])
    assert len(mock.calls) == 2


def test_a_state_with_another_type_counts_by_it_after_a_while(states, mock, clock):
    make(mock, "open")
    assert states.by_id([NEW])[NEW] is Phase.OPEN
    make(mock, "pending reminder")
    clock.seconds = 300
    assert states.by_id([NEW])[NEW] is Phase.PENDING
