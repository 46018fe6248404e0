"""`kill -9` of any process in the middle of several stories: all of them go on, and end as if nothing had happened."""

import pytest

from .outage import VICTIMS, Outage, as_told, figures, now


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
    world.up.kill()
    world.up.wait()
    tickets += world.tickets(1)  # its webhook finds nobody
    began = now()
    world.start_up()
    back = (now() - began).total_seconds()
    seen = world.finish(tickets)
    figures("kill -9 up, and a new one", back, seen)
    as_told(seen)


def test_asked_to_end_in_the_middle_up_goes_on_when_it_is_started_again(world: Outage) -> None:
    tickets = world.tickets(3)
    world.first_text(tickets[0])
    began = now()
    world.stop_up()
    ended = (now() - began).total_seconds()
    world.start_up()
    seen = world.finish(tickets)
    figures(f"SIGTERM to up ({ended:.1f} s to end), and a new one", (now() - began).total_seconds(), seen)
    as_told(seen)
