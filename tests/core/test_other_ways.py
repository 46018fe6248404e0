"""When a way doesn't reach somebody: tries again, other ways, second rings, receipts that come late."""

from dataclasses import replace

import pytest

from connector.core.escalation import Stage
from connector.core.events import Entry, Outcome
from connector.core.plan import Step

from .builders import MAJOR, MINUTE, Story, at, running


def by(*ways: str, otherwise: tuple[str, ...] = (), notify: tuple[str, ...] = ("dana",), after: float = 15) -> Story:
    """A plan whose first step has just fired with these ways."""
    first = Step(notify, ways, otherwise)
    return running(replace(MAJOR, steps=(first, Step(("lead",), ("sms",), after=after * MINUTE))))


def test_what_arrived_needs_no_other_way() -> None:
    story = by("push", otherwise=("sms",))
    story.send("dana", "push", at(10, 1))
    story.tick(at(12))
    assert story.planned == []


def test_a_permanent_failure_starts_the_other_way_at_once() -> None:
    story = by("push", otherwise=("sms",))
    story.fail("dana", "push", at(10, 1), permanent=True)
    assert story.planned == [("dana", "sms")]


def test_trouble_is_tried_again_after_5_15_and_30_seconds() -> None:
    story = by("push")
    now = at(10, 1)
    for wait in (5, 15, 30, 60, 60):
        story.fail("dana", "push", now)
        again = story.one("dana", "push").at
        assert wait == (again - now).total_seconds()
        now = again


def test_a_provider_that_names_its_own_time_is_left_alone_until_then() -> None:
    story = by("push")
    assert story.claim("dana", "push", at(10, 1))
    id = story.one("dana", "push").id
    story.happens(Outcome(id, "too many requests", sent=False, retry_after=40), at(10, 1))
    assert at(10, 41) == story.one("dana", "push").at


def test_the_other_way_starts_after_the_second_failure() -> None:
    story = by("push", otherwise=("sms",))
    story.fail("dana", "push", at(10, 1))
    assert ("dana", "sms") not in story.planned

    story.fail("dana", "push", at(10, 6))
    assert story.planned == [("dana", "push"), ("dana", "sms")], "and the first one is tried again"


def test_it_is_tried_until_the_next_steps_own_time() -> None:
    story = by("push", after=1)
    for seconds in (1, 6, 21):
        story.fail("dana", "push", at(10, seconds))
    story.fail("dana", "push", at(10, 51))
    assert story.one("dana", "push").stage is Stage.ENDED


def test_a_text_without_a_receipt_for_a_minute_has_not_arrived() -> None:
    story = by("sms", otherwise=("phone",))
    story.send("dana", "sms", at(10, 1), wait=60)
    story.tick(at(11))
    assert story.planned == []

    story.tick(at(11, 1))
    assert story.planned == [("dana", "phone")]


def test_a_receipt_in_time_keeps_the_other_way_back() -> None:
    story = by("sms", otherwise=("phone",))
    story.send("dana", "sms", at(10, 1), wait=60)
    story.receipt("dana", "sms", at(10, 4), "delivered", arrived=True)
    story.tick(at(12))
    assert story.planned == []
    assert story.one("dana", "sms").arrived


def test_a_later_receipt_only_enters_the_history_and_only_once() -> None:
    story = by("sms", otherwise=("phone",))
    story.send("dana", "sms", at(10, 1), wait=60)
    story.tick(at(11, 1))
    said = story.receipt("dana", "sms", at(11, 30), "delivered", arrived=True)
    assert [entry.outcome for entry in said if isinstance(entry, Entry)] == ["delivered (later)"]
    assert ("dana", "phone") in story.planned

    assert story.receipt("dana", "sms", at(11, 31), "delivered", arrived=True) == []


def test_a_call_that_nobody_took_is_rung_once_more_within_two_minutes_then_another_way() -> None:
    story = by("phone", otherwise=("sms",))
    story.send("dana", "phone", at(10, 1), wait=150, provider_id="CA1")
    story.receipt("dana", "phone", at(10, 31), "no answer", unanswered=True, provider_id="CA1")
    again = story.one("dana", "phone")
    assert (Stage.PLANNED, at(11, 16)) == (again.stage, again.at)
    assert story.planned == [("dana", "phone")]

    story.send("dana", "phone", at(11, 16), wait=150, provider_id="CA2")
    story.receipt("dana", "phone", at(11, 46), "no answer", unanswered=True, provider_id="CA2")
    assert story.planned == [("dana", "sms")]


def test_a_repeated_receipt_of_the_first_call_says_nothing_of_the_second() -> None:
    story = by("phone", otherwise=("sms",))
    story.send("dana", "phone", at(10, 1), wait=150, provider_id="CA1")
    story.receipt("dana", "phone", at(10, 31), "no answer", unanswered=True, provider_id="CA1")
    story.receipt("dana", "phone", at(10, 32), "no answer", unanswered=True, provider_id="CA1")
    assert story.one("dana", "phone").stage is Stage.PLANNED

    assert story.claim("dana", "phone", at(11, 16))
    story.receipt("dana", "phone", at(11, 17), "no answer", unanswered=True, provider_id="CA1")
    assert story.one("dana", "phone").stage is Stage.CLAIMED


def test_other_ways_are_tried_in_order() -> None:
    story = by("push", otherwise=("sms", "phone"))
    story.fail("dana", "push", at(10, 1), permanent=True)
    story.fail("dana", "sms", at(10, 2), permanent=True)
    assert story.planned == [("dana", "phone")]


