"""Calls through Twilio: what is said, which keys do what, and what never is said to a machine."""

import xml.etree.ElementTree as ET
from datetime import timedelta

import pytest

from channels import Shared, phone
from channels.phone import Phone
from connector.errors import Undelivered
from connector.ports import Purpose
from connector.sandbox.providers.http_post import Receiver
from connector.sandbox.providers.twilio import Twilio

from .messages import DANA, HOSTILE, step


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
        twilio.wait_for(lambda: len(twilio.callbacks) == 5)
    pressed = next(each for each in twilio.callbacks if "Digits" in each.params)
    assert pressed.url == web.base + "/callbacks/twilio/voice?m=m3ssage.t0ken"
    assert pressed.params["Digits"] == "1"
    assert call.said[-2:] == ("You have it.", "Goodbye.")
    assert [each.params["CallStatus"] for each in twilio.callbacks if each is not pressed] == [
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
def test_no_title_breaks_out_of_the_document(title: str, digit: str) -> None:
    message = step(ticket_title=title, group=title, organization=title, priority=title)
    for text in (phone.compose(message), phone.answer(message, digit, title)):
        assert len(text) < phone.LONGEST_TWIML
        tags = {element.tag for element in ET.fromstring(text).iter()}
        assert tags <= {"Response", "Gather", "Say", "Pause", "Hangup"}


@pytest.mark.parametrize("purpose", [Purpose.ALL_CLEAR, Purpose.TEST, Purpose.OPERATOR])
def test_what_asks_for_nothing_takes_no_key(purpose: Purpose) -> None:
    document = ET.fromstring(phone.compose(step(purpose=purpose, line="E-1A acknowledged.")))
    assert document.find("Gather") is None
