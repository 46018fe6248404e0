"""`up` itself looks after Redis: when it is gone, nobody else can tell the operator, since all others need it.

A Redis that starts and dies again and again (its disk is full) is gone, too, although it answers now and then.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from config.settings import Settings

from .engine.ways import Ways
from .errors import EscalatorError
from .redis_server import answers
from .services import build_channels

EVERY = 1.0  # seconds between two looks
GONE_AFTER = 30.0  # seconds
STEADY_AFTER = 10.0  # seconds of answers after which it is back
ONCE_IN = 3600.0  # seconds

GONE = "Redis has not answered for {:.0f} s: no ticket is taken in, and nobody is told. It is being started again."
BACK = "Redis answers again, and Escalator goes on."


class Verdict(StrEnum):
    NOTHING = "nothing"
    GONE = "gone"
    BACK = "back"


@dataclass
class Away:
    """How long Redis has been away. Moments are monotonic seconds."""

    since: float | None = None
    answered_since: float | None = None
    told_at: float | None = None

    def look(self, answered: bool, at: float) -> Verdict:
        """What is to be told now, if anything."""
        if not answered:
            self.answered_since = None
            self.since = at if self.since is None else self.since
        else:
            self.answered_since = at if self.answered_since is None else self.answered_since
            if at - self.answered_since >= STEADY_AFTER:
                self.since = None
        if self.since is None:
            told, self.told_at = self.told_at, None
            return Verdict.BACK if told is not None else Verdict.NOTHING
        late = not answered and at - self.since >= GONE_AFTER
        if late and (self.told_at is None or at - self.told_at >= ONCE_IN):
            return Verdict.GONE
        return Verdict.NOTHING

    def told(self, at: float) -> None:
        self.told_at = at


def watch_redis(url: str, settings: Callable[[], Settings], say: Callable[[str], None]) -> None:
    """Looks for ever; for a thread of its own. `settings` are asked for when somebody is to be told."""
    away, pause = Away(), threading.Event()
    while True:
        verdict = away.look(answers(url), time.monotonic())
        if verdict is not Verdict.NOTHING:
            gone = time.monotonic() - away.since if away.since is not None else 0.0
            sentence = GONE.format(gone) if verdict is Verdict.GONE else BACK
            say(sentence)
            if _told(settings(), sentence, verdict, say) and verdict is Verdict.GONE:
                away.told(time.monotonic())
        pause.wait(EVERY)


def _told(settings: Settings, sentence: str, verdict: Verdict, say: Callable[[str], None]) -> bool:
    """Whether the operator was told, or nobody is named; where no way works it is tried again."""
    told = settings.service.operator
    if told is None:
        return True
    try:
        channels = build_channels(settings)
    except EscalatorError as problem:
        say(str(problem))
        return True
    contacts = [settings.contacts[key] for key in told.notify if key in settings.contacts]
    ways = Ways(contacts, {name: channels[name] for name in told.by if name in channels})
    return ways.say(f"redis-{verdict.value}", sentence)
