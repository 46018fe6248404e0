"""An acknowledgement ends when the ticket is given to somebody who didn't take it, or to another group."""

from connector.core.escalation import Stage, State
from connector.core.events import Acknowledge, GroupSet, Outcome, OwnerSet, SetOwner
from connector.core.ticket import Actor, Kind, Person, Role

from .builders import ANNA, BEN, BY_ANNA, BY_BEN, BY_DANA, CUSTOMER, DANA, ROBOT, SYSTEM, US, Story, Watch, at, running


def taken(by: Actor = BY_ANNA, owner: Person = ANNA) -> Story:
    story = running()
    story.send("dana", "push", at(10, 1))
    story.happens(Acknowledge(by, at(11), "take"), at(11))
    story.happens(OwnerSet(owner, at(11), by), at(11))
    return story


def test_given_to_a_colleague_it_waits_with_a_new_window() -> None:
    story = taken()
    story.happens(OwnerSet(BEN, at(20), BY_ANNA), at(20))

    assert (State.WAITING, at(30)) == (story.state, story.due)
    assert story.notes[-1] == "handed-over"
    assert story.escalation.acknowledged is None


def test_given_to_nobody_by_the_helpdesk_it_waits_again() -> None:
    story = taken()
    story.happens(OwnerSet(None, at(20), SYSTEM), at(20))
    assert (State.WAITING, at(30)) == (story.state, story.due)


def test_another_group_is_a_handover() -> None:
    story = taken()
    story.happens(GroupSet("2nd Level", at(20), BY_ANNA), at(20))
    assert (State.WAITING, at(30)) == (story.state, story.due)


def test_a_robots_assignment_is_a_handover_too() -> None:
    story = taken()
    story.happens(OwnerSet(BEN, at(20), ROBOT), at(20))
    assert story.state is State.WAITING


def test_after_a_handover_the_note_stands_even_if_it_is_taken_in_time() -> None:
    story = taken()
    story.happens(OwnerSet(BEN, at(20), BY_ANNA), at(20))
    story.happens(Acknowledge(BY_BEN, at(21), "reply"), at(21))
    assert story.notes == ["step", "acknowledged", "handed-over", "acknowledged"]


def test_a_colleague_who_takes_it_themself_is_no_handover() -> None:
    story = taken()
    story.happens(OwnerSet(BEN, at(20), BY_BEN), at(20))
    assert story.state is State.ACKNOWLEDGED


def test_the_same_owner_once_more_is_no_handover() -> None:
    story = taken()
    before = story.escalation
    story.happens(OwnerSet(ANNA, at(20), BY_BEN), at(20))
    assert story.escalation is before


def test_what_a_customer_does_ends_nothing_and_the_owner_is_set_again() -> None:
    story = taken()
    assert [SetOwner(ANNA.login)] == story.happens(OwnerSet(None, at(20), CUSTOMER), at(20))
    assert story.happens(GroupSet("2nd Level", at(21), CUSTOMER), at(21)) == []
    assert story.state is State.ACKNOWLEDGED


def test_our_own_assigning_is_no_handover() -> None:
    story = running()
    story.happens(Acknowledge(BY_DANA, at(11), "sms reply", key="dana", outside=True), at(11))
    story.happens(OwnerSet(DANA, at(11, 1), US), at(11, 1))
    assert (story.state, story.escalation.owner) == (State.ACKNOWLEDGED, DANA)


# --- read late -------------------------------------------------------------------------------------------------------


def test_what_was_given_away_before_somebody_acknowledged_from_outside_and_is_read_after_it_ends_nothing() -> None:
    story = running()
    story.happens(Acknowledge(BY_DANA, at(11), "phone call", key="dana", outside=True), at(11))
    story.happens(OwnerSet(BEN, at(10, 55), BY_ANNA), at(11, 10))
    assert (story.state, story.escalation.owner) == (State.ACKNOWLEDGED, BEN)
    assert story.notes == ["step", "acknowledged"]

    story.happens(OwnerSet(ANNA, at(12), BY_BEN), at(12))
    assert story.state is State.WAITING, "what is given away later is a handover"


def test_nor_does_a_group_that_was_changed_before() -> None:
    story = running()
    story.happens(Acknowledge(Actor(Role.PERSON, "", "", "Somebody"), at(11), "API", outside=True), at(11))
    story.happens(GroupSet("2nd Level", at(10, 55), BY_ANNA), at(14))
    assert story.state is State.ACKNOWLEDGED

    story.happens(GroupSet("Network", at(15), BY_ANNA), at(15))
    assert story.state is State.WAITING, "another group later is a handover"


def test_in_the_helpdesk_the_order_of_its_history_counts_and_not_the_clock() -> None:
    story = taken()
    story.happens(OwnerSet(BEN, at(10, 58), BY_ANNA), at(20))
    assert story.state is State.WAITING


# --- old screens -----------------------------------------------------------------------------------------------------


def ours() -> Story:
    """Dana took it by phone, and Escalator made her the owner."""
    story = running()
    story.happens(Acknowledge(BY_DANA, at(11), "sms reply", key="dana", outside=True), at(11))
    story.happens(OwnerSet(DANA, at(11, 1), US), at(11, 1))
    return story


def test_an_old_screen_that_writes_its_form_back_is_no_handover() -> None:
    story = ours()
    assert [SetOwner(DANA.login)] == story.happens(OwnerSet(None, at(14), BY_BEN, alone=False), at(14))
    assert story.state is State.ACKNOWLEDGED


def test_the_owner_is_set_again_only_once() -> None:
    story = ours()
    story.happens(OwnerSet(None, at(14), BY_BEN, alone=False), at(14))
    story.happens(OwnerSet(None, at(16), BY_BEN, alone=False), at(16))
    assert story.state is State.WAITING


