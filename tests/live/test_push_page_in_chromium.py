"""The pairing page and its service worker in a real browser at phone size; needs `chromium`.

A headless browser has no push service of its own: `subscribe` is answered by the stand-in, which decrypts what comes,
and what it decrypted is handed to the real service worker, as a browser does.
"""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from channels import webpush
from connector.engine.pairing import invite
from connector.sandbox.providers import PushService
from tests.web.conftest import World, build_world, twilio  # noqa: F401 - fixtures

from .chromium import PHONE, Page, obstacles, serving, tab

KEY = webpush.new_key()


pytestmark = pytest.mark.timeout(300)  # each looks at many pages


@pytest.fixture
def service() -> Iterator[PushService]:
    with PushService() as running:
        yield running


@pytest.fixture(params=["en"])
def world(build_world: Any, service: PushService, request: Any) -> Iterator[tuple[World, str]]:  # noqa: F811
    """A world that sends Web Push, and where its pages are; the parameter is Dana's language."""
    channel = json.dumps({**service.options, "private_key": KEY})
    with serving() as served:
        world = build_world(
            {
                "https://escalator.example.com": served.url,
                "name: Dana Reyes,": f"name: Dana Reyes, language: {request.param},",
                "  phone: {from:": f"  webpush: {channel}\n  phone: {{from:",
                "steps: [{notify: [owner, lee], by: sms}": "steps: [{notify: [owner, lee], by: webpush}",
            }
        )
        served.app = world.app
        yield world, served.url


def test_a_phone_is_paired_rings_and_its_button_acknowledges(
    world: tuple[World, str], service: PushService, tmp_path: Path
) -> None:
    asyncio.run(_story(*world, service, tmp_path))


async def _story(world: World, url: str, service: PushService, folder: Path) -> None:
    told = service.browser(webpush.public_key(KEY)).subscription()
    stand_in = f"""
        const told = {json.dumps(told)};
        const held = {{endpoint: told.endpoint, options: {{}}, toJSON: () => told, unsubscribe: async () => true}};
        let subscribed = false;
        PushManager.prototype.subscribe = async () => {{ subscribed = true; return held; }};
        PushManager.prototype.getSubscription = async () => subscribed ? held : null;
    """
    token, _ = invite(world.services.signatures, "dana", datetime.now(UTC))
    async with tab(folder) as page:
        for domain in ("Page", "Runtime", "Log", "ServiceWorker"):
            await page.ask(f"{domain}.enable")
        await page.like_a_phone()
        await page.ask("Browser.grantPermissions", origin=url, permissions=["notifications"])
        await page.ask("Page.addScriptToEvaluateOnNewDocument", source=stand_in)
        await page.ask("Page.navigate", url=f"{url}/pair/{token}")
        await page.until("document.querySelector('#subscribe')?.checkVisibility()")
        await page.picture("pair-ready")
        assert await obstacles(page) == []
        await page.run("document.querySelector('#subscribe').click()")
        await page.until("document.querySelector('#test').checkVisibility()")
        await page.picture("pair-paired")
        assert await obstacles(page) == []
        manifest = await page.ask("Page.getAppManifest")
        assert manifest["errors"] == []
        assert await page.run("document.documentElement.scrollWidth") <= PHONE["width"]

        await asyncio.to_thread(world.escalating)
        for due in world.services.delivery.due(100):
            await asyncio.to_thread(world.services.delivery.send, due)
        [push] = service.pushes
        registration = _registration(page.events)
        await page.ask(
            "ServiceWorker.deliverPushMessage", origin=url, registrationId=registration, data=json.dumps(push.payload)
        )
        shown = "navigator.serviceWorker.ready.then((r) => r.getNotifications())"
        await page.until(f"{shown}.then((all) => all.length)")
        [one] = await page.run(
            f"{shown}.then((all) => all.map((n) => [n.title, n.body, n.actions.map((a) => a.title)]))"
        )
        assert one == ["E-1A: ticket 50042 (3 high)", "Server outage", ["Acknowledge"]]
        await page.run(TAP, await _service_worker(page))
        await page.until(f"{shown}.then(([n]) => n.body.includes('acknowledged by Dana Reyes'))")
        assert world.acknowledger() == ("Dana Reyes", "push")
        worried = [
            e for e in page.events if e["method"] == "Log.entryAdded" and e["params"]["entry"]["level"] == "error"
        ]
        assert worried == []


