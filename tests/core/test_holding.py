"""Pending with a time: acknowledged until then."""

from connector.core.escalation import State
from connector.core.events import LookNow, OwnerSet, Tick
from connector.core.ticket import Phase
from connector.core.timetable import next_wake

from .builders import ANNA, BEN, BY_ANNA, BY_BEN, CUSTOMER, PEOPLE, Watch, at


def put_off(until: float = 60, phase: Phase = Phase.PENDING, minutes: float = 4) -> Watch:
    watch = Watch()
    watch.looks(at(1))
    watch.looks(at(min(minutes, 10)))
    watch.desk.state(at(minutes), BY_ANNA, phase, until=at(until))
    watch.looks(at(minutes, 1))
    return watch


def test_pending_until_a_time_holds_it() -> None:
    watch = put_off()
    assert (State.HELD, at(60)) == (watch.escalation.state, watch.escalation.due_at)
    assert watch.escalation.acknowledged is not None


def test_when_the_time_comes_the_rest_of_the_window_runs() -> None:
    watch = put_off()
    watch.looks(at(60))
    assert (State.WAITING, at(66)) == (watch.escalation.state, watch.escalation.due_at)
    assert watch.escalation.acknowledged is None


def test_when_it_ran_it_goes_on_with_the_next_step_a_minute_later_at_least() -> None:
    watch = put_off(minutes=14.5)
    watch.looks(at(60))
    assert (State.RUNNING, at(61)) == (watch.escalation.state, watch.escalation.due_at)
    assert watch.escalation.step == 1


def test_pending_close_gets_twenty_minutes_more() -> None:
    assert put_off(phase=Phase.PENDING_CLOSE).escalation.due_at == at(80)


def test_the_ticket_is_read_before_a_hold_runs_out() -> None:
    watch = put_off()
    watch.happens(Tick(PEOPLE, at(5)), at(59, 55))
    assert watch.commands[-1] == LookNow()
    assert next_wake(watch.escalation, at(5)) == at(60)


def test_a_hold_runs_out_although_the_helpdesk_is_silent() -> None:
    watch = put_off()
    watch.happens(Tick(PEOPLE, at(5)), at(59, 55))
    watch.happens(Tick(PEOPLE, at(5)), at(60))
    assert watch.escalation.state is State.WAITING


def test_closed_by_then_it_stays_over() -> None:
    watch = put_off()
    watch.desk.state(at(50), BY_ANNA, Phase.CLOSED)
    watch.looks(at(60))
    assert watch.escalation.state is State.RESOLVED


def test_another_time_moves_the_hold() -> None:
    watch = put_off()
    watch.desk.state(at(30), BY_BEN, Phase.PENDING, until=at(90))
    watch.looks(at(30, 1))
    assert watch.escalation.due_at == at(90)


def test_pending_without_a_time_in_the_future_is_a_plain_acknowledgement() -> None:
    assert put_off(until=3).escalation.state is State.ACKNOWLEDGED


def test_a_customer_cannot_hold_anything() -> None:
    watch = Watch()
    watch.looks(at(1))
    watch.desk.state(at(4), CUSTOMER, Phase.PENDING, until=at(60))
    watch.looks(at(4, 1))
    assert watch.escalation.state is State.WAITING


def test_a_held_ticket_given_to_a_colleague_is_handed_over() -> None:
    watch = put_off()
    watch.happens(OwnerSet(ANNA, at(5), BY_ANNA), at(5))
    watch.happens(OwnerSet(BEN, at(20), BY_ANNA), at(20))
    assert (State.WAITING, at(30)) == (watch.escalation.state, watch.escalation.due_at)


def test_a_hold_noticed_late_still_leaves_a_minute() -> None:
    watch = put_off()
    watch.looks(at(120))
    assert watch.escalation.due_at == at(126)
