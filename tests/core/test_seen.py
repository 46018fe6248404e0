"""How much of a ticket's history has been taken in: each entry once, whatever the order of readings."""

from datetime import timedelta

import pytest

from connector.core.case import MOST, OVERLAP, Seen
from connector.core.ticket import Change, Kind

from .builders import BY_ANNA, at


def entry(id: str, seconds: float) -> Change:
    return Change(id, at(0, seconds), BY_ANNA, Kind.TITLE)


def test_at_first_everything_is_new() -> None:
    changes = (entry("1", 0), entry("2", 5))
    assert Seen().news(changes) == changes


def test_what_was_taken_in_is_no_news() -> None:
    changes = (entry("1", 0), entry("2", 5))
    assert Seen().after(changes).news((*changes, entry("3", 9))) == (entry("3", 9),)


def test_an_entry_stored_a_little_out_of_order_is_still_taken_in() -> None:
    seen = Seen().after((entry("1", 0), entry("3", 9)))
    late = (entry("1", 0), entry("2", 5), entry("3", 9))
    assert seen.news(late) == (entry("2", 5),)


def test_an_older_reading_in_between_makes_nothing_new_again() -> None:
    changes = (entry("1", 0), entry("2", 5), entry("3", 5))
    seen = Seen().after(changes).after(changes[:1]).after(changes[:2])
    assert seen.news(changes) == ()


def test_an_older_reading_after_an_update_makes_nothing_new_again() -> None:
    """A record from before entries were remembered for an hour names those of its last minute."""
    changes = tuple(entry(str(n), 30 * n) for n in range(10))
    seen = Seen(changes[-1].at, frozenset({"8", "9"}))
    assert seen.news(changes) == ()
    assert seen.after(changes[:5]).news(changes) == ()
    assert seen.after(changes).news(changes) == ()
    assert seen.after(changes[:5]).after(changes).news(changes) == ()


def test_an_entry_that_one_reading_does_not_show_is_not_new_when_it_comes_back() -> None:
    changes = (entry("1", 0), entry("2", 5), entry("3", 9))
    seen = Seen().after(changes[:2]).after((changes[0], changes[2]))
    assert seen.news(changes) == ()


@pytest.mark.parametrize("minutes", [0, 2, 5, 30, 60])
def test_what_is_written_after_the_helpdesks_clock_was_set_back_is_news(minutes: float) -> None:
    before = (entry("1", 0), entry("2", 5000))
    seen = Seen().after(before)
    after = (*before, entry("3", 5001 - 60 * minutes))
    assert seen.news(after) == after[2:]
    assert seen.after(after).news(after) == ()


def test_a_record_from_before_an_update_replays_nothing_and_reaches_back_from_its_next_reading_on() -> None:
    changes = (entry("1", 0), entry("2", 3000), entry("3", 5000))
    seen = Seen(changes[-1].at, frozenset({"3"}))
    assert seen.news(changes) == ()
    late = (*changes, entry("4", 4000))
    assert seen.after(changes).news(late) == late[3:]


def test_an_old_entry_is_no_news() -> None:
    seen = Seen().after((entry("2", 7200),))
    assert seen.news((entry("1", 7200 - OVERLAP.total_seconds()), entry("2", 7200))) == ()


@pytest.mark.parametrize("every", [10, 60, 600])
def test_of_a_busy_ticket_only_so_many_entries_are_remembered_and_none_is_taken_in_twice(every: int) -> None:
    changes = tuple(entry(str(n), every * n) for n in range(1000))
    seen = Seen()
    for n in range(0, 1000, 7):
        assert len(seen.news(changes[:n])) == min(n, 7)
        seen = seen.after(changes[:n])
        assert len(seen.recent) <= min(MOST, OVERLAP / timedelta(seconds=every) + 1)


def test_of_a_minute_of_any_size_every_entry_is_remembered() -> None:
    changes = tuple(entry(str(n), n / 10) for n in range(500))
    assert Seen().after(changes).news(changes) == ()
