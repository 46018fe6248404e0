"""The page behind a personal link in a real browser at phone size, mostly with JavaScript off; needs `chromium`.

    PICTURES=docs .ci/live tests/live/test_ack_page_in_chromium.py

makes docs/ack-page.png anew.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connector import services as graph
from connector.core.escalation import State
from connector.redis_server import connect
from connector.web.app import create_app
from tests.web.conftest import World, build_world, twilio  # noqa: F401 - fixtures

from .chromium import Page, Serving, obstacles, serving, tab

pytestmark = pytest.mark.timeout(300)  # seconds: each looks at many pages

VISIBLE = 660  # px of a phone's 844 that its browser's own bars leave
GERMAN = {"name: Dana Reyes,": "name: Dana Reyes, language: de, timezone: Europe/Berlin,"}
TAKE, SNOOZE, ESCALATE = (f"form:nth-of-type({number}) button" for number in (1, 2, 3))


@dataclass
class Scene:
    """A browser on a phone, and Escalator with a ticket of which Dana and Lee have been told."""

    page: Page
    world: World
    served: Serving

    async def sent(self, ticket_id: str = "42", title: str = "Server outage: mail and telephony down") -> str:
        """Dana's link to a ticket whose first step has fired."""
        danas, _ = await asyncio.to_thread(self.world.sent, ticket_id, title=title)
        return f"{self.served.url}{self.world.ack_url(danas)}"

    async def says(self) -> str:
        return " ".join((await self.page.run("document.body.innerText")).split())

    async def scripts(self, on: bool) -> None:
        await self.page.ask("Emulation.setScriptExecutionDisabled", value=not on)


@pytest.fixture
def play(build_world: Any, tmp_path: Path) -> Any:  # noqa: F811
    """Plays a story in a browser; `more` replaces lines of the config."""

    def played(story: Any, more: dict[str, str] | None = None) -> None:
        with serving() as served:
            world = build_world({"https://escalator.example.com": served.url, **(more or {})})
            served.app = world.app
            asyncio.run(_played(story, world, served, tmp_path))

    return played


async def _played(story: Any, world: World, served: Serving, folder: Path) -> None:
    async with tab(folder / "profile") as page:
        for domain in ("Page", "Runtime", "Log"):
            await page.ask(f"{domain}.enable")
        await page.like_a_phone()
        await story(Scene(page, world, served))
        entries = [event["params"]["entry"] for event in page.events if event["method"] == "Log.entryAdded"]
        assert [one for one in entries if one["level"] == "error" and one["source"] != "network"] == []


def test_one_tap_takes_the_ticket_without_javascript(play: Any) -> None:
    async def story(scene: Scene) -> None:
        page, world = scene.page, scene.world
        link = await scene.sent()
        await scene.scripts(on=False)
        await page.open("data:text/html,<title>off</title><script>document.title = 'on'</script>")
        assert await page.run("document.title") == "off"

        await page.open(link)
        await page.like_a_phone(deviceScaleFactor=1.5)
        await page.picture("ack-page")
        await page.like_a_phone()
        assert "Nobody has taken it yet." in await scene.says()
        await page.leaving(page.tap(TAKE))

        said = await scene.says()
        assert said.startswith("Ticket 50042 E-1A, ticket 50042: acknowledged by Dana Reyes. Server outage")
        assert "You have it." in said
        assert world.acknowledger() == ("Dana Reyes", "link")
        assert await page.run("document.forms.length") == 0

    play(story)


def test_escalate_now_and_half_an_hour_are_a_tap_each_too(play: Any) -> None:
    async def story(scene: Scene) -> None:
        page, world = scene.page, scene.world
        first, second = await scene.sent(), await scene.sent("43")
        await scene.scripts(on=False)

        await page.open(first)
        await page.leaving(page.tap(ESCALATE))
        assert "E-1A, ticket 50042: the next step comes now." in await scene.says()
        assert (world.escalation().step, world.acknowledger()) == (2, ("", ""))
        await page.open(f"{first}/escalate")  # as a phone does that opens its last page anew
        assert "Nobody has taken it yet." in await scene.says()
        await page.leaving(page.tap(TAKE))
        assert world.acknowledger() == ("Dana Reyes", "link")

        await page.open(second)
        await page.leaving(page.tap(SNOOZE))
        assert "You have it until" in await scene.says()
        assert world.escalation("43").state is State.HELD

    play(story)


