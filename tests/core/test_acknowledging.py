"""A person takes it: nothing more is begun, and those who were told hear of it quietly."""

from dataclasses import replace

from connector.core.escalation import Stage, State
from connector.core.events import (
    Acknowledge,
    Claim,
    Closed,
    Entry,
    GroupSet,
    Outcome,
    Receipt,
    SetOwner,
    Unlocked,
    Worked,
    WriteNote,
)
from connector.core.timetable import next_wake

from .builders import ANNA, BEN, BY_ANNA, BY_BEN, BY_DANA, MAJOR, Story, at, running, waiting

OUTSIDE = Acknowledge(BY_DANA, at(11), "sms reply", key="dana", outside=True)


def told() -> Story:
    """The first step's push has arrived."""
    story = running()
    story.send("dana", "push", at(10, 1))
    return story


def test_the_clock_stops_and_a_note_says_who() -> None:
    story = told()
    story.happens(Acknowledge(BY_ANNA, at(11), "take"), at(11, 1))

    assert story.state is State.ACKNOWLEDGED
    assert story.due is None
    assert story.notes == ["step", "acknowledged"]
    assert story.history[-1] == "acknowledged"


def test_nothing_planned_is_begun_any_more() -> None:
    story = running()
    story.happens(Acknowledge(BY_ANNA, at(10, 1), "take"), at(10, 1))
    assert not story.claim("dana", "push", at(10, 2))


def test_a_try_that_fails_after_it_isnt_repeated() -> None:
    story = running()
    assert story.claim("dana", "push", at(10, 1))
    story.happens(Acknowledge(BY_ANNA, at(10, 2), "take"), at(10, 2))
    story.happens(Outcome(story.one("dana", "push").id, "provider trouble", sent=False), at(10, 3))
    story.until(at(30))

    assert story.one("dana", "push").stage is Stage.ENDED
    assert story.planned == []


def test_a_text_without_a_receipt_starts_no_other_way_after_it() -> None:
    story = running()
    story.send("dana", "push", at(10, 1), wait=60)
    story.happens(Acknowledge(BY_ANNA, at(10, 30), "take"), at(10, 30))
    story.tick(at(11, 30))
    assert "sms" not in [channel for _, channel in story.planned]


def test_a_call_that_nobody_took_isnt_rung_again_after_it() -> None:
    story = running()
    story.until(at(15))
    story.send("dana", "phone", at(15, 1), wait=150)
    story.happens(Acknowledge(BY_ANNA, at(15, 10), "take"), at(15, 10))
    story.happens(Receipt(story.one("dana", "phone").id, "no answer", arrived=False, unanswered=True), at(15, 30))
    story.tick(at(20))
    assert [one for one in story.planned if one[1] == "phone"] == []


def test_a_sender_that_died_leaves_nothing_that_waits_for_ever() -> None:
    story = running()
    assert story.claim("dana", "push", at(10, 1))
    story.happens(Acknowledge(BY_ANNA, at(10, 2), "take"), at(10, 2))
    assert not story.claim("dana", "push", at(12))

    story.tick(at(12))
    assert story.one("dana", "push").stage is Stage.ENDED


def test_the_first_wins_and_a_second_one_changes_nothing() -> None:
    story = told()
    story.happens(OUTSIDE, at(11))
    first = story.escalation
    story.happens(Acknowledge(BY_BEN, at(11, 5), "link", key="lead", outside=True), at(11, 5))
    assert story.escalation is first


def test_who_takes_it_from_outside_becomes_the_owner_if_nobody_is() -> None:
    story = told()
    story.happens(OUTSIDE, at(11))
    note = [command for command in story.commands if isinstance(command, WriteNote)][-1]
    assert note.assign == BY_DANA.login


def test_an_owner_stays_the_owner() -> None:
    story = running(owner=BEN)
    story.happens(OUTSIDE, at(11))
    note = [command for command in story.commands if isinstance(command, WriteNote)][-1]
    assert note.assign == ""


def test_in_the_window_the_owner_is_set_without_a_note() -> None:
    story = waiting()
    commands = story.happens(replace(OUTSIDE, at=at(2)), at(2))
    assert SetOwner(BY_DANA.login) in commands
    assert story.notes == []


# --- all-clear -------------------------------------------------------------------------------------------------------


def test_those_who_were_told_get_one_quiet_all_clear() -> None:
    story = told()
    story.happens(Acknowledge(BY_ANNA, at(11), "take"), at(11))
    story.tick(at(11))
    assert story.planned == [("dana", "push")]
    assert story.one("dana", "push").purpose == "all-clear"

    story.tick(at(12))
    assert len(story.planned) == 1


def test_who_has_it_needs_no_all_clear() -> None:
    story = told()
    story.happens(OUTSIDE, at(11))
    story.tick(at(11))
    assert story.planned == []


