"""The response window: when it starts, and that nothing is heard of it when somebody responds in time."""

from dataclasses import replace
from datetime import timedelta

from connector.core.escalation import State
from connector.core.events import LookNow
from connector.core.ticket import Kind, Phase

from .builders import ANNA, BEN, BY_ANNA, BY_BEN, CUSTOMER, T0, US, Desk, Watch, at, waiting


def test_a_new_ticket_waits_until_its_window_ends() -> None:
    watch = Watch()
    watch.looks(at(0, 2))

    assert watch.escalation.state is State.WAITING
    assert at(10) == watch.escalation.due_at


def test_the_first_step_fires_when_the_window_ends_and_never_before() -> None:
    story = waiting()
    story.tick(at(9, 59.9))
    assert story.state is State.WAITING

    story.tick(at(10))
    assert story.state is State.RUNNING
    assert story.planned == [("dana", "push")]


def test_a_late_webhook_makes_the_step_due_at_once() -> None:
    watch = Watch()
    watch.looks(at(25))

    assert watch.escalation.step == 1
    assert at(30) == watch.escalation.due_at, "people get their five minutes from when it fired"


def test_the_window_starts_with_the_change_that_first_made_a_plan_apply() -> None:
    watch = Watch(Desk())
    watch.desk.sets(at(-1), BY_ANNA, Kind.PRIORITY, "1 low")
    watch.desk.sets(at(40), CUSTOMER, Kind.PRIORITY, "3 high")
    watch.looks(at(45))

    assert watch.escalation.created_at == at(40)
    assert at(50) == watch.escalation.due_at


def test_whoever_responds_in_time_hears_nothing_and_the_ticket_shows_nothing() -> None:
    watch = Watch()
    watch.looks(at(1))
    watch.desk.owned(at(5), BY_ANNA, ANNA)
    watch.looks(at(5, 2))

    assert watch.escalation.state is State.ACKNOWLEDGED
    assert list(watch.notes()) == []
    assert watch.escalation.notifications == ()


def test_a_ticket_closed_in_its_window_leaves_nothing() -> None:
    watch = Watch()
    watch.looks(at(1))
    watch.desk.state(at(5), BY_ANNA, Phase.CLOSED)
    watch.looks(at(5, 2))

    assert watch.escalation.state is State.RESOLVED
    assert list(watch.notes()) == []


def test_somebody_assigned_in_the_window_is_told_when_it_ends() -> None:
    watch = Watch()
    watch.looks(at(1))
    watch.desk.owned(at(5), BY_ANNA, BEN)
    watch.looks(at(5, 2))
    assert watch.escalation.state is State.WAITING
    assert watch.escalation.notifications == ()

    watch.looks(at(10))
    assert [f"login:{BEN.login}"] == [n.person for n in watch.escalation.notifications]


def test_a_ticket_made_closed_starts_nothing() -> None:
    desk = Desk()
    desk.ticket = replace(desk.ticket, phase=Phase.CLOSED)
    watch = Watch(desk)
    watch.looks(at(60))

    assert watch.case is not None
    assert watch.case.escalation is None


def test_tickets_from_before_start_nothing_by_themselves() -> None:
    watch = Watch(since=at(60))
    watch.desk.reply(at(65), CUSTOMER)
    watch.looks(at(70))

    assert watch.case is not None
    assert watch.case.escalation is None


def test_a_ticket_from_before_starts_when_a_matched_field_changes() -> None:
    watch = Watch(since=at(60))
    watch.looks(at(61))
    watch.desk.sets(at(70), BY_ANNA, Kind.PRIORITY, "2 normal")
    watch.looks(at(70, 5))

    assert at(100) == watch.escalation.due_at


def test_a_field_that_no_rule_asks_for_starts_nothing_on_a_ticket_from_before() -> None:
    watch = Watch(since=at(60))
    watch.looks(at(61))
    watch.desk.sets(at(70), BY_ANNA, Kind.TITLE, "Server outage, solved?")
    watch.looks(at(70, 5))

    assert watch.case is not None
    assert watch.case.escalation is None


def test_a_ticket_from_before_starts_when_it_reopens() -> None:
    watch = Watch(since=at(60))
    watch.looks(at(61))
    watch.desk.state(at(62), BY_ANNA, Phase.CLOSED)
    watch.looks(at(62, 5))
    watch.desk.state(at(90), CUSTOMER, Phase.OPEN)
    watch.looks(at(90, 5))

    assert watch.escalation.state is State.WAITING
    assert at(100) == watch.escalation.due_at
    assert watch.escalation.code == "E-1A"


def test_an_agent_who_reopens_a_ticket_from_before_has_it() -> None:
    watch = Watch(since=at(60))
    watch.desk.state(at(30), BY_BEN, Phase.CLOSED)
    watch.desk.state(at(90), BY_ANNA, Phase.OPEN)
    watch.looks(at(120))

    assert watch.escalation.state is State.ACKNOWLEDGED


def test_what_the_creation_itself_sets_on_is_part_of_the_first_match() -> None:
    desk = Desk()
    desk.sets(at(0, 1), BY_ANNA, Kind.PRIORITY, "2 normal")
    desk.changes = [replace(desk.changes[0], at_creation=True)]
    watch = Watch(desk)
    watch.looks(at(1))

    assert watch.escalation.plan.name == "minor"
    assert T0 + timedelta(minutes=30) == watch.escalation.due_at


def test_our_own_changes_are_no_reason_to_match_again() -> None:
    watch = Watch()
    watch.looks(at(1))
    watch.desk.sets(at(2), US, Kind.PRIORITY, "2 normal")
    watch.looks(at(3))

    assert watch.escalation.plan.name == "major"


# --- the fresh look --------------------------------------------------------------------------------------------------


def test_the_ticket_is_asked_for_five_seconds_before_a_step() -> None:
    story = waiting()
    assert story.tick(at(9, 54), read_at=at(1)) == []
    assert [LookNow()] == story.tick(at(9, 55), read_at=at(1))
    assert story.tick(at(9, 56), read_at=at(1)) == [], "once is enough"


def test_a_reading_from_just_before_needs_no_other() -> None:
    story = waiting()
    assert story.tick(at(9, 56), read_at=at(9, 55.5)) == []
    story.tick(at(10), read_at=at(9, 55.5))
    assert story.escalation.step == 1


def test_a_silent_helpdesk_delays_nothing_and_the_note_says_so() -> None:
    story = waiting()
    story.tick(at(9, 55), read_at=at(1))
    story.tick(at(10), read_at=at(1))

    assert story.escalation.step == 1
    assert story.escalation.report is not None
    assert story.escalation.report.remarks == ("The helpdesk did not answer before this step.",)


def test_an_overdue_step_waits_two_seconds_for_its_fresh_look() -> None:
    story = waiting()
    assert [LookNow()] == story.tick(at(30), read_at=at(1))
    story.tick(at(30, 1.9), read_at=at(1))
    assert story.escalation.step == 0

    story.tick(at(30, 2), read_at=at(1))
    assert story.escalation.step == 1