def test_a_browser_that_looks_ahead_changes_nothing(play: Any) -> None:
    async def story(scene: Scene) -> None:
        link = await scene.sent()
        path = link.removeprefix(scene.served.url)
        escalator = scene.served.app

        def hinting(environ: dict[str, Any], start: Any) -> Any:
            """A page with links, of which the browser fetches beforehand what is behind them."""
            if environ["PATH_INFO"] != "/hinting":
                return escalator(environ, start)
            start("200 OK", [("Content-Type", "text/html")])
            paths = (path, f"{path}/escalate", f"{path}/snooze")
            return [b"".join(b'<link rel="prefetch" href="%s">' % one.encode() for one in paths)]

        scene.served.app = hinting
        await scene.page.open(f"{scene.served.url}/hinting")
        end = asyncio.get_running_loop().time() + 60
        while len([one for one in scene.served.asked if one[2] == "prefetch"]) < 3:
            assert asyncio.get_running_loop().time() < end, scene.served.asked
            await asyncio.sleep(0.05)
        await scene.page.run(f"fetch({path!r}, {{method: 'HEAD'}})")

        asked = {method for method, where, _ in scene.served.asked if where.startswith("/ack/")}
        assert asked == {"GET", "HEAD"}
        assert (scene.world.acknowledger(), scene.world.escalation().step) == (("", ""), 1)

    play(story)


def test_without_a_pointer_the_first_key_reaches_the_first_button(play: Any) -> None:
    async def story(scene: Scene) -> None:
        page = scene.page
        await page.open(await scene.sent())
        reached = []
        for _ in range(4):
            await page.press("Tab", 9)
            reached.append(await page.run("document.activeElement.textContent.trim()"))
        assert reached[:2] == ["I take it", "I take it for 30 minutes"]
        assert reached[2].startswith("Escalate now")
        assert reached[3] == "Open the ticket in the helpdesk"
        await page.open(page_url := await page.run("location.href"))
        await page.press("Tab", 9)
        await page.leaving(page.press("Enter", 13, "\r"))
        assert await page.run("location.href") == page_url
        assert scene.world.acknowledger() == ("Dana Reyes", "link")

    play(story)


@pytest.mark.parametrize(
    "title", ["Server outage", "W" * 250, "Sehr lange Geschichte " * 12], ids=["short", "wide", "long"]
)
def test_the_first_button_is_seen_without_scrolling_whatever_the_title(play: Any, title: str) -> None:
    async def story(scene: Scene) -> None:
        await scene.page.open(await scene.sent(title=title[:250]))
        for width in (390, 320):
            await scene.page.like_a_phone(width=width)
            assert await scene.page.run(f"document.querySelector('{TAKE}').getBoundingClientRect().bottom") < VISIBLE
            assert await scene.page.run("document.documentElement.scrollWidth") <= width

    play(story)


STATES = {
    "en": {
        "open": "Nobody has taken it yet.",
        "taken": "You have it.",
        "by another": "Taken by Lee Adams. There is nothing that you need to do.",
        "several": "I take all 2",
        "over": "It is over",
        "expired": "This link has expired",
        "forged": "This link doesn't work",
        "store away": "That didn't work",
    },
    "de": {
        "open": "Noch von niemandem übernommen.",
        "taken": "Sie haben es übernommen.",
        "by another": "Übernommen von Lee Adams. Sie brauchen nichts zu tun.",
        "several": "Ich übernehme alle 2",
        "over": "Hat sich erledigt",
        "expired": "Dieser Link ist abgelaufen",
        "forged": "Dieser Link geht nicht",
        "store away": "Das hat nicht geklappt",
    },
}


@pytest.mark.parametrize("language", STATES)
def test_everybody_can_use_it_whatever_it_says(play: Any, language: str) -> None:
    async def story(scene: Scene) -> None:
        page, wanted = scene.page, dict(STATES[language])
        async for state in _states(scene):
            assert wanted.pop(state) in await scene.says()
            assert await page.run("document.documentElement.lang") == language
            assert await page.run("document.title") != ""
            assert await page.run("document.querySelectorAll('h1').length") == 1
            assert (state, await obstacles(page)) == (state, [])
        assert wanted == {}

    play(story, {"service:": f"service:\n  language: {language}"})


async def _states(scene: Scene) -> Any:
    """The page in each state that it can be in."""
    page, world = scene.page, scene.world
    danas, lees = await asyncio.to_thread(world.sent, "42")
    mine, theirs = (f"{scene.served.url}{world.ack_url(one)}" for one in (danas, lees))
    await page.open(mine)
    yield "open"
    await page.leaving(page.tap(TAKE))
    yield "taken"
    danas, lees = await asyncio.to_thread(world.sent, "43")
    await page.open(f"{scene.served.url}{world.ack_url(lees)}")
    await page.leaving(page.tap(TAKE))
    await page.open(f"{scene.served.url}{world.ack_url(danas)}")
    yield "by another"
    link = await asyncio.to_thread(world.sent_together, "44", "45")
    await page.open(f"{scene.served.url}{world.ack_url(link)}")
    yield "several"
    await asyncio.to_thread(world.closed)
    await page.open(mine)
    yield "over"
    world.services.redis.delete(f"escalator:link:{lees.id}")
    await page.open(f"{scene.served.url}{world.ack_url(lees)}")
    yield "expired"
    await page.open(theirs[:-1])
    yield "forged"
    away = graph.build(world.services.settings, connect("redis://127.0.0.1:9"))  # nobody listens there
    scene.served.app = create_app(lambda: away)
    await page.open(theirs)
    yield "store away"
