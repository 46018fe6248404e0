"""`python -m tests.bench`: how late steps are, how many webhooks and notifications a second, on this machine.

Everything is real and on the loopback: the processes that `escalator up` starts, an append-only Redis, a helpdesk and
a provider in processes of their own. They, and the load, share the machine's cores with what is measured.
"""

import json
import logging
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from . import burst, hints, lateness, night, sending, webhooks

PARTS = ("lateness", "webhooks", "sending", "night", "burst", "hints")


@click.command()
@click.option("--quick", is_flag=True, help="A tenth of everything: to see that it works.")
@click.option("--json", "as_json", is_flag=True, help="Figures as JSON on standard output.")
@click.option("--only", type=click.Choice(PARTS), help="One part.")
def main(quick: bool, as_json: bool, only: str | None) -> None:
    """Measure Escalator on this machine."""
    logging.disable(logging.ERROR)
    console = Console(stderr=True)
    figures: dict[str, Any] = {}
    parts: dict[str, Callable[[Path, Callable[[str], None]], Any]] = {
        "lateness": lambda d, say: [
            asdict(one)
            for one in lateness.measure(d, (10, 2_000) if quick else (10, 100_000, 500_000), 30 if quick else 200, say)
        ],
        "webhooks": lambda d, say: asdict(webhooks.measure(d, 1.0 if quick else 4.0, 2 if quick else 3, say)),
        "sending": lambda d, say: asdict(sending.measure(d, 200 if quick else 1_500, say)),
        "night": lambda d, say: asdict(night.measure(d, 50 if quick else 500, 6.0 if quick else 60.0, say)),
        "burst": lambda d, say: [asdict(one) for one in burst.measure(d, 500 if quick else 10_000, say)],
        "hints": lambda d, say: asdict(hints.measure(d, 2_000 if quick else 20_000, say)),
    }
    with console.status("") as status:
        for name, part in parts.items():
            if only in (None, name):
                with tempfile.TemporaryDirectory(prefix="bench-") as directory:
                    figures[name] = part(Path(directory), lambda said: status.update(said))
    if as_json:
        click.echo(json.dumps(figures, indent=1))
    else:
        Console().print(table(figures))


def table(figures: dict[str, Any]) -> Table:
    """What was measured beside what it should be."""
    made = Table("what", "figure", "aim", title="Escalator on this machine")
    for one in figures.get("lateness", ()):
        size = f"{one['waiting']:,} waiting"
        made.add_row(f"steps late, {size}: p50", f"{one['p50']:.3f} s", "0.1 s", style=good(one["p50"] <= 0.1))
        made.add_row(f"steps late, {size}: p99", f"{one['p99']:.3f} s", "0.5 s", style=good(one["p99"] <= 0.5))
        made.add_row(f"steps late, {size}: latest", f"{one['latest']:.3f} s", "")
        early = one["earliest"] >= 0
        made.add_row(f"steps late, {size}: earliest", f"{one['earliest']:.3f} s", "never early", style=good(early))
        decided = f"{one['decided_p50'] * 1000:.0f} / {one['decided_p99'] * 1000:.0f} ms"
        made.add_row(f"webhook to decision, {size}: p50 / p99", decided, "")
        if one["waiting"] >= 1000:
            made.add_row(f"memory of each, {size}", f"{one['bytes_each'] / 1000:.1f} kB", "")
    if web := figures.get("webhooks"):
        made.add_row("webhooks a second", f"{web['ours']:.0f}", "")
        made.add_row("webhooks: p99", f"{web['ours_p99'] * 1000:.0f} ms", "")
        made.add_row("a bare route a second", f"{web['bare']:.0f} (p99 {web['bare_p99'] * 1000:.0f} ms)", "")
        ratio = web["ratio"]
        made.add_row("webhooks beside the bare route", f"{ratio:.0%}", "60 %", style=good(ratio >= 0.6))
    if sent := figures.get("sending"):
        rate = sent["rate"]
        made.add_row("notifications a second (300 ms a call)", f"{rate:.0f}", "120", style=good(rate >= 120))
        made.add_row("CPU of one notification", f"{sent['cpu_each'] * 1000:.1f} ms", "")
        made.add_row("connections opened for each", f"{sent['connections_each']:.2f}", "")
    if bad := figures.get("night"):
        storm = f"{bad['tickets']} tickets in {bad['in_seconds']:.0f} s"
        made.add_row(f"{storm}: texts to one person", f"{bad['messages']}", "")
        made.add_row(
            f"{storm}: first text after it was due",
            f"{bad['first_late']:.2f} s",
            "1 s",
            style=good(bad["first_late"] <= 1),
        )
        made.add_row(f"{storm}: latest step", f"{bad['latest_step']:.2f} s late", "")
        made.add_row(
            f"{storm}: all told, all noted after the last step", f"{bad['told']:.0f} s, {bad['noted']:.0f} s", ""
        )
    for one in figures.get("burst", ()):
        what = f"{one['steps']:,} steps in one second, fsync {one['appendfsync']}"
        made.add_row(
            f"{what}: all with the provider",
            f"{one['handed_over']:.0f} s",
            "90 s",
            style=good(one["handed_over"] <= 90),
        )
    if storm := figures.get("hints"):
        size = f"{storm['tickets']:,} hints and rows"
        made.add_row("steps late in calm: p50 / latest", f"{storm['calm_p50']:.3f} / {storm['calm_latest']:.3f} s", "")
        late = storm["storm_latest"]
        shown = f"{storm['storm_p50']:.3f} / {late:.3f} s"
        made.add_row(f"steps late, {size}: p50 / latest", shown, "1 s", style=good(late <= 1))
        made.add_row(f"{size}: until nothing waits", f"{storm['digested']:.0f} s", "")
        made.add_row(f"{size}: searches / readings", f"{storm['searches']} / {storm['readings']}", "")
        most = storm["most_at_once"]
        made.add_row(f"{size}: calls at a time", f"{most}", "4", style=good(most <= 4))
    return made


def good(reached: bool) -> str:
    return "green" if reached else "red"


if __name__ == "__main__":
    main()
