"""Callbacks that Twilio didn't send, sent to somebody else, or sent before.

A signature holds no time, so a copy can't be told from the first by itself; the id of its call or SMS can.
"""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from connector.core.escalation import Notification, Stage, State
from connector.core.ticket import Actor, Change, Kind, Reading, Role
from tests.web.conftest import API_TOKEN, DANA, HOOK_SECRET
from tests.web.conftest import World as House

SMS = "SM" + "a" * 32


def replied(house: House, body: str, sid: str = SMS, sender: str = DANA) -> str:
    answer = house.call_back("sms", {"MessageSid": sid, "From": sender, "To": "+15005550006", "Body": body})
    assert answer.status_code == 200
    return "".join(ET.fromstring(answer.data).itertext())


def pressed(house: House, told: Notification, digit: str, sid: str = "") -> TestResponse:
    return house.call_back("voice", {"CallSid": sid or told.provider_id, "Digits": digit, "To": DANA}, told.id)


def given_back(house: House) -> None:
    """Somebody in the helpdesk takes the owner away again, and the window of the handover passes."""
    case = house.case("42")
    now = datetime.now(UTC)
    change = Change("9", now, Actor(Role.PERSON, "3", "alice@example.com", "Alice Agent"), Kind.GROUP, "Network", "VPN")
    house.services.engine.observe(Reading(case.ticket, (change,), now), now)


def test_a_genuine_key_1_acknowledges(house: House) -> None:
    assert pressed(house, house.sent(priority="2 normal")[0], "1").status_code == 200
    assert house.acknowledger() == ("Dana Reyes", "phone call")


FORM = {"CallSid": "CA" + "1" * 32, "MessageSid": SMS, "From": DANA, "To": DANA, "Body": "1", "Digits": "1"}
GENUINE = {**FORM, "CallStatus": "completed", "MessageStatus": "delivered"}

#: attack -> what is changed about a genuine callback; see `World.call_back`
FORGED: dict[str, dict[str, Any]] = {
    "no signature": {"signature": ""},
    "a guessed signature": {"signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="},
    "signed with another account's token": {"auth_token": "somebody-elses-token"},
    "signed with an empty token": {"auth_token": ""},
    "signed with the webhook's secret": {"auth_token": HOOK_SECRET},
    "signed with the API's token": {"auth_token": API_TOKEN},
    "a signature of a megabyte": {"signature": "A" * 1_000_000},
}


@pytest.mark.parametrize("what", ["status", "voice", "sms"])
@pytest.mark.parametrize("attack", FORGED)
def test_a_forged_callback_does_nothing(house: House, what: str, attack: str) -> None:
    told = house.sent(priority="2 normal")[0]
    answer = house.call_back(what, GENUINE, told.id, **FORGED[attack])
    assert (answer.status_code, answer.get_json()["error"]) == (403, "bad_signature")
    assert house.notification(told.id) == told
    assert house.acknowledger() == ("", "")


def test_another_account_of_twilios_is_not_ours_though_its_signature_were_good(house: House) -> None:
    told = house.sent(priority="2 normal")[0]
    for form in ({**GENUINE, "AccountSid": "AC" + "9" * 32}, {**GENUINE, "AccountSid": ""}):
        assert house.call_back("voice", form, told.id).status_code == 403
    assert house.acknowledger() == ("", "")


#: attack -> where a genuinely signed form is posted instead, and with which one
MOVED: dict[str, Callable[[str, dict[str, str]], tuple[str, Any]]] = {
    "at another callback": lambda path, form: (path.replace("/status", "/voice"), form),
    "for another notification": lambda path, form: (path.replace("?m=", "?m=x"), form),
    "with a second token": lambda path, form: (path + "&m=x", form),
    "without its query": lambda path, form: (path.partition("?")[0], form),
    "with a field more": lambda path, form: (path, {**form, "Digits": "1"}),
    "with a field less": lambda path, form: (path, {"AccountSid": form["AccountSid"]}),
    "with a field twice": lambda path, form: (path, MultiDict([*form.items(), ("MessageStatus", "failed")])),
}


