"""Doing the ticket's work is the acknowledgement: all that counts when a person does it in the helpdesk."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from connector.sandbox.zammad import SandboxZammad

from .world import World, eventually

Act = Callable[[SandboxZammad, str], object]


def in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()


#: what somebody does -> the act, the plan of the ticket, and how the note names it
WAYS: dict[str, tuple[Act, str, str]] = {
    "taking it": (lambda desk, t: desk.take(t, by=desk.alice), "twice", "Alice Agent (took the ticket)"),
    "a mail to the customer": (
        lambda desk, t: desk.reply(t, by=desk.bob),
        "twice",
        "Bob Builder (replied to the customer)",
    ),
    "a logged call": (lambda desk, t: desk.log_call(t, by=desk.bob), "twice", "Bob Builder (replied to the customer)"),
    "pending": (
        lambda desk, t: desk.change(t, by=desk.bob, state="pending reminder", pending_time=in_an_hour()),
        "twice",
        "Bob Builder (set it pending)",
    ),
    "a note by who was told": (
        lambda desk, t: desk.internal_note(t, by=desk.alice, body="Looking."),
        "twice",
        "Alice Agent (note)",
    ),
    "a note by the owner": (
        lambda desk, t: desk.internal_note(t, by=desk.bob, body="Looking."),
        "outsider",
        "Bob Builder (note)",
    ),
    "/ack by any agent": (
        lambda desk, t: desk.internal_note(t, by=desk.bob, body="/ack it's the router"),
        "twice",
        "Bob Builder (note)",
    ),
    "the macro in bulk": (lambda desk, t: desk.run_macro([t], by=desk.bob), "twice", "Bob Builder (took the ticket)"),
    "the macro in the ticket": (
        lambda desk, t: desk.run_macro_in_ticket(t, by=desk.bob),
        "twice",
        "Bob Builder (took the ticket)",
    ),
}


@pytest.fixture(scope="module")
def tickets(world: World) -> dict[str, str]:
    """A running escalation for each way, on which somebody has just acted that way."""
    desk = world.desk
    found = {way: world.ticket(plan) for way, (_, plan, _) in WAYS.items()}
    found["a note by the owner"] = world.ticket("outsider", by=desk.alice, owner=desk.bob)
    found["closing it"], found["nothing"] = world.ticket("twice"), world.ticket("twice")
    world.running(*found.values())
    for way, (act, _, _) in WAYS.items():
        act(desk, found[way])
    desk.close(found["closing it"], by=desk.bob)
    return found


@pytest.mark.parametrize("way", WAYS)
def test_the_note_says_who_has_it_and_how(world: World, tickets: dict[str, str], way: str) -> None:
    assert WAYS[way][2] in world.note(tickets[way], "acknowledged by")
    assert eventually(
        lambda: world.desk.tags(tickets[way])[0] in ("escalation-acknowledged", "escalation-snoozed"), what="tag"
    )


def test_an_agent_who_closes_it_has_acknowledged(world: World, tickets: dict[str, str]) -> None:
    summary = world.note(tickets["closing it"], "closed")
    assert "Acknowledged by Bob Builder (closed it)" in summary
    assert "closed by Bob Builder" in summary


def test_nothing_more_is_sent_after_any_of_them(world: World, tickets: dict[str, str]) -> None:
    world.note(tickets["nothing"], "step 2 of 2")
    later = [way for way, ticket in tickets.items() if world.has(ticket, "step 2 of 2")]
    assert later == ["nothing"]
    assert [way for way, ticket in tickets.items() if len(world.mails(ticket)) > 1] == ["nothing"]
