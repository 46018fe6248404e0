"""One world for all kills: each has tickets of its own."""

from collections.abc import Iterator

import pytest

from .outage import Outage


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outage]:
    world = Outage(tmp_path_factory.mktemp("outage"))
    try:
        world.start()
        yield world
    finally:
        world.stop()