def test_who_was_being_told_while_somebody_took_it_hears_that_it_is_over_too() -> None:
    story = running()
    assert story.claim("dana", "push", at(10, 1))
    story.happens(Acknowledge(BY_ANNA, at(10, 5), "take"), at(10, 5))
    story.tick(at(10, 5))
    assert story.planned == [], "whether the push arrives isn't known yet"

    story.happens(Outcome(story.one("dana", "push").id, "accepted", sent=True, arrived=True), at(10, 6))
    story.tick(at(10, 6))
    assert [(n.purpose, n.stage) for n in story.escalation.notifications] == [
        ("step", Stage.ENDED),
        ("all-clear", Stage.PLANNED),
    ]
    story.send("dana", "push", at(10, 7))
    story.tick(at(10, 8))
    assert story.planned == [], "once is enough"


def test_a_receipt_that_is_quicker_than_the_providers_answer_leads_to_the_all_clear_too() -> None:
    story = running()
    assert story.claim("dana", "push", at(10, 1))
    story.happens(Acknowledge(BY_ANNA, at(10, 5), "take"), at(10, 5))
    story.tick(at(10, 5))
    story.receipt("dana", "push", at(10, 6), "delivered", arrived=True)
    assert story.one("dana", "push").purpose == "all-clear"


def test_who_takes_it_while_being_told_needs_no_all_clear() -> None:
    story = running()
    assert story.claim("dana", "push", at(10, 1))
    story.happens(replace(OUTSIDE, at=at(10, 5)), at(10, 5))
    story.tick(at(10, 5))
    story.happens(Outcome(story.one("dana", "push").id, "accepted", sent=True, arrived=True), at(10, 6))
    story.tick(at(10, 6))
    assert story.planned == []


def test_texts_and_calls_are_never_repeated_to_say_that_it_is_over() -> None:
    story = running()
    story.fail("dana", "push", at(10, 1), permanent=True)
    story.send("dana", "sms", at(10, 2))
    story.happens(Acknowledge(BY_ANNA, at(11), "take"), at(11))
    story.tick(at(11))
    assert story.planned == []


def test_a_second_acknowledgement_clears_nothing_twice() -> None:
    story = told()
    story.happens(Acknowledge(BY_ANNA, at(11), "take"), at(11))
    story.tick(at(11))
    story.send("dana", "push", at(11, 1))
    story.happens(GroupSet("2nd Level", at(12), BY_ANNA), at(12))
    story.happens(Acknowledge(BY_BEN, at(13), "take"), at(13))
    story.tick(at(13))
    assert story.planned == []


def test_a_ringing_call_is_hung_up() -> None:
    story = running()
    story.until(at(15))
    story.send("dana", "phone", at(15, 1), wait=150, provider_id="CA1")
    story.happens(Acknowledge(BY_ANNA, at(15, 10), "take"), at(15, 10))
    story.tick(at(15, 10))
    assert [n.provider_id for n in story.escalation.notifications if n.purpose == "hang-up"] == ["CA1"]
    assert story.history[-2:] == ["acknowledged", "notification"]
    assert str(story.one("dana", "phone").outcome) == "hung up"


def test_a_call_that_began_to_ring_just_after_it_is_hung_up_too() -> None:
    story = running()
    story.until(at(15))
    assert story.claim("dana", "phone", at(15, 1))
    story.happens(Acknowledge(BY_ANNA, at(15, 1.5), "take"), at(15, 1.5))
    story.tick(at(15, 1.5))
    id = story.one("dana", "phone").id
    story.happens(Outcome(id, "ringing", sent=True, wait=150, provider_id="CA1"), at(15, 2))
    story.tick(at(15, 2))
    assert [n.provider_id for n in story.escalation.notifications if n.purpose == "hang-up"] == ["CA1"]


def test_a_call_that_nobody_took_and_that_is_not_repeated_stands_in_the_history() -> None:
    story = running()
    story.until(at(15))
    story.send("dana", "phone", at(15, 1), wait=150, provider_id="CA1")
    story.receipt("dana", "phone", at(15, 20), "no answer", unanswered=True, provider_id="CA1")
    story.happens(Acknowledge(BY_ANNA, at(15, 30), "take"), at(15, 30))
    story.tick(at(15, 30))
    assert "phone to Dana: no answer" in [str(entry.text) for entry in story.commands if isinstance(entry, Entry)]
    assert [n for n in story.escalation.notifications if n.purpose == "hang-up"] == []


def test_the_call_in_which_somebody_just_took_it_goes_on() -> None:
    story = running()
    story.until(at(15))
    story.send("dana", "phone", at(15, 1), wait=150, provider_id="CA1")
    story.happens(replace(OUTSIDE, at=at(15, 10), via="key in the call"), at(15, 10))
    story.tick(at(15, 10))
    assert [n for n in story.escalation.notifications if n.purpose == "hang-up"] == []


