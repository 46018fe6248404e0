"""How far a helpdesk's clock is from ours, by the dates of its answers: never more than they can prove."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from connector.helpdesks._clock import ClockSkew

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def dated(at: datetime, **more: str) -> Mapping[str, str]:
    return {"Date": at.strftime("%a, %d %b %Y %H:%M:%S GMT"), **more}


class Answers:
    """A helpdesk whose clock is `ahead` of ours; each answer takes `takes` seconds."""

    def __init__(self, ahead: timedelta) -> None:
        self.ahead, self.ours, self.monotonic = ahead, NOON, 0.0
        self.skew = ClockSkew(lambda: self.ours, lambda: self.monotonic)

    def answer(self, after: float = 0.3, takes: float = 0.1, **headers: str) -> None:
        self.passes(after)
        asked_at = self.ours
        self.passes(takes)
        self.skew.told(dated(self.ours + self.ahead, **headers), asked_at)

    def passes(self, seconds: float) -> None:
        self.ours += timedelta(seconds=seconds)
        self.monotonic += seconds

    @property
    def least(self) -> float | None:
        found = self.skew.least()
        return found.total_seconds() if found is not None else None


@pytest.mark.parametrize("ahead", [-600.0, -3.0, 0.0, 3.0, 600.0])
def test_some_answers_tell_it_to_a_second_and_never_too_much(ahead: float) -> None:
    there = Answers(timedelta(seconds=ahead))
    for _ in range(10):
        there.answer()
        assert there.least is not None
        assert ahead - 1.2 < there.least <= ahead
    assert there.least > ahead - 0.5


def test_nothing_is_known_before_the_first_answer_and_long_after_the_last() -> None:
    there = Answers(timedelta(0))
    assert there.least is None
    there.answer()
    there.passes(601)
    assert there.least is None


@pytest.mark.parametrize("headers", [{}, {"Date": "yesterday"}, {"Date": "Sat, 21 Nov 2026 12:00:00"}])
def test_an_answer_without_a_date_tells_nothing(headers: dict[str, str]) -> None:
    skew = ClockSkew()
    skew.told(headers, datetime.now(UTC))
    assert skew.least() is None


def test_what_a_cache_has_kept_tells_nothing() -> None:
    there = Answers(timedelta(0))
    there.answer()
    before = there.least
    there.ahead = -timedelta(hours=1)
    there.answer(Age="3600")
    assert there.least == before


@pytest.mark.parametrize("now", [-600.0, 600.0])
def test_a_clock_that_is_set_is_believed_at_the_first_answer(now: float) -> None:
    there = Answers(timedelta(0))
    for _ in range(5):
        there.answer()
    there.ahead = timedelta(seconds=now)
    there.answer()
    assert there.least is not None
    assert now - 1.2 < there.least <= now


def test_a_slow_answer_makes_it_no_worse() -> None:
    there = Answers(timedelta(seconds=20))
    for _ in range(8):
        there.answer()
    before = there.least
    there.answer(takes=15)
    assert there.least == pytest.approx(before)
