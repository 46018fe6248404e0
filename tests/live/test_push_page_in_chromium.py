"""The pairing page and its service worker in a real browser at phone size; needs `chromium`.

A headless browser has no push service of its own: `subscribe` is answered by the stand-in, which decrypts what comes,
and what it decrypted is handed to the real service worker, as a browser does.
"""

import asyncio
import base64
import contextlib
import itertools
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from werkzeug.serving import make_server

from channels import webpush
from connector.engine.pairing import invite
from connector.sandbox.providers import PushService
from tests.web.conftest import World, build_world, twilio  # noqa: F401 - fixtures

WITHIN = 60.0  # seconds for whatever the browser is to do
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
KEY = webpush.new_key()


@dataclass
class Page:
    """A tab, spoken to by the DevTools protocol (https://chromedevtools.github.io/devtools-protocol/)."""

    socket: aiohttp.ClientWebSocketResponse
    numbers: Iterator[int]
    events: list[dict[str, Any]]

    async def ask(self, method: str, *, session: str = "", **parameters: Any) -> dict[str, Any]:
        number = next(self.numbers)
        there = {"sessionId": session} if session else {}
        await self.socket.send_json({"id": number, "method": method, "params": parameters, **there})
        while True:
            told = await asyncio.wait_for(self.socket.receive_json(), WITHIN)
            if told.get("id") == number:
                assert "error" not in told, told
                return dict(told["result"])
            self.events.append(told)

    async def run(self, script: str, session: str = "") -> Any:
        how = {"awaitPromise": True, "returnByValue": True, "userGesture": True}
        answer = await self.ask("Runtime.evaluate", session=session, expression=script, **how)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, script: str) -> Any:
        end = asyncio.get_running_loop().time() + WITHIN
        while not (value := await self.run(script)):
            assert asyncio.get_running_loop().time() < end, (script, await self.run("document.body.innerText"))
            await asyncio.sleep(0.05)
        return value

    async def picture(self, name: str) -> None:
        if folder := os.environ.get("PICTURES"):
            shot = await self.ask("Page.captureScreenshot", format="png")
            (Path(folder) / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))


@contextlib.asynccontextmanager
async def tab(folder: Path) -> Any:
    chromium = shutil.which("chromium")
    assert chromium is not None, "apt-get install chromium"
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--no-first-run"]
    browser = subprocess.Popen(
        [chromium, *options, f"--user-data-dir={folder}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        said = folder / "DevToolsActivePort"
        end = asyncio.get_running_loop().time() + WITHIN
        while not said.exists() or len(said.read_text().split()) < 2:
            assert asyncio.get_running_loop().time() < end
            await asyncio.sleep(0.05)
        port = said.read_text().split()[0]
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                address = next(one for one in await answer.json() if one["type"] == "page")["webSocketDebuggerUrl"]
            async with session.ws_connect(address, max_msg_size=0) as socket:
                yield Page(socket, itertools.count(1), [])
    finally:
        browser.terminate()
        browser.wait(WITHIN)


@pytest.fixture
def service() -> Iterator[PushService]:
    with PushService() as running:
        yield running


@pytest.fixture
def world(build_world: Any, service: PushService) -> Iterator[tuple[World, str]]:  # noqa: F811
    held: list[World] = []
    server = make_server("127.0.0.1", 0, lambda environ, start: held[0].app(environ, start), threaded=True)
    url = f"http://127.0.0.1:{server.port}"
    channel = json.dumps({**service.options, "private_key": KEY})
    held.append(
        build_world(
            {
                "https://escalator.example.com": url,
                "  phone: {from:": f"  webpush: {channel}\n  phone: {{from:",
                "steps: [{notify: [owner, lee], by: sms}": "steps: [{notify: [owner, lee], by: webpush}",
            }
        )
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield held[0], url
    server.shutdown()
    thread.join()
    server.server_close()


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
        await page.ask("Emulation.setDeviceMetricsOverride", **PHONE)
        await page.ask("Browser.grantPermissions", origin=url, permissions=["notifications"])
        await page.ask("Page.addScriptToEvaluateOnNewDocument", source=stand_in)
        await page.ask("Page.navigate", url=f"{url}/pair/{token}")
        await page.until("document.querySelector('#subscribe')?.checkVisibility()")
        await page.picture("pair-ready")
        await page.run("document.querySelector('#subscribe').click()")
        await page.until("document.querySelector('#test').checkVisibility()")
        await page.picture("pair-paired")
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
