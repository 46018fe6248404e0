"""The demo's story: a stage of stand-ins with Escalator in their middle, what is seen on it, and the verdict.

One plan, whose durations alone are scaled: a minute is told in a second. All else runs in real time.
"""

from dataclasses import dataclass

PLAN = "major-incident"
DANA, DEVICE, NUMBER = "Dana Reyes", "d4e0" * 16, "+491701234567"

#: What can be broken on purpose, to see that the verdict notices.
BREAKS = ("push", "sms", "phone", "notes")


@dataclass(frozen=True, slots=True)
class Script:
    """The plan in told minutes: the response window, then each step's way and its `after`."""

    window: int
    steps: tuple[tuple[str, int], ...]
    give_up_after: int

    def due(self) -> tuple[tuple[str, int], ...]:
        """Each step's way, and when it is due in minutes after the ticket came."""
        at, found = self.window, []
        for way, after in self.steps:
            at += after
            found.append((way, at))
        return tuple(found)


SCRIPT = Script(window=5, steps=(("push", 0), ("sms", 5), ("phone", 5)), give_up_after=6)
