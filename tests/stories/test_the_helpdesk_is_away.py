"""While the helpdesk doesn't answer, people are told on time; every note is there once it is back, in order, once."""

from itertools import pairwise

import pytest

from .world import World, eventually


@pytest.fixture
def notes_after_an_outage(world: World) -> list[str]:
    """The notes of a ticket whose whole plan went by while the helpdesk was away."""
    ticket = world.ticket("storm")
    world.known(ticket)
    world.desk.go_away()
    try:
        mails = eventually(lambda: world.mails(ticket)[2:] and world.mails(ticket), what="three mails")
    finally:
        world.desk.come_back()
    gaps = [(later.at - before.at).total_seconds() for before, later in pairwise(mails)]
    assert gaps == pytest.approx([2, 9], abs=1), "on time all the same"
    world.note(ticket, "step 3 of 3", patience=20)
    return world.notes(ticket)


def test_the_notes_arrive_afterwards_in_order_and_say_so(notes_after_an_outage: list[str]) -> None:
    assert [note.splitlines()[0].split(", ")[1] for note in notes_after_an_outage] == [
        "step 1 of 3 (plan storm)",
        "step 2 of 3 (plan storm)",
        "step 3 of 3 (plan storm)",
    ]
    assert "The helpdesk did not answer before this step." in notes_after_an_outage[2]


def test_a_note_whose_answer_was_cut_is_there_once(world: World) -> None:
    ticket = world.ticket("calm")
    world.known(ticket)
    world.desk.faults.cut_answers(1, path="/api/v1/ticket_articles")
    world.running(ticket)
    world.desk.take(ticket, by=world.desk.alice)
    world.note(ticket, "acknowledged by Alice Agent")
    assert sum("step 1 of 2" in line for line in world.headlines(ticket)) == 1


def test_a_late_delivery_makes_the_step_due_at_once(world: World) -> None:
    world.desk.deliveries.delay = 3.0
    ticket = world.ticket("calm")
    world.desk.deliveries.delay = 0.1
    world.running(ticket)
    step = next(entry for entry in world.shown(ticket)["history"] if entry["kind"] == "step")
    assert step["late_s"] < 4


def test_an_owner_whom_the_helpdesk_drops_without_a_word_is_not_said_to_own_it(world: World) -> None:
    ticket = world.ticket("calm")
    world.running(ticket)
    world.api(f"/{world.code(ticket)}/acknowledge", by="carl")
    note = world.note(ticket, "acknowledged by Carl Contact (API)")
    assert "Carl Contact is not assigned: please set the owner." in note
    assert world.desk.ticket(ticket)["owner"] == "-"
