"""An acknowledgement ends when the ticket is given to somebody who hasn't taken it: the window begins again."""

import pytest

from .world import World, eventually


@pytest.fixture(scope="module")
def tickets(world: World) -> dict[str, str]:
    """Tickets that Alice has taken while their escalations ran."""
    names = "handed", "given back", "unassigned", "moved", "customer", "taken over", "helpdesk trigger"
    found = {name: world.ticket("calm") for name in names}
    world.running(*found.values())
    for ticket in found.values():
        world.desk.take(ticket, by=world.desk.alice)
    for ticket in found.values():
        world.note(ticket, "acknowledged by Alice Agent")
    return found


def test_handed_to_a_colleague_who_is_told_once_the_window_is_over(world: World, tickets: dict[str, str]) -> None:
    ticket = tickets["handed"]
    world.desk.assign(ticket, to=world.desk.bob, by=world.desk.alice)
    note = world.note(ticket, "handed to Bob Builder, not yet taken")
    assert "Changed by Alice Agent." in note
    assert "mail to Bob Builder" in note
    assert eventually(lambda: world.mails(ticket, "bob@example.com"), what="a mail to Bob")
    assert eventually(lambda: world.desk.tags(ticket) == ["escalation-running"], what="the tag")


def test_given_back_to_nobody(world: World, tickets: dict[str, str]) -> None:
    world.desk.give_back(tickets["given back"], by=world.desk.alice)
    world.note(tickets["given back"], "handed to nobody, not yet taken")
    assert eventually(lambda: len(world.mails(tickets["given back"], "dana@example.com")) == 2, what="Dana again")


def test_taken_away_by_the_helpdesk_itself(world: World, tickets: dict[str, str]) -> None:
    world.desk.unassign(tickets["unassigned"])
    assert "Changed by the helpdesk." in world.note(tickets["unassigned"], "handed to nobody")


def test_taken_away_by_a_trigger_which_sends_nothing_is_found_by_the_sweep(
    world: World, tickets: dict[str, str]
) -> None:
    world.desk.change_by_trigger(tickets["helpdesk trigger"], owner_id=1)
    world.note(tickets["helpdesk trigger"], "handed to nobody")


def test_moved_to_another_group(world: World, tickets: dict[str, str]) -> None:
    world.desk.change(tickets["moved"], by=world.desk.alice, group="2nd Level")
    assert "Changed by Alice Agent." in world.note(tickets["moved"], "handed to group 2nd Level, not yet taken")


def test_a_colleague_who_takes_it_over_has_it(world: World, tickets: dict[str, str]) -> None:
    ticket = tickets["taken over"]
    world.desk.take(ticket, by=world.desk.bob)
    assert eventually(lambda: world.shown(ticket)["acknowledged"]["by"] == "Bob Builder", what="Bob has it")
    assert not world.has(ticket, "handed to")


def test_what_a_customer_changes_ends_nothing_and_the_owner_is_set_again(world: World, tickets: dict[str, str]) -> None:
    ticket = tickets["customer"]
    world.desk.run_macro([ticket], by=world.desk.cathy)
    assert world.desk.ticket(ticket)["owner"] == "-"
    assert eventually(lambda: world.desk.ticket(ticket)["owner"] == world.desk.alice.login, what="Alice owns it again")
    assert not world.has(ticket, "handed to")


def test_an_old_screen_that_writes_its_whole_form_back_is_no_handover(world: World) -> None:
    desk, ticket = world.desk, world.ticket("calm")
    world.running(ticket)
    screen = desk.open_screen(ticket)
    world.api(f"/{world.code(ticket)}/acknowledge", by="dana")
    world.note(ticket, "acknowledged by Dana Reyes (API)")
    assert desk.ticket(ticket)["owner"] == desk.alice.login
    desk.save_screen(screen, by=desk.bob, title="Server outage in Berlin (calm)")
    assert desk.ticket(ticket)["owner"] == "-"
    assert eventually(lambda: desk.ticket(ticket)["owner"] == desk.alice.login, what="Alice owns it again")
    assert world.shown(ticket)["state"] == "acknowledged"
    assert not world.has(ticket, "handed to")
