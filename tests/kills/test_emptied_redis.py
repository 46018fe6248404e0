"""Redis is emptied in mid-story: `up` rebuilds it from the helpdesk by itself, and each story goes on where it was."""

import time

from ..stories.world import eventually
from .outage import STORY, Outage, as_told, figures

LOST = "Redis is empty although Escalator has run here since"
REBUILT = "Rebuilt from the helpdesk: "


def test_up_notices_it_and_each_story_goes_on_at_its_next_step(world: Outage) -> None:
    tickets = world.tickets(4)
    for ticket in tickets:
        world.note(ticket, "step 1 of 3")
    world.redis.flushall()
    began = time.monotonic()
    assert world.answer("/readyz")[0] == 503
    eventually(lambda: any(REBUILT in line for line in world.said()), 40, "it is rebuilt")
    back = time.monotonic() - began

    seen = world.finish(tickets)

    assert any(LOST in line for line in world.said())
    for one in seen:
        assert one.headlines == STORY
        # a step that had fired and wasn't noted yet comes once more
        assert 2 <= one.to_dana <= 3
        assert 1 <= one.to_lee <= 2
        assert 1 <= one.pushes <= 2
    eventually(lambda: world.answer("/readyz")[0] == 200, 40, "all is well again")
    figures("FLUSHALL under a running up", back, seen)

    as_told(world.finish(world.tickets(1)))
