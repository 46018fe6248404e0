"""`kill -9` of any process in the middle of several stories: all of them go on, and end as if nothing had happened."""

import time

import pytest

from .outage import VICTIMS, Outage, as_told, figures


@pytest.mark.parametrize("victim", VICTIMS)
def test_whichever_process_is_killed_every_story_goes_on_and_ends_right(world: Outage, victim: str) -> None:
    before = world.tickets(3)
    world.first_text(before[0])
    back = world.kill(victim)
    after = world.tickets(1)
    seen = world.finish([*before, *after])
    figures(f"kill -9 {victim}", back, seen)
    as_told(seen)
    assert back <= 5


def test_killed_itself_up_goes_on_when_it_is_started_again(world: Outage) -> None:
    tickets = world.tickets(3)
    world.first_text(tickets[0])
    assert world.up is not None
    killed = time.monotonic()
    world.up.kill()
    world.up.wait()
    tickets += world.tickets(1)  # its webhook finds nobody
    world.start_up()
    down = time.monotonic() - killed
    seen = world.finish(tickets)
    figures("kill -9 up, and a new one", down, seen)
    as_told(seen, at_most=down + 7)


def test_asked_to_end_in_the_middle_up_goes_on_when_it_is_started_again(world: Outage) -> None:
    tickets = world.tickets(3)
    world.first_text(tickets[0])
    asked = time.monotonic()
    world.stop_up()
    world.start_up()
    down = time.monotonic() - asked
    seen = world.finish(tickets)
    figures("SIGTERM to up, and a new one", down, seen)
    as_told(seen, at_most=down + 7)
