"""`acknowledged_for`: without work for so long who has it is asked quietly; no answer, and it goes on from step 1."""

from dataclasses import replace
from datetime import timedelta

from connector.core.escalation import Notification, Stage, State
from connector.core.events import Acknowledge, Closed, Entry, OwnerSet, Worked
from connector.core.ticket import Actor

from .builders import ANNA, BEN, BY_ANNA, BY_BEN, BY_DANA, MAJOR, PEOPLE, SYSTEM, Story, at, running

PATIENT = replace(MAJOR, acknowledged_for=timedelta(hours=4))
ASKED = at(11 + 240)


def taken(lasts: timedelta | None = None, by: Actor = BY_ANNA) -> Story:
    story = running(PATIENT)
    story.happens(Acknowledge(by, at(11), "take", lasts=lasts), at(11))
    return story


def asked(by: Actor = BY_ANNA) -> Story:
    """Anna is only known in the helpdesk; Dana is a contact with a push device and a phone number."""
    story = taken(by=by)
    story.tick(ASKED)
    return story


def questions(story: Story) -> list[Notification]:
    return [n for n in story.escalation.notifications if n.purpose == "still-on-it"]


def test_after_that_time_without_work_who_has_it_is_asked_on_the_ticket() -> None:
    story = asked()
    assert story.state is State.ACKNOWLEDGED
    assert story.notes[-1] == "still-on-it"
    assert story.due == ASKED + timedelta(minutes=15)
    assert story.planned == []


def test_without_an_answer_it_goes_on_from_the_first_step() -> None:
    story = asked()
    story.tick(at(11 + 255))
    assert (story.state, story.escalation.step) == (State.RUNNING, 1)
    assert story.planned == [("dana", "push")]
    assert story.notes[-1] == "goes-on"


def test_any_work_is_an_answer_and_starts_the_time_anew() -> None:
    story = asked()
    story.happens(Worked(BY_BEN, at(255)), at(255))
    story.tick(at(11 + 255))
    assert story.state is State.ACKNOWLEDGED
    assert story.due == at(255 + 240)


def test_work_before_that_puts_the_question_off() -> None:
    story = taken()
    story.happens(Worked(BY_ANNA, at(100)), at(100))
    story.tick(ASKED)
    assert story.notes[-1] == "acknowledged"
    assert story.due == at(340)


def test_who_acknowledges_again_from_the_phone_has_answered() -> None:
    story = asked()
    story.happens(Acknowledge(BY_ANNA, at(255), "link", outside=True), at(255))
    assert story.due == at(255 + 240)


def test_a_colleague_who_takes_it_over_gets_the_whole_time() -> None:
    story = asked()
    story.happens(Acknowledge(BY_BEN, at(255), "take"), at(255))
    assert story.due == at(255 + 240)


def test_an_acknowledgement_may_name_its_own_time() -> None:
    story = taken(timedelta(hours=1))
    assert story.due == at(71)


def test_without_the_option_nobody_is_asked() -> None:
    story = running()
    story.happens(Acknowledge(BY_ANNA, at(11), "take"), at(11))
    assert story.due is None


def test_a_handover_counts_for_itself() -> None:
    story = asked()
    story.happens(OwnerSet(ANNA, at(252), BY_ANNA), at(252))
    story.happens(OwnerSet(BEN, at(253), SYSTEM), at(253))
    assert (story.state, story.due) == (State.WAITING, at(263))
    assert story.escalation.asked_at is None


# --- the question on their phone -------------------------------------------------------------------------------------


def test_a_contact_is_asked_on_their_phone_too_and_only_by_ways_that_wake_nobody() -> None:
    story = asked(BY_DANA)
    assert [(n.person, n.channel) for n in questions(story)] == [("dana", "push")]
    assert story.planned == [("dana", "push")]
    assert story.notes[-1] == "still-on-it"


def test_who_took_it_from_outside_is_known_by_their_key() -> None:
    story = running(PATIENT)
    nameless = replace(BY_DANA, id="", login="")
    story.happens(Acknowledge(nameless, at(11), "link", key="dana", outside=True), at(11))
    story.tick(ASKED)
    assert [n.person for n in questions(story)] == ["dana"]


