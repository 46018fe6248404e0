"""Finding changed tickets while they go on changing: nothing slips through between two pages."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector.helpdesks.zammad.search import PAGE, changed
from connector.helpdesks.zammad.values import required_moment

START = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Tickets:
    """Tickets as Zammad's search sees them; `meanwhile` happens after each answer."""

    def __init__(self, moments: dict[int, datetime], cap: int = PAGE) -> None:
        self.moments, self.cap = moments, cap
        self.meanwhile: list[dict[int, datetime]] = []
        self.searches = 0

    def search(self, asked: Any) -> list[dict[str, Any]]:
        self.searches += 1
        assert self.searches < 50, "the search never ends"
        after = required_moment(asked["condition"]["ticket.updated_at"]["value"])
        rows = sorted((at, number) for number, at in self.moments.items() if at > after)
        size = min(asked["per_page"], self.cap)
        page = rows[(asked["page"] - 1) * size : asked["page"] * size]
        if self.meanwhile:
            self.moments |= self.meanwhile.pop(0)
        return [{"id": n, "updated_at": at.isoformat(timespec="milliseconds")} for at, n in page]

    def found(self, since: datetime = START) -> list[int]:
        return [row["id"] for row in changed(self.search, since)]


def one_a_second(count: int) -> dict[int, datetime]:
    return {number: START + timedelta(seconds=number) for number in range(count)}


def test_a_few_changes_are_one_search():
    tickets = Tickets(one_a_second(3))
    assert tickets.found() == [0, 1, 2]
    assert tickets.searches == 1


def test_nothing_changed_is_one_search_too():
    tickets = Tickets({})
    assert tickets.found() == []
    assert tickets.searches == 1


def test_the_moment_asked_for_is_included():
    assert Tickets({7: START}).found() == [7]


def test_many_changes_are_found_page_by_page_oldest_first_and_once():
    tickets = Tickets(one_a_second(1000))
    assert tickets.found() == list(range(1000))
    assert tickets.searches <= 7


@pytest.mark.parametrize("cap", [100, 150])
def test_a_zammad_that_gives_smaller_pages_hides_nothing(cap):
    assert Tickets(one_a_second(430), cap).found() == list(range(430))


def test_a_ticket_that_changes_between_two_pages_pushes_none_out_of_sight():
    tickets = Tickets(one_a_second(450))
    tickets.meanwhile = [{number: START + timedelta(hours=1, seconds=number) for number in range(20)}]
    found = tickets.found()
    assert set(found) == set(range(450))
    assert found[-20:] == list(range(20))


def test_more_tickets_of_one_moment_than_fit_on_a_page_are_all_found():
    moments = {number: START + timedelta(seconds=5) for number in range(650)} | {900: START + timedelta(seconds=6)}
    found = Tickets(moments).found()
    assert sorted(found) == [*range(650), 900]
