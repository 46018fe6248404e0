"""A night on two machines: each runs `escalator up` with data of its own, and both use one Redis."""

import itertools
import socket
from pathlib import Path
from urllib.parse import urlsplit

from rq.scheduler import RQScheduler
from rq.worker import Worker

from connector import queues

from ..stories.world import escalator, eventually, free_port
from .machines import Machine, Wire, can_be_apart
from .night import Night


class TwoHosts(Night):
    """`machines` by name. What calls Escalator (helpdesk, Twilio) comes to a balancer in front of both."""

    def __init__(self, directory: Path, redis_url: str, many: int) -> None:
        super().__init__(directory, redis_url, many)
        self.machines = {name: Machine(name, directory) for name in ("host-a", "host-b")}
        #: on machines of their own both may listen at the same port
        self.ports = dict.fromkeys(self.machines, 8000) if can_be_apart() else {n: free_port() for n in self.machines}
        self._turn = itertools.cycle(self.machines)

    def start_up(self, patience: float = 120.0) -> None:
        self._balancer = Wire(self.port, to=self._balance)
        for name in self.machines:
            self.start_host(name, patience)

    def start_host(self, name: str, patience: float = 120.0) -> None:
        machine, before = self.machines[name], self.machines[name].said.count("Ready")
        environ = {**self.environ, "ESCALATOR_DATA": str(self.directory / f"data-{name}")}
        machine.start([*escalator("up"), "--port", str(self.ports[name])], environ, self._reached())
        eventually(lambda: machine.said.count("Ready") > before, patience, lambda: f"{name} is ready: {machine.said}")

    def _reached(self) -> list[int]:
        """Ports of all that a host needs from outside."""
        providers = self.providers
        urls = (self.redis_url, self.desk.url, providers.twilio.url, providers.apns.url, providers.http_post.url)
        return [*(urlsplit(url).port or 0 for url in urls), int(providers.smtp.options["port"]), self.port]

    def _balance(self) -> socket.socket:
        """A connection to the next host that takes one. Raises OSError when none does."""
        for _ in self.machines:
            name = next(self._turn)
            if self.machines[name].running:
                try:
                    return self.machines[name].dial(self.ports[name])
                except OSError:
                    continue
        raise ConnectionRefusedError

    def stop_up(self) -> None:
        for machine in self.machines.values():
            machine.stop()
        self._balancer.cut()

    # --- who does what ---------------------------------------------------------------------------------------------

    def leader(self) -> str:
        """The host whose timers process leads; "" for none."""
        owner = self.redis.get(RQScheduler.get_locking_key(queues.WORK))
        return owner.decode().split("/")[0].partition("~")[0] if isinstance(owner, bytes) else ""

    def working(self) -> set[str]:
        """The hosts whose workers are known."""
        return {str(worker.hostname) for worker in Worker.all(self.redis)}
