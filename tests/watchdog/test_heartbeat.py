"""The sign of life to somebody outside: one a minute while all is well, and none while anything is wrong."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from redis import Redis

from connector.clockwork import watch as watch_module
from connector.clockwork.heartbeat import beat
from connector.clockwork.timers import HEARTBEAT
from connector.clockwork.watch import Watch
from tests.engine.conftest import World


class Outside:
    """Whoever waits for the heartbeat; answers with `status`."""

    def __init__(self) -> None:
        outside = self
        self.status = 200
        self.asked: list[str] = []
        self.beaten = threading.Event()

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outside.asked.append(self.path)
                self.send_response(outside.status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()
                outside.beaten.set()

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server.server_port}/ping?token=abc"


@pytest.fixture
def outside() -> Iterator[Outside]:
    outside = Outside()
    thread = threading.Thread(target=outside.server.serve_forever)
    thread.start()
    yield outside
    outside.server.shutdown()
    thread.join()
    outside.server.server_close()


@pytest.fixture
def watch(redis: Redis, outside: Outside, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """A watchdog that has settled in, over a world in which all is well."""
    monkeypatch.setattr(watch_module, "SETTLE_IN", 0.0)
    world = World(redis)
    redis.set(HEARTBEAT, repr(time.time()))
    return Watch(world.store, world.operator, frozenset(), timedelta(minutes=1), heartbeat_url=outside.url)


def test_while_all_is_well_it_is_sent_once_a_minute(watch: Watch, outside: Outside) -> None:
    watch.look()
    assert outside.beaten.wait(20)
    watch.look()
    watch.look()
    assert outside.asked == ["/ping?token=abc"]


def test_while_anything_is_wrong_none_is_sent(watch: Watch, outside: Outside) -> None:
    watch.operator.tell("sweep", "The helpdesk can't be asked.")
    watch.look()
    watch.look()
    assert not outside.beaten.wait(0.5)


def test_one_that_is_not_taken_is_a_trouble_and_does_not_stop_the_next(watch: Watch, outside: Outside) -> None:
    outside.status = 500
    watch.look()
    assert outside.beaten.wait(20)
    for thread in watch._busy.values():
        thread.join(20)
    watch._first = {"heartbeat": time.monotonic() - 60}
    watch.look()
    assert [trouble["topic"] for trouble in watch.operator.open()] == ["heartbeat"]
    outside.status, watch._beat_at = 200, 0.0
    watch.look()
    for thread in watch._busy.values():
        thread.join(20)
    watch.look()
    assert (len(outside.asked), watch.operator.open()) == (2, [])


def test_a_redirect_is_not_followed(outside: Outside) -> None:
    outside.status = 302
    assert beat(outside.url) == "The heartbeat's address answers with status 302."
    assert len(outside.asked) == 1


def test_an_address_that_nobody_answers_is_named_in_no_word() -> None:
    assert beat("http://127.0.0.1:9/secret") == "The heartbeat's address does not answer."
