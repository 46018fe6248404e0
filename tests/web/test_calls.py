"""Keys pressed in a call: 1 acknowledges, 2 escalates now, 5 tells more, 9 repeats."""

import xml.etree.ElementTree as ET

import pytest

from connector.core.escalation import Stage


def press(world, notification, digit, **form):
    form = {"CallSid": notification.provider_id, "CallStatus": "in-progress", "Digits": digit, **form}
    answer = world.call_back("voice", form, notification.id)
    assert (answer.status_code, answer.content_type) == (200, "text/xml; charset=utf-8")
    return ET.fromstring(answer.data)


def said(document):
    return " ".join("".join(verb.itertext()) for verb in document.iter("Say"))


def hangs_up(document):
    return document.find("Hangup") is not None and document.find("Gather") is None


def test_1_acknowledges_and_says_so(world):
    call = world.sent(priority="2 normal")[0]
    document = press(world, call, "1")
    assert "E-1A, ticket 5, 0, 0, 4, 2: acknowledged by Dana Reyes." in said(document)
    assert hangs_up(document)
    assert world.acknowledger() == ("Dana Reyes", "phone call")
    assert "phone to Dana Reyes: answered, key 1 pressed" in world.history()


def test_the_end_of_an_acknowledged_call_is_no_unanswered_call(world):
    call = world.sent(priority="2 normal")[0]
    press(world, call, "1")
    world.call_back("status", {"CallSid": call.provider_id, "CallStatus": "completed"}, call.id)
    assert world.escalation().notifications == ()
    assert world.acknowledger() == ("Dana Reyes", "phone call")


def test_the_call_in_which_it_was_acknowledged_is_not_hung_up_on(world):
    call = world.sent(priority="2 normal")[0]
    press(world, call, "1")
    assert "hang-up" not in {notification.purpose for notification in world.escalation().notifications}


def test_after_any_key_the_call_has_reached_a_person(world):
    call = world.sent(priority="2 normal")[0]
    press(world, call, "9")
    world.call_back("status", {"CallSid": call.provider_id, "CallStatus": "completed"}, call.id)
    reached = world.notification(call.id)
    assert (reached.stage, reached.arrived, reached.outcome) == (Stage.ENDED, True, "answered, key 9 pressed")
    assert not [text for text in world.history() if "no key pressed" in text]


def test_2_brings_the_next_step_now(world):
    call = world.sent(priority="2 normal")[0]
    document = press(world, call, "2")
    assert "the next step comes now" in said(document)
    assert hangs_up(document)
    assert world.escalation().step == 2
    assert world.acknowledger() == ("", "")


def test_2_takes_nothing_from_somebody_who_has_it(world):
    call = world.sent(priority="2 normal")[0]
    world.taken_in_the_helpdesk()
    assert "already acknowledged by Alice Agent" in said(press(world, call, "2"))
    assert world.escalation().step == 1


def test_5_tells_the_title_and_9_repeats_without_it(world):
    call = world.sent(priority="2 normal", title="Server <outage> & more")[0]
    more = press(world, call, "5")
    assert "Server <outage> & more" in said(more)
    assert more.find("Gather") is not None
    again = press(world, call, "9")
    assert "Server" not in said(again)
    assert said(again).count("5, 0, 0, 4, 2") == 2
    assert world.acknowledger() == ("", "")


def test_the_keys_after_5_still_count(world):
    call = world.sent(priority="2 normal")[0]
    action = press(world, call, "5").find("Gather").get("action")
    assert action.startswith("https://escalator.example.com/callbacks/twilio/voice?m=")
    press(world, call, "1")
    assert world.acknowledger() == ("Dana Reyes", "phone call")


@pytest.mark.parametrize("digit", ["3", "*", "#", "11", "<x>"])
def test_another_key_acknowledges_nothing_and_is_asked_again(world, digit):
    call = world.sent(priority="2 normal")[0]
    assert press(world, call, digit).find("Gather") is not None
    assert world.acknowledger() == ("", "")


def test_no_key_is_no_answer(world):
    call = world.sent(priority="2 normal")[0]
    assert hangs_up(press(world, call, ""))
    assert not world.notification(call.id).arrived


def test_a_second_person_hears_who_was_first(world):
    call = world.sent(priority="2 normal")[0]
    world.taken_in_the_helpdesk()
    assert "already acknowledged by Alice Agent" in said(press(world, call, "1"))
    assert world.acknowledger()[0] == "Alice Agent"


def test_a_call_about_what_is_over_says_so(world):
    call = world.sent(priority="2 normal")[0]
    world.closed()
    assert "it is over" in said(press(world, call, "1"))
    world.services.redis.delete(f"escalator:link:{call.id}")
    document = press(world, call, "1")
    assert "This escalation is over" in said(document)
    assert hangs_up(document)
