"""What was written on a ticket shortly before it was merged away, against the sandbox Zammad over real HTTP."""

import pytest

from connector.core.ticket import Phase
from connector.helpdesks.zammad.merging import taken_along
from connector.ports import Helpdesk
from connector.sandbox.zammad import SandboxZammad


@pytest.fixture
def tickets(zammad: SandboxZammad) -> tuple[str, str]:
    source, target = (str(zammad.create_ticket(priority="3 high")["id"]) for _ in range(2))
    return source, target


def notes(helpdesk: Helpdesk, ticket: str) -> dict[str, str]:
    """The internal notes told of this ticket: first lines by the changes' ids."""
    changes = helpdesk.read(ticket).changes
    return {one.id: one.article.first_line for one in changes if one.article is not None and one.article.first_line}


def test_a_note_is_the_work_on_the_ticket_on_which_it_was_written(
    zammad: SandboxZammad, helpdesk: Helpdesk, tickets: tuple[str, str]
) -> None:
    source, target = tickets
    zammad.write(source, zammad.alice, "/ack", internal=True)
    zammad.write(target, zammad.bob, "theirs", internal=True)
    before = notes(helpdesk, source)
    zammad.merge(source, target, zammad.alice)
    assert notes(helpdesk, source) == before
    assert list(before.values()) == ["/ack"]
    assert list(notes(helpdesk, target).values()) == ["theirs"]


def test_what_a_merge_had_brought_there_is_not_its_own(
    zammad: SandboxZammad, helpdesk: Helpdesk, tickets: tuple[str, str]
) -> None:
    source, target = tickets
    first = str(zammad.create_ticket(priority="3 high")["id"])
    zammad.write(first, zammad.alice, "/ack", internal=True)
    zammad.merge(first, source, zammad.alice)
    zammad.write(source, zammad.bob, "/why", internal=True)
    zammad.merge(source, target, zammad.alice)
    assert list(notes(helpdesk, source).values()) == ["/why"]


def test_one_whose_target_is_gone_is_read_without_it(
    zammad: SandboxZammad, helpdesk: Helpdesk, tickets: tuple[str, str]
) -> None:
    source, target = tickets
    zammad.write(source, zammad.alice, "/ack", internal=True)
    zammad.merge(source, target, zammad.alice)
    zammad.delete(target)
    assert notes(helpdesk, source) == {}
    assert helpdesk.read(source).ticket.phase is Phase.MERGED


GONE = {"id": 110, "object": "Ticket", "type": "merged_into", "o_id": 5, "id_from": 5, "id_to": 6}
CAME = {**GONE, "id": 109, "type": "received_merge", "o_id": 6, "created_at": "2026-11-21T23:32:17.200Z"}
NOTE = {"id": 100, "object": "Ticket::Article", "type": "created", "o_id": 14, "related_o_id": 6}
ARTICLE = {"id": 14, "created_at": "2026-11-21T23:32:05.000Z", "updated_at": "2026-11-21T23:32:17.113Z"}


def test_its_row_went_along_and_is_known_by_its_touch() -> None:
    assert taken_along(5, [GONE], [NOTE, CAME], [ARTICLE]) == ([{**NOTE, "related_o_id": 5}], [ARTICLE])


def test_what_the_target_does_not_count_is_given_back_however_long_the_merge_took() -> None:
    """It was touched a second before the merge was logged, and written two seconds before that."""
    just = {**ARTICLE, "created_at": "2026-11-21T23:32:14.900Z", "updated_at": "2026-11-21T23:32:16.200Z"}
    assert taken_along(5, [GONE], [NOTE, CAME], [just]) == ([{**NOTE, "related_o_id": 5}], [just])


def test_what_another_merge_of_that_moment_may_have_brought_stays_there() -> None:
    another = {**CAME, "id": 111, "id_from": 7}
    assert taken_along(5, [GONE], [NOTE, CAME, another], [ARTICLE]) == ([], [])


def test_what_was_written_there_stays_there() -> None:
    untouched = {**ARTICLE, "updated_at": ARTICLE["created_at"]}
    assert taken_along(5, [GONE], [NOTE, CAME], [untouched]) == ([], [])
