"""`escalator demo`: the whole story on this machine, with no account anywhere."""

import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console

from ..errors import EscalatorError
from ..redis_server import find_server
from .story import PLAN, SCRIPT

LOOK_EVERY = 0.05  # seconds
ACK_WITHIN = 8.0  # seconds after the call was due
CLOSED_WITHIN = 8.0  # seconds
AGENT_WORKS = 3.0  # told minutes between the acknowledgement and the end of the trouble


@click.command()
@click.option("--stay", is_flag=True, help="Leave it running afterwards, with links to click, until Ctrl-C.")
@click.option("--break", "broken", default="", hidden=True, help="Let one part fail: push, sms, phone or notes.")
def demo(stay: bool, broken: str) -> None:
    """Play the whole story here: a ticket, push, SMS, a call, key 1, the notes. A minute is told in a second."""
    try:
        from .story.stage import BREAKS, Stage
    except ModuleNotFoundError as missing:
        raise EscalatorError(
            f"The demo's stand-ins need {missing.name}: pip install -c constraints.txt -e '.[embedded,demo]'"
        ) from None
    if broken and broken not in BREAKS:
        raise click.BadParameter(f"one of {', '.join(BREAKS)}", param_hint="--break")
    find_server()
    console = Console(highlight=False)
    try:
        with ExitStack() as running:
            with console.status("Starting a sandbox helpdesk, stand-ins for Apple and Twilio, and Escalator ..."):
                stage = running.enter_context(Stage(broken))
            differs = _Play(stage, console).play()
            if stay:
                from .story.stay import stay_open

                stay_open(stage, console)
    except KeyboardInterrupt:
        click.echo("Ended.", err=True)
        sys.exit(130)
    sys.exit(1 if differs else 0)


class _Play:
    def __init__(self, stage: Any, console: Console) -> None:
        from .story.screen import Screen

        self.stage, self.console = stage, console
        self.screen = Screen(console)

    def play(self) -> list[str]:
        """What differs from how the story should go; nothing is the best answer."""
        from .story import verdict
        from .story.screen import summary
        from .story.seen import Seen, look
        from .story.stage import DANA

        screen, zammad = self.screen, self.stage.zammad
        self._introduce()
        self.ticket = zammad.create_ticket("Server outage", by=zammad.cathy, priority="3 high", group="Network")
        self.seen = Seen(datetime.fromisoformat(self.ticket["created_at"]))
        number = self.ticket["number"]
        screen.line(0, "", f'Ticket {number} "Server outage" by Cathy Customer, priority 3 high; nobody owns it')

        last_due = SCRIPT.due()[-1][1]
        self._watch(lambda seen: not verdict.before_the_end(seen, SCRIPT, DANA), last_due + ACK_WITHIN)
        differs = verdict.before_the_end(self.seen, SCRIPT, DANA)
        if self.seen.acknowledgement is not None:
            self._watch(lambda seen: False, self._minute() + AGENT_WORKS)
        screen.line(self._minute(), "", "Dana Reyes has repaired the server and closes the ticket")
        zammad.close(self.ticket["id"], by=self.stage.dana)
        self._watch(lambda seen: not verdict.at_the_end(seen, SCRIPT, DANA), self._minute() + CLOSED_WITHIN)

        self.seen = look(self.stage, self.ticket)
        differs += [one for one in verdict.at_the_end(self.seen, SCRIPT, DANA) if one not in differs]
        screen.notes(self.seen.notes, f"Internal notes on ticket {number}, as agents see them")
        late = ", ".join(f"{verdict.WORDS[told.way]} {s:.2f} s" for told, s in verdict.lateness(self.seen, SCRIPT))
        self.console.print(f"After their due times: {late or 'nothing was sent'}.", soft_wrap=True)
        if differs:
            self.console.print("The story did not end as it should:", soft_wrap=True)
            for one in differs:
                self.console.print(f"- {one}", markup=False, soft_wrap=True)
        else:
            self.console.print(summary(self.seen, DANA), style="bold green", soft_wrap=True)
        return differs

    def _introduce(self) -> None:
        steps = ", ".join(f"{way} at {at} min" for way, at in SCRIPT.due())
        self.console.print(
            f"Escalator runs at {self.stage.url}, between a sandbox Zammad and stand-ins for Apple and Twilio.\n"
            f"Plan {PLAN}: {SCRIPT.window} min to respond; then {steps}. A minute is told in a second.\n",
            markup=False,
            soft_wrap=True,
        )

    def _minute(self) -> float:
        return float(self.seen.minutes(datetime.now(UTC)))

    def _watch(self, done: Callable[[Any], bool], until: float) -> None:
        """Looks and tells until it is done or that told minute has passed. Raises EscalatorError when `up` died."""
        from .story.seen import look

        pause = threading.Event()
        while True:
            seen = look(self.stage, self.ticket)
            self.screen.news(self.seen, seen, self._minute())
            self.seen = seen
            if done(seen) or self._minute() > until:
                return
            if not self.stage.alive:
                said = self.stage.said[-1] if self.stage.said else "it said nothing"
                raise EscalatorError(f"`escalator up` ended in the middle of the story: {said}")
            pause.wait(LOOK_EVERY)
