"""The sandbox helpdesk as a server on this machine: a world of a few people, real HTTP, real webhooks.

It can go away and come back on the same port; nothing of it stays after `stop()`.
"""

import contextlib
import secrets
import socket
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from .api import Api
from .desk import Desk
from .faults import Faults
from .people import People, Person, everything_but
from .rows import ADMIN, AGENT, CUSTOMER, Row
from .setup import Setup
from .tickets import Tickets
from .webhooks import Deliveries

_EVERYTHING = frozenset({"admin", "ticket.agent", "ticket.customer", "user_preferences"})
_OWN = ["read", "create", "change"]


class SandboxZammad(People):
    """A Zammad in memory behind real HTTP, with Alice and Bob, Cathy, an administrator and the API user "escalator".

    `delivery_delay` and `retry_waits` are seconds between an event and its delivery, and between the tries of one.
    `now` gives the time of stamps. Use it as a context manager, or `start()` and `stop()` it.
    """

    def __init__(
        self,
        port: int = 0,
        delivery_delay: float = 0.3,
        retry_waits: Sequence[float] = (10, 20, 30, 40),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.desk = Desk(now)
        self.operations = Tickets(self.desk)
        self.setup = Setup(self.desk, self.operations)
        self.deliveries = Deliveries(self.desk, delivery_delay, retry_waits)
        self.faults = Faults(Api(self.desk, self.operations, self.setup, self.deliveries))
        self.macro_id = 0
        self._port, self._thread = port, threading.Thread()
        self._server: _Server | None = None
        self.admin = self._person(3, "admin@example.com", "Ada", "Admin", [ADMIN, AGENT])
        self.alice = self._person(4, "alice@example.com", "Alice", "Agent", [AGENT], mobile="+4915112345678")
        self.bob = self._person(5, "bob@example.com", "Bob", "Builder", [AGENT], mobile="+4915187654321")
        self.escalator = self._person(6, "escalator@example.com", "Escalator", "Plugin", [AGENT])
        self.api_user = self.escalator
        self.cathy = self._person(8, "cathy@example.org", "Cathy", "Customer", [CUSTOMER], mobile="+4930123456")
        for one in (self.admin, self.alice, self.bob):
            self.desk.users[one.id]["group_ids"] = {str(id): ["full"] for id in self.desk.groups}
        self.desk.users[self.escalator.id]["group_ids"] = {"2": list(_OWN), "3": list(_OWN)}
        self.desk.tokens[self.escalator.token] = (self.escalator.id, frozenset({"ticket.agent"}))

    def _person(self, id: int, login: str, first: str, last: str, roles: list[int], mobile: str = "") -> Person:
        self.desk.add_user(id, login, (first, last), roles)["mobile"] = mobile
        person = Person(id, login, f"{first} {last}", secrets.token_urlsafe(24))
        self.desk.tokens[person.token] = (id, _EVERYTHING)
        return person

    # --- running --------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where it listens; known once it was started."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> Self:
        """Starts to answer and to send webhooks. Raises OSError if the port is taken."""
        self._listen()
        self.deliveries.start()
        return self

    def stop(self) -> None:
        """Ends every thread, also in the middle of a request."""
        self.go_away()
        self.deliveries.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def go_away(self) -> None:
        """Connections are refused from now on; those under way are cut. Webhooks are still sent."""
        server, self._server = self._server, None
        if server is None:
            return
        self.faults.release()
        server.shutdown()
        server.cut()
        self._thread.join()

    def come_back(self) -> None:
        """Answers again on the same port."""
        if self._server is None:
            self._listen()

    def _listen(self) -> None:
        with socket.socket() as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(("127.0.0.1", self._port))
            listening.listen(128)
            self._port = listening.getsockname()[1]
            self.faults.resume()
            self._server = server = _Server(self._port, self.faults, listening.fileno())
        self._thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="sandbox-zammad")
        self._thread.start()

    # --- setting up -----------------------------------------------------------------------------------------------

    def world(self, listen: str = "127.0.0.1:9901") -> Row:
        """Who and what there is, for WORLD.json of the conformance checks; `listen` is where they take deliveries."""
        people = {"admin": self.admin, "api_user": self.escalator, "customer": self.cathy}
        world: Row = {name: one.shown() for name, one in people.items()}
        groups = [{"id": id, "name": self.desk.groups[id]["name"]} for id in (2, 3)]
        agents = [self.alice.shown(), self.bob.shown()]
        return {"url": self.url, "listen": listen, **world, "agents": agents, "groups": groups}

    def set_up_webhook(self, url: str, secret: str) -> None:
        """What an administrator sets up: the webhook, the triggers "created" and "updated", the acknowledging macro."""
        admin = self.caller(self.admin)
        hook: Row = {"name": "Escalation plugin", "endpoint": url, "signature_token": secret}
        webhook = self.setup.create(admin, "webhooks", hook)
        send = {"notification.webhook": {"webhook_id": webhook["id"]}}
        always = {"activator": "action", "execution_condition_mode": "always", "perform": send}
        created = {"ticket.action": {"operator": "is", "value": "create"}}
        updated = everything_but(self.escalator.id)
        self.setup.create(admin, "triggers", {"name": "escalation plugin: created", "condition": created, **always})
        self.setup.create(admin, "triggers", {"name": "escalation plugin: updated", "condition": updated, **always})
        note = {"subject": "Escalation", "body": "/ack", "internal": "true"}
        owner = {"pre_condition": "current_user.id", "value": "", "value_completion": ""}
        macro = {"name": "Acknowledge escalation", "perform": {"ticket.owner_id": owner, "article.note": note}}
        self.macro_id = self.setup.create(admin, "macros", macro)["id"]

    def permit(self, group: str, rights: Sequence[str] = _OWN) -> None:
        """Gives the API user exactly these rights in a group; none at all takes it away."""
        with self.desk.lock:
            group_id = next(str(id) for id, row in self.desk.groups.items() if row["name"] == group)
            held = self.desk.users[self.escalator.id]["group_ids"]
            held.pop(group_id, None)
            if rights:
                held[group_id] = list(rights)


class _Server(ThreadedWSGIServer):
    """Knows its open connections, so that they can be cut, and waits for its requests when it is closed."""

    daemon_threads = False

    def __init__(self, port: int, app: Faults, fd: int) -> None:
        self._open: set[Any] = set()
        super().__init__("127.0.0.1", port, app, _Quiet, fd=fd)

    def process_request(self, request: Any, client_address: Any) -> None:
        """One connection begins."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """One connection ends."""
        self._open.discard(request)
        super().shutdown_request(request)

    def cut(self) -> None:
        """Ends every connection, whatever it waits for."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Quiet(WSGIRequestHandler):
    """Writes no log: tokens and texts stand in it."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing."""
