"""Merging isn't an acknowledgement, deleting ends everything, and losing permission ends nothing."""

import pytest

from .world import World, eventually


@pytest.fixture(scope="module")
def tickets(world: World) -> dict[str, str]:
    """Running escalations, a target that has none, one that has; the doubled, the moved and the deleted are gone."""
    desk = world.desk
    found = {name: world.ticket("twice") for name in ("moved", "doubled", "target", "deleted", "nothing")}
    found["quiet target"] = world.ticket("twice", priority="1 low")
    found["forbidden"] = world.ticket("twice", group="2nd Level")
    world.running(*(ticket for name, ticket in found.items() if name != "quiet target"))
    desk.merge(found["moved"], found["quiet target"], by=desk.alice)
    desk.merge(found["doubled"], found["target"], by=desk.alice)
    desk.delete(found["deleted"])
    desk.permit("2nd Level", [])
    return found


def test_merged_into_a_ticket_without_one_it_goes_on_there_under_its_code(
    world: World, tickets: dict[str, str]
) -> None:
    target = tickets["quiet target"]
    note = world.note(target, "it goes on")
    assert f"Escalation {world.code(tickets['moved'])}: it goes on" in note
    assert "Merged by Alice Agent" in note
    world.note(target, "step 2 of 2")
    world.desk.take(target, by=world.desk.bob)
    world.note(target, "acknowledged by Bob Builder")


def test_merged_into_a_ticket_that_escalates_already_it_resolves(world: World, tickets: dict[str, str]) -> None:
    world.note(tickets["target"], "step 2 of 2")
    assert world.shown(tickets["doubled"])["state"] == "resolved"
    assert world.shown(tickets["doubled"])["acknowledged"] is None
    assert world.shown(tickets["target"])["state"] == "running"


def test_nothing_more_is_sent_about_a_ticket_that_is_gone(world: World, tickets: dict[str, str]) -> None:
    world.note(tickets["nothing"], "step 2 of 2")
    world.state(tickets["deleted"], "resolved")
    assert [entry["text"] for entry in world.shown(tickets["deleted"])["history"]][-1].startswith("deleted")
    assert sum(entry["kind"] == "step" for entry in world.shown(tickets["deleted"])["history"]) == 1


def test_where_the_permission_was_lost_it_goes_on_and_the_operator_is_told(
    world: World, tickets: dict[str, str]
) -> None:
    ticket = tickets["forbidden"]
    eventually(lambda: len(world.mails(ticket, "dana@example.com")) == 2, what="step 2")
    told = [mail for mail in world.providers.smtp.mails if "can't be read" in mail.raw.decode()]
    assert [mail.to for mail in told] == [("lee@example.com",)]
    assert world.shown(ticket)["state"] == "running"
    world.desk.permit("2nd Level")
