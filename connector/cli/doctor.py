"""`escalator doctor`: sends a probe ticket round, and names the broken link of the chain with its mend."""

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict
from types import FrameType
from typing import Any, NoReturn

import click
from requests.auth import AuthBase, HTTPBasicAuth

from ..probing import Finding, Result, broken
from .chain import Chain
from .common import Places, as_json, placed, print_json, say
from .round import Asked

WITHIN = 60.0  # seconds; a quiet Zammad sends within a few
MARKS = {
    Result.RIGHT: ("✓", "ok", "green"),
    Result.DOUBTFUL: ("!", "!", "yellow"),
    Result.BROKEN: ("✗", "NO", "red"),
    Result.NOT_CHECKED: ("-", "-", None),
}


@click.command()
@click.option(
    "--within",
    type=click.FloatRange(1, 600),
    default=WITHIN,
    show_default=True,
    help="Seconds for the webhook to come back.",
)
@click.option("--group", default="", help="The group (queue) in which the probe is made; else one that fits.")
@click.option("--priority", default="", help="The probe's priority; else one to which no plan applies.")
@placed
@as_json
def doctor(places: Places, within: float, group: str, priority: str, json_: bool) -> None:
    """Send a probe ticket round beside a running `up`, and name the broken link of the chain with its mend.

    No plan applies to the probe, nobody is told of anything, and it is closed at the end. Where no webhook comes back,
    an administrator's rights tell why: ESCALATOR_ADMIN_TOKEN, or ESCALATOR_ADMIN_USER and ESCALATOR_ADMIN_PASSWORD.

    Exits 0 when no link is broken, else 1.
    """
    chain = Chain(places, Asked(within, group, priority, administrator(os.environ)))
    findings: list[Finding] = []
    with _ended_softly(), closing(chain.walk()) as walk:
        for finding in walk:
            findings.append(finding)
            if not json_:
                _show(finding)
    first = broken(findings)
    if json_:
        links = [asdict(one) for one in findings]
        print_json({"ok": first is None, "broken": first and first.link, "probe": chain.probe or None, "links": links})
    elif first is None:
        say("", "The chain is whole.")
    else:
        say("", f"The broken link: {first.link}. {first.sentence}", *([first.mend] if first.mend else []))
    sys.exit(0 if first is None else 1)


def administrator(environ: Mapping[str, str]) -> str | AuthBase | None:
    """Who may look into the helpdesk's set-up, as for `connect`; None when the environment names nobody."""
    token, user = environ.get("ESCALATOR_ADMIN_TOKEN"), environ.get("ESCALATOR_ADMIN_USER")
    password = environ.get("ESCALATOR_ADMIN_PASSWORD")
    if token:
        return token
    return HTTPBasicAuth(user, password) if user and password else None


def _show(finding: Finding) -> None:
    mark, plain, colour = MARKS[finding.result]
    shown = mark if _can_say(mark) else plain
    click.secho(f"{shown:<2}", fg=colour, nl=False)
    say(f" {finding.link}: {finding.sentence}")
    if finding.mend and finding.result is not Result.RIGHT:
        say(f"     {finding.mend}")


def _can_say(mark: str) -> bool:
    try:
        mark.encode(sys.stdout.encoding or "ascii")
    except (UnicodeError, LookupError):
        return False
    return True


@contextmanager
def _ended_softly() -> Iterator[None]:
    """SIGTERM ends it as Ctrl-C does: the probe is closed before."""

    def end(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before: Any = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
