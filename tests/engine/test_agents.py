"""Who stands behind an agent's id is kept from whatever names them, and used where only the id is told."""

import json
from dataclasses import replace

import pytest

from connector.core.ticket import Actor, Change, Kind, Person, Reading, Role
from connector.engine.agents import AGENTS, Agents
from connector.engine.names import with_names

from ..core.builders import DANA, PEOPLE, T0, Desk, at
from .conftest import World

ANNA = Person("3", "anna", "Anna Agent", "anna@example.com")
ONLY_AN_ID = Actor(Role.PERSON, "3", "", "agent 3")


@pytest.fixture
def agents(world: World) -> Agents:
    return Agents(world.redis)


def acknowledged_by(actor: Actor, *people: Person) -> Reading:
    desk = Desk()
    desk.marks(at(1), actor, Kind.ACKNOWLEDGED)
    return Reading(desk.ticket, tuple(desk.changes), T0, people=people)


def name_in(reading: Reading, agents: Agents) -> tuple[str, str]:
    by = with_names(reading, PEOPLE, agents.meet(reading)).changes[0].by
    return by.login, by.name


def test_whom_a_webhook_named_once_is_named_wherever_only_their_id_stands(agents: Agents) -> None:
    agents.learn([ANNA], sure=True)
    assert name_in(acknowledged_by(ONLY_AN_ID), agents) == ("anna", "Anna Agent")
    assert agents.unnamed() == []


def test_who_is_only_known_by_login_gets_their_name_from_what_was_seen(agents: Agents) -> None:
    agents.learn([ANNA], sure=True)
    assert name_in(acknowledged_by(Actor(Role.PERSON, "3", "anna", "anna")), agents) == ("anna", "Anna Agent")


def test_a_contact_of_the_config_has_the_configs_name(agents: Agents) -> None:
    agents.learn([replace(DANA, id="3", name="D. Reyes (Desk)")], sure=True)
    assert name_in(acknowledged_by(ONLY_AN_ID), agents) == (DANA.login, "Dana")


def test_what_one_ticket_tells_of_somebody_names_them_on_another(agents: Agents) -> None:
    name_in(acknowledged_by(ONLY_AN_ID, Person("3", "", "Anna Agent", "anna@example.com")), agents)
    assert name_in(acknowledged_by(ONLY_AN_ID), agents) == ("", "Anna Agent")
    agents.learn([Person("3", "anna", "")])
    assert agents.of(["3"]) == {"3": ANNA}


def test_who_acted_and_was_named_nowhere_is_remembered_until_somebody_names_them(agents: Agents) -> None:
    assert name_in(acknowledged_by(ONLY_AN_ID), agents) == ("", "agent 3")
    assert name_in(acknowledged_by(replace(ONLY_AN_ID, id="12", name="agent 12")), agents) == ("", "agent 12")
    assert agents.unnamed() == ["3", "12"]
    agents.learn([ANNA])
    assert agents.unnamed() == ["12"]


def test_what_somebody_calls_themselves_in_a_note_does_not_replace_the_helpdesks_own_word(agents: Agents) -> None:
    agents.learn([ANNA], sure=True)
    agents.learn([Person("3", "", "The Boss", "boss@example.com")])
    assert agents.of(["3"])["3"].name == "Anna Agent"
    agents.learn([replace(ANNA, name="Anna Married")], sure=True)
    assert agents.of(["3"])["3"].name == "Anna Married"


def test_a_login_in_the_place_of_a_name_replaces_none(agents: Agents) -> None:
    agents.learn([ANNA], sure=True)
    agents.learn([Person("3", "anna", "anna")], sure=True)
    assert agents.of(["3"])["3"].name == "Anna Agent"


def test_customers_robots_and_the_system_are_not_asked_about(agents: Agents) -> None:
    agents.learn([ANNA], sure=True)
    for role in (Role.CUSTOMER, Role.ROBOT, Role.SYSTEM, Role.US):
        assert name_in(acknowledged_by(Actor(role, "3")), agents) == ("", "")
    assert agents.unnamed() == []


def test_a_helpdesk_that_names_everybody_costs_no_look(agents: Agents, world: World) -> None:
    before = world.redis.info("commandstats").get("cmdstat_hmget", {"calls": 0})["calls"]
    assert agents.meet(acknowledged_by(Actor(Role.PERSON, "3", "anna", "Anna Agent"))) == {}
    assert world.redis.info("commandstats").get("cmdstat_hmget", {"calls": 0})["calls"] == before


def test_half_a_character_in_a_name_is_no_obstacle(agents: Agents) -> None:
    odd = Person("3", "anna", "Anna \ud800")
    assert name_in(acknowledged_by(ONLY_AN_ID, odd), agents) == ("anna", "Anna ?")


def test_a_record_that_is_none_is_passed_over(agents: Agents, world: World) -> None:
    world.redis.hset(AGENTS, "3", json.dumps({"login": 7}))
    assert agents.of(["3"]) == {}
    agents.learn([ANNA], sure=True)
    assert agents.of(["3"]) == {"3": ANNA}


def test_whoever_acknowledges_by_an_id_alone_is_called_by_their_name(world: World) -> None:
    Agents(world.redis).learn([ANNA], sure=True)
    world.escalating()
    world.clock.passes(seconds=1)
    at_ = world.clock.now()
    world.helpdesk.changes["42"].append(Change("99", at_, ONLY_AN_ID, Kind.ACKNOWLEDGED))
    world.helpdesk.tickets["42"] = replace(world.helpdesk.tickets["42"], updated_at=at_)
    world.looks("42")
    taken = world.escalation().acknowledged
    assert taken is not None
    assert (taken.by.login, taken.by.name) == ("anna", "Anna Agent")
