"""Sending webhooks as Zammad's background worker does: one thread, late, again after each failure.

The body is made from the current rows when it is sent, for each try anew; `X-Zammad-Delivery` stays the same. Anything
but 2xx is a failure; after the last try the delivery is lost. Facts: `app/jobs/trigger_webhook_job.rb` of Zammad 6.0.
"""

import base64
import contextlib
import hashlib
import heapq
import hmac
import http.client
import itertools
import socket
import ssl
import threading
import time
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .desk import Desk, Hook
from .render import payload
from .rows import Row

_CONNECT_TIMEOUT, _READ_TIMEOUT = 4.0, 30.0  # seconds, Zammad's own
_KEPT = 500  # tries in the log


@dataclass(order=True, slots=True)
class _Job:
    due: float
    order: int
    hook: Hook = field(compare=False)
    tries: int = field(compare=False, default=0)
    id: str = field(compare=False, default_factory=lambda: str(uuid.uuid4()))


class Deliveries:
    """The queue and its one worker. `delay` and `waits` are in seconds; there is one try more than there are waits."""

    def __init__(self, desk: Desk, delay: float, waits: Sequence[float]) -> None:
        self.log: deque[Row] = deque(maxlen=_KEPT)
        self.delay, self._desk, self._waits = delay, desk, tuple(waits)
        self._changed = threading.Condition()
        self._jobs: list[_Job] = []
        self._order = itertools.count()
        self._dropping = 0
        self._busy = self._stopping = False
        self._connection: http.client.HTTPConnection | None = None
        self._thread = threading.Thread(target=self._work, name="sandbox-zammad-worker")
        desk.on_hook = self.add

    def start(self) -> None:
        """Starts the worker."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the worker, if need be in the middle of a request; what waits is lost."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            if self._connection is not None and self._connection.sock is not None:
                with contextlib.suppress(OSError):
                    self._connection.sock.shutdown(socket.SHUT_RDWR)
        if self._thread.is_alive():
            self._thread.join()

    def add(self, hook: Hook) -> None:
        """Queues a delivery."""
        with self._changed:
            heapq.heappush(self._jobs, _Job(time.monotonic() + self.delay, next(self._order), hook))
            self._changed.notify_all()

    def drop(self, count: int) -> None:
        """The next `count` deliveries are lost without a try."""
        with self._changed:
            self._dropping = count

    def wait(self, timeout: float) -> bool:
        """Whether within `timeout` seconds everything queued has been sent or lost."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._jobs and not self._busy, timeout)

    @property
    def failing(self) -> int:
        """How many deliveries wait for another try."""
        with self._changed:
            return sum(job.tries > 0 for job in self._jobs)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            done = self._send(job)
            with self._changed:
                job.tries += 1
                if not done and job.tries <= len(self._waits):
                    job.due, job.order = time.monotonic() + self._waits[job.tries - 1], next(self._order)
                    heapq.heappush(self._jobs, job)
                self._busy = False
                self._changed.notify_all()

    def _next(self) -> _Job | None:
        """The next due job; None at the end."""
        with self._changed:
            while not self._stopping:
                left = self._jobs[0].due - time.monotonic() if self._jobs else None
                if left is not None and left <= 0:
                    job = heapq.heappop(self._jobs)
                    if job.tries or not self._dropping:
                        self._busy = True
                        return job
                    self._dropping -= 1
                    self._changed.notify_all()
                    continue
                self._changed.wait(left)
            return None

    def _send(self, job: _Job) -> bool:
        """Whether this job is done with: sent, or void because something that it needs is gone."""
        desk, hook = self._desk, job.hook
        with desk.lock:
            trigger = desk.tables["triggers"].get(hook.trigger_id)
            webhook = desk.tables["webhooks"].get(hook.webhook_id)
            ticket = desk.tickets.get(hook.ticket_id)
            article = desk.articles.get(hook.article_id or 0)
            if not (trigger and webhook and webhook["active"] and ticket) or (hook.article_id and not article):
                return True
            raw, at = payload(desk, ticket, article), desk.stamp()
            url, headers = webhook["endpoint"], _headers(webhook, trigger["name"], job.id, raw)
            connection = _connection(webhook)
        status = self._post(connection, url, headers, raw)
        entry = {"id": next(self._order), "direction": "out", "facility": "webhook", "method": "POST", "url": url}
        entry |= {"status": str(status), "ip": None, "request": {"content": raw.decode()}, "created_at": at}
        self.log.appendleft(entry | {"response": {"code": str(status)}, "updated_at": at})
        return 200 <= status < 300

    def _post(
        self, connection: http.client.HTTPConnection, url: str, headers: dict[str, str | bytes], raw: bytes
    ) -> int:
        """The status of the answer; 0 without one."""
        parts = urlsplit(url)
        try:
            connection.connect()
            connection.sock.settimeout(_READ_TIMEOUT)
            with self._changed:
                if self._stopping:
                    return 0
                self._connection = connection  # from here on stop() can cut it
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", path, raw, headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            with self._changed:
                self._connection = None
                connection.close()


def _connection(webhook: Row) -> http.client.HTTPConnection:
    parts = urlsplit(webhook["endpoint"])
    if parts.scheme == "http":
        return http.client.HTTPConnection(parts.netloc, timeout=_CONNECT_TIMEOUT)
    context = ssl.create_default_context()
    if not webhook["ssl_verify"]:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(parts.netloc, timeout=_CONNECT_TIMEOUT, context=context)


def _headers(webhook: Row, trigger: str, delivery_id: str, raw: bytes) -> dict[str, str | bytes]:
    headers: dict[str, str | bytes] = {
        "Accept": "*/*",
        "User-Agent": "Zammad User Agent",
        "X-Zammad-Trigger": trigger.encode(),  # raw UTF-8, as the real one sends it
        "X-Zammad-Delivery": delivery_id,
        "Content-Type": "application/json",
        "Connection": "close",
    }
    if token := webhook["signature_token"]:
        headers["X-Hub-Signature"] = "sha1=" + hmac.new(token.encode(), raw, hashlib.sha1).hexdigest()
    name, password = webhook["basic_auth_username"], webhook["basic_auth_password"]
    if name and password:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()
    return headers
