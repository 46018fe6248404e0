"""Keys pressed in a call: 1 acknowledges, 2 escalates now, 5 tells more, 9 repeats."""

import xml.etree.ElementTree as ET
from urllib.parse import urlsplit

import pytest
import redis

from connector.core.escalation import Stage
from connector.engine.keys import case_key


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


@pytest.mark.parametrize("digit", ["1", "2", "5"])
def test_while_nothing_can_be_stored_the_key_is_asked_for_again_and_then_counts(world, monkeypatch, digit):
    call = world.sent(priority="2 normal")[0]
    with monkeypatch.context() as away:
        away.setattr(world.services.store, "commit", lost)
        document = press(world, call, digit)
    assert said(document).startswith("This could not be recorded just now. Please press the key again. Press 1")
    gather = document.find("Gather")
    assert urlsplit(gather.get("action")).path == "/callbacks/twilio/voice"
    assert world.acknowledger() == ("", "")
    assert world.client.post(gather.get("action"), data={"Digits": "1"}).status_code == 403  # unsigned
    assert "acknowledged by Dana Reyes" in said(press(world, call, "1"))


def test_while_redis_is_being_rebuilt_nobody_hears_that_it_is_over(world):
    call = world.sent(priority="2 normal")[0]
    world.services.redis.flushdb()
    assert "Please press the key again." in said(press(world, call, "1"))
    forged = world.call_back("voice", {"Digits": "1"}, token="forged")
    assert (forged.status_code, forged.json["error"]) == (403, "bad_token")


def lost(*_):
    raise redis.ConnectionError("Connection refused.")


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


def press_link(world, link, digit, sid="CA" + "7" * 32):
    answer = world.call_back("voice", {"CallSid": sid, "CallStatus": "in-progress", "Digits": digit}, link.id)
    return ET.fromstring(answer.data)


THREE = ("42", "43", "44")


def test_1_takes_all_that_the_call_has_announced(world):
    link = world.sent_together(*THREE, priority="2 normal")
    assert [call.twiml.count("3 tickets wait") for call in world.twilio.calls] == [1]
    document = press_link(world, link, "1")
    assert "3 tickets: acknowledged by Dana Reyes." in said(document)
    assert hangs_up(document)
    assert [world.acknowledger(id) for id in THREE] == [("Dana Reyes", "phone call")] * 3


def test_1_says_who_was_first_with_some_of_them(world):
    link = world.sent_together(*THREE, priority="2 normal")
    world.taken_in_the_helpdesk("43")
    document = press_link(world, link, "1")
    assert "2 tickets: acknowledged by Dana Reyes. 1 ticket: already acknowledged by Alice Agent." in said(document)


def test_2_escalates_all_that_nobody_has_and_5_reads_the_other_numbers(world):
    link = world.sent_together(*THREE, priority="2 normal")
    more = said(press_link(world, link, "5"))
    assert "Title: Server outage." in more
    assert "The others: 5, 0, 0, 4, 3. 5, 0, 0, 4, 4." in more
    assert "all 3" in said(press_link(world, link, "9"))
    world.taken_in_the_helpdesk("43")
    assert "2 tickets: the next step comes now." in said(press_link(world, link, "2"))
    assert [world.escalation(id).step for id in THREE] == [2, 1, 2]


def test_a_key_reaches_those_that_are_left_when_the_first_is_forgotten(world):
    link = world.sent_together(*THREE, priority="2 normal")
    world.services.redis.delete(case_key(link.ticket_id))
    press_link(world, link, "1")
    left = [id for id in THREE if id != link.ticket_id]
    assert [world.acknowledger(id) for id in left] == [("Dana Reyes", "phone call")] * 2


def test_the_call_speaks_the_persons_language(build_world):
    world = build_world({"name: Dana Reyes,": "name: Dana Reyes, language: de,"})
    call = world.sent(priority="2 normal")[0]
    document = press(world, call, "1")
    assert said(document) == "E-1A, Ticket 5, 0, 0, 4, 2: übernommen von Dana Reyes. Auf Wiederhören."
    assert {verb.get("language") for verb in document.iter("Say")} == {"de-DE"}
