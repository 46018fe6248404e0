"""Only a changed ticket changes the plan; what was told already isn't told again, and nobody gets a free mute."""

import pytest

from .world import World, eventually


@pytest.fixture(scope="module")
def tickets(world: World) -> dict[str, str]:
    """Running escalations (normal priority: "gentle", high: "urgent"), to each of which something has just happened."""
    desk = world.desk
    names = "raised", "lowered", "lowered by the customer", "lowered and back", "up and down", "acknowledged"
    found = {name: world.ticket("changing", priority="2 normal") for name in names}
    found |= {name: world.ticket("twice") for name in ("excluded", "nothing")}
    world.running(*found.values())
    desk.take(found["acknowledged"], by=desk.alice)
    for name in ("raised", "up and down"):
        desk.change(found[name], by=desk.alice, priority="3 high")
    for name in ("lowered", "lowered and back"):
        desk.change(found[name], by=desk.bob, priority="1 low")
    desk.change(found["lowered by the customer"], by=desk.cathy, priority="1 low")
    desk.add_tag(found["excluded"], "no-escalation", by=desk.alice)
    world.note(found["up and down"], "plan urgent from now on")
    desk.change(found["up and down"], by=desk.alice, priority="2 normal")
    world.note(found["lowered and back"], "cancelled")
    desk.change(found["lowered and back"], by=desk.bob, priority="2 normal")
    world.note(found["acknowledged"], "acknowledged by")
    desk.change(found["acknowledged"], by=desk.bob, priority="3 high")
    return found


def test_a_raised_priority_starts_the_other_plan_with_its_own_window(world: World, tickets: dict[str, str]) -> None:
    note = world.note(tickets["raised"], "plan urgent from now on")
    assert "Changed by Alice Agent." in note
    world.note(tickets["raised"], "step 1 of 2 (plan urgent)")
    assert [mail.to for mail in world.mails(tickets["raised"])] == [("dana@example.com",), ("lee@example.com",)]


def test_a_lowered_priority_cancels_and_says_who_did_it(world: World, tickets: dict[str, str]) -> None:
    assert "No plan applies any more, changed by Bob Builder." in world.note(tickets["lowered"], "cancelled")
    note = world.note(tickets["lowered by the customer"], "cancelled")
    assert "changed by customer Cathy Customer." in note


def test_lowered_and_raised_again_goes_on_where_it_was(world: World, tickets: dict[str, str]) -> None:
    ticket = tickets["lowered and back"]
    world.note(ticket, "it goes on")
    world.note(ticket, "step 2 of 2 (plan gentle)")
    assert len(world.mails(ticket, "dana@example.com")) == 2


def test_another_plan_and_back_goes_on_where_it_was(world: World, tickets: dict[str, str]) -> None:
    ticket = tickets["up and down"]
    world.note(ticket, "plan gentle from now on")
    world.note(ticket, "step 2 of 2 (plan gentle)")
    assert len(world.mails(ticket, "dana@example.com")) == 2


def test_while_somebody_has_it_they_keep_it(world: World, tickets: dict[str, str]) -> None:
    ticket = tickets["acknowledged"]
    eventually(lambda: world.shown(ticket)["plan"] == "urgent", what="the plan that would go on")
    assert world.shown(ticket)["state"] == "acknowledged"
    assert len(world.mails(ticket)) == 1


def test_a_tag_that_excludes_is_seen_before_the_next_step(world: World, tickets: dict[str, str]) -> None:
    world.note(tickets["nothing"], "step 2 of 2")
    world.note(tickets["excluded"], "cancelled")
    assert len(world.mails(tickets["excluded"])) == 1


def test_none_of_those_that_were_cancelled_is_told_again(world: World, tickets: dict[str, str]) -> None:
    world.note(tickets["nothing"], "step 2 of 2")
    for name in ("lowered", "lowered by the customer"):
        assert len(world.mails(tickets[name])) == 1
        assert world.desk.tags(tickets[name]) == []
