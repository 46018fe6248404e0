"""A drain keeps its slots filled, and no call that hangs keeps others waiting."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from connector import queues
from connector.engine import drain as drains
from connector.engine.drain import Drain, await_all

Work = dict[str, Callable[[], None]]


@pytest.fixture
def answered() -> threading.Event:
    """Set when the helpdesk or provider that hangs answers after all."""
    return threading.Event()


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drains, "DRAIN_FOR", 0.5)
    monkeypatch.setattr(queues, "stopping", threading.Event())


def test_a_call_that_hangs_keeps_neither_the_drain_from_ending_nor_others_waiting(answered: threading.Event) -> None:
    done: list[str] = []

    def hang() -> None:
        assert answered.wait(60)
        done.append("slow")

    offered: Work = {"slow": hang}

    def due(busy: set[str], room: int) -> Work:
        assert room == 2 - len(busy)
        return {key: offered.pop(key) for key in offered.keys() - busy}

    drain = Drain(due, 2, "test")
    with ThreadPoolExecutor(1) as worker:
        try:
            worker.submit(drain.run).result(timeout=30)
            offered.update(slow=hang, quick=lambda: done.append("quick"))
            worker.submit(drain.run).result(timeout=30)
            assert done == ["quick"]
            assert offered.keys() == {"slow"}  # one thing at a time about a ticket
        finally:
            answered.set()
        worker.submit(drain.run).result(timeout=30)
    assert done == ["quick", "slow", "slow"]


def test_what_runs_when_the_worker_is_told_to_end_is_waited_for() -> None:
    done: list[str] = []

    def work() -> None:
        queues.stopping.set()
        done.append("sent")

    Drain(lambda busy, room: {"one": work}, 1, "test").run()

    assert done == ["sent"]


def test_before_a_process_ends_it_waits_for_what_drains_have_left_running(answered: threading.Event) -> None:
    done: list[str] = []
    drain = Drain(lambda busy, room: {"slow": lambda: done.append("slow") if answered.wait(60) else None}, 1, "test")
    drain.run()
    assert done == []

    threading.Timer(0.1, answered.set).start()
    await_all()

    assert done == ["slow"]
