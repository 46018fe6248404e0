"""One world for all faults; each is broken and mended before the next."""

from collections.abc import Iterator

import pytest

from .world import Watched


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    world = Watched(tmp_path_factory.mktemp("watched"))
    try:
        world.start()
        yield world
    finally:
        world.stop()


@pytest.fixture
def world(running: Watched) -> Watched:
    """All is well, and the last trouble is long ago."""
    running.mend()
    running.another_night()
    running.well()
    return running
