"""What a closed ticket's second life is: the old acknowledgement, a new window, or nothing at all."""

import time

import pytest

from .world import World, eventually

NAMES = ("soon", "later", "by an agent", "out of office", "customer closed it")


@pytest.fixture(scope="module")
def tickets(world: World) -> dict[str, str]:
    """Taken by Alice and closed by her, one closed by the customer while nobody had it: some seconds ago."""
    desk = world.desk
    found = {name: world.ticket("calm") for name in NAMES[:4]} | {NAMES[4]: world.ticket("twice")}
    world.running(*found.values())
    desk.close(found["customer closed it"], by=desk.cathy)
    desk.mail_from(desk.cathy, found["customer closed it"], "No, it isn't!")
    for name in NAMES[:4]:
        desk.take(found[name], by=desk.alice)
        world.note(found[name], "acknowledged by Alice Agent")
        desk.close(found[name], by=desk.alice)
    desk.mail_from(desk.cathy, found["soon"], "Down again.")
    for name in NAMES[1:4]:
        world.note(found[name], "closed")
    closed = time.monotonic()
    eventually(lambda: time.monotonic() > closed + 2.5, what="reopened_within is over")
    return found


def test_soon_after_closing_the_acknowledgement_stands(world: World, tickets: dict[str, str]) -> None:
    world.state(tickets["soon"], "acknowledged")
    assert world.shown(tickets["soon"])["acknowledged"]["by"] == "Alice Agent"


def test_later_a_new_window_begins_under_a_new_code_and_the_last_one_who_had_it_is_told_first(
    world: World, tickets: dict[str, str]
) -> None:
    ticket = tickets["later"]
    world.desk.mail_from(world.desk.cathy, ticket, "Down again.")
    note = eventually(lambda: next((n for n in world.notes(ticket) if f"{world.code(ticket)}-2, step 1" in n), ""))
    assert "Mail to Dana Reyes" in note
    assert len(world.mails(ticket, "dana@example.com")) == 2


def test_reopened_by_an_agent_it_is_that_agent_s(world: World, tickets: dict[str, str]) -> None:
    ticket = tickets["by an agent"]
    world.desk.change(ticket, by=world.desk.bob, state="open")
    world.note(ticket, "acknowledged by Bob Builder (reopened)")
    world.state(ticket, "acknowledged")
    assert len(world.mails(ticket)) == 1


def test_an_out_of_office_mail_reopens_it_and_nothing_happens_until_the_customer_writes(
    world: World, tickets: dict[str, str]
) -> None:
    ticket, desk = tickets["out of office"], world.desk
    desk.mail_from(desk.cathy, ticket, "I am away until Monday.", auto_response=True)
    assert desk.ticket(ticket)["state"] == "open"
    world.running(world.ticket("calm"))  # whatever would have come has come by now
    assert len(world.mails(ticket)) == 1
    desk.mail_from(desk.cathy, ticket, "I am back, and it is still down.")
    assert eventually(lambda: len(world.mails(ticket)) == 2, what="a second life")


def test_closed_and_reopened_by_the_customer_it_goes_on_at_the_next_step(world: World, tickets: dict[str, str]) -> None:
    ticket = tickets["customer closed it"]
    world.note(ticket, "step 2 of 2")
    assert "Nobody acknowledged it." in world.note(ticket, "closed")
    assert len(world.mails(ticket)) == 2
