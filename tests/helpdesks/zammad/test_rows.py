"""What a search row tells of a ticket beside a reading, against the sandbox Zammad over real HTTP."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from connector.ports import Helpdesk, Live, Note
from connector.sandbox.zammad import SandboxZammad


@pytest.fixture
def ticket(zammad: SandboxZammad) -> str:
    return str(zammad.create_ticket(priority="3 high")["id"])


def test_a_row_and_a_reading_have_the_same_mark(helpdesk: Helpdesk, ticket: str) -> None:
    (row,) = helpdesk.rows([ticket])
    read = helpdesk.read(ticket).ticket
    assert (row.mark, row.updated_at, row.organization) == (read.mark, read.updated_at, read.facts.organization)
    assert row.mark
    found = {one.ticket_id: one for one in helpdesk.find_changed(read.updated_at)}
    assert found[ticket] == row


CHANGES: dict[str, Callable[[SandboxZammad, str], object]] = {
    "taken": lambda zammad, id: zammad.take(id, zammad.alice),
    "closed": lambda zammad, id: zammad.close(id, zammad.alice),
    "priority": lambda zammad, id: zammad.change(id, zammad.alice, priority="1 low"),
    "group": lambda zammad, id: zammad.change(id, zammad.alice, group="2nd Level"),
    "title": lambda zammad, id: zammad.change(id, zammad.alice, title="Another matter"),
    "pending": lambda zammad, id: zammad.change(
        id, zammad.alice, state="pending reminder", pending_time="2030-01-01T00:00:00Z"
    ),
    "an agent's note": lambda zammad, id: zammad.write(id, zammad.alice, "/ack", internal=True),
    "a reply": lambda zammad, id: zammad.reply(id, zammad.alice),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_what_people_do_changes_the_mark(
    zammad: SandboxZammad, helpdesk: Helpdesk, ticket: str, change: Callable[[SandboxZammad, str], object]
) -> None:
    (before,) = helpdesk.rows([ticket])
    change(zammad, ticket)
    (after,) = helpdesk.rows([ticket])
    assert after.updated_at > before.updated_at
    assert after.mark != before.mark
    assert after.mark == helpdesk.read(ticket).ticket.mark


def test_a_saved_sla_a_tag_and_our_own_writes_move_updated_at_and_keep_the_mark(
    zammad: SandboxZammad, helpdesk: Helpdesk, ticket: str
) -> None:
    (before,) = helpdesk.rows([ticket])
    for touch in (
        lambda: zammad.save_sla("Contract", minutes=45),
        lambda: zammad.add_tag(ticket, "outage", zammad.alice),
        lambda: helpdesk.add_note(ticket, Note(("Escalation E-1A",), "proof")),
        lambda: helpdesk.show(ticket, Live("running", "major", "1 of 3")),
    ):
        touch()
        (after,) = helpdesk.rows([ticket])
        assert after.updated_at > before.updated_at
        assert after.mark == before.mark
        before = after


def test_a_moved_customer_changes_the_organization_and_keeps_the_mark(
    zammad: SandboxZammad, helpdesk: Helpdesk, ticket: str
) -> None:
    (before,) = helpdesk.rows([ticket])
    zammad.move_customer(zammad.cathy, "Moved Ltd")
    (after,) = helpdesk.rows([ticket])
    assert (after.organization, after.mark) == ("Moved Ltd", before.mark)


def test_several_are_one_search_and_those_that_are_gone_are_missing(
    zammad: SandboxZammad, helpdesk: Helpdesk, ticket: str
) -> None:
    others = [str(zammad.create_ticket()["id"]) for _ in range(3)]
    helpdesk.rows([ticket])
    zammad.faults.forget_requests()
    found = helpdesk.rows([ticket, *others, "99999999"])
    assert sorted(row.ticket_id for row in found) == sorted([ticket, *others])
    assert dict(zammad.faults.requests) == {"POST /api/v1/tickets/search": 1}


def test_one_search_tells_which_of_them_carry_a_tag(zammad: SandboxZammad, helpdesk: Helpdesk, ticket: str) -> None:
    other = str(zammad.create_ticket()["id"])
    zammad.add_tag(other, "outage", zammad.alice)
    assert helpdesk.tagged([ticket, other], "outage") == {other}
    assert helpdesk.tagged([ticket], "outage") == frozenset()


def test_its_answers_tell_of_its_clock(helpdesk: Helpdesk, ticket: str) -> None:
    assert helpdesk.clock_skew() is None
    began = datetime.now(UTC)
    reading = helpdesk.read(ticket)
    assert reading.skew is not None
    assert -timedelta(seconds=2) - (datetime.now(UTC) - began) < reading.skew <= timedelta(0)
