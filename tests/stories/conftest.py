"""One world for all stories: starting it takes seconds, and each story has tickets of its own."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from connector.sandbox.providers import PushService

from .figures import Witness
from .ways import Played, play
from .world import API_TOKEN, World


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with PushService() as push_service:
        world = World(tmp_path_factory.mktemp("world"), push_service)
        try:
            world.start()
            yield world
        finally:
            world.stop()


@pytest.fixture(scope="session")
def played(world: World) -> Played:
    """What acknowledges and what doesn't, all of it done, while each plan still waits for its second step."""
    with Witness(world.url, API_TOKEN) as witness:
        return play(world, witness.taken)


@pytest.fixture(scope="session", autouse=True)
def begun(world: World) -> dict[str, str]:
    """Stories that take a minute begin before all others, so that nobody waits for them."""
    desk = world.desk
    found = {"unanswered": world.ticket("unanswered")}
    found |= {name: world.ticket("twice") for name in ("pending", "pending, then closed")}
    world.running(found["pending"], found["pending, then closed"])
    soon = (datetime.now(UTC) + timedelta(seconds=5)).isoformat()
    for name in ("pending", "pending, then closed"):
        desk.change(found[name], by=desk.alice, state="pending reminder", pending_time=soon)
    world.note(found["pending, then closed"], "acknowledged by Alice Agent")
    desk.close(found["pending, then closed"], by=desk.alice)
    return found
