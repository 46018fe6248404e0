"""Tries that overlap: each outcome knows which try it is about."""

from dataclasses import replace
from datetime import timedelta

import pytest

from connector.core.escalation import Notification, Stage
from connector.core.events import Claim, Entry, Outcome, Receipt
from connector.core.lives import begin
from connector.core.sending import bundles, find

from .builders import MAJOR, Story, at

LEASE = timedelta(seconds=20)


@pytest.fixture
def story() -> Story:
    """Dana's push is due: the first step has just fired."""
    story = Story(begin("42", MAJOR, at(0))[0])
    story.tick(at(10))
    return story


def _push(story: Story) -> Notification:
    return story.one("dana", "push")


def _claims(story: Story, seconds: float, message: str = "") -> int:
    """Somebody claims the push; the number of their try."""
    now = at(10, seconds)
    story.happens(Claim(_push(story).id, now + LEASE, message), now)
    return _push(story).attempts


def _ends(story: Story, attempt: int, seconds: float, *, sent: bool, provider_id: str = "", **more: bool) -> list[str]:
    """What the history says once this try has ended."""
    words = "accepted" if sent else "no answer"
    event = Outcome(_push(story).id, words, sent, arrived=sent, provider_id=provider_id, attempt=attempt, **more)
    return [entry.text for entry in story.happens(event, at(10, seconds)) if isinstance(entry, Entry)]


def test_a_try_is_numbered_and_its_outcome_counts(story: Story) -> None:
    assert _claims(story, 0) == 1
    assert _ends(story, 1, 1, sent=True) == ["push to Dana: accepted"]
    assert _push(story).stage is Stage.ENDED


def test_a_failure_of_an_older_try_changes_nothing(story: Story) -> None:
    _claims(story, 0)
    assert _claims(story, 21) == 2
    before = story.escalation
    assert _ends(story, 1, 22, sent=False) == []
    assert story.escalation is before


def test_a_failure_after_the_lease_counts_while_nobody_has_taken_over(story: Story) -> None:
    _claims(story, 0)
    _ends(story, 1, 25, sent=False)
    assert (_push(story).stage, _push(story).outcome) == (Stage.PLANNED, "no answer")


def test_a_success_of_an_older_try_counts(story: Story) -> None:
    _claims(story, 0)
    _claims(story, 21)
    assert _ends(story, 1, 22, sent=True, provider_id="A") == ["push to Dana: accepted"]
    assert (_push(story).stage, _push(story).arrived) == (Stage.ENDED, True)


def test_when_both_tries_reached_the_provider_the_history_and_the_note_say_so(story: Story) -> None:
    _claims(story, 0)
    _claims(story, 21)
    _ends(story, 1, 22, sent=True, provider_id="A")
    assert _ends(story, 2, 23, sent=True, provider_id="B") == ["push to Dana: accepted, possibly sent twice"]
    assert _push(story).doubt


def test_when_the_newer_try_found_what_the_older_one_sent_nothing_is_in_doubt(story: Story) -> None:
    _claims(story, 0)
    _claims(story, 21)
    _ends(story, 1, 22, sent=True, provider_id="A")
    assert _ends(story, 2, 23, sent=True, provider_id="A") == []
    assert not _push(story).doubt


def test_a_late_success_is_taken_while_the_next_try_still_waits(story: Story) -> None:
    _claims(story, 0)
    _claims(story, 21)
    _ends(story, 2, 22, sent=False)
    _ends(story, 1, 23, sent=True)
    assert _push(story).arrived


def test_the_same_outcome_again_changes_nothing(story: Story) -> None:
    _claims(story, 0)
    _ends(story, 1, 1, sent=True, provider_id="A")
    before = story.escalation
    assert _ends(story, 1, 1, sent=True, provider_id="A") == []
    assert story.escalation is before


def test_a_try_that_is_the_last_one_starts_the_other_way_and_moves_no_step(story: Story) -> None:
    due_at = story.due
    _claims(story, 0)
    _ends(story, 1, 1, sent=False, over=True)
    story.tick(at(10, 1))
    assert ("dana", "sms") in story.planned
    assert story.due == due_at
    assert not _push(story).permanent


# --- with others -----------------------------------------------------------------------------------------------------


def test_a_failure_after_a_try_that_nobody_heard_of_again_is_in_doubt(story: Story) -> None:
    assert _claims(story, 0) == 1
    assert _claims(story, 1000) == 2  # the first sender died
    assert _ends(story, 2, 1001, sent=False) == ["push to Dana: no answer, possibly sent twice"]


def test_a_message_that_may_have_gone_out_is_tried_again_as_the_same_one(story: Story) -> None:
    _claims(story, 0, "b-1")
    _ends(story, 1, 1, sent=False, doubt=True)
    assert (_push(story).stage, _push(story).unsure, _push(story).message) == (Stage.PLANNED, True, "b-1")
    assert _claims(story, 2) == 1  # not due yet by itself
    assert _claims(story, 2, "b-1") == 2


def test_a_message_that_failed_for_certain_is_forgotten(story: Story) -> None:
    _claims(story, 0, "b-1")
    _ends(story, 1, 1, sent=False)
    assert (_push(story).unsure, _push(story).message) == (False, "")


def test_a_receipt_of_the_message_is_one_of_the_notification(story: Story) -> None:
    _claims(story, 0, "b-1")
    assert find(story.escalation, "b-1") == _push(story)
    story.happens(Receipt("b-1", "read", arrived=True), at(10, 2))
    assert _push(story).outcome == "read"


def test_only_what_asks_one_person_to_come_is_told_of_with_others(story: Story) -> None:
    assert bundles(_push(story))
    assert not bundles(replace(_push(story), person="*"))
    assert not bundles(replace(_push(story), purpose="all-clear"))