def test_no_all_clear_leaves_while_it_climbs_again() -> None:
    story = told()
    story.happens(Acknowledge(BY_ANNA, at(11), "lock", provisional=True), at(11))
    story.tick(at(11))
    all_clear = story.one("dana", "push")
    story.happens(Unlocked(BY_ANNA, at(11, 1)), at(11, 1))
    story.tick(at(11, 1))
    before = story.escalation
    story.happens(Claim(all_clear.id, at(12)), at(11, 2))
    assert story.escalation is before


def test_an_all_clear_whose_sender_died_is_settled_when_its_lease_ends_though_it_climbs_again() -> None:
    story = told()
    story.happens(Acknowledge(BY_ANNA, at(11), "lock", provisional=True), at(11))
    story.tick(at(11))
    assert story.claim("dana", "push", at(11))  # for 30 seconds
    story.happens(Unlocked(BY_ANNA, at(11, 1)), at(11, 1))
    story.tick(at(11, 1))
    assert next_wake(story.escalation) == at(11, 30)
    story.tick(at(11, 30))
    assert story.one("dana", "push").outcome == "nobody knows whether it was sent"


def test_what_may_have_been_sent_stands_in_the_history_though_it_is_tried_no_more() -> None:
    story = running()
    assert story.claim("dana", "push", at(10))
    assert story.claim("dana", "push", at(10, 30))  # whoever had it died
    story.happens(Outcome(story.one("dana", "push").id, "provider trouble", sent=False), at(10, 31))
    story.happens(Acknowledge(BY_ANNA, at(10, 32), "take"), at(10, 32))
    story.tick(at(10, 32))
    assert [c.text for c in story.commands if isinstance(c, Entry)][-1].endswith("nobody knows whether it was sent")


# --- locks -----------------------------------------------------------------------------------------------------------


def locked(minutes: float = 11) -> Story:
    story = told()
    story.happens(Acknowledge(BY_ANNA, at(minutes), "lock", provisional=True), at(minutes))
    return story


def test_a_lock_left_without_work_goes_on_at_its_own_time() -> None:
    story = locked()
    story.happens(Unlocked(BY_ANNA, at(13)), at(13))

    assert (State.RUNNING, at(15)) == (story.state, story.due)
    assert story.notes == ["step", "acknowledged", "goes-on"]


def test_a_step_that_came_due_meanwhile_fires_at_once() -> None:
    story = locked()
    story.happens(Unlocked(BY_ANNA, at(20)), at(20))
    story.tick(at(20))
    assert (2, at(25)) == (story.escalation.step, story.due)


def test_work_makes_a_lock_firm() -> None:
    story = locked()
    story.happens(Worked(BY_ANNA, at(12)), at(12))
    story.happens(Unlocked(BY_ANNA, at(13)), at(13))
    assert story.state is State.ACKNOWLEDGED


def test_a_lock_is_firm_after_its_grace() -> None:
    story = locked()
    story.happens(Unlocked(BY_ANNA, at(26, 1)), at(26, 1))
    assert story.state is State.ACKNOWLEDGED


def test_somebody_elses_unlocking_takes_nothing_back() -> None:
    story = locked()
    story.happens(Unlocked(BY_BEN, at(13)), at(13))
    assert story.state is State.ACKNOWLEDGED


def test_a_colleague_who_says_i_have_it_isnt_lost_when_the_form_is_left() -> None:
    story = locked()
    story.happens(replace(OUTSIDE, at=at(12)), at(12))
    story.happens(Unlocked(BY_ANNA, at(13)), at(13))

    assert story.state is State.ACKNOWLEDGED
    assert story.escalation.acknowledged is not None
    assert story.escalation.acknowledged.by == BY_DANA


def test_opening_a_form_takes_nothing_from_who_has_it() -> None:
    story = told()
    story.happens(Acknowledge(BY_ANNA, at(11), "take"), at(11))
    story.happens(Acknowledge(BY_BEN, at(12), "lock", provisional=True), at(12))
    story.happens(Unlocked(BY_BEN, at(13)), at(13))
    assert story.state is State.ACKNOWLEDGED


def test_closing_by_an_agent_is_an_acknowledgement_by_that_agent() -> None:
    story = told()
    story.happens(Closed(at(11), BY_ANNA), at(11))
    assert story.state is State.RESOLVED
    assert story.escalation.acknowledged is not None
    assert story.escalation.acknowledged.by == BY_ANNA


def test_whoever_owns_it_already_is_the_one_who_is_told() -> None:
    story = running(MAJOR, owner=ANNA)
    assert [(f"login:{ANNA.login}", "push")] == story.planned
