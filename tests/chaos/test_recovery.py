"""What counts as late after a kill."""

from .recovery import Death, Step, slowest


def test_a_step_is_late_by_what_passed_since_it_was_due() -> None:
    assert slowest([Death("work", 100.0, 100.0)], [Step(101.0, 103.5)]) == {"work": 2.5}


def test_where_the_store_was_away_only_the_time_since_its_return_counts() -> None:
    assert slowest([Death("redis", 100.0, 102.0)], [Step(101.0, 103.5)]) == {"redis": 1.5}


def test_only_steps_that_were_due_soon_after_the_kill_count() -> None:
    assert slowest([Death("work", 100.0, 100.0)], [Step(99.0, 109.0), Step(111.0, 120.0)]) == {"work": 0.0}


def test_of_several_kills_the_slowest_counts() -> None:
    deaths = [Death("work", 100.0, 100.0), Death("work", 200.0, 200.0)]
    assert slowest(deaths, [Step(101.0, 101.2), Step(201.0, 202.0)]) == {"work": 1.0}
