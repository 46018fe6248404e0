"""Clocks that are wrong, and are set: no ticket is taken for older than Escalator because of that."""

from datetime import UTC, datetime, timedelta

from connector.engine.clocks import SET_RIGHT, plausible

NOW = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)


def test_escalator_was_switched_on_when_it_was_recorded() -> None:
    since = NOW - timedelta(days=3)
    assert plausible(since, NOW) == since


def test_a_moment_that_has_not_come_was_recorded_by_a_clock_that_has_been_set_right_since() -> None:
    assert plausible(NOW + timedelta(hours=1), NOW) == NOW - SET_RIGHT


def test_the_clocks_of_two_hosts_may_differ_by_a_few_seconds() -> None:
    since = NOW + timedelta(seconds=5)
    assert plausible(since, NOW) == since
