"""The world of the campaign: a sandbox helpdesk and providers that can kill whoever waits for their answer, and `up`.

Every process of it obeys orders (inside/). Contacts are agents of the helpdesk with addresses of their own, and one
ticket at a time, so that whatever reaches them is about that ticket.
"""

import contextlib
import os
import signal
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import redis
from werkzeug.wrappers import Request, Response

from connector import queues
from connector.engine.store import Store
from connector.redis_server import connect, recorded_socket, redis_url
from connector.sandbox.providers import Receiver, Twilio
from connector.sandbox.zammad.faults import Faults
from connector.sandbox.zammad.people import Person
from connector.sandbox.zammad.rows import AGENT

from ..stories.world import World
from .inside.chaos_orders import DIE, PASSED, Orders
from .proxy import CuttingProxy

ROOT = Path(__file__).parents[2]
INSIDE = Path(__file__).parent / "inside"

#: Points on the other side of the line: it is done there, and whoever asked for it dies before the answer.
TAKEN_THERE = ("text taken", "call taken", "document taken", "note taken", "tags taken")

#: What each plan tells in its three steps, a way at most once, and when (seconds after the window).
WAYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "alpha": (("sms",), ("pager",), ("push",)),
    "bravo": (("sms", "pager"), ("phone",), ("email",)),
    "charlie": (("phone",), ("push", "email"), ("sms",)),
}
WINDOW, APART = 1, 3  # seconds
PATIENCE = 120.0  # seconds for an `up` to start on a busy machine
LEE = "+491707654321"

#: Whom to kill at a random instant: words of the command line. The web's workers are told from it by their parent.
PROCESSES: dict[str, tuple[str, ...]] = {
    "redis": ("redis-server",),
    "timers": ("connector.ticking",),
    "work": ("connector.worker", queues.WORK),
    "desk": ("connector.worker", queues.DESK),
    "deliver": ("connector.worker", queues.DELIVER),
    "watchdog": ("connector.watching",),
    "web": ("gunicorn",),
    "web worker": ("gunicorn",),
}


class ChaosTwilio(Twilio):
    """Kills the sender between taking a text (or call) and answering. `pause`: seconds before it takes one."""

    def __init__(self, world: "ChaosWorld", **options: Any) -> None:
        super().__init__(**options)
        self._world = world
        self.pause = 0.0

    def _answer(self, request: Request) -> Response:
        if request.method != "POST":
            return super()._answer(request)
        if self.pause:
            self._stopping.wait(self.pause)
        answer = super()._answer(request)
        if answer.status_code == 201:
            self._world.taken("text taken" if "/Messages" in request.path else "call taken", request.environ)
        return answer


class ChaosReceiver(Receiver):
    def __init__(self, world: "ChaosWorld") -> None:
        super().__init__()
        self._world = world

    def _answer(self, request: Request) -> Response:
        answer = super()._answer(request)
        self._world.taken("document taken", request.environ)
        return answer


class ChaosFaults(Faults):
    """The helpdesk's side: a note or tag is there, and whoever wrote it hears nothing."""

    world: "ChaosWorld"

    def _answer(self, request: Request, environ: Any, start_response: Any) -> Iterable[bytes]:
        answer = super()._answer(request, environ, start_response)
        if request.method in ("POST", "DELETE"):
            if request.path.startswith("/api/v1/ticket_articles"):
                self.world.taken("note taken", environ)
            elif request.path.startswith("/api/v1/tags/"):
                self.world.taken("tags taken", environ)
        return answer


