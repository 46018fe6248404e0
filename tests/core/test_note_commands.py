"""Commands in an agent's internal note: they do what they say, and a short note answers one that isn't understood."""

from dataclasses import replace
from datetime import timedelta

from connector.core.escalation import State
from connector.core.events import Command, Say, WriteNote
from connector.core.ticket import Kind, Phase

from .builders import BY_ANNA, BY_BEN, CUSTOMER, MINUTE, Desk, Watch, at


def escalating() -> Watch:
    """Its first step has fired; Ben is nobody whom it has told."""
    watch = Watch()
    watch.looks(at(0, 1))
    watch.looks(at(10))
    return watch


def quiet() -> Watch:
    """A ticket without a plan."""
    desk = Desk()
    desk.ticket = replace(desk.ticket, facts=replace(desk.ticket.facts, priority="1 low"))
    watch = Watch(desk)
    watch.looks(at(1))
    return watch


def writes(watch: Watch, line: str, minutes: float = 11) -> list[Command]:
    before = len(watch.commands)
    watch.desk.article(at(minutes), BY_BEN, line)
    watch.looks(at(minutes, 1))
    return watch.commands[before:]


def answers(commands: list[Command]) -> list[str]:
    return [" ".join(c.remarks) for c in commands if isinstance(c, WriteNote) and c.kind in ("answer", "why")]


def test_snooze_acknowledges_and_puts_off_what_is_left() -> None:
    watch = escalating()
    writes(watch, "/snooze 30m")

    assert watch.escalation.state is State.HELD
    assert watch.escalation.acknowledged is not None
    assert watch.escalation.acknowledged.by.name == "Ben"
    assert watch.escalation.held_until == at(41)
    watch.looks(at(41, 1))
    assert watch.escalation.state is State.RUNNING
    assert watch.escalation.due_at == at(45)  # the next step had 4 minutes left


def test_nobody_snoozes_for_longer_than_the_plan_allows() -> None:
    watch = escalating()
    writes(watch, "/snooze 3d")
    assert watch.escalation.held_until == at(11) + timedelta(hours=8)


def test_ack_by_any_agent_acknowledges_and_may_say_for_how_long() -> None:
    watch = escalating()
    writes(watch, "/ack 2h")
    assert watch.escalation.state is State.ACKNOWLEDGED
    assert watch.escalation.due_at == at(11) + timedelta(hours=2)


def test_stop_ends_it() -> None:
    watch = escalating()
    writes(watch, "/stop")
    assert (watch.escalation.state, watch.escalation.stopped) == (State.CANCELLED, True)


def test_escalate_brings_the_next_step_now() -> None:
    watch = escalating()
    writes(watch, "/escalate please, the shop is closed")
    assert (watch.escalation.step, watch.escalation.plan.name) == (2, "major")


def test_escalate_with_a_plan_starts_that_one_now() -> None:
    watch = escalating()
    writes(watch, "/escalate Minor")
    assert (watch.escalation.plan.name, watch.escalation.state, watch.escalation.step) == ("minor", State.RUNNING, 1)


def test_escalate_takes_it_back_from_who_has_it() -> None:
    watch = escalating()
    watch.desk.article(at(11), BY_ANNA, "/ack")
    watch.looks(at(11, 1))
    writes(watch, "/escalate", 12)
    assert (watch.escalation.state, watch.escalation.step) == (State.RUNNING, 2)


def test_on_a_ticket_without_an_escalation_it_starts_the_plan_that_is_named() -> None:
    watch = quiet()
    writes(watch, "/escalate major")
    assert (watch.escalation.code, watch.escalation.plan.name, watch.escalation.step) == ("E-1A", "major", 1)


def test_a_cancelled_one_climbs_again_although_no_plan_applies() -> None:
    watch = escalating()
    watch.desk.sets(at(11), BY_ANNA, Kind.PRIORITY, "1 low")
    watch.looks(at(11, 1))
    assert watch.escalation.state is State.CANCELLED
    writes(watch, "/escalate", 50)
    assert (watch.escalation.state, watch.escalation.step) == (State.RUNNING, 1)


def test_without_a_name_the_answer_lists_the_plans() -> None:
    watch = quiet()
    [said] = writes(watch, "/escalate")
    assert isinstance(said, Say)
    assert said.lines[1] == (
        'No plan applies: no rule matched and priority "1 low" has no plan. Name one: /escalate PLAN (major, minor).'
    )


def test_why_says_which_plan_applies_and_changes_nothing() -> None:
    watch = escalating()
    before = watch.escalation
    said = answers(writes(watch, "/why"))
    assert said == ['Plan major applies: priority is "3 high".']
    assert (watch.escalation.state, watch.escalation.due_at) == (before.state, before.due_at)


def test_why_is_answered_where_nothing_escalates_too() -> None:
    [said] = writes(quiet(), "/why")
    assert isinstance(said, Say)
    assert said.lines[1] == 'No plan applies: no rule matched and priority "1 low" has no plan.'


def test_a_command_that_is_not_understood_is_answered_and_acknowledges_nothing() -> None:
    watch = escalating()
    assert answers(writes(watch, "/snooze")) == ["/snooze wants a time: /snooze 30m, 2h or 1d."]
    assert watch.escalation.state is State.RUNNING


def test_a_command_is_carried_out_once_however_often_the_ticket_is_read() -> None:
    watch = escalating()
    writes(watch, "/escalate")
    before = len(watch.commands)
    watch.looks(at(11, 3))
    assert watch.escalation.step == 2
    assert len(watch.commands) == before


def test_a_customer_commands_nothing() -> None:
    watch = escalating()
    watch.desk.article(at(11), CUSTOMER, "/stop")
    watch.looks(at(11, 1))
    assert watch.escalation.state is State.RUNNING


def test_a_closed_ticket_is_opened_before_it_escalates() -> None:
    watch = escalating()
    watch.desk.state(at(11), BY_ANNA, Phase.CLOSED)
    watch.looks(at(11, 1))
    assert answers(writes(watch, "/escalate", 12)) == ["The ticket is closed: open it again first."]
    assert watch.escalation.state is State.RESOLVED


def test_minutes_are_the_unit_where_none_is_given() -> None:
    watch = escalating()
    writes(watch, "/snooze 45")
    assert watch.escalation.held_until == at(11) + 45 * MINUTE
