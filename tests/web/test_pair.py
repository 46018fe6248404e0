"""From a personal link to a phone that rings: pairing, the page on the home screen, and what is refused."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from channels import webpush
from connector.engine.devices import LOST, MOST
from connector.engine.pairing import VALID, invite
from connector.sandbox.providers import PushService
from connector.sandbox.providers.webpush import Browser

from .conftest import World

KEY = webpush.new_key()
PUBLIC_KEY = webpush.public_key(KEY)
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15"


@pytest.fixture
def service() -> Iterator[PushService]:
    with PushService() as running:
        yield running


@pytest.fixture
def world(build_world: Any, service: PushService) -> World:
    """Its first step goes by Web Push."""
    channel = json.dumps({**service.options, "private_key": KEY})
    world: World = build_world(
        {
            "  phone: {from:": f"  webpush: {channel}\n  phone: {{from:",
            "steps: [{notify: [owner, lee], by: sms}": "steps: [{notify: [owner, lee], by: webpush}",
        }
    )
    return world


def link(world: World, contact: str = "dana", *, ago: timedelta = timedelta(0)) -> str:
    token, _ = invite(world.services.signatures, contact, datetime.now(UTC) - ago)
    return f"/pair/{token}"


def pair(world: World, browser: Browser, contact: str = "dana") -> TestResponse:
    return world.client.post(link(world, contact), json=browser.subscription(), headers={"User-Agent": IPHONE})


def deliver(world: World) -> None:
    for due in world.services.delivery.due(100):
        world.services.delivery.send(due)


def test_a_paired_phone_rings_and_its_button_acknowledges(world: World, service: PushService) -> None:
    browser = service.browser(PUBLIC_KEY)
    assert pair(world, browser).status_code == 201

    world.escalating()
    deliver(world)
    [push] = service.pushes
    assert (push.device, push.payload["body"]) == (browser.name, "Server outage")
    assert push.payload["title"] == "E-1A: ticket 50042 (3 high)"

    link = push.payload["acknowledge"]["url"].removeprefix("https://escalator.example.com")
    answer = world.client.post(link, headers={"Accept": "application/json"})
    assert answer.json["outcome"] == "done"
    assert world.acknowledger() == ("Dana Reyes", "push")


def test_several_devices_of_one_person_all_ring(world: World, service: PushService) -> None:
    browsers = [service.browser(PUBLIC_KEY) for _ in range(3)]
    for browser in browsers:
        pair(world, browser)
    world.escalating()
    deliver(world)
    assert {push.device for push in service.pushes} == {browser.name for browser in browsers}


def test_a_push_that_comes_after_the_next_step_is_dropped_on_its_way(world: World, service: PushService) -> None:
    pair(world, service.browser(PUBLIC_KEY))
    world.escalating()
    deliver(world)
    [push] = service.pushes
    assert 600 < int(push.headers["ttl"]) <= 20 * 60  # the next step comes 20 minutes after this one


def test_a_device_that_has_left_is_forgotten(world: World, service: PushService) -> None:
    left, stays = service.browser(PUBLIC_KEY), service.browser(PUBLIC_KEY)
    pair(world, left)
    pair(world, stays)
    service.unsubscribe(left)
    world.escalating()
    deliver(world)
    assert [device.address for device in world.services.devices.of("dana")] == [stays.endpoint]


def test_when_the_last_one_has_left_it_is_forgotten_too_and_the_step_has_failed(
    world: World, service: PushService
) -> None:
    left = service.browser(PUBLIC_KEY)
    pair(world, left)
    service.unsubscribe(left)
    world.escalating()
    deliver(world)
    assert world.services.devices.of("dana") == []
    danas = next(n for n in world.escalation().notifications if n.person == "dana")
    assert danas.outcome == "The browser no longer takes pushes."


def test_a_phone_that_is_handed_over_rings_for_its_new_holder_alone(world: World, service: PushService) -> None:
    browser = service.browser(PUBLIC_KEY)
    pair(world, browser, "dana")
    pair(world, browser, "lee")
    assert world.services.devices.of("dana") == []
    assert [device.name for device in world.services.devices.of("lee")] == ["iPhone"]


def test_whoever_pairs_again_ends_the_operators_trouble_of_lost_devices(world: World, service: PushService) -> None:
    world.services.operator.tell(LOST, "Redis was lost.")
    pair(world, service.browser(PUBLIC_KEY))
    assert world.services.operator.open() == []


# --- the page -------------------------------------------------------------------------------------------------------


def test_the_page_may_run_nothing_but_its_own_script_and_ask_nobody_else(world: World) -> None:
    answer = world.client.get(link(world))
    assert answer.status_code == 200
    assert "Notifications for Dana Reyes" in answer.text
    assert f'data-key="{PUBLIC_KEY}"' in answer.text
    policy = answer.headers["Content-Security-Policy"]
    for tag in ("script", "style"):
        [inline] = re.findall(rf"<{tag}>(.*?)</{tag}>", answer.text, re.S)
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"https?://", answer.text)
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_page_speaks_the_contacts_language(build_world: Any, service: PushService) -> None:
    channel = json.dumps({**service.options, "private_key": KEY})
    world = build_world(
        {
            "  phone: {from:": f"  webpush: {channel}\n  phone: {{from:",
            "name: Lee Adams": "name: Lee Adams, language: de",
        }
    )
    assert "Benachrichtigungen für Lee Adams" in world.client.get(link(world, "lee")).text


def test_it_can_stand_on_a_home_screen(world: World) -> None:
    page = link(world)
    manifest = world.client.get(f"{page}/manifest.json")
    assert manifest.content_type == "application/manifest+json"
    assert manifest.json["display"] == "standalone"
    assert manifest.json["start_url"] == f"../{page.rpartition('/')[2]}"
    for icon in manifest.json["icons"]:
        answer = world.client.get(f"/pair/{icon['src'].removeprefix('../')}")
        width = int.from_bytes(answer.data[16:20], "big")
        assert (answer.content_type, f"{width}x{width}") == ("image/png", icon["sizes"])


def test_its_service_worker_may_only_talk_to_us(world: World) -> None:
    worker = world.client.get("/pair/sw.js")
    assert worker.content_type.startswith("text/javascript")
    assert "connect-src 'self'" in worker.headers["Content-Security-Policy"]
    assert worker.headers["X-Content-Type-Options"] == "nosniff"


def test_a_test_notification_goes_to_the_device_that_asks_alone(world: World, service: PushService) -> None:
    one, other = service.browser(PUBLIC_KEY), service.browser(PUBLIC_KEY)
    pair(world, one)
    pair(world, other)
    page = link(world)
    assert world.client.post(f"{page}/test", json={"endpoint": one.endpoint}).json == {"outcome": "accepted"}
    [push] = service.pushes
    assert (push.device, push.payload["title"]) == (one.name, "Test message")
    assert world.client.post(f"{page}/test", json={"endpoint": one.endpoint}).status_code == 429


def test_a_device_can_be_told_nothing_more(world: World, service: PushService) -> None:
    browser, page = service.browser(PUBLIC_KEY), link(world)
    pair(world, browser)
    assert world.client.post(f"{page}/known", json={"endpoint": browser.endpoint}).json == {"known": True}
    assert world.client.post(f"{page}/forget", json={"endpoint": browser.endpoint}).json == {"removed": True}
    assert world.client.post(f"{page}/known", json={"endpoint": browser.endpoint}).json == {"known": False}


def test_after_the_hour_a_paired_device_can_still_use_its_page(world: World, service: PushService) -> None:
    browser, old = service.browser(PUBLIC_KEY), link(world, ago=VALID)
    pair(world, browser)
    page = world.client.get(old)
    assert (page.status_code, 'data-expired="yes"' in page.text) == (200, True)
    assert world.client.post(f"{old}/test", json={"endpoint": browser.endpoint}).status_code == 200


def test_a_browser_that_gives_its_subscription_up_names_the_new_one(world: World, service: PushService) -> None:
    old, new = service.browser(PUBLIC_KEY), service.browser(PUBLIC_KEY)
    pair(world, old)
    told = {"old": old.endpoint, "subscription": new.subscription()}
    assert world.client.post("/pair/renew", json=told).status_code == 201
    assert [device.address for device in world.services.devices.of("dana")] == [new.endpoint]


# --- what is refused ------------------------------------------------------------------------------------------------


def test_after_the_hour_the_link_pairs_nobody(world: World, service: PushService) -> None:
    answer = world.client.post(link(world, ago=VALID), json=service.browser().subscription())
    assert (answer.status_code, answer.json["error"]) == (410, "expired")
    assert world.services.devices.of("dana") == []


@pytest.mark.parametrize("what", ["", "/known", "/test", "/forget"])
def test_a_forged_link_opens_nothing(world: World, service: PushService, what: str) -> None:
    forged = link(world).replace("dana", "lee")
    body = service.browser().subscription() if not what else {"endpoint": "https://push.example.com/1"}
    assert world.client.post(f"{forged}{what}", json=body).status_code == 403


def test_a_link_that_acknowledges_pairs_nobody(world: World, service: PushService) -> None:
    token = world.services.signatures.token("acknowledge", "ffffffffff.dana")
    assert world.client.get(f"/pair/{token}").status_code == 403


def test_somebody_who_has_left_the_config_is_paired_with_nothing(world: World, service: PushService) -> None:
    assert world.client.post(link(world, "gone"), json=service.browser().subscription()).status_code == 410


def test_whoever_knows_no_endpoint_renews_nothing(world: World, service: PushService) -> None:
    pair(world, service.browser(PUBLIC_KEY))
    told = {"old": "https://push.example.com/guessed", "subscription": service.browser().subscription()}
    assert world.client.post("/pair/renew", json=told).status_code == 403


def test_nobody_has_more_than_a_handful_of_devices(world: World, service: PushService) -> None:
    browsers = [service.browser(PUBLIC_KEY) for _ in range(MOST + 1)]
    assert [pair(world, browser).status_code for browser in browsers] == [201] * MOST + [409]
    assert pair(world, browsers[0]).status_code == 201  # again


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": "http://push.example.com/1"},
        {"endpoint": "https://user:pw@push.example.com/1"},
        {"endpoint": "file:///etc/passwd"},
        {"endpoint": "https://push.example.com/" + "x" * 3000},
        {"endpoint": "https://push.example.com:port/1"},
        {"endpoint": ""},
        {"endpoint": 7},
        {"keys": {}},
        {"keys": {"p256dh": "AAAA", "auth": "AAAAAAAAAAAAAAAAAAAAAA"}},
        {"keys": None},
    ],
    ids=str,
)
def test_what_is_no_subscription_is_refused(world: World, service: PushService, change: dict[str, Any]) -> None:
    answer = world.client.post(link(world), json={**service.browser().subscription(), **change})
    assert answer.status_code == 422
    assert world.services.devices.of("dana") == []


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "[::1]", "169.254.169.254", "localhost", "intranet"])
def test_a_browser_cant_send_us_into_our_own_network(build_world: Any, service: PushService, host: str) -> None:
    channel = json.dumps({**service.options, "private_key": KEY, "allow_private": False})
    world = build_world({"  phone: {from:": f"  webpush: {channel}\n  phone: {{from:"})
    told = {**service.browser().subscription(), "endpoint": f"https://{host}/push/1"}
    answer = world.client.post(link(world), json=told)
    assert (answer.status_code, answer.json["message"]) == (422, "Its endpoint is no push service.")


def test_without_the_channel_there_is_no_page(build_world: Any) -> None:
    world = build_world()
    assert world.client.get(link(world)).status_code == 404
