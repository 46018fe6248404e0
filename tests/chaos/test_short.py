"""The campaign in short: some sixty kills in a minute. `make chaos` is the long one."""

from pathlib import Path

import pytest
from rich.console import Console

from .campaign import kills, run
from .table import show


@pytest.mark.timeout(600)
def test_sixty_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    report = run("sixty kills", 7, kills(60, pause=0.7), lease=10, directory=tmp_path)
    show(report, Console(width=150))
    assert report.kills >= 60
    assert report.findings.counted["stories"] >= 20
    assert report.findings.wrong == {kind: [] for kind in report.findings.wrong}
