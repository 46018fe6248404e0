"""What looks like an acknowledgement and is none: after each of these the next step still comes."""

from collections.abc import Callable

import pytest
import requests

from .world import World

Act = Callable[[World, str], object]

#: what happens -> the act; afterwards step 2 must come
LOOKALIKES: dict[str, Act] = {
    "the customer answers on the web": lambda w, t: w.desk.answer_on_web(t),
    "the customer writes a mail": lambda w, t: w.desk.mail_from(w.desk.cathy, t, "Still down!"),
    "the customer writes /ack": lambda w, t: w.desk.answer_on_web(t, "/ack"),
    "the customer runs the macro": lambda w, t: w.desk.run_macro([t], by=w.desk.cathy),
    "somebody else assigns it": lambda w, t: w.desk.assign(t, to=w.desk.bob, by=w.desk.alice),
    "a bystander's note": lambda w, t: w.desk.internal_note(t, by=w.desk.bob, body="Looks bad."),
    "a public note, which is no reply": lambda w, t: w.desk.public_note(t, by=w.desk.bob, body="Seen."),
    "/ack further down in a note": lambda w, t: w.desk.internal_note(t, by=w.desk.bob, body="Who will\n/ack this?"),
    "a mail in an agent's name": lambda w, t: w.desk.mail_from(w.desk.alice, t, "/ack I have it"),
    "an agent's out-of-office mail": lambda w, t: w.desk.mail_from(w.desk.alice, t, "Away", auto_response=True),
    "opened by an agent": lambda w, t: w.desk.change(t, by=w.desk.bob, state="open"),
    "another trigger sets the owner": lambda w, t: w.desk.change_by_trigger(t, owner_id=w.desk.bob.id),
    "another trigger opens it": lambda w, t: w.desk.change_by_trigger(t, state_id=2),
    "a tag": lambda w, t: w.desk.add_tag(t, "router", by=w.desk.bob),
    "a mail scanner follows the link": lambda w, t: requests.get(w.link(t), timeout=10).raise_for_status(),
}


@pytest.fixture(scope="module")
def tickets(world: World) -> dict[str, str]:
    """A running escalation for each of them, to which it has just happened; and one with an owner from the start."""
    found = {what: world.ticket("twice") for what in LOOKALIKES}
    alice, bob = world.desk.alice, world.desk.bob
    found["an owner from the start"] = world.ticket("twice", by=alice, owner=bob)
    found["an agent makes it and owns it"] = world.ticket("twice", by=bob, owner=bob)
    world.running(*found.values())
    for what, act in LOOKALIKES.items():
        act(world, found[what])
    return found


@pytest.mark.parametrize("what", [*LOOKALIKES, "an owner from the start", "an agent makes it and owns it"])
def test_the_next_step_still_comes(world: World, tickets: dict[str, str], what: str) -> None:
    world.note(tickets[what], "step 2 of 2")
    assert not world.has(tickets[what], "acknowledged by")


def test_a_new_owner_is_told_at_once_and_the_timetable_stays(world: World, tickets: dict[str, str]) -> None:
    ticket = tickets["somebody else assigns it"]
    world.note(ticket, "step 2 of 2")
    first, to_bob, second = world.mails(ticket)
    assert first.to == ("dana@example.com",)
    assert to_bob.to == second.to == ("bob@example.com",)
    assert (second.at - first.at).total_seconds() == pytest.approx(8, abs=2)


def test_the_customer_s_macro_leaves_an_internal_note_by_the_system_and_is_seen_through(
    world: World, tickets: dict[str, str]
) -> None:
    ticket = tickets["the customer runs the macro"]
    world.note(ticket, "step 2 of 2")
    left = next(article for article in world.desk.articles(ticket) if article["body"] == "/ack")
    assert (left["sender"], left["internal"], left["created_by"]) == ("System", True, world.desk.cathy.login)
