"""What is late, from the record of an escalation alone."""

from dataclasses import replace
from datetime import timedelta

from connector.core.overdue import LATE, Late, Report, Sending, Standing, What, overdue

from .builders import at

STANDING = Standing("E-1A", "running", 1, 1, due_at=at(10))
SECOND = timedelta(seconds=1)


def late(standing: Standing, seconds: float = 16) -> list[What]:
    """What is late so many seconds after minute ten."""
    return [one.what for one in overdue(standing, at(10, seconds), calls=frozenset({"phone"}))]


def test_a_step_is_late_when_it_has_been_due_for_longer_than_a_busy_escalator_takes() -> None:
    assert late(STANDING, LATE.total_seconds() - 1) == []
    assert list(overdue(STANDING, at(10) + LATE)) == [Late(What.STEP, "E-1A", at(10))]


def test_what_has_ended_or_has_nothing_due_is_not_late() -> None:
    assert late(replace(STANDING, due_at=None)) == []
    assert late(replace(STANDING, state="resolved")) == []


def test_a_hold_whose_time_has_come_is_late_too() -> None:
    assert late(replace(STANDING, state="held")) == [What.STEP]


def test_notifications_are_late_by_their_stage() -> None:
    quiet = replace(STANDING, due_at=None)
    for stage, what in (("planned", What.NOTIFICATION), ("claimed", What.LEASE), ("sent", What.RECEIPT)):
        assert late(replace(quiet, notifications=(Sending(stage, at(10)),))) == [what]
    assert late(replace(quiet, notifications=(Sending("ended", at(10)),))) == []


def test_a_call_may_wait_for_another_one_to_the_same_number() -> None:
    call = replace(STANDING, due_at=None, notifications=(Sending("planned", at(10), "phone"),))
    assert (late(call, 120), late(call, 166)) == ([], [What.NOTIFICATION])


def test_the_note_of_a_step_is_late_when_nobody_writes_it() -> None:
    assert late(replace(STANDING, due_at=None, report=Report(at(10)))) == [What.NOTE]
