"""The points at which processes can be killed: each stands in the code, and none that isn't listed."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector import points

CONNECTOR = Path(points.__file__).parent


@pytest.fixture
def seen() -> Iterator[list[str]]:
    """What the watcher of this process was told."""
    told: list[str] = []
    before = points._watcher
    points.watch(told.append)
    yield told
    points.watch(before)


def test_whoever_watches_is_told_of_each_point(seen: list[str]) -> None:
    points.reached("note begun")
    points.reached("note answered")
    assert seen == ["note begun", "note answered"]


def test_each_listed_point_stands_in_the_code_and_no_other() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in CONNECTOR.rglob("*.py"))
    assert set(re.findall(r"\breached\(\"([^\"]+)\"\)", text)) == set(points.POINTS)