class ChaosWorld(World):
    """`lease`: seconds instead of the channels' own. `bug`: of inside/chaos_bugs.py. `proxied`: through `proxies`."""

    def __init__(
        self,
        directory: Path,
        *,
        people: int = 30,
        lease: float = 0,
        bug: str = "",
        sweep: str = "2s",
        proxied: bool = False,
    ) -> None:
        super().__init__(directory)
        self._lease, self._bug, self._sweep = lease, bug, sweep
        self.proxies: dict[str, CuttingProxy] = {}
        if proxied:
            self.proxies = {
                "redis": CuttingProxy(self._socket),
                "helpdesk": CuttingProxy(lambda: _port(self.desk.url)),
                "twilio": CuttingProxy(lambda: _port(self.twilio.url)),
            }
        self.orders = Orders(directory / "orders")
        faults = ChaosFaults(self.desk.faults._app)
        faults.world = self
        self.desk.faults = faults
        self.twilio = self._twilio()
        self.providers.twilio = self.twilio
        self.providers.http_post = ChaosReceiver(self)
        self.people = [self._agent(number) for number in range(people)]
        for number in range(people):
            self.twilio.on_call(mobile(number)).press("5")  # heard, but nobody has it

    def _twilio(self) -> ChaosTwilio:
        return ChaosTwilio(self, public_url=self.url, sms_url=f"{self.url}/callbacks/twilio/sms", pace=0.02)

    def _agent(self, number: int) -> Person:
        agent = self.desk._person(100 + number, login(number), "Pat", name(number).split()[1], [AGENT])
        self.desk.desk.users[agent.id]["group_ids"] = {str(id): ["full"] for id in self.desk.desk.groups}
        return agent

    @property
    def environ(self) -> dict[str, str]:
        return {
            **super().environ,
            "PYTHONPATH": f"{INSIDE}:{ROOT}",
            "CHAOS_ORDERS": str(self.directory / "orders"),
            "CHAOS_BUG": self._bug,
            "CHAOS_LEASE": f"{self._lease:g}" if self._lease else "",
            "CHAOS_REDIS": f"redis://127.0.0.1:{self.proxies['redis'].port}" if self.proxies else "",
        }

    def start(self) -> None:
        for proxy in self.proxies.values():
            proxy.start()
        super().start()

    def start_up(self, patience: float = PATIENCE) -> None:
        super().start_up(patience)

    def stop(self) -> None:
        super().stop()
        for proxy in self.proxies.values():
            proxy.stop()
        self.orders.close()

    def _socket(self) -> Path:
        found = recorded_socket(self.directory / "data")
        if found is None:
            raise FileNotFoundError("there is no Redis yet")
        return found

    def config(self) -> dict[str, Any]:
        plans = {
            plan: {
                "respond_within": f"{WINDOW}s",
                "steps": [
                    {"notify": "owner", "by": list(ways), "after": f"{APART if place else 0}s"}
                    for place, ways in enumerate(steps)
                ],
                "give_up_after": f"{APART}s",
                "unassigned": "lee",
                "when_exhausted": {"notify": "lee", "by": "email", "every": "1h"},
            }
            for plan, steps in WAYS.items()
        }
        told = super().config()
        if self.proxies:
            told["helpdesk"]["url"] = f"http://127.0.0.1:{self.proxies['helpdesk'].port}"
            told["twilio"]["api_url"] = f"http://127.0.0.1:{self.proxies['twilio'].port}"
        return {
            **told,
            "service": {
                **told["service"],
                "sweep_every": self._sweep,
                "bundle_within": "0s",  # one message a ticket, so that each can be counted
                "limits": dict.fromkeys(("sms", "phone", "push", "email"), 0),
            },
            "contacts": {
                "lee": {"name": "Lee Adams", "email": "lee@example.com", "mobile": LEE, "push": ["ef" * 32]},
                **{f"pat{number}": contact(number) for number in range(len(self.people))},
            },
            "plans": plans,
            "rules": [{"when": {"title": [plan], "priority": "3 high"}, "plan": plan} for plan in plans],
        }

    # --- who dies ------------------------------------------------------------------------------------------------

    def taken(self, point: str, environ: Any) -> None:
        """Something has been done for this client, who has no answer yet: dies here if that is ordered."""
        pid = self._client(int(environ["REMOTE_PORT"])) if point in self.orders.open() else None
        if pid is None or not self.orders.claim(point):  # or it has died of something else meanwhile
            self.orders.note(point, PASSED, 0)
            return
        self.orders.note(point, DIE, pid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def _client(self, port: int) -> int | None:
        """The process of ours on the other end of a connection from this port."""
        for process in self.below():
            with contextlib.suppress(psutil.Error):
                if any(c.laddr and c.laddr.port == port for c in process.net_connections("tcp")):
                    return process.pid
        return None

    def below(self) -> list[psutil.Process]:
        """All processes of the `up` that runs now."""
        try:
            return psutil.Process(self.up.pid).children(recursive=True) if self.up is not None else []
        except psutil.NoSuchProcess:
            return []

    def processes(self, name: str) -> list[psutil.Process]:
        """The living ones of this name."""
        assert self.up is not None
        found = []
        for process in self.below():
            with contextlib.suppress(psutil.Error):
                mine = (process.ppid() == self.up.pid) != (name == "web worker")
                command = " ".join(process.cmdline())
                if mine and all(word in command for word in PROCESSES[name]) and "_child.py" not in command:
                    found.append(process)
        return found

    # --- what it knows -------------------------------------------------------------------------------------------

    @property
    def redis(self) -> redis.Redis:
        if not hasattr(self, "_redis"):
            self._redis = connect(redis_url(self.directory / "data", {}))
        return self._redis

    @property
    def store(self) -> Store:
        return Store(self.redis, timedelta(days=1))


def _port(url: str) -> int:
    return urlsplit(url).port or 0


def login(number: int) -> str:
    return f"pat{number}@example.com"


def name(number: int) -> str:
    return f"Pat P{number}"


def mobile(number: int) -> str:
    return f"+49170{3000000 + number}"


def device(number: int) -> str:
    return f"{number:064x}"


def contact(number: int) -> dict[str, Any]:
    return {
        "name": name(number),
        "login": login(number),
        "email": login(number),
        "mobile": mobile(number),
        "push": [device(number)],
    }
