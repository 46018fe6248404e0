"""Several tickets in one message, in short: some forty kills in a minute, most of them on the way of such a message."""

from pathlib import Path

import pytest
from rich.console import Console

from .campaign import kills, run
from .table import show
from .together import POINTS, WEIGHTS, Shifts, TogetherWorld


@pytest.mark.timeout(600)
def test_forty_kills_leave_every_ticket_told_once_and_in_one_message_with_others(tmp_path: Path) -> None:
    report = run(
        "forty kills while several tickets go into one message",
        7,
        kills(40, pause=0.7, points=POINTS, weights=WEIGHTS),
        place=TogetherWorld,
        living=Shifts,
        people={"apart": 1.5},
        lease=10,
        settle=300,
        directory=tmp_path,
    )
    show(report, Console(width=150))
    assert report.kills >= 40
    assert report.findings.counted["about several tickets"] >= 10
    assert report.findings.wrong == {kind: [] for kind in report.findings.wrong}