#: A tap on the button. Only a browser may have its own events waited for, so what is waited for is kept aside.
TAP = """
    (async () => {
      const [notification] = await self.registration.getNotifications();
      const tap = new NotificationEvent("notificationclick", {notification, action: "acknowledge"});
      let done;
      tap.waitUntil = (promise) => { done = promise; };
      self.dispatchEvent(tap);
      await done;
    })()
"""


async def _service_worker(page: Page) -> str:
    """A session with it."""
    targets = (await page.ask("Target.getTargets"))["targetInfos"]
    worker = next(one["targetId"] for one in targets if one["type"] == "service_worker")
    return str((await page.ask("Target.attachToTarget", targetId=worker, flatten=True))["sessionId"])


def _registration(events: list[dict[str, Any]]) -> str:
    told = [e for e in events if e["method"] == "ServiceWorker.workerRegistrationUpdated"]
    return next(str(one["registrationId"]) for e in told for one in e["params"]["registrations"])


IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"
#: A browser, and what the page tells its user: (agent, whether it knows Web Push, age of the link) -> words.
SAYS = {
    "en": {
        (IPHONE, False, 0): "On an iPhone or iPad this goes from the home screen: Tap Share",
        (IPHONE, False, 2): "This link has expired. Ask who runs Escalator for a new one",
        ("Old browser", False, 0): "This browser can't receive notifications. Please open the link in another one.",
        ("", True, 2): "This link has expired. Ask who runs Escalator for a new one",
        ("", True, 0): "This browser doesn't let Escalator notify you.",
    },
    "de": {
        (IPHONE, False, 0): "Auf dem iPhone oder iPad geht das vom Home-Bildschirm aus: Teilen antippen",
        (IPHONE, False, 2): "Dieser Link ist abgelaufen. Einen neuen macht, wer Escalator betreibt",
        ("Old browser", False, 0): "Dieser Browser kann keine Benachrichtigungen empfangen.",
        ("", True, 2): "Dieser Link ist abgelaufen. Einen neuen macht, wer Escalator betreibt",
        ("", True, 0): "Dieser Browser lässt keine Benachrichtigungen von Escalator zu.",
    },
}


@pytest.mark.parametrize("world", SAYS, indirect=True)
def test_whoever_cant_be_notified_here_is_told_what_to_do(world: tuple[World, str], tmp_path: Path) -> None:
    asyncio.run(_dead_ends(*world, tmp_path / "profile"))


async def _dead_ends(world: World, url: str, folder: Path) -> None:
    async with tab(folder) as page:
        for domain in ("Page", "Runtime"):
            await page.ask(f"{domain}.enable")
        await page.like_a_phone()
        await page.ask("Browser.setPermission", permission={"name": "notifications"}, setting="denied", origin=url)
        language = world.services.settings.contacts["dana"].language
        for number, ((agent, knows, hours), words) in enumerate(SAYS[language].items()):
            token, _ = invite(world.services.signatures, "dana", datetime.now(UTC) - timedelta(hours=hours))
            lacking = "" if knows else "delete window.PushManager"
            script = await page.ask("Page.addScriptToEvaluateOnNewDocument", source=lacking)
            await page.ask("Emulation.setUserAgentOverride", userAgent=agent)
            await page.open(f"{url}/pair/{token}")
            await page.until("[...document.querySelectorAll('section')].some((one) => one.checkVisibility())")
            await page.picture(f"pair-{language}-{number}")
            said = " ".join((await page.run("document.body.innerText")).split())
            assert words in said
            assert (number, await obstacles(page)) == (number, [])
            await page.ask("Page.removeScriptToEvaluateOnNewDocument", identifier=script["identifier"])
