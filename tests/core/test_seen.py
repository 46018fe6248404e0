"""How much of a ticket's history has been taken in: each entry once, whatever the order of readings."""

from datetime import timedelta

from connector.core.case import OVERLAP, Seen
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


def test_only_the_last_minute_is_remembered_entry_by_entry() -> None:
    changes = tuple(entry(str(n), 10 * n) for n in range(1000))
    seen = Seen()
    for n in range(0, 1000, 7):
        seen = seen.after(changes[:n])
    assert len(seen.recent) <= OVERLAP / timedelta(seconds=10)
