"""`make chaos`: the whole campaign with its teeth; `python -m tests.chaos --help` for parts of it."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from .acts import clock_jumps, cuts, pauses
from .campaign import ALL_POINTS, Report, kills, run
from .recovery import AT_MOST, one_by_one
from .table import show
from .teeth import TEETH, bite, bitten
from .together import POINTS, WEIGHTS, Shifts, TogetherWorld

LEASE = 10.0  # seconds, where processes stand still for longer than it
CEILING: dict[str, Any] = {"limits": {"sms": 5, "phone": 3, "push": 4}, "within": "1s", "crew": 3, "silent": True}
PARTS: dict[str, Callable[[int, int], Report]] = {
    "kills": lambda many, seed: run("kills", seed, kills(many, pause=0.9, each=many // 50), settle=300),
    "recovery": lambda many, seed: run("one kill at a time", seed, one_by_one, people={"apart": 0.4}),
    "pauses": lambda many, seed: run(
        "SIGSTOP for longer than every lease", seed, pauses(14.0), forgiving=True, settle=240, lease=LEASE
    ),
    "clocks": lambda many, seed: run(
        "clocks that jump by 90 s", seed, clock_jumps(90.0, 8.0), forgiving=True, settle=300, lease=LEASE
    ),
    "cuts": lambda many, seed: run(
        "answers cut in their middle",
        seed,
        cuts(120, pause=0.6),
        settle=240,
        lease=LEASE,
        proxied=True,
        may_give_up=True,
    ),
    "bundles": lambda many, seed: run(
        "several tickets in one message",
        seed,
        kills(many // 4, pause=0.9, each=many // 100, points=POINTS, weights=WEIGHTS),
        settle=300,
        place=TogetherWorld,
        living=Shifts,
        people={"apart": 1.5},
        lease=LEASE,
    ),
    "ceiling": lambda many, seed: run(
        "so many messages an hour",
        seed,
        kills(many // 16, pause=0.9, points=POINTS, weights=WEIGHTS),
        settle=300,
        place=TogetherWorld,
        living=Shifts,
        people={"apart": 3.0, "free": False, "acts": ("nothing",)},
        lease=LEASE,
        **CEILING,
    ),
}
#: How often somebody must have died at each point, as a part of all kills.
EACH: dict[str, tuple[Sequence[str], int]] = {"kills": (ALL_POINTS, 50), "bundles": (POINTS, 100)}


@click.command()
@click.option("--kills", "many", default=1000, show_default=True, help="How many kills; each point gets a fiftieth.")
@click.option("--seed", default=1, show_default=True, help="What is made, done and killed follows from it.")
@click.option("--only", type=click.Choice([*PARTS, "teeth"]), multiple=True, help="These parts alone.")
@click.option(
    "--bug", multiple=True, type=click.Choice([tooth.bug for tooth in TEETH]), help="Of the teeth these alone."
)
@click.option("--json", "path", type=click.Path(path_type=Path), help="Where to write all figures.")
def main(many: int, seed: int, only: tuple[str, ...], bug: tuple[str, ...], path: Path | None) -> None:
    """Kills, pauses, clock jumps, cuts; and planted bugs, each of which must be found."""
    console = Console(width=150, soft_wrap=False)
    documents, good = [], True
    for report, fine in _all(many, seed, only or (*PARTS, "teeth"), bug):
        show(report, console)
        documents.append({**report.document(), "as_expected": fine})
        good = good and fine
    if path is not None:
        path.write_text(json.dumps(documents, indent=1))
    console.print("\n[bold green]All as it must be.[/]" if good else "\n[bold red]Not as it must be.[/]")
    sys.exit(0 if good else 1)


def _all(many: int, seed: int, wanted: tuple[str, ...], bugs: tuple[str, ...]) -> Iterator[tuple[Report, bool]]:
    """Each campaign, and whether it came out as it must."""
    for name, part in PARTS.items():
        if name in wanted:
            report = part(many, seed)
            in_time = all(late <= AT_MOST[victim] for victim, late in report.recovery.items())
            points, part_of_all = EACH.get(name, ((), 1))
            often = all(report.at_points[point] >= many // part_of_all for point in points)
            yield report, report.findings.clean and in_time and often
    if "teeth" in wanted:
        for tooth in (tooth for tooth in TEETH if tooth.bug in bugs or not bugs):
            for planted in (True, False):
                report = bite(tooth, seed, planted=planted)
                yield report, bitten(tooth, report) if planted else report.findings.clean


if __name__ == "__main__":
    main()