@pytest.mark.parametrize("attack", MOVED)
def test_a_genuine_signature_covers_address_and_fields(house: House, attack: str) -> None:
    told = house.sent()[0]
    form = {"MessageSid": told.provider_id, "MessageStatus": "sent", "To": DANA}
    genuine = house.call_back("status", form, told.id)
    assert genuine.status_code == 204
    signature = genuine.request.headers["X-Twilio-Signature"]
    path, moved = MOVED[attack](genuine.request.full_path, {**form, "AccountSid": house.twilio.account_sid})
    answer = house.client.post(path, data=moved, headers={"X-Twilio-Signature": signature})
    assert (answer.status_code, answer.get_json()["error"]) == (403, "bad_signature")
    assert house.notification(told.id) == told


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Original-URL", "Forwarded"])
def test_no_header_makes_another_address_of_it(house: House, header: str) -> None:
    """The signed address is the config's, whatever a client says of the one that it has used."""
    told = house.sent()[0]
    form = {"MessageSid": told.provider_id, "MessageStatus": "sent", "To": DANA}
    genuine = house.call_back("status", form, told.id)
    signature = genuine.request.headers["X-Twilio-Signature"]
    answer = house.client.post(
        genuine.request.full_path,
        data={**form, "AccountSid": house.twilio.account_sid},
        headers={"X-Twilio-Signature": signature, header: "evil.example.com"},
    )
    assert answer.status_code == 204
    spoofed = house.call_back("status", form, told.id, signature="no")
    assert spoofed.status_code == 403


def test_a_copy_of_key_1_takes_nothing_that_was_handed_over_since(house: House) -> None:
    told = house.sent(priority="2 normal")[0]
    pressed(house, told, "1")
    given_back(house)
    assert house.escalation().state is State.WAITING
    copy = pressed(house, told, "1")
    assert "acknowledged by Dana Reyes" in copy.text
    assert (house.escalation().state, house.counter("callbacks_repeated")) == (State.WAITING, 1)


def test_a_copy_of_key_2_climbs_no_further(house: House) -> None:
    told = house.sent(priority="2 normal")[0]
    pressed(house, told, "2")
    after = house.escalation()
    for _ in range(3):
        assert "the next step comes now" in pressed(house, told, "2").text
    assert house.escalation() == after


def test_a_copy_of_an_sms_takes_nothing_that_was_texted_since(house: House) -> None:
    house.sent("42")
    first = replied(house, "1")
    house.sent("43")
    assert replied(house, "1") == first == "E-1A, ticket 50042: acknowledged by Dana Reyes."
    assert house.acknowledger("43") == ("", "")
    assert "E-1B" in replied(house, "1", sid="SM" + "b" * 32)
    assert house.acknowledger("43") == ("Dana Reyes", "SMS")


def test_what_failed_in_the_middle_is_done_when_twilio_tries_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.sent("42")
    with monkeypatch.context() as broken:
        broken.setattr("connector.web.replies.texted_to", lambda *_: 1 / 0)
        form = {"MessageSid": SMS, "From": DANA, "Body": "1"}
        assert house.call_back("sms", form).status_code == 500
    assert "acknowledged by Dana Reyes" in replied(house, "1")


@pytest.mark.parametrize("status", ["completed", "no-answer", "busy", "failed", "canceled"])
def test_a_copy_of_the_first_calls_end_is_not_the_seconds(house: House, status: str) -> None:
    told = house.sent(priority="2 normal")[0]
    form = {"CallSid": told.provider_id, "CallStatus": status, "To": DANA}
    for _ in range(5):
        house.call_back("status", form, told.id)
    again = house.notification(told.id)
    assert (again.stage, again.rings) == (Stage.PLANNED, 1)


def test_a_copy_of_a_receipt_does_not_undo_an_acknowledgement(house: House) -> None:
    told = house.sent()[0]
    form = {"MessageSid": told.provider_id, "MessageStatus": "delivered", "To": DANA}
    house.call_back("status", form, told.id)
    house.client.post(house.ack_url(told))
    before = house.escalation()
    for status in ("delivered", "undelivered", "failed", "sent"):
        house.call_back("status", {**form, "MessageStatus": status}, told.id)
    assert house.escalation() == before


@pytest.mark.parametrize("sender", ["+15550001111", "", "anonymous", "+491701234567\n", "DANA"])
def test_a_stranger_learns_and_does_nothing(house: House, sender: str) -> None:
    house.sent("42")
    for body in ("1", "E-1A", "ALL", "e-1a please"):
        assert replied(house, body, sid="", sender=sender) == "This number is not known here; nothing was done."
    assert house.acknowledger() == ("", "")


HOSTILE = ["</Message><Redirect>http://evil.example.com</Redirect>", "1\x00", "E-1A'; --", "1" * 100_000, "\u202e1"]


@pytest.mark.parametrize("body", HOSTILE)
def test_an_answer_repeats_nothing_of_a_hostile_text(house: House, body: str) -> None:
    house.sent("42")
    house.sent("43")
    answer = house.call_back("sms", {"MessageSid": SMS, "From": DANA, "Body": body})
    document = ET.fromstring(answer.data)
    assert [verb.tag for verb in document] == ["Message"]
    assert "evil" not in answer.text
    assert len(answer.text) < 400
