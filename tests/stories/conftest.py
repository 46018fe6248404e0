"""One world for all stories: starting it takes seconds, and each story has tickets of its own."""

from collections.abc import Iterator

import pytest

from .world import World


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("world"))
    try:
        world.start()
        yield world
    finally:
        world.stop()
