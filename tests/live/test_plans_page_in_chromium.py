"""The page that `plans --html` writes, in a real browser at phone size and on paper; needs `chromium`.

    PICTURES=docs .ci/live tests/live/test_plans_page_in_chromium.py

makes docs/plans-page.png anew, from config/escalation.example.yml.
"""

import asyncio
import base64
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from channels import BUILT_IN
from connector.cli import main
from connector.cli.sheet import Chosen, Part, Row, Sheet, page_of
from connector.core.wording import Reader

from .chromium import Page, obstacles, tab

ROOT = Path(__file__).parents[2]
SECRETS = {
    "ZAMMAD_TOKEN": "a-token",
    "ZAMMAD_WEBHOOK_SECRET": "a-webhook-secret-of-some-length",
    "ESCALATOR_KEY": "0123456789abcdef0123456789abcdef",
    "TWILIO_ACCOUNT_SID": f"AC{'0' * 32}",
    "TWILIO_AUTH_TOKEN": "a-twilio-token",
    "PAGER_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}


@pytest.fixture(params=["en", "de"])
def page(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """The example's plans as a page, and its language."""
    example = (ROOT / "config/escalation.example.yml").read_text(encoding="utf-8")
    config, file = tmp_path / "escalation.yml", tmp_path / "plans.html"
    config.write_text(example.replace("language: en\n", f"language: {request.param}\n"), encoding="utf-8")
    said = CliRunner().invoke(main, ["plans", "--config", str(config), "--html", str(file)], env=SECRETS)
    assert said.exit_code == 0, said.output
    return request.param, file


def test_everybody_can_read_the_plans_and_nothing_is_loaded(page: tuple[str, Path], tmp_path: Path) -> None:
    asyncio.run(_story(*page, tmp_path / "profile"))


async def _story(language: str, file: Path, folder: Path) -> None:
    async with tab(folder) as page:
        for domain in ("Page", "Runtime", "Network"):
            await page.ask(f"{domain}.enable")
        await page.like_a_phone(width=600, deviceScaleFactor=1)
        await page.open(file.as_uri())
        if language == "en":
            await page.picture("plans-page", last="#plan-1")
        await page.like_a_phone()

        assert await obstacles(page) == []
        assert await page.run("document.documentElement.lang") == language
        headings = await page.run("[...document.querySelectorAll('h1, h2')].map((one) => one.tagName)")
        assert headings == ["H1", "H2", "H2", "H2"]
        assert await page.run("document.querySelectorAll('.timeline li').length") == 8
        drawn = await page.run("[...document.querySelectorAll('.icon use')].every((one) => one.getBBox().width > 9)")
        assert drawn, "an icon shows nothing"
        loaded = [e["params"]["request"]["url"] for e in page.events if e["method"] == "Network.requestWillBeSent"]
        assert loaded == [file.as_uri()]
        assert await _pages_on_paper(page) <= 2


async def _pages_on_paper(page: Page) -> int:
    printed = base64.b64decode((await page.ask("Page.printToPDF", paperWidth=8.27, paperHeight=11.69))["data"])
    return len(re.findall(rb"/Type\s*/Page\b", printed))


def test_whatever_a_ticket_or_plan_is_called_the_page_fits_a_phone(tmp_path: Path) -> None:
    wide, wait = "W" * 90, timedelta(hours=3)
    row = Row(f"2026-01-31 20:15 {'X' * 6}", wide, ("email", "sms"), ("phone", "push", "pager"), wait, (wide, wide))
    part = Part(wide, (wide,), (row, row), (wide,))
    sheet = Sheet(wide, (wide,), (part,), (wide,), (Chosen(wide, 1), Chosen(wide)), link="https://desk.example.com/")
    file = tmp_path / "page.html"
    file.write_text(page_of(sheet, BUILT_IN, "en", Reader(UTC, {}), datetime.now(UTC)), encoding="utf-8")

    async def story() -> None:
        async with tab(tmp_path / "profile") as page:
            await page.ask("Page.enable")
            await page.like_a_phone()
            await page.open(file.as_uri())
            assert await obstacles(page) == []

    asyncio.run(story())
