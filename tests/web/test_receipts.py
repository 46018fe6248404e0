"""What Twilio says later: signed, about one notification, and never an acknowledgement by itself."""

import pytest

from connector.core.escalation import Stage
from connector.engine.numbers import line_key

from .conftest import DANA, LEE

OTHER = "AC" + "9" * 32


def text_status(world, notification, status, **more):
    form = {"MessageSid": notification.provider_id, "MessageStatus": status, "To": DANA, **more}
    return world.call_back("status", form, notification.id)


def call_status(world, notification, status, sid=""):
    form = {"CallSid": sid or notification.provider_id, "CallStatus": status, "To": DANA}
    return world.call_back("status", form, notification.id)


def test_a_delivered_text_has_arrived(world):
    sent = world.sent()[0]
    assert (sent.stage, sent.arrived) == (Stage.SENT, False)
    assert text_status(world, sent, "delivered").status_code == 204
    told = world.notification(sent.id)
    assert (told.stage, told.arrived, told.outcome) == (Stage.ENDED, True, "delivered")
    assert world.acknowledger() == ("", "")


@pytest.mark.parametrize(
    ("status", "code", "words", "permanent"),
    [
        ("undelivered", "30003", "undelivered (The phone could not be reached)", False),
        ("failed", "", "failed", False),
        ("undelivered", "30005", "undelivered (The number is unknown to its carrier)", True),
    ],
)
def test_a_text_that_did_not_get_there_says_why(world, status, code, words, permanent):
    sent = world.sent()[0]
    text_status(world, sent, status, ErrorCode=code)
    told = world.notification(sent.id)
    assert (told.stage, told.arrived, told.outcome, told.permanent) == (Stage.ENDED, False, words, permanent)


def test_what_is_only_under_way_changes_nothing(world):
    sent = world.sent()[0]
    for status in ("accepted", "queued", "sending", "sent", "a-word-of-next-year", ""):
        assert text_status(world, sent, status).status_code == 204
    assert world.notification(sent.id) == sent


@pytest.mark.parametrize("status", ["no-answer", "busy", "failed", "canceled", "completed"])
def test_a_call_that_ends_without_a_key_is_rung_once_more_and_then_over(world, status):
    sent = world.sent(priority="2 normal")[0]
    call_status(world, sent, status)
    again = world.notification(sent.id)
    assert (again.stage, again.rings, again.arrived) == (Stage.PLANNED, 1, False)
    assert world.acknowledger() == ("", "")


def test_the_same_end_of_a_call_told_twice_counts_once(world):
    sent = world.sent(priority="2 normal")[0]
    for _ in range(3):
        call_status(world, sent, "no-answer")
    assert world.notification(sent.id).rings == 1


def test_a_call_that_a_machine_took_is_not_answered(world):
    sent = world.sent(priority="2 normal")[0]
    for status in ("initiated", "ringing", "in-progress", "completed"):
        call_status(world, sent, status)
    told = world.notification(sent.id)
    assert (told.rings, told.arrived, told.outcome) == (1, False, "no key pressed")


def picked_up(world, notification, answered_by):
    form = {"CallSid": notification.provider_id, "AnsweredBy": answered_by, "MachineDetectionDuration": "3000"}
    return world.call_back("status", form, notification.id)


def test_a_call_that_voicemail_took_goes_on_as_voicemail(world):
    sent = world.sent(priority="2 normal")[0]
    call_status(world, sent, "in-progress")
    assert picked_up(world, sent, "machine_start").status_code == 204
    assert world.notification(sent.id).stage is Stage.SENT  # it may be a person after all, whose key counts
    call_status(world, sent, "completed")
    told = world.notification(sent.id)
    assert (told.rings, told.arrived, told.outcome) == (1, False, "voicemail")
    assert world.acknowledger() == ("", "")


def test_a_person_who_was_taken_for_a_machine_still_acknowledges(world):
    sent = world.sent(priority="2 normal")[0]
    picked_up(world, sent, "machine_start")
    call_status(world, sent, "in-progress")
    form = {"CallSid": sent.provider_id, "CallStatus": "in-progress", "Digits": "1"}
    world.call_back("voice", form, sent.id)
    call_status(world, sent, "completed")
    assert world.acknowledger() == ("Dana Reyes", "phone call")
    assert not [text for text in world.history() if "voicemail" in text]


@pytest.mark.parametrize("answered_by", ["human", "unknown", "", "a-word-of-next-year"])
def test_what_is_no_machine_changes_nothing(world, answered_by):
    sent = world.sent(priority="2 normal")[0]
    picked_up(world, sent, answered_by)
    assert world.notification(sent.id) == sent
    call_status(world, sent, "completed")
    assert world.notification(sent.id).outcome == "no key pressed"


