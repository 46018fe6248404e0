"""A row that was read before what its history, read a moment later, tells: the history is believed."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from connector.core.escalation import State
from connector.core.events import Entry, WriteNote
from connector.core.lagging import up_to_date
from connector.core.ticket import Kind, Phase, Ticket

from .builders import ANNA, BEN, BY_ANNA, BY_BEN, CUSTOMER, SYSTEM, Desk, Watch, at

#: By how many seconds the row may be older: Znuny counts whole ones, and its cache may be behind.
OLDER = (0, 0.5, 1, 30)


def look_at_old_row(watch: Watch, older: float, now: float, act: Callable[[Desk], None]) -> None:
    """Something happens at 12 minutes, and is read with the row from before it; `older`: by how much the row is."""
    row = watch.desk.ticket
    act(watch.desk)
    saved: Ticket = replace(row, updated_at=at(12, -older))
    watch.looks(at(12, now), replace(watch.desk.read(at(12, now)), ticket=saved))


def running() -> Watch:
    watch = Watch()
    watch.looks(at(1))
    watch.looks(at(10))
    assert watch.escalation.state is State.RUNNING
    return watch


@pytest.mark.parametrize("older", OLDER)
def test_the_note_of_whom_it_was_given_to_counts(older: float) -> None:
    watch = running()
    look_at_old_row(watch, older, 1, lambda desk: desk.owned(at(12), BY_ANNA, BEN))
    watch.desk.article(at(12, 2), BY_BEN, "looking")
    watch.looks(at(12, 3))
    assert watch.escalation.state is State.ACKNOWLEDGED


def _by_a_form(desk: Desk) -> None:
    """The form makes her the owner when it opens, and Ben when it is saved."""
    desk.owned(at(12), BY_ANNA, ANNA, with_lock=True)
    desk.owned(at(12), BY_ANNA, BEN)


@pytest.mark.parametrize("older", OLDER)
def test_a_row_from_before_several_changes_is_older_too(older: float) -> None:
    watch = running()
    look_at_old_row(watch, older, 1, _by_a_form)
    assert watch.escalation.owner == BEN


@pytest.mark.parametrize("older", OLDER)
def test_what_was_reopened_is_not_closed_by_a_row_from_before_it(older: float) -> None:
    watch = running()
    watch.desk.state(at(11), CUSTOMER, Phase.CLOSED)
    watch.looks(at(11, 1))
    assert watch.escalation.state is State.RESOLVED

    look_at_old_row(watch, older, 1, lambda desk: desk.state(at(12), CUSTOMER, Phase.OPEN))
    assert watch.escalation.state is State.RUNNING


@pytest.mark.parametrize("older", OLDER)
def test_the_plan_changes_once(older: float) -> None:
    watch = running()
    look_at_old_row(watch, older, 1, lambda desk: desk.sets(at(12), BY_ANNA, Kind.PRIORITY, "2 normal"))
    watch.looks(at(12, 3))
    told = [c for c in watch.commands if isinstance(c, Entry | WriteNote) and c.kind == "plan_changed"]
    assert (watch.escalation.plan.name, len(told)) == ("minor", 1)


@pytest.mark.parametrize("older", OLDER)
def test_at_first_sight_too(older: float) -> None:
    """The note that it was made with is what the ticket's first reading had no row for."""
    watch = Watch()
    watch.desk.ticket = replace(watch.desk.ticket, created_at=at(11))
    look_at_old_row(watch, older, 1, lambda desk: desk.owned(at(12), SYSTEM, BEN))
    assert watch.escalation.owner == BEN


def test_what_the_history_does_not_tell_is_seen_in_the_row() -> None:
    watch = running()
    watch.desk.owned(at(12), BY_ANNA, BEN)
    watch.desk.ticket = replace(watch.desk.ticket, owner=ANNA)  # by a program that writes no history
    watch.looks(at(12, 1))
    assert watch.escalation.owner == ANNA


def test_given_back_within_the_second_is_no_older_row() -> None:
    watch = running()
    watch.desk.owned(at(12), BY_ANNA, BEN)
    watch.desk.owned(at(12), BY_ANNA, None)
    watch.looks(at(12, 1))
    assert watch.escalation.owner is None


def test_a_change_from_before_the_clock_was_set_back_is_no_later_one() -> None:
    """It is dated after the row, and has long been followed by another one."""
    desk = Desk()
    desk.owned(at(20), BY_ANNA, BEN)
    desk.owned(at(12), BY_ANNA, None)
    desk.sets(at(13), BY_ANNA, Kind.TITLE, "Solved?")
    assert up_to_date(desk.read(at(13))).ticket.owner is None
