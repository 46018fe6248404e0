"""Who stands behind an agent's id: learned from what is read anyway, looked for once where that doesn't tell."""

import json
from typing import Any

import pytest
import requests
import responses

from connector.core.ticket import Person
from connector.errors import HelpdeskAway
from connector.helpdesks.znuny.agents import Agents
from connector.helpdesks.znuny.client import Client

from .composed import BASE, URL, asked_by_two, captured

HISTORY = [
    {"HistoryType": "OwnerUpdate", "Name": "%%ben%%4"},
    {"HistoryType": "ResponsibleUpdate", "Name": "%%otto%%5"},
]


@pytest.fixture
def agents() -> Agents:
    return Agents(Client(URL, "Escalation", "escalation", "pw"))


def written(by: int, sender: str, sent_by: str, channel: int = 3) -> dict[str, Any]:
    return {"Article": [{"CreateBy": by, "SenderType": sender, "From": sent_by, "CommunicationChannelID": channel}]}


def test_a_ticket_and_its_history_tell_logins_and_an_article_the_name(agents: Agents) -> None:
    agents.seen({"OwnerID": 3, "Owner": "anna", **written(4, "agent", '"Ben Beispiel" <ben@example.com>')}, HISTORY)
    assert agents.people(["3", "4", "5"]) == {
        "3": Person("3", "anna", "anna"),
        "4": Person("4", "ben", "Ben Beispiel", "ben@example.com"),
        "5": Person("5", "otto", "otto"),
    }
    assert agents.id_of("BEN") == "4"
    assert agents.id_of("nobody") == ""


def test_a_free_text_from_does_not_replace_a_name_from_znunys_own_form(agents: Agents) -> None:
    agents.seen(written(4, "agent", '"Ben Beispiel" <ben@example.com>'), HISTORY)
    agents.seen(written(4, "agent", "The Boss"), ())
    assert agents.people(["4"])["4"].name == "Ben Beispiel"


def test_what_a_customer_calls_themself_names_no_agent(agents: Agents) -> None:
    agents.seen(written(4, "customer", '"Carla" <carla@example.com>'), HISTORY)
    assert agents.people(["4"])["4"].name == "ben"


def test_a_reply_to_a_customer_comes_from_the_queue_and_names_no_agent(agents: Agents) -> None:
    agents.seen(written(4, "agent", '"Service Desk" <desk@example.com>', channel=1), HISTORY)
    assert agents.people(["4"])["4"].name == "ben"


@responses.activate
def test_who_only_wrote_notes_is_found_by_a_ticket_that_they_own(agents: Agents) -> None:
    responses.post(f"{BASE}/TicketSearch", json={"TicketID": ["6"]})
    responses.get(f"{BASE}/Ticket/6", json={"Ticket": [{"TicketID": 6, "OwnerID": 4, "Owner": "ben"}]})
    assert agents.people(["4"]) == {"4": Person("4", "ben", "ben")}
    assert json.loads(responses.calls[0].request.body or "") == {"OwnerIDs": ["4"], "Limit": 1}
    agents.people(["4"])
    assert len(responses.calls) == 2, "known from now on"


@responses.activate
def test_or_by_a_ticket_that_they_made(agents: Agents) -> None:
    def search(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        return 200, {}, '{"TicketID": ["6"]}' if "CreatedUserIDs" in str(request.body) else "{}"

    responses.add_callback(responses.POST, f"{BASE}/TicketSearch", callback=search)
    responses.get(f"{BASE}/TicketHistory/6", json=captured("history-get")["response"]["body"])
    assert agents.people(["3"])["3"].login == "anna"


@responses.activate
def test_or_by_a_ticket_that_they_watch_which_tells_their_name(agents: Agents) -> None:
    def search(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        return 200, {}, '{"TicketID": ["6"]}' if "WatchUserIDs" in str(request.body) else "{}"

    lines = [
        {"CreateBy": 5, "HistoryType": "Subscribe", "Name": "%%Otto Outsider"},
        {"CreateBy": 3, "HistoryType": "Subscribe", "Name": "%%Anna Agent"},
    ]
    responses.add_callback(responses.POST, f"{BASE}/TicketSearch", callback=search)
    responses.get(f"{BASE}/TicketHistory/6", json={"TicketHistory": [{"TicketID": "6", "History": lines}]})
    assert agents.people(["3"]) == {"3": Person("3", "", "Anna Agent")}
    assert agents.named(["3", "5", "9"]) == (Person("3", "", "Anna Agent"), Person("5", "", "Otto Outsider"))


def test_the_config_can_tell_the_login_behind_an_id() -> None:
    told = Agents(Client(URL, "Escalation", "escalation", "pw"), {"3": "anna"})
    assert told.people(["3"]) == {"3": Person("3", "anna", "anna")}
    assert told.id_of("anna") == "3"


@responses.activate
def test_who_can_not_be_found_has_a_name_at_least_and_is_not_looked_for_at_once_again(agents: Agents) -> None:
    responses.post(f"{BASE}/TicketSearch", json={})
    assert agents.people(["9"]) == agents.people(["9"]) == {"9": Person("9", "", "agent 9")}
    assert len(responses.calls) == 4


@responses.activate
def test_a_ticket_that_went_away_in_between_stops_nothing(agents: Agents) -> None:
    responses.post(f"{BASE}/TicketSearch", json={"TicketID": ["6"]})
    responses.get(f"{BASE}/Ticket/6", json=captured("error-unknown-ticket-get")["response"]["body"])
    responses.get(f"{BASE}/TicketHistory/6", json=captured("error-unknown-ticket-history")["response"]["body"])
    assert agents.people(["9"])["9"].login == ""
    asked = len(responses.calls)
    agents.people(["9"])
    assert len(responses.calls) == asked


@responses.activate
def test_who_could_not_be_looked_for_is_looked_for_again_at_once(agents: Agents) -> None:
    responses.post(f"{BASE}/TicketSearch", status=502)
    with pytest.raises(HelpdeskAway):
        agents.people(["5"])
    responses.replace(responses.POST, f"{BASE}/TicketSearch", json={"TicketID": ["6"]})
    responses.get(f"{BASE}/Ticket/6", json={"Ticket": [{"TicketID": 6, "OwnerID": 5, "Owner": "autobot"}]})
    assert agents.people(["5"])["5"].login == "autobot"


@responses.activate
def test_who_needs_somebody_that_is_being_looked_for_waits_for_the_answer(agents: Agents) -> None:
    with asked_by_two(lambda: agents.people(["5"])["5"].login, json.dumps({"TicketID": ["6"]})) as answers:
        responses.get(f"{BASE}/Ticket/6", json={"Ticket": [{"TicketID": 6, "OwnerID": 5, "Owner": "autobot"}]})
    assert answers == ["autobot", "autobot"]
    assert len(responses.calls) == 2, "one of them asked"


def test_the_system_is_nobody_to_look_for(agents: Agents) -> None:
    agents.seen({"OwnerID": "1", "Owner": "root@localhost"}, ())
    assert agents.people(["1"])["1"].login == ""
