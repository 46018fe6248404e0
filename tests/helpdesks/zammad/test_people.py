"""When Zammad is asked who its agents are: seldom, but never too late for a new one."""

from collections.abc import Iterator

import pytest
import responses

from connector.core.ticket import Role
from connector.helpdesks.zammad.client import Client
from connector.helpdesks.zammad.people import Directory

from .composed import URL, Row, answer
from .served import API

AGENT, CUSTOMER, TEAM_LEAD = 2, 3, 7


@pytest.fixture
def agents() -> list[Row]:
    return answer("users_search_groups")


@pytest.fixture
def mock(agents) -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add("GET", f"{API}/users/me", json=answer("users_me"))
        mock.add("GET", f"{API}/users/search", json=agents)
        yield mock


@pytest.fixture
def directory(mock, clock) -> Directory:
    return Directory(Client(URL, "T"), lifetime=300, clock=clock)


def searches(mock: responses.RequestsMock) -> int:
    return sum("/users/search" in str(call.request.url) for call in mock.calls)


def hire(mock: responses.RequestsMock, agents: list[Row], number: int) -> None:
    mock.replace("GET", f"{API}/users/search", json=[*agents, {**agents[0], "id": number, "login": f"a{number}"}])


def test_agents_are_asked_for_once_and_then_remembered(directory, mock):
    for _ in range(3):
        assert set(directory.people([4, 5, 1, 6]).agents) == {3, 4, 5, 6}
    assert searches(mock) == 1


def test_they_are_asked_for_again_after_a_while(directory, mock, clock):
    directory.people()
    clock.seconds = 299
    directory.people()
    assert searches(mock) == 1
    clock.seconds = 300
    directory.people()
    assert searches(mock) == 2


def test_somebody_new_who_became_an_agent_is_found_at_once(directory, mock, agents):
    directory.people()
    hire(mock, agents, 44)
    assert 44 in directory.people([44], {44: [AGENT]}).agents


def test_a_new_role_makes_them_look_too(directory, mock, agents):
    directory.people([8], {8: [CUSTOMER]})
    hire(mock, agents, 44)
    assert 44 in directory.people([44], {44: [CUSTOMER, TEAM_LEAD]}).agents


def test_who_has_all_roles_of_an_agent_is_one_although_the_list_does_not_have_them_yet(directory):
    """With Elasticsearch the list comes from its index, which learns of a new agent a while later."""
    people = directory.people([44, 45], {44: [AGENT, CUSTOMER], 45: [CUSTOMER, TEAM_LEAD]})
    assert people.actor(44, None).role is Role.PERSON
    assert people.actor(45, None).role is Role.CUSTOMER


def test_a_storm_of_new_customers_costs_no_search_each(directory, mock):
    for number in range(100, 250):
        directory.people([number], {number: [CUSTOMER]})
    assert searches(mock) == 1


def test_people_of_whom_nothing_was_told_are_looked_for_once(directory, mock):
    directory.people([900])
    directory.people([901])
    directory.people([900, 901])
    assert searches(mock) == 2


def test_a_customer_who_was_made_an_agent_is_one_after_a_while(directory, mock, agents, clock):
    assert 8 not in directory.people([8], {8: [CUSTOMER]}).agents
    hire(mock, agents, 8)
    clock.seconds = 300
    assert 8 in directory.people([8], {8: [CUSTOMER]}).agents


def test_a_known_customer_with_a_new_role_is_looked_for_at_once(directory, mock, agents):
    """What an agent did counts as a customer's for good once it was taken in as one's."""
    assert 8 not in directory.people([8], {8: [CUSTOMER]}).agents
    hire(mock, agents, 8)
    assert 8 in directory.people([8], {8: [CUSTOMER, AGENT]}).agents


def test_a_role_that_makes_no_agent_is_looked_for_once(directory, mock):
    for _ in range(3):
        directory.people([8], {8: [CUSTOMER, TEAM_LEAD]})
    assert searches(mock) == 1


def test_a_role_that_is_given_the_permission_later_counts_after_a_while(directory, mock, agents, clock):
    directory.people([8], {8: [CUSTOMER]})
    clock.seconds = 300
    directory.people()
    hire(mock, agents, 44)
    assert 44 in directory.people([44], {44: [CUSTOMER]}).agents


def test_inactive_agents_did_what_they_did_but_are_offered_no_more(directory, mock, agents):
    left = {**agents[0], "id": 44, "login": "left@example.com", "active": False}
    mock.replace("GET", f"{API}/users/search", json=[*agents, left])
    assert 44 in directory.people().agents
    assert "left@example.com" not in {person.login for person in directory.active()}
