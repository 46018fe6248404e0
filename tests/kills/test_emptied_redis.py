"""Redis is emptied in mid-story: nobody is told again, whatever comes, until somebody has looked; and it is said."""

import time

from ..stories.world import eventually
from .outage import Outage, as_told, figures

SAID = "Redis is empty although Escalator has run here since"


def test_nobody_is_told_again_and_a_new_up_says_why(world: Outage) -> None:
    tickets = world.tickets(3)
    for ticket in tickets:
        world.first_text(ticket)
    world.redis.flushall()
    told = [(len(world.texts(ticket)), world.pushed(ticket)) for ticket in tickets]

    # the tickets change, a sweep finds them, and their next steps would be due
    for ticket in tickets:
        world.desk.answer_on_web(ticket)
    eventually(lambda: world.counted("hints") and world.counted("swept") >= 3, 20, "webhooks and a sweep")
    status, reasons = world.answer("/readyz")
    assert status == 503
    assert "Redis is empty" in reasons
    assert [(len(world.texts(ticket)), world.pushed(ticket)) for ticket in tickets] == told

    world.stop_up()
    world.start_up()
    assert sum(SAID in line for line in world.said()) == 1
    swept = world.counted("swept")
    for ticket in tickets:
        world.desk.answer_on_web(ticket)
    eventually(lambda: world.counted("swept") > swept or world.store.redis.zcard("escalator:hints") == 0, 20, "a sweep")
    began = time.monotonic()
    new = world.tickets(1)
    seen = world.finish(new)
    as_told(seen)
    figures("FLUSHALL and a new up: a new ticket's story", time.monotonic() - began, seen)
    assert [(len(world.texts(ticket)), world.pushed(ticket)) for ticket in tickets] == told
