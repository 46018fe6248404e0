"""What comes in from Twilio: signatures, receipts, replies."""

import pytest

from channels import _twilio
from channels._twilio import Reply, State, Word
from connector.sandbox.providers import Receiver, Twilio
from connector.sandbox.providers.twilio import sign

from .messages import DANA

URL = "https://escalator.example.com/callbacks/twilio/status?m=m3ssage.t0ken"
FORM = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": DANA.mobile}


def test_a_callback_with_twilios_signature_is_believed() -> None:
    assert _twilio.verify(URL, FORM, sign("token", URL, FORM), ["token"])


def test_the_old_token_still_verifies_while_it_is_rotated() -> None:
    assert _twilio.verify(URL, FORM, sign("old", URL, FORM), ["new", "old"])


@pytest.mark.parametrize(
    ("url", "form", "signature"),
    [
        (URL + "x", FORM, sign("token", URL, FORM)),
        (URL, FORM | {"MessageStatus": "failed"}, sign("token", URL, FORM)),
        (URL, FORM, sign("guess", URL, FORM)),
        (URL, FORM, ""),
    ],
)
def test_anything_else_is_not(url: str, form: dict[str, str], signature: str) -> None:
    assert not _twilio.verify(url, form, signature, ["token"])


def test_without_a_token_nothing_is_believed() -> None:
    assert not _twilio.verify(URL, FORM, sign("", URL, FORM), [])


@pytest.mark.parametrize(
    ("status", "state", "ended"),
    [
        ("queued", State.PENDING, False),
        ("sent", State.PENDING, False),
        ("delivered", State.ARRIVED, True),
        ("undelivered", State.FAILED, True),
        ("failed", State.FAILED, True),
        ("ringing", State.PENDING, False),
        ("in-progress", State.ANSWERED, False),
        ("completed", State.ANSWERED, True),
        ("busy", State.FAILED, True),
        ("no-answer", State.FAILED, True),
        ("canceled", State.FAILED, True),
        ("a word of tomorrow", State.PENDING, False),
    ],
)
def test_a_receipt_says_where_it_stands(status: str, state: State, ended: bool) -> None:
    outcome = _twilio.receipt_outcome(status)
    assert (outcome.state, outcome.ended) == (state, ended)


def test_a_receipts_error_code_tells_whether_it_can_ever_work() -> None:
    assert _twilio.receipt_outcome("undelivered", "30006").permanent
    assert not _twilio.receipt_outcome("undelivered", "30003").permanent
    assert _twilio.receipt_outcome("failed", "30005").text == "failed (The number is unknown to its carrier)"


@pytest.mark.parametrize(
    ("body", "reply"),
    [
        ("1", Reply(Word.ONE)),
        (" 1. ", Reply(Word.ONE)),
        ("１", Reply(Word.ONE)),
        ("1\n-- \nSent from my phone", Reply(Word.ONE)),
        ("E-1A", Reply(Word.CODE, ("E-1A",))),
        ("e-1a", Reply(Word.CODE, ("E-1A",))),
        ("1a", Reply(Word.CODE, ("E-1A",))),
        ("E 1A!", Reply(Word.CODE, ("E-1A",))),
        ("E-1A-2", Reply(Word.CODE, ("E-1A-2",))),
        ("1a-2", Reply(Word.CODE, ("E-1A-2",))),
        ("E1A", Reply(Word.CODE, ("E-E1A", "E-1A"))),
        ("E-1", Reply(Word.CODE, ("E-1",))),
        ("e-io", Reply(Word.CODE, ("E-10",))),
        ("all", Reply(Word.ALL)),
        ("ALL", Reply(Word.ALL)),
        ("", Reply(Word.UNKNOWN)),
        ("on my way", Reply(Word.UNKNOWN)),
        ("1 or 2?", Reply(Word.UNKNOWN)),
        ("STOP?UNSUBSCRIBE", Reply(Word.UNKNOWN)),
    ],
)
def test_a_reply_is_one_a_code_all_or_nothing_we_know(body: str, reply: Reply) -> None:
    assert _twilio.parse_reply(body) == reply


def test_a_signature_holds_for_the_public_url_wherever_a_proxy_delivers_it() -> None:
    public = "https://escalator.example.com"
    with (
        Receiver() as web,
        Twilio(public_url=public, deliver_to=web.base, sms_url=public + "/callbacks/twilio/sms") as twilio,
    ):
        web.answer_with(200, "<Response><Message>You have E-1A.</Message></Response>")
        twilio.text_from(DANA.mobile, "1")
        (answer,) = twilio.wait_for(lambda: twilio.messages)

        (posted,) = web.received
        form = {key: str(value) for key, value in twilio.callbacks[0].params.items()}
        signature = posted.headers["x-twilio-signature"]
        assert _twilio.verify(public + "/callbacks/twilio/sms", form, signature, [twilio.auth_token])
        assert (answer.to, answer.body, answer.answer) == (DANA.mobile, "You have E-1A.", True)
