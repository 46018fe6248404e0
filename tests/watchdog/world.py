"""A world whose parts are broken one at a time: real processes, and what the operator and monitoring hear of it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import requests
from rq.worker import Worker

from connector.redis_server import connect, redis_url

from ..stories.world import World, eventually, said

HERE = Path(__file__).parent
OPERATOR = "lee@example.com"
WITHIN = 60.0  # seconds in which every fault is reported: what the product promises
PLANS: dict[str, dict[str, Any]] = {
    # a text at once, then nothing for as long as a fault lasts
    "texted": {"steps": [{"notify": "dana", "by": "sms"}, {"after": "10m", "notify": "dana", "by": "sms"}]},
    "soon": {
        "respond_within": "15s",
        "steps": [{"notify": "dana", "by": "sms"}, {"after": "90s", "notify": "dana", "by": "sms"}],
    },
}
USUAL = {
    "respond_within": "1s",
    "unassigned": ["dana"],
    "give_up_after": "10m",
    "when_exhausted": {"notify": "dana", "by": "sms", "every": "1h"},
}


class Watched(World):
    """Lee is the operator, and has a mailbox that nobody else writes to."""

    def config(self) -> dict[str, Any]:
        names = {name: {**USUAL, **plan} for name, plan in PLANS.items()}
        contacts = {
            "dana": {"name": "Dana Reyes", "login": self.desk.alice.login, "mobile": "+491701234567"},
            "lee": {"name": "Lee Adams", "email": OPERATOR},
        }
        rules = [{"when": {"title": [name]}, "plan": name} for name in PLANS]
        return {**super().config(), "contacts": contacts, "plans": names, "rules": rules}

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, "ESCALATOR_WATCH_EVERY": "1"}

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def redis(self) -> Any:
        return connect(redis_url(self.data, {}))

    def process(self, *words: str) -> psutil.Process:
        """The first process below `up` whose command line holds these words."""
        assert self.up is not None
        below = psutil.Process(self.up.pid).children()
        return next(one for one in below if all(word in one.cmdline() for word in words))

    def worker(self, queue: str) -> psutil.Process:
        """One that takes from this queue, once it has told so: one that is still starting is missed by nobody."""
        process = self.process("connector.worker", queue)
        eventually(lambda: process.pid in {one.pid for one in Worker.all(self.redis)}, 60, "the worker works")
        return process

    def redis_process(self) -> psutil.Process:
        assert self.up is not None
        below = psutil.Process(self.up.pid).children()
        return next(one for one in below if "redis-server" in " ".join(one.cmdline()[:1]))

    @contextlib.contextmanager
    def watchdog_with_a_clock(self) -> Iterator[Callable[[float], None]]:
        """One more watchdog, beside that of `up`; its clock alone can be set forward by so many seconds."""
        offset = self.directory / "offset"
        offset.write_text("0")
        more = {"PYTHONPATH": str(HERE.parents[1]), "REDIS_URL": redis_url(self.data, {}), "OFFSET": str(offset)}
        environ = {**self.environ, **more}
        process = subprocess.Popen([sys.executable, str(HERE / "jumping.py")], env=environ)
        try:
            eventually(lambda: int(self.redis.get("jumping:looks") or 0) > 2, 30, "its first looks")
            yield lambda seconds: offset.write_text(str(seconds)) and None
        finally:
            process.terminate()
            process.wait(30)

    # --- what is heard -------------------------------------------------------------------------------------------

    def mails_to_operator(self) -> list[str]:
        return [said(mail) for mail in self.providers.smtp.mails if OPERATOR in mail.to]

    def ready(self) -> tuple[int, str]:
        """What monitoring sees: status and body."""
        answer = requests.get(f"{self.url}/readyz", timeout=20)
        return answer.status_code, answer.text

    def metric(self, name: str) -> float:
        lines = requests.get(f"{self.url}/metrics", timeout=20).text.splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} ")), -1.0)

    def well(self, within: float = 60.0) -> None:
        """Waits until nothing is wrong."""
        eventually(lambda: self.ready()[0] == 200, within, lambda: f"all is well: {self.ready()[1]}")

    def mend(self) -> None:
        """Helpdesk and Twilio do what they are asked."""
        self.desk.faults.heal()
        self.desk.permit("Network")
        self.providers.twilio.works_again()

    def another_night(self) -> None:
        """As if the last trouble were long ago: what was told then may be told again at once."""
        for key in self.redis.keys("escalator:trouble*"):
            self.redis.delete(key)

    @contextlib.contextmanager
    def fault(self, mail: str, ready: str) -> Iterator["Reported"]:
        """The block breaks something. Afterwards both ways must have told of it: words of a mail, and of /readyz."""
        known, began, reported = len(self.mails_to_operator()), time.monotonic(), Reported()
        yield reported
        began = reported.began or began

        def both() -> bool:
            if not reported.by_readyz and self._red_with(ready):
                reported.by_readyz = time.monotonic() - began
            if not reported.by_mail and any(mail in text for text in self.mails_to_operator()[known:]):
                reported.by_mail = time.monotonic() - began
            return bool(reported.by_readyz and reported.by_mail)

        eventually(both, WITHIN, lambda: f"{reported}; mails {self.mails_to_operator()[known:]}; {self.ready()}")
        print(f"\n{mail!r}: /readyz after {reported.by_readyz:.1f} s, mail after {reported.by_mail:.1f} s")

    def _red_with(self, words: str) -> bool:
        status, body = self.ready()
        return status == 503 and words in body


@dataclass
class Reported:
    """Seconds after the fault; `began` (monotonic) moves its beginning."""

    by_readyz: float = 0.0
    by_mail: float = 0.0
    began: float = field(default=0.0)


@contextlib.contextmanager
def stopped(process: psutil.Process) -> Iterator[None]:
    """SIGSTOP for as long as the block lasts."""
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)
