"""Plays the story on the stage, tells it while it happens, and says what differed."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from ...errors import EscalatorError
from . import DANA, PLAN, SCRIPT, verdict
from .look import look
from .screen import Screen, summary
from .seen import Seen
from .stage import Stage

LOOK_EVERY = 0.05  # seconds
ACK_WITHIN = 8.0  # seconds after the call was due
CLOSED_WITHIN = 8.0  # seconds
AGENT_WORKS = 3.0  # told minutes between the acknowledgement and the end of the trouble


class Play:
    """One ticket's story; `play()` raises EscalatorError when `escalator up` ends in the middle of it."""

    def __init__(self, stage: Stage, console: Console, late: float = verdict.LATE) -> None:
        self.stage, self.console, self.late = stage, console, late
        self.screen = Screen(console)
        self.ticket: dict[str, Any] = {}
        self.seen = Seen(datetime.now(UTC))

    def play(self) -> list[str]:
        """What differs from how the story should go; nothing is the best answer."""
        self._introduce()
        self.open_ticket("Server outage")
        last_due = SCRIPT.due()[-1][1]
        self.watch(lambda seen: seen.acknowledged, last_due + ACK_WITHIN)
        differs = self._before_the_end(self.seen)
        if self.seen.acknowledgement is not None:
            self.watch(lambda _: False, self.minute() + AGENT_WORKS)
        self.screen.line(self.minute(), "", f"{DANA} has repaired the server and closes the ticket")
        self.stage.zammad.close(self.ticket["id"], by=self.stage.dana)
        self.watch(lambda seen: seen.closed, self.minute() + CLOSED_WITHIN)
        differs += [one for one in self._at_the_end(self.seen) if one not in differs]
        self._conclude(differs)
        return differs

    def open_ticket(self, title: str) -> None:
        """Cathy reports something."""
        zammad = self.stage.zammad
        self.ticket = zammad.create_ticket(title, by=zammad.cathy, priority="3 high", group="Network")
        self.seen = Seen(datetime.fromisoformat(self.ticket["created_at"]))
        said = f'Ticket {self.ticket["number"]} "{title}" by Cathy Customer, priority 3 high; nobody owns it'
        self.screen.line(0, "", said)

    def watch(self, done: Callable[[Seen], bool], until: float) -> None:
        """Looks and tells until it is done or that told minute has passed."""
        pause = threading.Event()
        while True:
            seen = look(self.stage, self.ticket)
            self.screen.news(self.seen, seen, self.minute())
            self.seen = seen
            if done(seen) or self.minute() > until:
                return
            if not self.stage.alive:
                raise EscalatorError(f"`escalator up` ended in the middle of the story: {self.stage.last_words}")
            pause.wait(LOOK_EVERY)

    def minute(self) -> float:
        """The told minute, counted from the ticket's creation."""
        return self.seen.minutes(datetime.now(UTC))

    def _before_the_end(self, seen: Seen) -> list[str]:
        return verdict.before_the_end(seen, SCRIPT, DANA, self.late)

    def _at_the_end(self, seen: Seen) -> list[str]:
        return verdict.at_the_end(seen, SCRIPT, DANA, self.late)

    def _introduce(self) -> None:
        steps = ", ".join(f"{verdict.WORDS[way]} at {at} min" for way, at in SCRIPT.due())
        self.console.print(
            f"Escalator runs at {self.stage.url}, between a sandbox Zammad and stand-ins for Apple and Twilio.\n"
            f"Plan {PLAN}: {SCRIPT.window} min to respond; then {steps}. A minute is told in a second.\n",
            markup=False,
            soft_wrap=True,
        )

    def _conclude(self, differs: list[str]) -> None:
        self.screen.notes(self.seen.notes, f"Internal notes on ticket {self.ticket['number']}, as agents see them")
        late = ", ".join(f"{verdict.WORDS[told.way]} {s:.2f} s" for told, s in verdict.lateness(self.seen, SCRIPT))
        self.console.print(f"Sent after the due time: {late or 'nothing was sent'}.", soft_wrap=True)
        if not differs:
            self.console.print(summary(self.seen, DANA), style="bold green", soft_wrap=True)
            return
        self.console.print("The story did not end as it should:", style="bold red", soft_wrap=True)
        for one in differs:
            self.console.print(f"- {one}", markup=False, soft_wrap=True)
        if any(late > verdict.LATE for _, late in verdict.lateness(self.seen, SCRIPT)):
            self.console.print("Is this machine busy with something else? Then play it again.", soft_wrap=True)
        for line in [line for line in self.stage.said if not line.startswith("redis")][-3:]:
            self.console.print(f"Escalator said: {line}", markup=False, style="dim", soft_wrap=True)
