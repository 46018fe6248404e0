"""Every captured Zammad delivery, from its bytes to what becomes of an escalation.

Each one is posted to the real receiver, byte by byte as Zammad sent it; the observer then reads the ticket from a
Zammad that answers as it did at that moment. The escalation stood as the same history left it a moment before.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from redis import Redis

from ..helpdesks.zammad.composed import NAMES
from .expected_zammad import EXPECTED, HISTORY, NOTES
from .receiving import ANSWER, LONG, SHORT
from .zammad_before import before
from .zammad_desk import SOON, Make, desks

CREATED = [name for name in NAMES if EXPECTED[name].startswith("nothing ->")]
LATER = [name for name in NAMES if name not in CREATED]


@pytest.fixture
def make(redis: Redis) -> Iterator[Make]:
    with desks(redis) as make:
        yield make


def test_there_is_a_line_in_the_manual_for_every_delivery() -> None:
    assert set(EXPECTED) == set(NAMES)
    assert len([name for name in NAMES if name.startswith("captured/")]) == 43


@pytest.mark.parametrize(("window", "climbing"), [(LONG, "waiting"), (SHORT, "running")])
@pytest.mark.parametrize("name", NAMES)
def test_a_delivery_means_what_the_manual_says(name: str, window: str, climbing: str, make: Make) -> None:
    desk = make(name, window)
    was, becomes = EXPECTED[name].replace("climbing", climbing).split(" -> ")
    desk.read_before()
    assert desk.stands == was
    code, known = desk.code(), desk.words()
    desk.deliver()
    assert desk.stands == becomes
    added = desk.words()[len(known) if desk.code() == code else 0 :]
    assert " / ".join(added) == HISTORY.get(name, "")


@pytest.mark.parametrize("name", LATER)
def test_what_is_heard_of_only_now_ends_the_same(name: str, make: Make) -> None:
    step_by_step = make(name)
    step_by_step.read_before()
    step_by_step.deliver()
    stood, told = step_by_step.stands, step_by_step.words()
    at_once = make(name)  # on an empty Redis again
    at_once.deliver()
    assert at_once.stands == stood
    assert at_once.words()[-len(told) :] == told


@pytest.mark.parametrize("name", NAMES)
def test_the_same_delivery_twice_or_late_changes_nothing(name: str, make: Make) -> None:
    desk = make(name)
    desk.read_before()
    earlier = desk.receiving.services.helpdesk.read(desk.ticket_id) if before(desk.it) else None
    desk.deliver()
    kept = desk.receiving.kept(desk.ticket_id)
    assert desk.receiving.post(desk.it.raw, desk.it.headers) == ANSWER
    assert desk.receiving.hints() == []
    assert desk.receiving.count("hints_dropped") == 1
    desk.receiving.look(desk.ticket_id, desk.at + SOON + SOON)
    assert desk.receiving.kept(desk.ticket_id) == kept
    if earlier is not None:  # a reading that was begun before and is taken in after
        desk.receiving.services.observer.take_in(earlier)
        assert desk.receiving.kept(desk.ticket_id) == kept


@pytest.mark.parametrize("name", NAMES)
def test_one_changed_byte_is_refused_and_nothing_is_stored(name: str, make: Make) -> None:
    desk = make(name)
    place = len(desk.it.raw) // 2
    tampered = desk.it.raw[:place] + bytes([desk.it.raw[place] ^ 1]) + desk.it.raw[place + 1 :]
    assert desk.receiving.post(tampered, desk.it.headers)[0] == 401
    assert desk.receiving.post(desk.it.raw, {"Content-Type": "application/json"})[0] == 401
    assert desk.receiving.hints() == []
    assert desk.receiving.count("webhooks_refused") == 2
    assert desk.receiving.post(desk.it.raw, desk.it.headers) == ANSWER
    assert desk.receiving.hints() == [desk.ticket_id]


@pytest.mark.parametrize("name", [name for name in CREATED if name != "captured/created_raised_by_another_trigger"])
def test_a_new_tickets_window_starts_at_its_creation_however_late_the_delivery(name: str, make: Make) -> None:
    desk = make(name)
    desk.at += timedelta(minutes=3)
    desk.deliver()
    escalation, case = desk.escalation, desk.receiving.services.store.case(desk.ticket_id)
    assert escalation is not None
    assert case is not None
    assert escalation.created_at == case.ticket.created_at
    assert escalation.due_at == case.ticket.created_at + timedelta(days=30)


@pytest.mark.parametrize("name", LATER)
def test_the_ticket_says_what_became_of_it_once_somebody_was_told(name: str, make: Make) -> None:
    desk = make(name, SHORT)
    desk.read_before()
    known = len(desk.receiving.notes(desk.ticket_id))
    desk.deliver()
    added = desk.receiving.notes(desk.ticket_id)[known:]
    code = desk.code()
    headline = NOTES.get(name)
    assert [line for line in added if "step 1 of 2" not in line] == (
        [f"Escalation {code}{headline}"] if headline else []
    )


@pytest.mark.parametrize("name", [name for name in LATER if EXPECTED[name].startswith("climbing -> acknowledged")])
def test_what_is_taken_inside_the_first_window_leaves_the_ticket_alone(name: str, make: Make) -> None:
    desk = make(name, LONG)
    desk.read_before()
    desk.deliver()
    assert desk.stands.startswith("acknowledged by")
    assert desk.receiving.notes(desk.ticket_id) == ()


CLOSED = ["captured/customer_moved_closed_ticket", "captured/closed", "payloads/state_closed", "captured/merged_source"]


@pytest.mark.parametrize("name", CLOSED)
def test_a_closed_ticket_that_is_not_known_is_not_even_read(name: str, make: Make) -> None:
    desk = make(name)
    desk.serve(desk.it)
    desk.receiving.services.helpdesk.about()  # as when Escalator starts: now the states' meanings are known
    asked = len(desk.mock.calls)
    assert desk.receiving.post(desk.it.raw, desk.it.headers) == ANSWER
    assert desk.receiving.hints() == []
    assert len(desk.mock.calls) == asked
    assert desk.receiving.count("hints_dropped") == 1
