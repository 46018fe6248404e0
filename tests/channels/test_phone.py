"""Calls through Twilio: what is said, which keys do what, and what never is said to a machine."""

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import pytest

from channels import Shared, phone
from channels.phone import TOLD_BY, Phone
from connector.errors import Undelivered
from connector.ports import Purpose
from connector.sandbox.providers.http_post import Receiver
from connector.sandbox.providers.twilio import Twilio

from .messages import DANA, HOSTILE, LANGUAGES, bundle, step


@pytest.fixture
def channel(shared: Shared) -> Phone:
    return phone.build("phone", {"from": "+15005550006", "language": "en-GB"}, shared)


def test_a_call_speaks_number_and_priority_twice(channel: Phone, twilio: Twilio) -> None:
    twilio.on_call(DANA.mobile).press("1")
    receipt = channel.deliver(step())

    call = twilio.wait_for(lambda: [each for each in twilio.calls if each.status == "completed"])[0]
    assert call.said[:4] == (
        "Escalation. Ticket 5, 0, 0, 4, 2. Priority 3 high.",
        "Again:",
        "Escalation. Ticket 5, 0, 0, 4, 2. Priority 3 high.",
        "Press 1 to acknowledge, 2 to escalate now, 5 to hear more, 9 to repeat.",
    )
    assert (receipt.provider_id, receipt.final) == (call.sid, False)


def test_the_key_arrives_signed_with_the_message_id(channel: Phone, twilio: Twilio) -> None:
    with Receiver() as web:
        web.answer_with(200, phone.answer(step(), "1", "You have it."))
        twilio.on_call(DANA.mobile).press("1")
        channel.deliver(step(callback_url=web.base + "/callbacks/twilio"))

        call = twilio.wait_for(lambda: [each for each in twilio.calls if each.status == "completed"])[0]
        twilio.wait_for(lambda: len(twilio.callbacks) == 6)
    pressed = next(each for each in twilio.callbacks if "Digits" in each.params)
    assert pressed.url == web.base + "/callbacks/twilio/voice?m=m3ssage.t0ken"
    assert pressed.params["Digits"] == "1"
    assert call.said[-2:] == ("You have it.", "Goodbye.")
    assert [
        each.params["CallStatus"] for each in twilio.callbacks if "CallStatus" in each.params and each is not pressed
    ] == [
        "initiated",
        "ringing",
        "in-progress",
        "completed",
    ]


def test_a_phone_that_nobody_answers_rings_for_25_seconds_at_most(channel: Phone, twilio: Twilio) -> None:
    twilio.on_call(DANA.mobile).no_answer()
    channel.deliver(step())

    call = twilio.wait_for(lambda: [each for each in twilio.calls if each.status == "no-answer"])[0]
    assert call.form["Timeout"] == ["25"]
    assert call.said == ()


def test_a_voicemail_box_never_hears_the_title(channel: Phone, twilio: Twilio) -> None:
    twilio.on_call(DANA.mobile).voicemail()
    channel.deliver(step())

    call = twilio.wait_for(lambda: [each for each in twilio.calls if each.status == "completed"])[0]
    assert call.keys == ()
    assert "Server outage" not in " ".join(call.said)
    assert call.said[-1] == "No key was pressed. Goodbye."


def test_without_a_public_url_the_call_only_speaks(channel: Phone, twilio: Twilio) -> None:
    channel.deliver(step(callback_url="", token=""))

    (call,) = twilio.calls
    assert "Gather" not in call.twiml
    assert "Press 1" not in call.twiml
    assert "Please take it in the helpdesk" in call.twiml
    assert "StatusCallback" not in call.form
    assert "MachineDetection" not in call.form


def test_the_words_do_not_wait_for_the_detection_of_machines(channel: Phone, twilio: Twilio) -> None:
    twilio.on_call(DANA.mobile).voicemail()
    channel.deliver(step(callback_url=twilio.url + "/callbacks/twilio"))

    (call,) = twilio.calls
    assert (call.form["MachineDetection"], call.form["AsyncAmd"]) == (["Enable"], ["true"])
    told = twilio.wait_for(lambda: [each for each in twilio.callbacks if "AnsweredBy" in each.params])[0]
    assert told.url == twilio.url + "/callbacks/twilio/status?m=m3ssage.t0ken"
    assert told.params["AnsweredBy"] == "machine_start"


def test_a_german_call_has_a_german_voice_and_an_english_one_that_of_the_channel() -> None:
    german = ET.fromstring(phone.compose(step(language="de"), "en-US"))
    assert {said.get("language") for said in german.iter("Say")} == {"de-DE"}
    assert next(german.iter("Say")).text == "Eskalation. Ticket 5, 0, 0, 4, 2. Priorität 3 high."
    for language in ("en", "en-GB", "fr"):
        english = ET.fromstring(phone.compose(step(language=language), "en-US"))
        assert {said.get("language") for said in english.iter("Say")} == {"en-US"}
    austrian = ET.fromstring(phone.compose(step(language="de"), "de-AT"))
    assert {said.get("language") for said in austrian.iter("Say")} == {"de-AT"}


