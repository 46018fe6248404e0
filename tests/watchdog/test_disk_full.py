"""The disk is full: Redis (appendfsync always) ends, starts again and ends again, and `up` itself tells the operator.

The disk is a limit on the size of files, set on the running `up` and its Redis.
"""

import resource
from collections.abc import Iterator

import psutil
import pytest

from ..stories.world import eventually
from .world import WITHIN, Watched


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    world = Watched(tmp_path_factory.mktemp("full"))
    try:
        world.start()
        yield world
    finally:
        world.stop()


@pytest.mark.timeout(240)
def test_a_full_disk_ends_redis_and_up_tells_the_operator_by_itself(world: Watched) -> None:
    assert world.up is not None
    both = [psutil.Process(world.up.pid), world.redis_process()]
    before = both[0].rlimit(resource.RLIMIT_FSIZE)
    written = sum(file.stat().st_size for file in world.data.rglob("*aof*") if file.is_file())
    for process in both:
        process.rlimit(resource.RLIMIT_FSIZE, (written + 4096, before[1]))

    eventually(lambda: told(world, "Redis has not answered for"), WITHIN, lambda: str(world.mails_to_operator()))
    assert world.ready()[0] == 503

    both[0].rlimit(resource.RLIMIT_FSIZE, before)  # room again; the next Redis takes it over
    eventually(lambda: told(world, "Redis answers again"), 90, lambda: str(world.mails_to_operator()))
    world.well()
    ticket = world.ticket("texted")
    eventually(lambda: world.texts(ticket), 60, "it goes on")
    assert told(world, "Redis has not answered for") == 1


def told(world: Watched, words: str) -> int:
    return sum(words in mail for mail in world.mails_to_operator())
