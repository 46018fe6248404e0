"""What a campaign prints at its end."""

from rich.console import Console
from rich.table import Table

from .campaign import Report
from .recovery import AT_MOST


def show(report: Report, console: Console) -> None:
    """Kills by point and process, what was counted, and what was wrong."""
    verdict = "[green]clean[/]" if report.findings.clean else "[red]RED[/]"
    console.print(
        f"\n[bold]{report.name}[/]: {report.kills} kills in {report.seconds:.0f} s, seed {report.seed}: {verdict}"
    )
    killed = Table("killed at", "times", "killed at", "times", "killed any time", "times", box=None, padding=(0, 1))
    points = [(point, str(times)) for point, times in sorted(report.at_points.items())]
    half = (len(points) + 1) // 2
    processes = [(name, str(times)) for name, times in sorted(report.processes.items())]
    for row in range(max(half, len(processes))):
        cells = [*(points[row : row + 1] if row < half else []), *points[half + row : half + row + 1]]
        left = [cell for pair in cells for cell in pair]
        right = list(processes[row]) if row < len(processes) else []
        killed.add_row(*left, *[""] * (4 - len(left)), *right)
    if report.kills:
        console.print(killed)
    if report.counted:
        console.print("befell: " + ", ".join(f"{what} {many}" for what, many in sorted(report.counted.items())))
    counted = ", ".join(f"{what} {many}" for what, many in sorted(report.findings.counted.items()))
    console.print(f"counted: {counted}", soft_wrap=True)
    console.print(
        f"latest step {report.findings.latest_step:.1f} s late"
        + (f"; slowest start of up {report.slowest_start:.1f} s" if report.slowest_start else "")
    )
    for victim, seconds in report.recovery.items():
        console.print(
            f"after kill -9 of {victim}: next steps at most {seconds:.2f} s late (allowed {AT_MOST[victim]:g})"
        )
    for kind, sentences in report.findings.wrong.items():
        console.print(f"{kind}: {len(sentences)}" + (f" [red]{'; '.join(sentences[:5])}[/]" if sentences else ""))
