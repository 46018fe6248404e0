"""A tab of a real browser at phone size; needs `chromium`. PICTURES=folder keeps what `picture` shows."""

import asyncio
import base64
import contextlib
import itertools
import os
import shutil
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import aiohttp
from werkzeug.serving import make_server

WITHIN = 60.0  # seconds for whatever the browser is to do
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}


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
        """What the script comes to; it runs whether or not the page may have scripts of its own."""
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

    async def open(self, url: str) -> None:
        """Goes there, and waits until all of it is there."""
        await self.leaving(self.ask("Page.navigate", url=url))

    async def leaving(self, action: Any) -> None:
        """Does what leads to another page, and waits until all of that is there."""
        await self.run("window.left = true")
        await action
        await self.until("!window.left && document.readyState === 'complete'")

    async def tap(self, selector: str) -> None:
        """A finger on the middle of it."""
        at = await self.run(
            f"""(() => {{
                const one = document.querySelector({selector!r});
                one.scrollIntoView({{block: "center"}});
                const box = one.getBoundingClientRect();
                return {{x: box.x + box.width / 2, y: box.y + box.height / 2}};
            }})()"""
        )
        await self.ask("Input.dispatchTouchEvent", type="touchStart", touchPoints=[at])
        await self.ask("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    async def press(self, key: str, code: int, text: str = "") -> None:
        """A key of a keyboard (or a switch device)."""
        for kind in ("keyDown", "keyUp"):
            more = {"text": text} if text and kind == "keyDown" else {}
            await self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **more)

    async def like_a_phone(self, **changes: Any) -> None:
        await self.ask("Emulation.setDeviceMetricsOverride", **{**PHONE, **changes})
        await self.ask("Emulation.setTouchEmulationEnabled", enabled=True)

    async def picture(self, name: str, last: str = "body") -> None:
        """The page down to the element `last`, where somebody wants pictures."""
        if folder := os.environ.get("PICTURES"):
            down_to = f"document.querySelector({last!r}).getBoundingClientRect().bottom + scrollY + 12"
            size = {"width": await self.run("innerWidth"), "height": await self.run(down_to)}
            clip = {"x": 0, "y": 0, **size, "scale": 1}
            shot = await self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
            (Path(folder) / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))


@contextlib.asynccontextmanager
async def tab(folder: Path, options: Sequence[str] = ()) -> AsyncIterator[Page]:
    """A browser of its own, with its profile in `folder`."""
    chromium = shutil.which("chromium")
    assert chromium is not None, "apt-get install chromium"
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    ours = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", *quiet, *options]
    browser = subprocess.Popen(
        [chromium, *ours, f"--user-data-dir={folder}", "about:blank"],
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


# --- what it is shown -----------------------------------------------------------------------------------------------


@dataclass
class Serving:
    """A web server for one app, which may be named after its address is known. `asked`: (method, path, purpose)."""

    url: str = ""
    app: Any = None
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start: Any) -> Any:
        purpose = environ.get("HTTP_SEC_PURPOSE") or environ.get("HTTP_PURPOSE") or ""
        self.asked.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], purpose))
        return self.app(environ, start)


@contextlib.contextmanager
def serving() -> Iterator[Serving]:
    """On a free port of this machine."""
    served = Serving()
    server = make_server("127.0.0.1", 0, served, threaded=True)
    served.url = f"http://127.0.0.1:{server.port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# --- whether everybody can use it -----------------------------------------------------------------------------------

_AXE = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
_SMALL = """
    [...document.querySelectorAll("a, button, input, summary")].filter((one) => one.checkVisibility()).map((one) => {
        const box = one.getBoundingClientRect();
        return [one.textContent.trim(), box.width, box.height];
    }).filter(([words, width, height]) => width < 44 || height < 44)
"""


async def obstacles(page: Page) -> list[str]:
    """What keeps people from using the page: by axe-core's rules (https://dequeuniversity.com/rules/axe/) in light and
    in dark, by targets smaller than a finger (44 px), and by a page wider than a narrow phone (320 px).
    """
    found = []
    for scheme in ("light", "dark"):
        await page.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        await page.run(_AXE)
        violations = await page.run("axe.run(document).then((result) => result.violations)")
        found += [
            f"{scheme}: {one['id']} ({one['impact']}): {node['html']}" for one in violations for node in one["nodes"]
        ]
    await page.ask("Emulation.setEmulatedMedia", features=[])
    found += [f"small: {one}" for one in await page.run(_SMALL)]
    await page.like_a_phone(width=320)
    if (width := await page.run("document.documentElement.scrollWidth")) > 320:
        found.append(f"{width} px wide")
    await page.like_a_phone()
    return found
