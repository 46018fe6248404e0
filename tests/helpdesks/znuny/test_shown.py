"""Finding the tickets that carry our live state in Znuny."""

import json
import re
from collections.abc import Iterator

import pytest
import requests
import responses

from connector.helpdesks.znuny import adapter as module

from .composed import BASE, helpdesk

SEARCH = f"{BASE}/TicketSearch"


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def serve(mock: responses.RequestsMock, first: str, status: str = "running") -> None:
    """The ticket that is found first, and what our field says on it."""
    fields = [{"Name": "Other", "Value": "x"}, {"Name": "EscalationStatus", "Value": status}]
    row = {"TicketID": first, "DynamicField": fields}
    mock.get(re.compile(rf"{re.escape(BASE)}/Ticket/{first}\b"), json={"Ticket": [row]})


def test_tickets_are_found_by_our_own_field_whatever_it_says(mock: responses.RequestsMock) -> None:
    mock.post(SEARCH, json={"TicketID": ["7", 8]})
    serve(mock, "7")
    assert list(helpdesk().find_shown()) == ["7", "8"]
    asked = json.loads(mock.calls[0].request.body or "{}")
    assert asked["DynamicField_EscalationStatus"] == {"Equals": ["running", "acknowledged", "snoozed", "exhausted"]}


def test_no_ticket_carries_it(mock: responses.RequestsMock) -> None:
    mock.post(SEARCH, json={})
    assert list(helpdesk().find_shown()) == []


def test_where_the_field_does_not_exist_and_so_every_ticket_is_found_none_shows_anything(
    mock: responses.RequestsMock,
) -> None:
    mock.post(SEARCH, json={"TicketID": ["7", "8"]})
    serve(mock, "7", "")
    assert list(helpdesk().find_shown()) == []


def test_a_full_page_is_asked_for_again_and_larger(
    mock: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 3)

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        limit = json.loads(request.body or "{}")["Limit"]
        return 200, {}, json.dumps({"TicketID": [str(number) for number in range(1, 11)][:limit]})

    mock.add_callback(responses.POST, SEARCH, callback=answer)
    serve(mock, "1", "acknowledged")
    assert list(helpdesk().find_shown()) == [str(number) for number in range(1, 11)]