def test_one_of_two_ways_that_arrives_is_enough() -> None:
    story = by("push", "sms", otherwise=("phone",))
    story.fail("dana", "push", at(10, 1), permanent=True)
    story.send("dana", "sms", at(10, 2))
    story.tick(at(12))
    assert story.planned == []


@pytest.mark.parametrize("steps", [1, 2], ids=["and nobody came", "and the next step fired"])
def test_what_arrived_is_enough_though_the_call_beside_it_ends_later(steps: int) -> None:
    """A push arrived; the call rings twice, and the second time ends when the plan has gone on already."""
    first = Step(("dana",), ("push", "phone"), ("sms",))
    plan = (first, Step(("lead",), ("email",), after=2 * MINUTE))[:steps]
    story = running(replace(MAJOR, steps=plan, give_up_after=2 * MINUTE))
    story.send("dana", "push", at(10, 1))
    story.send("dana", "phone", at(10, 1), wait=150, provider_id="CA1")
    story.tick(at(10, 31))
    story.receipt("dana", "phone", at(10, 31), "no answer", unanswered=True, provider_id="CA1")
    story.tick(at(11, 16))
    story.send("dana", "phone", at(11, 17), wait=150, provider_id="CA2")
    story.tick(at(12))
    assert story.planned == [("lead", "email")]

    story.receipt("dana", "phone", at(12, 5), "no answer", unanswered=True, provider_id="CA2")
    story.tick(at(12, 6))
    assert story.planned == [("lead", "email")], "no SMS: the push had arrived"
    assert story.one("dana", "push").arrived


def test_and_though_the_call_ends_at_the_very_moment_of_the_next_step() -> None:
    story = by("push", "phone", otherwise=("sms",), after=2)
    story.send("dana", "push", at(10, 1))
    story.send("dana", "phone", at(10, 1), wait=29, provider_id="CA1")
    story.tick(at(10, 31))
    story.tick(at(11, 16))
    story.send("dana", "phone", at(11, 17), wait=43, provider_id="CA2")
    story.tick(at(12))
    assert story.one("dana", "phone").outcome == "no answer"
    assert story.planned == [("lead", "sms")]


def test_two_ways_that_fail_start_one_other() -> None:
    story = by("push", "sms", otherwise=("phone",))
    story.fail("dana", "push", at(10, 1), permanent=True)
    story.fail("dana", "sms", at(10, 2), permanent=True)
    assert story.planned == [("dana", "phone")]


def test_only_who_wasnt_reached_gets_the_other_way() -> None:
    story = by("push", otherwise=("sms",), notify=("dana", "lead"))
    story.send("dana", "push", at(10, 1))
    story.fail("lead", "push", at(10, 1), permanent=True)
    assert story.planned == [("lead", "sms")]


def test_a_shared_channel_that_arrived_has_reached_everybody_it_named() -> None:
    story = by("sms", "chat", otherwise=("phone",))
    story.send("*", "chat", at(10, 1))
    story.fail("dana", "sms", at(10, 2), permanent=True)
    assert story.planned == []


def test_a_shared_channel_that_failed_leaves_those_whom_another_way_reached() -> None:
    story = by("sms", "chat", otherwise=("phone",), notify=("dana", "lead"))
    story.send("dana", "sms", at(10, 1))
    story.fail("lead", "sms", at(10, 2), permanent=True)
    story.fail("*", "chat", at(10, 3), permanent=True)
    assert story.planned == [("lead", "phone")]


def test_a_lost_answer_is_asked_about_before_another_try() -> None:
    story = by("sms")
    assert story.claim("dana", "sms", at(10, 1))
    assert not story.claim("dana", "sms", at(10, 20)), "somebody is sending it"
    assert story.claim("dana", "sms", at(10, 31)), "their lease has run out"
    assert story.one("dana", "sms").unsure


def test_a_receipt_proves_a_try_whose_answer_was_lost() -> None:
    story = by("sms")
    assert story.claim("dana", "sms", at(10, 1))
    story.receipt("dana", "sms", at(10, 9), "delivered", arrived=True, provider_id="SM1")
    assert story.one("dana", "sms").arrived
    assert not story.claim("dana", "sms", at(10, 40))
    assert [told.key for told in story.escalation.told] == ["dana"]


def test_a_notification_enters_the_history_with_how_late_it_was() -> None:
    story = by("push")
    story.send("dana", "push", at(10, 1))
    entry = next(c for c in story.commands if isinstance(c, Entry) and c.kind == "notification")
    assert (entry.contact, entry.channel, entry.outcome, entry.late_s) == ("Dana", "push", "accepted", 1.0)


@pytest.mark.parametrize("doubt", [False, True])
def test_a_repeat_that_may_have_doubled_says_so(doubt: bool) -> None:
    story = by("push")
    assert story.claim("dana", "push", at(10, 1))
    story.happens(Outcome(story.one("dana", "push").id, "accepted", sent=True, arrived=True, doubt=doubt), at(10, 2))
    entry = next(c for c in story.commands if isinstance(c, Entry) and c.kind == "notification")
    assert doubt == ("possibly sent twice" in entry.text)


def test_a_receipt_for_what_was_never_sent_is_ignored() -> None:
    story = by("sms")
    assert story.receipt("dana", "sms", at(10, 1), "delivered", arrived=True) == []
    assert story.one("dana", "sms").stage is Stage.PLANNED
