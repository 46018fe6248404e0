"""Web Push against a stand-in that decrypts with the browser's own keys and checks who pushes."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels import Shared, webpush
from channels.webpush import KEEP, WebPush, compose, keep, public_key, topic
from connector.core.contact import Contact, Subscription
from connector.errors import Undelivered
from connector.ports import Message, Purpose
from connector.sandbox.providers import PushService
from connector.sandbox.providers.webpush import CUT, Browser

from .messages import DANA, HOSTILE, LANGUAGES, all_clear, bundle, every_purpose, question, step

KEY = webpush.new_key()


@pytest.fixture
def service() -> Iterator[PushService]:
    with PushService() as running:
        yield running


@pytest.fixture
def browser(service: PushService) -> Browser:
    """It takes pushes made with our key alone."""
    return service.browser(public_key(KEY))


def channel(service: PushService, key: str = KEY, **options: Any) -> WebPush:
    given = {**service.options, "private_key": key, **options}
    return webpush.build("webpush", webpush.Options().load(given), Shared())


def paired(*browsers: Browser) -> Contact:
    told = [browser.subscription() for browser in browsers]
    return replace(DANA, webpush=tuple(Subscription(one["endpoint"], **one["keys"]) for one in told))


def to(*browsers: Browser, **changes: Any) -> Message:
    return step(contacts=(paired(*browsers),), **changes)


def test_the_browser_decrypts_number_priority_title_and_link(service: PushService, browser: Browser) -> None:
    assert channel(service).deliver(to(browser)).detail == "accepted"
    [push] = service.pushes
    assert push.payload == {
        "id": "e-1a-1-2-dana-sms",
        "title": "E-1A: ticket 50042 (3 high)",
        "body": "Server outage",
        "tag": "E-1A",
        "language": "en",
        "url": "https://escalator.example.com/ack/t0ken-of-dana",
        "quiet": False,
        "acknowledge": {"url": "https://escalator.example.com/ack/t0ken-of-dana", "label": "Acknowledge"},
    }


def test_the_push_service_learns_who_we_are_and_that_it_is_urgent(service: PushService, browser: Browser) -> None:
    channel(service).deliver(to(browser))
    [push] = service.pushes
    assert (push.claims["aud"], push.claims["sub"]) == (service.url, "mailto:desk@example.com")
    assert push.claims["exp"] <= (datetime.now(UTC) + timedelta(hours=24)).timestamp()
    assert push.headers["urgency"] == "high"
    assert push.headers["topic"] == topic(to(browser))


def test_only_the_browser_it_was_made_for_can_read_it(service: PushService, browser: Browser) -> None:
    mistaken = paired(browser).webpush[0]
    other = service.browser().subscription()["keys"]
    with pytest.raises(Undelivered) as caught:
        channel(service).deliver(step(contacts=(replace(DANA, webpush=(replace(mistaken, **other),)),)))
    assert caught.value.details == "HTTP 400"
    assert service.pushes == ()


def test_with_another_key_than_it_was_paired_for_nothing_is_taken(service: PushService, browser: Browser) -> None:
    with pytest.raises(Undelivered) as caught:
        channel(service, webpush.new_key()).deliver(to(browser))
    assert caught.value.credentials
    assert not caught.value.permanent
    assert caught.value.dead == ()


def test_it_arrived_when_one_of_several_devices_took_it(service: PushService, browser: Browser) -> None:
    gone = service.browser(public_key(KEY))
    service.unsubscribe(gone)
    receipt = channel(service).deliver(to(gone, browser))
    assert (receipt.detail, receipt.dead) == ("accepted", (gone.endpoint,))


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_has_left_is_dead(service: PushService, browser: Browser, status: int) -> None:
    service.answer_with(status)
    with pytest.raises(Undelivered) as caught:
        channel(service).deliver(to(browser))
    assert caught.value.permanent
    assert caught.value.dead == (browser.endpoint,)


def test_what_may_work_later_says_more_than_what_is_gone(service: PushService, browser: Browser) -> None:
    gone = service.browser(public_key(KEY))
    service.unsubscribe(gone)
    service.answer_with(503, times=2)
    with pytest.raises(Undelivered) as caught:
        channel(service).deliver(to(gone, browser))
    assert not caught.value.permanent


def test_a_push_service_that_is_busy_says_when_to_come_again(service: PushService, browser: Browser) -> None:
    service.answer_with(429, retry_after="30")
    with pytest.raises(Undelivered) as caught:
        channel(service).deliver(to(browser))
    assert (caught.value.retry_after, caught.value.permanent) == (30.0, False)


def test_after_a_lost_answer_the_second_one_replaces_the_first(service: PushService, browser: Browser) -> None:
    service.answer_with(CUT)
    with pytest.raises(Undelivered) as caught:
        channel(service).deliver(to(browser))
    assert caught.value.maybe_sent
    channel(service).deliver(to(browser, attempt=2))
    first, second = service.pushes
    assert (first.headers["topic"], first.payload) == (second.headers["topic"], second.payload)


def test_it_is_kept_for_a_phone_that_is_off_until_the_next_step() -> None:
    now = step()
    assert keep(replace(now, next_at=now.sent_at + timedelta(minutes=5))) == timedelta(minutes=5)
    assert keep(replace(now, next_at=now.sent_at - timedelta(minutes=5))) == timedelta(minutes=1)
    assert keep(replace(now, next_at=now.sent_at + timedelta(days=3))) == timedelta(hours=4)
    assert keep(now) == KEEP


def test_an_escalation_has_one_notification_and_a_bundle_its_own() -> None:
    assert topic(step()) == topic(step(id="e-1a-1-3", step=3)) == topic(all_clear())
    assert topic(bundle(3)) != topic(step())
    assert len(topic(step())) == 32


def test_an_all_clear_is_quiet_and_asks_for_nothing(service: PushService, browser: Browser) -> None:
    channel(service).deliver(replace(all_clear(), contacts=(paired(browser),)))
    [push] = service.pushes
    assert push.headers["urgency"] == "normal"
    assert push.payload["quiet"]
    assert "acknowledge" not in push.payload


@pytest.mark.parametrize(("language", "label"), [("en", "Yes, still on it"), ("de", "Ja, noch dran")])
def test_the_question_whether_they_are_still_on_it_is_quiet_and_its_button_says_yes(
    service: PushService, browser: Browser, language: str, label: str
) -> None:
    channel(service).deliver(question(contacts=(paired(browser),), language=language))
    [push] = service.pushes
    assert (push.headers["urgency"], push.payload["quiet"]) == ("normal", True)
    assert push.payload["acknowledge"] == {"url": question().acknowledge_url, "label": label}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("title", HOSTILE)
def test_whatever_the_title_is_it_fits(title: str, language: str) -> None:
    for message in (*every_purpose(), bundle(37, title)):
        payload = compose(replace(message, ticket_title=title, group=title, line=title, language=language))
        assert len(webpush.encode(payload)) <= 3993
        assert payload["title"]


def test_without_a_link_it_leads_to_the_ticket_and_has_no_button() -> None:
    payload = compose(step(acknowledge_url=""))
    assert payload["url"] == "https://desk.example.com/#ticket/zoom/42"
    assert "acknowledge" not in payload


def test_who_has_paired_nothing_has_no_address(service: PushService, browser: Browser) -> None:
    assert channel(service).address(DANA) == ""
    assert channel(service).address(paired(browser)) == browser.endpoint
    with pytest.raises(Undelivered, match="No browser is paired"):
        channel(service).deliver(step(purpose=Purpose.TEST))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "10.1.2.3", "2130706433", "0x7f.1", "localhost."])
def test_an_endpoint_of_our_own_network_is_never_asked(service: PushService, browser: Browser, host: str) -> None:
    port = service.url.rpartition(":")[2]
    inside = replace(paired(browser).webpush[0], endpoint=f"https://{host}:{port}/push/{browser.name}")
    with pytest.raises(Undelivered) as caught:
        channel(service, allow_private=False).deliver(step(contacts=(replace(DANA, webpush=(inside,)),)))
    assert caught.value.permanent
    assert service.pushes == ()


def test_a_new_key_is_one_for_the_option() -> None:
    key = webpush.new_key()
    assert webpush.Options().load({"subject": "https://example.com", "private_key": key})["private_key"] == key
    assert len(public_key(key)) == 87
    assert webpush.new_key() != key


def test_an_endpoint_shows_in_no_print(browser: Browser) -> None:
    assert browser.name not in repr(paired(browser))
    assert json.dumps(browser.subscription()["keys"]["auth"]) not in repr(paired(browser))
