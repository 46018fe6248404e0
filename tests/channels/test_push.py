"""Push through APNs: one notification an escalation, quiet when all is clear, and what becomes of dead devices."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from channels import Shared, push
from channels.push import Push
from connector.core.contact import Contact
from connector.errors import ConfigError, Undelivered
from connector.sandbox.providers.apns import Apns

from .messages import DANA, HOSTILE, NOBODY, all_clear, bundle, every_purpose, question, step

PHONE, TABLET = "a" * 64, "b" * 64
TWO_DEVICES = Contact(key="dana", name="Dana Reyes", push=(PHONE, TABLET))


@pytest.fixture
def apns() -> Iterator[Apns]:
    with Apns() as running:
        yield running


def build(apns: Apns, **changes: Any) -> Push:
    return push.build("push", push.Options().load(apns.options | changes), Shared())


@pytest.fixture
def channel(apns: Apns) -> Push:
    return build(apns)


def test_a_push_reaches_the_device(channel: Push, apns: Apns) -> None:
    receipt = channel.deliver(step())

    (sent,) = apns.pushes
    assert sent.device == DANA.push[0]
    assert sent.payload == {
        "aps": {
            "alert": {"title": "E-1A: ticket 50042 (3 high)", "body": "Server outage"},
            "interruption-level": "time-sensitive",
            "sound": "default",
            "thread-id": "E-1A",
            "category": "ESCALATION",
        },
        "escalation": {
            "code": "E-1A",
            "purpose": "step",
            "url": "https://desk.example.com/#ticket/zoom/42",
            "acknowledge": {"method": "POST", "url": "https://escalator.example.com/ack/t0ken-of-dana"},
        },
    }
    assert (receipt.final, receipt.detail, receipt.dead) == (True, "accepted", ())


def test_it_is_urgent_and_one_of_its_escalation(channel: Push, apns: Apns) -> None:
    message = step()
    channel.deliver(message)
    headers = apns.pushes[0].headers
    assert headers["apns-collapse-id"] == "E-1A"
    assert headers["apns-priority"] == "10"
    assert headers["apns-push-type"] == "alert"
    assert int(headers["apns-expiration"]) == int(message.sent_at.timestamp()) + 1800


def test_the_all_clear_replaces_it_quietly(channel: Push, apns: Apns) -> None:
    channel.deliver(all_clear())
    (sent,) = apns.pushes
    assert (sent.headers["apns-collapse-id"], sent.headers["apns-priority"]) == ("E-1A", "5")
    assert sent.payload["aps"]["interruption-level"] == "passive"
    assert "sound" not in sent.payload["aps"]
    assert "acknowledge" not in sent.payload["escalation"]


def test_a_push_about_several_counts_them_and_stands_by_itself(channel: Push, apns: Apns) -> None:
    channel.deliver(bundle(37))
    (sent,) = apns.pushes
    assert sent.payload["aps"]["alert"] == {"title": "37 tickets wait", "body": "First: 50042 (3 high) Server outage"}
    assert sent.headers["apns-collapse-id"] == "b-0123456789abcdef"  # no all-clear for one of them replaces it
    assert sent.payload["escalation"]["count"] == 37


def test_a_german_push(channel: Push, apns: Apns) -> None:
    channel.deliver(bundle(37, language="de", rests_until=datetime(2026, 1, 31, 21, 0, tzinfo=UTC)))
    alert = apns.pushes[0].payload["aps"]["alert"]
    assert alert["title"] == "37 Tickets warten"
    assert alert["body"] == "Zuerst: 50042 (3 high) Server outage Keine weitere bis 22:00."


def test_the_all_clear_names_who_has_it(channel: Push, apns: Apns) -> None:
    channel.deliver(all_clear(taken_by="Lee Adams"))
    assert apns.pushes[0].payload["aps"]["alert"] == {
        "title": "E-1A: all clear",
        "body": "Ticket 50042: Lee Adams has it.",
    }


def test_the_question_whether_they_are_still_on_it_makes_no_sound_and_has_the_button(channel: Push, apns: Apns) -> None:
    channel.deliver(question())
    [asked] = apns.pushes
    aps, escalation = asked.payload["aps"], asked.payload["escalation"]
    assert (aps["interruption-level"], "sound" in aps, asked.headers["apns-priority"]) == ("active", False, "10")
    assert aps["alert"] == {
        "title": "E-1A: still on it?",
        "body": "Nothing was done on ticket 50042 for long. Without a yes by 21:30 it goes on from step 1.",
    }
    assert (aps["category"], escalation["purpose"]) == ("ESCALATION", "still-on-it")
    assert escalation["acknowledge"]["url"] == question().acknowledge_url


def test_one_device_that_takes_it_is_enough_and_the_dead_one_is_named(channel: Push, apns: Apns) -> None:
    apns.kill(PHONE)
    receipt = channel.deliver(step(contacts=(TWO_DEVICES,)))
    assert [sent.device for sent in apns.pushes] == [TABLET]
    assert receipt.dead == (PHONE,)


@pytest.mark.parametrize("reason", ["Unregistered", "BadDeviceToken", "ExpiredToken"])
def test_somebody_whose_devices_are_all_dead_will_never_be_reached_so(channel: Push, apns: Apns, reason: str) -> None:
    apns.kill(PHONE, reason)
    apns.kill(TABLET, reason)
    with pytest.raises(Undelivered) as caught:
        channel.deliver(step(contacts=(TWO_DEVICES,)))
    assert caught.value.permanent


def test_a_device_token_that_could_not_be_one_is_not_sent_anywhere(channel: Push, apns: Apns) -> None:
    with pytest.raises(Undelivered) as caught:
        channel.deliver(step(contacts=(replace(DANA, push=("../elsewhere",)),)))
    assert caught.value.permanent
    assert apns.tokens == ()


def test_one_dead_and_one_busy_device_are_worth_another_try(channel: Push, apns: Apns) -> None:
    apns.kill(PHONE)
    apns.answer_with(503, "ServiceUnavailable", device=TABLET)
    with pytest.raises(Undelivered) as caught:
        channel.deliver(step(contacts=(TWO_DEVICES,)))
    assert not caught.value.permanent


def test_somebody_without_a_device_can_not_be_pushed(channel: Push, apns: Apns) -> None:
    with pytest.raises(Undelivered) as caught:
        channel.deliver(step(contacts=(NOBODY,)))
    assert caught.value.permanent


@pytest.mark.parametrize(
    ("status", "reason", "permanent", "credentials"),
    [
        (400, "BadDeviceToken", True, False),
        (400, "DeviceTokenNotForTopic", False, True),
        (400, "TopicDisallowed", False, True),
        (400, "SomethingNew", False, False),
        (403, "InvalidProviderToken", False, True),
        (410, "Unregistered", True, False),
        (429, "TooManyRequests", False, False),
        (500, "InternalServerError", False, False),
        (503, "Shutdown", False, False),
    ],
)
def test_what_apple_says_tells_what_to_do(
    channel: Push, apns: Apns, status: int, reason: str, permanent: bool, credentials: bool
) -> None:
    apns.answer_with(status, reason)
    with pytest.raises(Undelivered) as caught:
        channel.deliver(step())
    error = caught.value
    assert (error.permanent, error.credentials, error.maybe_sent) == (permanent, credentials, False)


def test_an_expired_token_is_renewed_once_and_the_push_goes_out(channel: Push, apns: Apns) -> None:
    apns.answer_with(403, "ExpiredProviderToken")
    channel.deliver(step())
    assert len(apns.pushes) == 1


def test_a_token_that_stays_expired_is_the_operators_business(channel: Push, apns: Apns) -> None:
    apns.answer_with(403, "ExpiredProviderToken", times=2)
    with pytest.raises(Undelivered) as caught:
        channel.deliver(step())
    assert caught.value.credentials


def test_a_provider_token_is_kept_for_40_minutes() -> None:
    now = [1_000_000.0]
    tokens = push.ProviderToken("ABCDE12345", "FGHIJ67890", ec.generate_private_key(ec.SECP256R1()), lambda: now[0])
    first = tokens.get()
    now[0] += 39 * 60
    assert tokens.get() == first
    now[0] += 2 * 60
    second = tokens.get()
    assert jwt.decode(second, options={"verify_signature": False}) == {"iss": "ABCDE12345", "iat": 1_002_460}
    assert tokens.get(instead_of=first) == second


def test_a_key_of_somebody_else_is_refused(apns: Apns) -> None:
    with pytest.raises(Undelivered) as caught:
        build(apns, team_id="SOMEBODYEL").deliver(step())
    assert caught.value.credentials


def test_a_lost_answer_is_a_doubt_and_sending_again_is_safe(channel: Push, apns: Apns) -> None:
    message = step()
    apns.cut(times=2)
    with pytest.raises(Undelivered) as caught:
        channel.deliver(message)
    assert caught.value.maybe_sent
    assert channel.find(message) is None

    channel.deliver(message)
    first, *more = apns.pushes
    for name in ("apns-id", "apns-collapse-id", "apns-expiration"):
        assert {again.headers[name] for again in more} == {first.headers[name]}


def test_a_refused_connection_means_that_nothing_was_sent(channel: Push, apns: Apns) -> None:
    apns.stop()
    with pytest.raises(Undelivered) as caught:
        channel.deliver(step())
    assert (caught.value.maybe_sent, caught.value.permanent) == (False, False)


def test_a_server_that_nobody_vouches_for_gets_nothing(apns: Apns) -> None:
    with pytest.raises(Undelivered):
        build(apns, ca_file="").deliver(step())
    assert apns.pushes == ()


def test_a_connection_that_apple_closed_is_opened_again(channel: Push, apns: Apns) -> None:
    channel.deliver(step())
    apns.stop()
    apns.start()
    channel.deliver(step())
    assert len(apns.pushes) == 2


@pytest.mark.parametrize("title", HOSTILE)
def test_any_title_fits_into_a_payload(title: str) -> None:
    for message in every_purpose():
        nasty = replace(message, ticket_title=title, group=title, priority=title, line=title)
        assert len(json.dumps(push.compose(nasty), ensure_ascii=False).encode()) < 4096


def test_a_key_file_must_be_there_and_be_a_key(apns: Apns, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read"):
        build(apns, key_file=str(tmp_path / "none.p8"))
    (tmp_path / "text.p8").write_text("no key")
    with pytest.raises(ConfigError, match="holds no private key"):
        build(apns, key_file=str(tmp_path / "text.p8"))