def test_a_receipt_of_a_message_about_several_is_one_for_each(world):
    link = world.sent_together("42", "43")
    (danas,) = [one for one in world.twilio.messages if one.to == DANA]
    form = {"MessageSid": danas.sid, "MessageStatus": "delivered", "To": DANA}
    world.call_back("status", form, link.id)
    for ticket_id in ("42", "43"):
        told = next(n for n in world.escalation(ticket_id).notifications if n.person == "dana")
        assert (told.stage, told.arrived, told.outcome) == (Stage.ENDED, True, "delivered")


def test_the_line_is_free_once_the_call_is_over(world):
    sent = world.sent(priority="2 normal")[0]
    line = line_key(DANA)
    assert world.services.redis.get(line) == sent.id.encode()
    call_status(world, sent, "ringing")
    assert world.services.redis.exists(line)
    call_status(world, sent, "completed")
    assert not world.services.redis.exists(line)


def test_somebody_elses_line_stays_taken(world):
    sent = world.sent(priority="2 normal")[0]
    world.services.redis.set(line_key(DANA), "another-call")
    call_status(world, sent, "completed")
    assert world.services.redis.get(line_key(DANA)) == b"another-call"


def test_a_receipt_after_it_was_acknowledged_rings_nobody_again(world):
    sent = world.sent(priority="2 normal")[0]
    world.client.post(world.ack_url(sent))
    call_status(world, sent, "canceled")
    assert world.notification(sent.id).stage is Stage.ENDED
    assert world.acknowledger() == ("Dana Reyes", "link")


def test_a_receipt_for_what_is_forgotten_is_thanked_for(world):
    sent = world.sent()[0]
    world.services.redis.delete(f"escalator:link:{sent.id}")
    assert text_status(world, sent, "delivered").status_code == 204
    assert world.notification(sent.id) == sent


@pytest.mark.parametrize("what", ["status", "voice", "sms"])
def test_a_forged_callback_is_refused_and_changes_nothing(world, what):
    sent = world.sent(priority="2 normal")[0]
    form = {"CallSid": sent.provider_id, "CallStatus": "completed", "Digits": "1", "From": DANA, "Body": "1"}
    genuine = world.call_back("status", {"CallStatus": "ringing"}, sent.id)
    assert genuine.status_code == 204
    forged = [
        {"signature": ""},
        {"signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="},
        {"signature": "é" * 28},
        {"auth_token": "somebody-elses-token"},
    ]
    for changes in forged:
        answer = world.call_back(what, form, sent.id, **changes)
        assert (answer.status_code, answer.json["error"]) == (403, "bad_signature")
    answer = world.call_back(what, {**form, "AccountSid": OTHER}, sent.id)
    assert (answer.status_code, answer.json["error"]) == (403, "bad_signature")
    assert world.notification(sent.id) == sent
    assert world.acknowledger() == ("", "")
    assert world.counter("callbacks_refused") == 5


def test_a_signed_callback_with_a_forged_token_is_refused(world):
    sent = world.sent(priority="2 normal")[0]
    acknowledge = world.services.signatures.token("acknowledge", sent.id)
    for token in ("", f"{sent.id}.AAAAAAAAAAAAAAAA", acknowledge):
        for what in ("status", "voice"):
            answer = world.call_back(what, {"CallStatus": "completed", "Digits": "1"}, sent.id, token=token)
            assert (answer.status_code, answer.json["error"]) == (403, "bad_token")
    assert world.acknowledger() == ("", "")


def test_a_field_that_was_changed_on_the_way_breaks_the_signature(world):
    sent = world.sent()[0]
    path = f"/callbacks/twilio/status?m={world.services.signatures.token('callback', sent.id)}"
    genuine = {"AccountSid": world.twilio.account_sid, "MessageStatus": "delivered"}
    answer = world.call_back("status", genuine, sent.id)
    signature = answer.request.headers["X-Twilio-Signature"]
    for form in ({**genuine, "MessageStatus": "failed"}, {**genuine, "More": "1"}, {}):
        assert world.client.post(path, data=form, headers={"X-Twilio-Signature": signature}).status_code == 403


def test_the_old_auth_token_still_counts_while_it_is_being_replaced(world):
    sent = world.sent()[0]
    form = {"MessageSid": sent.provider_id, "MessageStatus": "delivered", "To": DANA}
    assert world.call_back("status", form, sent.id, auth_token="old-auth-token").status_code == 204
    assert world.notification(sent.id).arrived


def test_forgers_are_limited_and_twilio_is_not(world):
    sent = world.sent()[0]
    codes = [world.call_back("sms", {"From": LEE}, signature="no").status_code for _ in range(61)]
    assert (codes[59], codes[60]) == (403, 429)
    assert text_status(world, sent, "delivered").status_code == 204


def test_without_twilio_or_a_public_url_there_are_no_callbacks(build_world):
    world = build_world({'  public_url: "https://escalator.example.com"\n': ""})
    assert world.client.post("/callbacks/twilio/sms").status_code == 404