def test_a_call_about_several_says_how_many_and_the_most_urgent_twice() -> None:
    said = [each.text for each in ET.fromstring(phone.compose(bundle(37))).iter("Say")]
    assert said[:5] == [
        "37 tickets wait. The most urgent is:",
        "Ticket 5, 0, 0, 4, 2. Priority 3 high.",
        "Again:",
        "Ticket 5, 0, 0, 4, 2. Priority 3 high.",
        "Press 1 to acknowledge all 37, 2 to escalate now, 5 to hear more, 9 to repeat.",
    ]


def test_5_reads_the_first_title_and_the_numbers_of_ten_others() -> None:
    said = [each.text for each in ET.fromstring(phone.answer(bundle(37), "5")).iter("Say")]
    assert said[0] == "Title: Server outage. Group: Network. Organisation: Example Ltd."
    assert said[1:4] == ["The others:", "5, 0, 1, 0, 0.", "5, 0, 1, 0, 1."]
    assert said[12] == "And 26 more."
    assert "Ticket 1" not in " ".join(map(str, said))


def test_the_last_call_for_a_while_says_so() -> None:
    said = phone.compose(step(rests_until=datetime(2026, 1, 31, 21, 0, tzinfo=UTC)))
    assert "This is the last call until 22:00." in said


def test_a_ringing_call_is_hung_up(channel: Phone, twilio: Twilio) -> None:
    twilio.pace = 30
    receipt = channel.deliver(step())
    twilio.wait_for(lambda: twilio.calls[0].status == "ringing")

    channel.hang_up(receipt.provider_id)
    twilio.wait_for(lambda: twilio.calls[0].status == "canceled")
    channel.hang_up(receipt.provider_id)


def test_a_call_that_nobody_knows_is_as_good_as_hung_up(channel: Phone, twilio: Twilio) -> None:
    channel.hang_up("CA" + "9" * 32)
    assert twilio.calls == ()


def test_after_a_lost_answer_the_call_is_found_at_the_provider(channel: Phone, twilio: Twilio) -> None:
    twilio.on_call(DANA.mobile).voicemail()
    message = step()
    twilio.answer_with("cut")
    with pytest.raises(Undelivered) as caught:
        channel.deliver(message)
    assert caught.value.maybe_sent

    found = channel.find(message)
    assert found is not None
    assert found.provider_id == twilio.calls[0].sid
    assert channel.find(step(sent_at=message.sent_at + timedelta(minutes=5))) is None


def test_a_call_that_is_found_when_it_is_over_is_not_waited_for(channel: Phone, twilio: Twilio) -> None:
    twilio.on_call(DANA.mobile).voicemail()
    message = step()
    channel.deliver(message)
    twilio.wait_for(lambda: twilio.calls[0].status == "completed")
    found = channel.find(message)
    assert found is not None
    assert (found.final, found.wait) == (False, TOLD_BY)


def test_a_found_call_that_was_busy_is_undelivered(channel: Phone, twilio: Twilio) -> None:
    twilio.on_call(DANA.mobile).busy()
    message = step()
    channel.deliver(message)
    twilio.wait_for(lambda: twilio.calls[0].status == "busy")

    with pytest.raises(Undelivered, match="busy") as caught:
        channel.find(message)
    assert (caught.value.maybe_sent, caught.value.permanent) == (False, False)


@pytest.mark.parametrize(
    ("digit", "said", "asks"),
    [
        ("1", "It is yours.", False),
        ("2", "It is yours.", False),
        ("5", "Title: Server outage. Group: Network. Organisation: Example Ltd.", True),
        ("9", "Escalation. Ticket 5, 0, 0, 4, 2. Priority 3 high.", True),
        ("7", "This key has no meaning here.", True),
        ("", "No key was pressed. Goodbye.", False),
    ],
)
def test_every_key_has_an_answer(digit: str, said: str, asks: bool) -> None:
    document = ET.fromstring(phone.answer(step(), digit, "It is yours."))
    assert next(document.iter("Say")).text == said
    assert (document.find("Gather") is not None) == asks


@pytest.mark.parametrize("title", HOSTILE)
@pytest.mark.parametrize("digit", ["1", "5", "9", "x"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_title_breaks_out_of_the_document(title: str, digit: str, language: str) -> None:
    message = step(ticket_title=title, group=title, organization=title, priority=title, language=language)
    several = bundle(37, title=title, language=language)
    for text in (phone.compose(message), phone.answer(message, digit, title), phone.compose(several)):
        assert len(text) < phone.LONGEST_TWIML
        tags = {element.tag for element in ET.fromstring(text).iter()}
        assert tags <= {"Response", "Gather", "Say", "Pause", "Hangup"}
    ET.fromstring(phone.answer(several, digit, title))


@pytest.mark.parametrize("purpose", [Purpose.ALL_CLEAR, Purpose.TEST, Purpose.OPERATOR])
def test_what_asks_for_nothing_takes_no_key(purpose: Purpose) -> None:
    document = ET.fromstring(phone.compose(step(purpose=purpose, line="E-1A acknowledged.")))
    assert document.find("Gather") is None