def test_a_yes_counts_from_a_contact_whom_the_helpdesk_doesnt_know() -> None:
    story = running(PATIENT)
    nameless = replace(BY_DANA, id="", login="")
    story.happens(Acknowledge(nameless, at(11), "link", key="dana", outside=True), at(11))
    story.tick(ASKED)
    story.happens(Acknowledge(nameless, ASKED, "push", key="dana", outside=True), ASKED)
    assert story.escalation.asked_at is None
    assert story.due == ASKED + timedelta(hours=4)


def test_the_history_tells_it_from_what_asks_somebody_to_come() -> None:
    story = asked(BY_DANA)
    told_before = story.escalation.told
    story.send("dana", "push", ASKED)
    assert [c.text for c in story.commands if isinstance(c, Entry)][-1] == "still on it? push to Dana: accepted"
    assert story.escalation.told == told_before
    assert story.state is State.ACKNOWLEDGED


def test_who_has_none_of_these_ways_leaves_no_line_in_the_history() -> None:
    story = asked(BY_DANA)
    before = len(story.history)
    assert story.claim("dana", "push", ASKED)
    story._outcome("dana", "push", ASKED, sent=False, words="", permanent=True)
    assert len(story.history) == before
    assert questions(story)[0].stage is Stage.ENDED


def test_an_answer_before_it_went_out_drops_it() -> None:
    story = asked(BY_DANA)
    story.happens(Worked(BY_BEN, at(252)), at(252))
    assert not story.claim("dana", "push", at(252))
    story.tick(at(252))
    assert story.planned == []


def test_a_yes_on_the_phone_stands_in_the_history_and_starts_the_time_anew() -> None:
    story = asked(BY_DANA)
    story.send("dana", "push", ASKED)
    story.happens(Acknowledge(BY_DANA, at(255), "push", "dana", outside=True), at(255))
    story.tick(at(255))
    assert [c.text for c in story.commands if isinstance(c, Entry)][-1] == "by Dana (push): still on it"
    assert story.due == at(255 + 240)
    assert story.notes[-1] == "still-on-it"


def test_somebody_elses_press_on_an_old_link_is_no_answer() -> None:
    story = asked(BY_DANA)
    story.happens(Acknowledge(BY_BEN, at(255), "link", "ben", outside=True), at(255))
    assert story.due == ASKED + timedelta(minutes=15)


def test_it_is_tried_again_until_the_time_to_answer_is_over() -> None:
    story = asked(BY_DANA)
    story.fail("dana", "push", ASKED)
    assert story.planned == [("dana", "push")]
    story.fail("dana", "push", ASKED + timedelta(minutes=15) - timedelta(seconds=1))
    assert questions(story)[0].stage is Stage.ENDED


def test_where_it_goes_on_or_is_over_nobody_is_asked_any_more() -> None:
    goes_on, closed = asked(BY_DANA), asked(BY_DANA)
    goes_on.tick(at(11 + 255))
    closed.happens(Closed(at(252), BY_ANNA), at(252))
    closed.tick(at(252))
    for story in (goes_on, closed):
        assert [(n.stage, n.outcome) for n in questions(story)] == [(Stage.ENDED, "not sent: no longer asked")]


def test_whose_sender_died_is_settled_when_its_lease_ends() -> None:
    story = asked(BY_DANA)
    assert story.claim("dana", "push", ASKED)
    story.happens(Worked(BY_BEN, at(252)), at(252))
    story.tick(at(252))
    assert questions(story)[0].stage is Stage.ENDED
    assert questions(story)[0].outcome == "nobody knows whether it was sent"


def test_each_question_is_asked_by_itself_and_old_ones_are_forgotten() -> None:
    story = asked(BY_DANA)
    story.send("dana", "push", ASKED)
    story.happens(Worked(BY_DANA, at(255)), at(255))
    story.tick(at(255 + 240))
    assert [(n.stage, n.due_at) for n in questions(story)] == [(Stage.PLANNED, at(255 + 240))]


def test_a_channel_that_tells_a_whole_group_is_not_asked() -> None:
    assert "chat" in PEOPLE.quiet
    assert "chat" in PEOPLE.shared
    assert {n.channel for n in questions(asked(BY_DANA))} == {"push"}