def test_who_took_it_may_have_an_old_screen_too() -> None:
    story = ours()
    assert [SetOwner(DANA.login)] == story.happens(OwnerSet(None, at(14), BY_DANA), at(14))


def test_a_colleague_who_changes_nothing_but_the_owner_means_it() -> None:
    story = ours()
    story.happens(OwnerSet(None, at(14), BY_BEN), at(14))
    assert story.state is State.WAITING


def test_a_quarter_of_an_hour_later_no_screen_is_that_old() -> None:
    story = ours()
    story.happens(OwnerSet(None, at(27), BY_BEN, alone=False), at(27))
    assert story.state is State.WAITING


# --- while it runs ---------------------------------------------------------------------------------------------------


def test_a_new_owner_is_told_at_once_and_the_timetable_stays() -> None:
    story = running()
    story.send("dana", "push", at(10, 1))
    story.happens(OwnerSet(BEN, at(12), BY_ANNA), at(12))
    story.tick(at(12))

    assert (State.RUNNING, at(15)) == (story.state, story.due)
    assert [(f"login:{BEN.login}", "push")] == story.planned


def test_assigning_somebody_is_no_acknowledgement_and_the_next_step_goes_to_them() -> None:
    story = running()
    story.happens(OwnerSet(BEN, at(12), BY_ANNA), at(12))
    story.until(at(15))
    assert (f"login:{BEN.login}", "phone") in story.planned


def test_a_new_owner_whose_push_fails_gets_the_other_way() -> None:
    story = running()
    story.send("dana", "push", at(10, 1))
    story.happens(OwnerSet(BEN, at(12), BY_ANNA), at(12))
    story.tick(at(12))
    story.fail(f"login:{BEN.login}", "push", at(12, 1), permanent=True)
    assert [(f"login:{BEN.login}", "sms")] == story.planned
    assert (BEN.login,) == story.one(f"login:{BEN.login}", "sms").logins


# --- Znuny's forms ---------------------------------------------------------------------------------------------------


def form_opened() -> Watch:
    """The first step has fired, and Anna has opened a form that locks."""
    watch = Watch()
    watch.looks(at(1))
    watch.looks(at(10))
    watch.tells("dana", "push", at(10, 1))
    watch.desk.marks(at(12), BY_ANNA, Kind.LOCK)
    watch.desk.owned(at(12), BY_ANNA, ANNA, with_lock=True)
    watch.looks(at(12, 1))
    assert watch.escalation.state is State.ACKNOWLEDGED
    return watch


def test_the_owner_form_gives_it_to_somebody_at_the_old_timetable() -> None:
    watch = form_opened()
    watch.desk.owned(at(13), BY_ANNA, BEN)
    watch.looks(at(13, 1))

    assert (State.RUNNING, at(15)) == (watch.escalation.state, watch.escalation.due_at)
    assert [f"login:{BEN.login}"] == [n.person for n in watch.escalation.notifications if n.stage is Stage.PLANNED]
    assert (watch.notes()[-1].kind, watch.notes()[-1].who) == ("handed-over", "Ben")


def test_a_form_left_gives_the_ticket_back() -> None:
    watch = form_opened()
    watch.desk.marks(at(13), BY_ANNA, Kind.UNLOCK)
    watch.desk.owned(at(13), BY_ANNA, None, with_lock=True)
    watch.looks(at(13, 1))

    assert (State.RUNNING, at(15)) == (watch.escalation.state, watch.escalation.due_at)
    assert watch.notes()[-1].kind == "goes-on"


def test_the_move_form_goes_on_at_the_old_timetable() -> None:
    watch = form_opened()
    watch.desk.sets(at(13), BY_ANNA, Kind.GROUP, "2nd Level")
    watch.desk.marks(at(13), BY_ANNA, Kind.UNLOCK)
    watch.looks(at(13, 1))
    assert (State.RUNNING, at(15)) == (watch.escalation.state, watch.escalation.due_at)


def test_a_reply_from_a_form_is_work_although_it_unlocks() -> None:
    watch = form_opened()
    watch.desk.marks(at(13), BY_ANNA, Kind.UNLOCK)
    watch.desk.reply(at(13), BY_ANNA)
    watch.looks(at(13, 1))
    assert watch.escalation.state is State.ACKNOWLEDGED


def test_a_form_opened_and_left_between_two_readings_clears_nothing_up() -> None:
    watch = Watch()
    watch.looks(at(1))
    watch.looks(at(10))
    watch.tells("dana", "push", at(10, 1))
    watch.desk.marks(at(12), BY_ANNA, Kind.LOCK)
    watch.desk.marks(at(13), BY_ANNA, Kind.UNLOCK)
    watch.looks(at(13, 1))

    assert watch.escalation.state is State.RUNNING
    assert [n for n in watch.escalation.notifications if n.purpose == "all-clear"] == []


def test_a_form_open_for_long_was_an_acknowledgement_and_giving_it_on_a_handover() -> None:
    watch = form_opened()
    watch.desk.owned(at(40), BY_ANNA, BEN)
    watch.looks(at(40, 1))
    assert (State.WAITING, at(50)) == (watch.escalation.state, watch.escalation.due_at)


def test_a_call_under_way_to_the_old_owner_stays_noted_as_theirs() -> None:
    story = running(owner=ANNA)
    story.until(at(15))
    assert story.claim(f"login:{ANNA.login}", "phone", at(15, 1))
    story.happens(OwnerSet(BEN, at(15, 2), BY_ANNA), at(15, 2))
    id = story.one(f"login:{ANNA.login}", "phone").id
    story.happens(Outcome(id, "answered", sent=True, arrived=True), at(15, 3))
    assert ANNA.login in [told.login for told in story.escalation.told]
