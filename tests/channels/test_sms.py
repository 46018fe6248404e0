"""SMS through Twilio: what is sent, what comes back, and what is known after an answer was lost."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from channels import Shared, Texts, _texts, sms
from channels.sms import Sms
from connector.errors import ConfigError, Undelivered
from connector.ports import Purpose
from connector.sandbox.providers.twilio import Twilio

from .messages import DANA, HOSTILE, LANGUAGES, NOBODY, all_clear, bundle, step


@pytest.fixture
def channel(shared: Shared) -> Sms:
    return sms.build("sms", {"from": "+15005550006"}, shared)


def test_a_text_reaches_the_phone(channel: Sms, twilio: Twilio) -> None:
    receipt = channel.deliver(step())

    (text,) = twilio.messages
    assert text.to == DANA.mobile
    assert text.body == (
        'E-1A: ticket 50042 (3 high) "Server outage". Reply 1 or E-1A to take it. '
        "https://escalator.example.com/ack/t0ken-of-dana"
    )
    assert (receipt.provider_id, receipt.final) == (text.sid, False)
    assert twilio.wait_for(lambda: twilio.messages[0].status == "delivered")


def test_the_receipt_comes_back_with_the_signed_message_id(channel: Sms, twilio: Twilio) -> None:
    channel.deliver(step(callback_url=twilio.url + "/callbacks/twilio"))

    twilio.wait_for(lambda: len(twilio.callbacks) == 2)
    assert {callback.url for callback in twilio.callbacks} == {twilio.url + "/callbacks/twilio/status?m=m3ssage.t0ken"}
    assert [callback.params["MessageStatus"] for callback in twilio.callbacks] == ["sent", "delivered"]


def test_without_a_public_url_no_callback_is_asked_for(channel: Sms, twilio: Twilio) -> None:
    channel.deliver(step(callback_url="", token=""))
    assert "StatusCallback" not in twilio.messages[0].form


def test_a_text_that_waits_too_long_is_dropped_by_the_provider(channel: Sms, twilio: Twilio) -> None:
    channel.deliver(step())
    assert twilio.messages[0].form["ValidityPeriod"] == ["900"]


def test_the_all_clear_is_one_sentence(channel: Sms, twilio: Twilio) -> None:
    channel.deliver(all_clear())
    assert twilio.messages[0].body == "E-1A acknowledged by Dana Reyes (SMS)"


def test_somebody_without_a_mobile_can_not_be_texted(channel: Sms, twilio: Twilio) -> None:
    with pytest.raises(Undelivered) as caught:
        channel.deliver(step(contacts=(NOBODY,)))
    assert caught.value.permanent
    assert twilio.messages == ()


@pytest.mark.parametrize(
    ("trouble", "permanent", "credentials", "maybe_sent"),
    [
        (20003, False, True, False),
        (20429, False, False, False),
        (21211, True, False, False),
        (21408, True, False, False),
        (21610, True, False, False),
        (21614, True, False, False),
        (500, False, False, False),
        (502, False, False, True),
        (503, False, False, False),
        ("cut", False, False, True),
        ("drop", False, False, True),
    ],
)
def test_what_twilio_says_tells_what_to_do(
    channel: Sms, twilio: Twilio, trouble: int, permanent: bool, credentials: bool, maybe_sent: bool
) -> None:
    twilio.answer_with(trouble)
    with pytest.raises(Undelivered) as caught:
        channel.deliver(step())
    error = caught.value
    assert (error.permanent, error.credentials, error.maybe_sent) == (permanent, credentials, maybe_sent)


def test_a_refused_connection_means_that_nothing_was_sent(channel: Sms, twilio: Twilio) -> None:
    twilio.stop()
    with pytest.raises(Undelivered) as caught:
        channel.deliver(step())
    assert (caught.value.maybe_sent, caught.value.permanent) == (False, False)


def test_after_a_lost_answer_the_text_is_found_at_the_provider(channel: Sms, twilio: Twilio) -> None:
    message = step()
    twilio.answer_with("cut")
    with pytest.raises(Undelivered):
        channel.deliver(message)

    found = channel.find(message)
    assert found is not None
    assert found.provider_id == twilio.messages[0].sid


def test_after_a_lost_request_nothing_is_found(channel: Sms, twilio: Twilio) -> None:
    message = step()
    twilio.answer_with("drop")
    with pytest.raises(Undelivered):
        channel.deliver(message)
    assert channel.find(message) is None


def test_the_text_of_an_earlier_step_or_another_life_is_not_taken_for_this_one(channel: Sms, twilio: Twilio) -> None:
    now = step()
    channel.deliver(step(code="E-1A-2"))
    channel.deliver(now)
    later = step(sent_at=now.sent_at + timedelta(minutes=5))

    found = channel.find(now)
    assert found is not None
    assert found.provider_id == twilio.messages[1].sid
    assert channel.find(later) is None


def test_a_step_is_not_taken_for_the_all_clear_of_the_same_code(channel: Sms, twilio: Twilio) -> None:
    message = step()
    channel.deliver(message)
    assert channel.find(all_clear(sent_at=message.sent_at)) is None


def test_a_title_that_changed_meanwhile_does_not_hide_the_text(channel: Sms, twilio: Twilio) -> None:
    message = step()
    channel.deliver(message)
    assert channel.find(step(sent_at=message.sent_at, ticket_title="Server outage in Hamburg")) is not None


def test_a_text_that_did_not_arrive_is_found_as_undelivered(channel: Sms, twilio: Twilio) -> None:
    twilio.on_sms(DANA.mobile).undelivered("30005")
    message = step()
    channel.deliver(message)
    twilio.wait_for(lambda: twilio.messages[0].status == "undelivered")

    with pytest.raises(Undelivered) as caught:
        channel.find(message)
    assert (caught.value.permanent, caught.value.maybe_sent) == (True, False)


def test_a_provider_that_can_not_be_asked_leaves_a_doubt(channel: Sms, twilio: Twilio) -> None:
    twilio.stop()
    with pytest.raises(Undelivered) as caught:
        channel.find(step())
    assert caught.value.maybe_sent


def test_without_twilio_settings_there_is_no_channel() -> None:
    with pytest.raises(ConfigError, match="twilio"):
        sms.build("sms", {"from": "+15005550006"}, Shared())


def test_a_reply_of_a_person_arrives_and_is_answered(twilio: Twilio) -> None:
    twilio.sms_url = twilio.url + "/callbacks/twilio/sms"
    twilio.text_from(DANA.mobile, "1")

    callback = twilio.wait_for(lambda: twilio.callbacks and twilio.callbacks[0])
    assert (callback.params["From"], callback.params["Body"]) == (DANA.mobile, "1")


def test_the_answer_to_a_reply_is_one_message() -> None:
    assert sms.answer("You have E-1A <now>.").endswith(
        "<Response><Message>You have E-1A &lt;now&gt;.</Message></Response>"
    )


@pytest.mark.parametrize("title", HOSTILE)
@pytest.mark.parametrize("only_one", [True, False])
@pytest.mark.parametrize("purpose", [Purpose.STEP, Purpose.EXHAUSTED])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("rests_until", [None, datetime(2026, 1, 31, 21, 0, tzinfo=UTC)])
def test_every_text_is_one_segment_with_its_code_and_the_way_to_take_it(
    title: str, only_one: bool, purpose: Purpose, language: str, rests_until: datetime | None
) -> None:
    message = step(ticket_title=title, priority=title, ticket_number=title, only_one=only_one, purpose=purpose)
    text = sms.compose(replace(message, language=language, rests_until=rests_until))
    assert _texts.one_segment(text)
    assert text.startswith("E-1A")
    how = {"en": "to take it", "de": "Zum Übernehmen"}[language]
    assert how in text or "E-1A=OK" in text
    short = {"en": "1 or E-1A", "de": "1 oder E-1A"}[language]
    assert (short in text or "1/E-1A" in text) == only_one
    assert "\n" not in text
    assert "://evil" not in text


def test_a_german_text() -> None:
    assert sms.compose(step(language="de-CH")) == (
        'E-1A: Ticket 50042 (3 high) "Server outage". Zum Übernehmen 1 oder E-1A antworten. '
        "https://escalator.example.com/ack/t0ken-of-dana"
    )


def test_one_text_tells_of_several_tickets() -> None:
    assert sms.compose(bundle(3)) == (
        "3 tickets wait, first 50042 (3 high) E-1A, then E-1B, E-1C. Reply ALL, or a code. "
        "https://escalator.example.com/ack/t0ken-of-dana"
    )


def test_of_many_tickets_as_many_codes_as_fit_are_named_and_none_is_cut() -> None:
    text = sms.compose(bundle(37, acknowledge_url=""))
    assert text == (
        "37 tickets wait, first 50042 (3 high) E-1A, then E-1B, E-1C, E-1D, E-1E, E-1F, E-1G, E-1H, E-1J, E-1K, "
        "E-1M, E-1N, E-1P, E-1Q, 23 more. Reply ALL, or a code."
    )


@pytest.mark.parametrize("title", HOSTILE)
@pytest.mark.parametrize("count", [2, 37, 500])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("purpose", [Purpose.STEP, Purpose.EXHAUSTED])
def test_a_text_about_several_is_one_segment_whatever_their_titles_are(
    title: str, count: int, language: str, purpose: Purpose
) -> None:
    message = bundle(count, title, language=language, purpose=purpose, priority=title)
    for link in ("", message.acknowledge_url, "https://escalator.example.com/ack/" + "t" * 80):
        text = sms.compose(replace(message, acknowledge_url=link))
        assert _texts.septets(text) is not None
        assert _texts.one_segment(text)
        assert text.startswith(f"{count} ")
        assert "E-1A" in text
        assert {"en": "ALL", "de": "ALLE"}[language] in text


def test_the_last_text_for_a_while_says_so_on_the_persons_clock() -> None:
    until = datetime(2026, 1, 31, 21, 0, tzinfo=UTC)
    assert "No more SMS until 22:00." in sms.compose(step(rests_until=until))
    assert "Keine SMS mehr bis 22:00." in sms.compose(bundle(37, rests_until=until, language="de"))


def test_whoever_has_no_time_zone_is_told_the_services_time() -> None:
    message = step(contacts=(replace(DANA, timezone=""),), rests_until=datetime(2026, 1, 31, 21, 0, tzinfo=UTC))
    assert "until 16:00" in sms.compose(message, Texts(timezone="America/New_York"))


def test_a_title_that_needs_another_alphabet_leaves_room_for_the_code() -> None:
    text = sms.compose(step(ticket_title="Сервер не отвечает, все клиенты ждут, помогите нам срочно, пожалуйста"))
    assert text == "E-1A 50042 Сервер не отвечает, все клиенты ждут, помогите…. 1/E-1A=OK"


def test_the_link_gives_way_to_the_title() -> None:
    link = "https://escalator.example.com/ack/" + "t" * 60
    text = sms.compose(step(ticket_title="The mail server in Hamburg refuses every login", acknowledge_url=link))
    assert "The mail server in Hamburg refuses every login" in text
    assert link not in text


def test_without_a_public_url_nobody_is_asked_to_reply() -> None:
    assert sms.compose(step(callback_url="", acknowledge_url="")) == (
        'E-1A: ticket 50042 (3 high) "Server outage". Please take it in the helpdesk.'
    )


def test_a_sender_with_a_name_can_not_be_answered(shared: Shared, twilio: Twilio) -> None:
    sms.build("sms", {"from": "Escalator"}, shared).deliver(step())
    assert "Reply" not in twilio.messages[0].body


def test_a_later_text_of_another_notification_does_not_hide_this_one(channel: Sms, twilio: Twilio) -> None:
    """Both have the code; when the words have changed since, only their owners tell them apart."""
    ours = step()
    first = channel.deliver(ours)
    other = channel.deliver(step(id="another", sent_at=ours.sent_at, ticket_title="Server outage, still"))

    asked = replace(ours, ticket_title="Server outage in Hamburg", theirs=(other.provider_id,))
    found = channel.find(asked)
    assert found is not None
    assert found.provider_id == first.provider_id
