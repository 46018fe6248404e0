"""Pending with a time, or snoozed: acknowledged until then."""

from dataclasses import replace
from datetime import timedelta

from connector.core.escalation import State
from connector.core.events import Acknowledge, LookNow, OwnerSet, Tick
from connector.core.plan import Policy
from connector.core.ticket import Kind, Phase
from connector.core.timetable import next_wake

from .builders import ANNA, BEN, BY_ANNA, BY_BEN, BY_DANA, CUSTOMER, PEOPLE, POLICY, Watch, at


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


# --- taken before its time comes -------------------------------------------------------------------------------------


def snoozed(policy: Policy = POLICY) -> Watch:
    """Its first step has fired, and Anna has put it off for half an hour."""
    watch = Watch(policy=policy)
    watch.looks(at(1))
    watch.looks(at(10))
    watch.desk.article(at(11), BY_ANNA, "/snooze 30m")
    watch.looks(at(11, 1))
    assert (watch.escalation.state, watch.escalation.held_until) == (State.HELD, at(41))
    return watch


def takes(watch: Watch, minutes: float = 20) -> None:
    watch.desk.owned(at(minutes), BY_BEN, BEN)
    watch.looks(at(minutes, 1))


def who_has_it(watch: Watch) -> tuple[State, str]:
    current = watch.escalation.acknowledged
    return watch.escalation.state, current.who if current is not None else ""


def test_a_colleague_who_takes_a_snoozed_ticket_has_it_and_is_not_told_when_the_time_comes() -> None:
    watch = snoozed()
    takes(watch)
    assert who_has_it(watch) == (State.ACKNOWLEDGED, "Ben")
    assert (watch.escalation.due_at, watch.escalation.held_until) == (None, None)
    assert (watch.notes()[-1].kind, watch.notes()[-1].who) == ("acknowledged", "Ben")

    watch.looks(at(41, 1))
    assert who_has_it(watch) == (State.ACKNOWLEDGED, "Ben")


def test_whoever_says_that_they_have_it_ends_a_snooze_too() -> None:
    for by, name in ((BY_BEN, "Ben"), (BY_ANNA, "Anna")):
        watch = snoozed()
        watch.desk.article(at(20), by, "/ack 2h")
        watch.looks(at(20, 1))
        assert who_has_it(watch) == (State.ACKNOWLEDGED, name)
        assert watch.escalation.due_at == at(20) + timedelta(hours=2), (
            "then they are asked whether they are still on it"
        )

        watch = snoozed()
        watch.desk.marks(at(20), by, Kind.ACKNOWLEDGED)
        watch.looks(at(20, 1))
        assert who_has_it(watch) == (State.ACKNOWLEDGED, name)


def test_without_work_they_are_asked_as_anybody_who_has_it() -> None:
    asks = replace(POLICY.plans["major"], acknowledged_for=timedelta(hours=4))
    watch = snoozed(replace(POLICY, plans={**POLICY.plans, "major": asks}))
    takes(watch)
    assert watch.escalation.due_at == at(20) + timedelta(hours=4)


def test_other_work_leaves_a_snooze_as_it_is() -> None:
    watch = snoozed()
    watch.desk.article(at(20), BY_ANNA, "the part arrives at noon")
    watch.desk.reply(at(21), BY_BEN)
    watch.desk.marks(at(22), BY_BEN, Kind.LOCK)
    watch.desk.owned(at(23), BY_ANNA, ANNA)
    watch.looks(at(23, 1))
    assert (watch.escalation.state, watch.escalation.due_at) == (State.HELD, at(41))


def test_a_snooze_after_the_taking_holds_it() -> None:
    watch = snoozed()
    takes(watch)
    watch.desk.article(at(25), BY_BEN, "/snooze 1h")
    watch.looks(at(25, 1))
    assert (watch.escalation.state, watch.escalation.due_at) == (State.HELD, at(85))


def test_what_was_taken_before_somebody_snoozed_it_from_outside_stays_put_off() -> None:
    watch = Watch()
    watch.looks(at(1))
    watch.looks(at(10))
    watch.happens(Acknowledge(BY_DANA, at(12), "link", key="dana", until=at(42), outside=True), at(12))
    takes(watch, 11)
    assert (watch.escalation.state, watch.escalation.due_at) == (State.HELD, at(42))


def test_a_ticket_that_is_pending_stays_put_off_whoever_takes_it() -> None:
    watch = put_off()
    takes(watch)
    watch.desk.article(at(21), BY_BEN, "/ack")
    watch.looks(at(21, 1))
    assert (who_has_it(watch), watch.escalation.due_at) == ((State.HELD, "Ben"), at(60))


def test_one_that_is_pending_no_longer_is_taken_as_any_other() -> None:
    watch = put_off()
    watch.desk.state(at(20), BY_BEN, Phase.OPEN)
    watch.desk.owned(at(20), BY_BEN, BEN)
    watch.looks(at(20, 1))
    assert who_has_it(watch) == (State.ACKNOWLEDGED, "Ben")
