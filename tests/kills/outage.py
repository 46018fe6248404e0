"""A world whose processes get killed: whom to kill, when it is back, and what each ticket must have seen in the end."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import redis
from rq.scheduler import RQScheduler
from rq.worker import Worker
from werkzeug.wrappers import Request, Response

from connector import queues
from connector.core.code import code_of
from connector.core.escalation import Stage
from connector.core.events import Entry
from connector.engine.keys import COUNTERS
from connector.engine.store import Store
from connector.redis_server import connect, redis_url
from connector.sandbox.providers import Twilio

from ..stories.world import World, eventually

DANA, LEE = "+491701234567", "+491707654321"
STORY = (
    "step 1 of 3 (plan climb)",
    "step 2 of 3 (plan climb)",
    "step 3 of 3 (plan climb)",
    "acknowledged by Alice Agent (took the ticket)",
    "closed",
)
END = {"give_up_after": "60s", "when_exhausted": {"notify": "lee", "by": "email", "every": "1h"}}
PLANS: dict[str, dict[str, Any]] = {
    "climb": {
        "respond_within": "1s",
        "unassigned": ["dana"],
        "steps": [
            {"notify": "owner", "by": "sms"},
            {"after": "2s", "notify": ["owner", "lee"], "by": "sms"},
            {"after": "2s", "notify": "owner", "by": "push"},
        ],
        **END,
    },
    "once": {
        "respond_within": "1s",
        "unassigned": ["dana"],
        "steps": [{"notify": "owner", "by": "sms"}, {"after": "50s", "notify": "owner", "by": "push"}],
        **END,
    },
}

#: Who can be killed, and how the process is told from the others: words of its command line.
VICTIMS = {
    "redis": ("redis-server",),
    "timers": ("connector.ticking",),
    "work": ("connector.worker", queues.WORK),
    "desk": ("connector.worker", queues.DESK),
    "deliver": ("connector.worker", queues.DELIVER),
    "web": ("gunicorn",),
    "a web worker": ("gunicorn",),
}


class SlowTwilio(Twilio):
    """Takes a text at once, and answers after `pause` seconds: long enough to kill who waits for the answer."""

    pause = 0.0
    asked = 0  # how often somebody looked up what it has

    def _answer(self, request: Request) -> Response:
        answer = super()._answer(request)
        self.asked += request.method == "GET"
        if request.method == "POST" and self.pause:
            self._stopping.wait(self.pause)
        return answer


@dataclass(frozen=True)
class Seen:
    """What a ticket has seen: our notes, and what came to the phones."""

    headlines: tuple[str, ...]
    to_dana: int
    to_lee: int
    pushes: int
    latest: float  # seconds that its latest step was late


class Outage(World):
    """A world of its own, with plans that tell who was told what by mere counting."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.providers.twilio = self.twilio = SlowTwilio(
            public_url=self.url, sms_url=f"{self.url}/callbacks/twilio/sms", pace=0.02
        )

    def config(self) -> dict[str, Any]:
        rules = [{"when": {"title": [name], "priority": "3 high"}, "plan": name} for name in PLANS]
        contacts = {
            "dana": {
                "name": "Dana Reyes",
                "login": self.desk.alice.login,
                "email": "dana@example.com",
                "mobile": DANA,
                "push": ["ab" * 32],
            },
            "lee": {"name": "Lee Adams", "email": "lee@example.com", "mobile": LEE},
        }
        return {**super().config(), "contacts": contacts, "plans": PLANS, "rules": rules}

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def store(self) -> Store:
        return Store(self.redis, timedelta(days=1))

    @property
    def redis(self) -> redis.Redis:
        return connect(redis_url(self.data, {}))

    # --- processes -----------------------------------------------------------------------------------------------

    def processes(self, name: str) -> list[psutil.Process]:
        """The living ones of this name, below the `up` that runs now."""
        assert self.up is not None
        up = psutil.Process(self.up.pid)
        below = up.children(recursive=name == "a web worker")
        if name == "a web worker":
            below = [process for process in below if process.ppid() != up.pid]
        return [process for process in below if all(word in _command(process) for word in VICTIMS[name])]

    def kill(self, name: str) -> float:
        """Kills one of them. Returns the seconds until another one has taken its place and works."""
        before = self.processes(name)
        began = time.monotonic()
        before[0].kill()
        gone = {process.pid for process in before[:1]}
        eventually(lambda: self._works(name, gone, len(before)), 15, f"{name} is back")
        return time.monotonic() - began

    def _works(self, name: str, gone: set[int], many: int) -> bool:
        pids = {process.pid for process in self.processes(name)} - gone
        if len(pids) < many:
            return False
        try:
            if name == "timers":
                owner = self.redis.get(RQScheduler.get_locking_key(queues.WORK))
                return isinstance(owner, bytes) and int(owner.split(b"/")[1]) in pids
            if name in ("web", "a web worker"):
                return self.answer("/healthz")[0] == 200
            if name == "redis":
                return bool(self.redis.ping())
            return pids <= {worker.pid for worker in Worker.all(self.redis)}
        except redis.RedisError:
            return False

    def answer(self, path: str) -> tuple[int, str]:
        """What `up` answers on this path: status and body."""
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def said(self) -> list[str]:
        return (self.directory / "up.log").read_text().splitlines()

    # --- tickets -------------------------------------------------------------------------------------------------

    def tickets(self, many: int, plan: str = "climb", apart: float = 0.2) -> list[str]:
        """New tickets, a little apart, so that a kill finds each somewhere else."""
        made = []
        for number in range(many):
            made.append(self.ticket(plan, title=f"Outage {number}"))
            time.sleep(apart)
        return made

    def first_text(self, ticket: str) -> None:
        """Returns when the first text about this ticket arrives: this is when to kill."""
        self.twilio.wait_for(lambda: self.texts(ticket), 30)

    def finish(self, tickets: Sequence[str], patience: float = 45.0) -> list[Seen]:
        """Lets each story climb to its end: Alice takes the ticket after the last step, and closes it.

        What was cut off in mid-call is settled first: once she has it, it would rightly not be sent any more.
        """
        for ticket in tickets:
            self.note(ticket, "step 3 of 3", patience)
            eventually(lambda ticket=ticket: not self.under_way(ticket), patience, "every try is settled")
            self.desk.take(ticket, by=self.desk.alice)
        for ticket in tickets:
            self.note(ticket, "acknowledged by", patience)
            self.desk.close(ticket, by=self.desk.alice)
        for ticket in tickets:
            self.note(ticket, "closed", patience)
        return [self.seen(ticket) for ticket in tickets]

    def seen(self, ticket: str) -> Seen:
        return Seen(
            tuple(line.removeprefix(f"Escalation {code_of(ticket)}").lstrip(", ") for line in self.headlines(ticket)),
            len(self.texts(ticket, DANA)),
            len(self.texts(ticket, LEE)),
            self.pushed(ticket),
            max((entry.late_s or 0.0 for entry in self.history(ticket) if entry.kind == "step"), default=0.0),
        )

    def pushed(self, ticket: str) -> int:
        number = str(self.desk.ticket(ticket)["number"])
        return sum(number in json.dumps(push.payload) for push in self.providers.apns.pushes)

    def history(self, ticket: str) -> tuple[Entry, ...]:
        return self.store.history(code_of(ticket))

    def outcomes(self, ticket: str) -> list[str]:
        """What became of its notifications, as the history tells it."""
        return [entry.outcome for entry in self.history(ticket) if entry.kind == "notification"]

    def under_way(self, ticket: str) -> bool:
        """Whether a notification of this ticket has been claimed, and its outcome is open."""
        case = self.store.case(ticket)
        known = case.escalation.notifications if case and case.escalation else ()
        return any(notification.stage is Stage.CLAIMED for notification in known)

    def counted(self, name: str) -> int:
        raw: Any = self.redis.hget(COUNTERS, name)
        return int(raw or 0)


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def figures(what: str, back: float, seen: Iterable[Seen]) -> None:
    """One line for whoever reads `pytest -s`."""
    late = [one.latest for one in seen]
    print(f"\n{what}: back after {back:.1f} s; {len(late)} stories, latest step {max(late):.2f} s late")


def as_told(seen: Iterable[Seen], at_most: float = 7.0) -> None:
    """Nothing lost, nothing twice, the notes once and in order, no step later than so many seconds."""
    for one in seen:
        assert one == Seen(STORY, to_dana=2, to_lee=1, pushes=1, latest=one.latest), repr(one)
        assert one.latest <= at_most
