"""Answers from outside the helpdesk: about several escalations at once, and at the same moment as another one."""

from dataclasses import replace
from typing import Any

import pytest

from connector.core.escalation import State
from connector.core.events import Claim, Receipt
from connector.engine.answering import Answer
from connector.engine.records import Link

from .conftest import DANA, LEE, MINUTE, World


def _told_of(world: World, *tickets: str) -> Link:
    """The link of a message that told Dana of these tickets."""
    codes = [world.escalation(world.escalating(ticket)).code for ticket in tickets]
    also = tuple(zip(tickets[1:], codes[1:], strict=True))
    return Link("b-1", tickets[0], codes[0], "dana", "phone", world.clock.now(), also)


def test_who_answers_a_message_about_three_tickets_has_all_three(world: World) -> None:
    answered = world.answers.acknowledge_all([_told_of(world, "42", "43", "44")], DANA, "phone call")
    assert [each.kind for each in answered] == [Answer.DONE] * 3
    assert [each.case.ticket.id for each in answered if each.case] == ["42", "43", "44"]
    assert world.escalation("44").acknowledged is not None


def test_what_is_named_twice_is_answered_once(world: World) -> None:
    link = _told_of(world, "42", "43")
    answered = world.answers.acknowledge_all([link, replace(link, id="b-2"), link.also[0][1].lower()], DANA, "SMS")
    assert [each.kind for each in answered] == [Answer.DONE, Answer.DONE]


def test_one_that_is_over_or_unknown_keeps_no_other_from_being_taken(world: World) -> None:
    link = _told_of(world, "42", "43")
    world.answers.stop("E-1A", DANA)
    answered = world.answers.acknowledge_all(["E-ZZZ", link], DANA, "API")
    assert [each.kind for each in answered] == [Answer.UNKNOWN, Answer.ENDED, Answer.DONE]


def test_what_was_heard_changes_only_the_escalation_that_it_is_about(world: World) -> None:
    world.channels["push"].final = False
    link = _told_of(world, "42", "43")
    world.sends()
    heard = Receipt(world.one("push", "43").id, "read", arrived=True)
    world.answers.acknowledge_all([link], DANA, "push", heard)
    codes = [code for code in ("E-1A", link.also[0][1]) if "push to Dana Reyes: read" in world.history(code)]
    assert codes == [link.also[0][1]]


def test_a_providers_word_on_a_message_reaches_every_escalation_that_it_told_of(world: World) -> None:
    link = _told_of(world, "42", "43")
    for ticket in ("42", "43"):
        world.engine.happen(ticket, Claim(world.one("push", ticket).id, world.clock.now() + MINUTE, message=link.id))
    world.answers.hear(link, Receipt(link.id, "read", arrived=True))
    assert [world.one("push", ticket).outcome for ticket in ("42", "43")] == ["read", "read"]


@pytest.fixture
def dana_is_quicker(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ticket 42 climbs; Dana's acknowledgement is written between another answer's first look and its commit."""
    world.escalating("42")
    commit = world.store.commit

    def slower(*given: Any) -> Any:
        monkeypatch.undo()
        world.answers.acknowledge("E-1A", DANA, "phone call")
        return commit(*given)

    monkeypatch.setattr(world.store, "commit", slower)


@pytest.mark.usefixtures("dana_is_quicker")
def test_escalate_now_doesnt_end_what_somebody_took_a_moment_before(world: World) -> None:
    answered = world.answers.escalate("E-1A", LEE, unless_taken=True)
    assert (answered.kind, "already acknowledged by Dana Reyes" in answered.sentence) == (Answer.ALREADY, True)
    assert world.escalation().state is State.ACKNOWLEDGED


@pytest.mark.usefixtures("dana_is_quicker")
def test_putting_off_changes_nothing_of_what_somebody_else_took_a_moment_before(world: World) -> None:
    answered = world.answers.snooze("E-1A", LEE, "link", 30 * MINUTE)
    assert (answered.kind, "already acknowledged by Dana Reyes" in answered.sentence) == (Answer.ALREADY, True)
    assert (world.escalation().state, world.escalation().held_until) == (State.ACKNOWLEDGED, None)


def test_who_has_it_may_put_it_off(world: World) -> None:
    world.escalating("42")
    world.answers.acknowledge("E-1A", DANA, "phone call")
    assert world.answers.snooze("E-1A", DANA, "link", 30 * MINUTE).kind is Answer.DONE
    assert world.escalation().state is State.HELD


def test_escalate_now_from_an_old_page_doesnt_revive_what_was_stopped(world: World) -> None:
    world.escalating("42")
    world.answers.stop("E-1A", LEE)
    answered = world.answers.escalate("E-1A", DANA, unless_taken=True)
    assert (answered.kind, "it was stopped by Lee Adams" in answered.sentence) == (Answer.ENDED, True)
    assert world.escalation().state is State.CANCELLED


def test_who_means_the_escalation_itself_revives_what_was_stopped(world: World) -> None:
    world.escalating("42")
    world.answers.stop("E-1A", LEE)
    assert world.answers.escalate("E-1A", DANA).kind is Answer.DONE
    assert world.escalation().state is State.RUNNING
