"""Merging isn't an acknowledgement, deleting ends everything, and losing permission ends nothing."""

import pytest

from connector.engine.proofs import Signatures, digest
from connector.helpdesks.zammad import build

from .world import SECRET_KEY, World, eventually


@pytest.fixture(scope="module")
def tickets(world: World) -> dict[str, str]:
    """Running escalations, a target that has none, one that has; the doubled, the moved and the deleted are gone."""
    desk = world.desk
    found = {name: world.ticket("twice") for name in ("moved", "doubled", "target", "deleted", "nothing")}
    found["quiet target"] = world.ticket("twice", priority="1 low")
    found["of Bob's"] = world.ticket("twice", by=desk.alice, owner=desk.bob)
    found["with Bob's note"] = world.ticket("twice")
    found["forbidden"] = world.ticket("twice", group="2nd Level")
    world.running(*(ticket for name, ticket in found.items() if name != "quiet target"))
    desk.merge(found["moved"], found["quiet target"], by=desk.alice)
    desk.merge(found["doubled"], found["target"], by=desk.alice)
    desk.internal_note(found["with Bob's note"], by=desk.bob, body="The same as that of mine.")
    desk.merge(found["with Bob's note"], found["of Bob's"], by=desk.alice)
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


def test_of_two_that_escalate_each_step_is_told_once(world: World, tickets: dict[str, str]) -> None:
    source, target = tickets["doubled"], tickets["target"]
    world.note(target, "step 2 of 2")
    told = {ticket: [mail.to for mail in world.mails(ticket)] for ticket in (source, target)}
    assert told == {source: [("dana@example.com",)], target: [("dana@example.com",)] * 2}
    steps = {ticket: [e["kind"] for e in world.shown(ticket)["history"]].count("step") for ticket in (source, target)}
    assert steps == {source: 1, target: 2}


def test_the_source_s_notes_stand_at_the_target_and_are_told_apart_from_its_own(
    world: World, tickets: dict[str, str]
) -> None:
    source, target = tickets["doubled"], tickets["target"]
    world.note(target, "step 2 of 2")
    for ticket in (source, target):
        assert world.has(target, f"Escalation {world.code(ticket)}, step 1 of 2")
    helpdesk = build({name: value for name, value in world.config()["helpdesk"].items() if name != "kind"})
    proofs = [found.proof for found in helpdesk.proofs(target) if found.ours]
    data = [Signatures([SECRET_KEY]).read_proof(proof) or {} for proof in proofs]
    assert {(one["t"], one["c"]) for one in data} == {(ticket, world.code(ticket)) for ticket in (source, target)}
    own = [(one, proof) for one, proof in zip(data, proofs, strict=True) if one["t"] == target]
    assert [one["n"] for one, _ in own] == [1, 2]
    assert own[1][0]["b"] == digest(own[0][1]), "each names the one before it of its own escalation"


def test_the_owner_s_note_that_a_merge_brings_along_is_no_work_there(world: World, tickets: dict[str, str]) -> None:
    target = tickets["of Bob's"]
    world.note(target, "step 2 of 2")
    assert "The same as that of mine." in [article["body"] for article in world.desk.articles(target)]
    assert world.shown(target)["acknowledged"] is None


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
