"""What takes its time: a phone that nobody answers, and a ticket that is put off. Begun before all other stories."""

from .plans import PAUL
from .world import World, eventually


def test_a_call_that_nobody_answers_is_rung_once_more_and_then_becomes_a_mail(
    world: World, begun: dict[str, str]
) -> None:
    ticket = begun["unanswered"]
    mail = eventually(lambda: world.mails(ticket), 60, "a mail in its place")[0]
    first, second = world.calls(ticket)
    assert first.to == second.to == PAUL
    assert 30 < (second.at - first.at).total_seconds() < 120
    assert second.at < mail.at


def test_a_step_is_not_held_up_by_a_phone_and_its_note_says_what_is_known_after_30_s(
    world: World, begun: dict[str, str]
) -> None:
    assert "Phone call to Paul Busy" in world.note(begun["unanswered"], "step 1 of 2")


def test_pending_is_held_and_goes_on_a_minute_after_its_time_if_the_ticket_is_still_open(
    world: World, begun: dict[str, str]
) -> None:
    ticket = begun["pending"]
    assert "then it goes on if the ticket is still open" in world.note(ticket, "acknowledged by Alice Agent")
    assert "The time it was put off to has come." in world.note(ticket, "it goes on")
    world.note(ticket, "step 2 of 2", patience=90)
    assert (world.stepped(ticket, 2) - world.stepped(ticket)).total_seconds() > 60


def test_what_was_put_off_and_then_closed_stays_silent(world: World, begun: dict[str, str]) -> None:
    world.note(begun["pending"], "step 2 of 2", patience=90)
    assert world.has(begun["pending, then closed"], "closed")
    assert len(world.mails(begun["pending, then closed"])) == 1
