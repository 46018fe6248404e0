"""A busy Zammad delivers its webhooks a minute late: the sweep, every minute, notices and runs every ten seconds.

Its background worker is held by hand here, so that the world's clock can pass quickly.
"""

import json
from collections import deque
from datetime import timedelta

from connector import queues
from connector.sandbox.zammad.desk import Hook
from connector.sandbox.zammad.render import payload

from .conftest import SECRET, Outage

TICK = 10.0  # seconds: how often the timers ask whether hints are late
SWEEP_EVERY = 6  # ticks


class LateWorker:
    """Zammad's one background worker, which sends what is older than `late` seconds."""

    def __init__(self, world: Outage) -> None:
        self.world, self.waiting = world, deque[tuple[float, Hook]]()
        world.zammad.set_up_webhook("http://127.0.0.1:9/webhooks/zammad", SECRET)
        world.zammad.desk.on_hook = lambda hook: self.waiting.append((self._now(), hook))
        self.late = 55.0

    def _now(self) -> float:
        return self.world.clock.now().timestamp()

    def sends(self) -> None:
        """Rendered when it is sent, as Zammad does it."""
        desk = self.world.zammad.desk
        while self.waiting and self.waiting[0][0] <= self._now() - self.late:
            _, hook = self.waiting.popleft()
            body = payload(desk, desk.tickets[hook.ticket_id], desk.articles.get(hook.article_id or 0))
            self.world.store.hints.add_if_new(self.world.adapter.parse(json.loads(body)))


def ticks(world: Outage, worker: LateWorker, number: int) -> bool:
    """What the timers and the desk's worker do at one tick; whether a sweep was among it."""
    worker.sends()
    world.sweep.ask_again_while_late()
    if number % SWEEP_EVERY == 0:
        world.sweep.ask_for_helpdesk()
    key = queues.queue_key(queues.DESK)
    asked = [raw.decode().split("-")[0] for raw in world.redis.lrange(key, 0, -1)]  # type: ignore[union-attr]
    world.redis.delete(key)
    if "sweep" in asked:
        world.sweep.look_in_turn()
    world.desk.drain()
    return "sweep" in asked


def test_no_window_over_70_s_is_missed_and_none_over_20_s_once_it_is_noticed(world: Outage) -> None:
    worker = LateWorker(world)
    made: dict[str, float] = {}
    noticed = None
    for number in range(18):
        for _ in range(3):
            world.clock.passes(seconds=TICK / 3)
            made[str(world.zammad.create_ticket(priority="3 high")["id"])] = world.clock.now().timestamp()
        ticks(world, worker, number)
        if noticed is None and world.store.hints.late():
            noticed = world.clock.now().timestamp()
    for number in range(6, 9):
        world.clock.passes(seconds=TICK)
        ticks(world, worker, number)
    cases = world.store.cases(list(made))
    assert sorted(cases) == sorted(made)
    known_after = {ticket: case.read_at.timestamp() - made[ticket] for ticket, case in cases.items()}
    assert max(known_after.values()) < 70
    assert noticed is not None
    since = [after for ticket, after in known_after.items() if made[ticket] > noticed]
    assert len(since) > 20
    assert max(since) < 20


def test_on_time_again_it_goes_back_to_once_a_minute(world: Outage) -> None:
    worker = LateWorker(world)
    world.zammad.create_ticket(priority="3 high")
    world.clock.passes(seconds=60)
    assert ticks(world, worker, 1)
    worker.late = 0.0
    world.redis.delete("escalator:hints:late")  # half a minute later
    world.clock.passes(seconds=30)
    ticks(world, worker, 2)
    assert not any(ticks(world, worker, number) for number in (3, 4, 5))


def test_a_window_of_70_s_that_no_webhook_told_of_at_all_is_found_in_time(world: Outage) -> None:
    worker = LateWorker(world)
    worker.late = 3600.0
    found = []
    for number in range(13):
        made = world.clock.now()
        ticket = str(world.zammad.create_ticket(priority="3 high")["id"])
        found.append((ticket, made))
        world.clock.passes(seconds=TICK)
        ticks(world, worker, number)
    ticks(world, worker, 0)
    cases = world.store.cases([ticket for ticket, _ in found])
    assert all(cases[ticket].read_at - made < timedelta(seconds=70) for ticket, made in found)
