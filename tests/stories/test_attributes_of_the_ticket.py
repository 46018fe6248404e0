"""With Zammad's own attributes for step and next time: they follow the escalation, and nobody takes them for work."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from .world import World, eventually

STEP, DUE = "escalator_step", "escalator_due"


@pytest.fixture(scope="module")
def attributes(world: World) -> Iterator[None]:
    """Made while Escalator runs; it uses them from the next reading on."""
    admin, own = world.desk.caller(world.desk.admin), world.desk.setup.attributes
    text = {"data_type": "input", "data_option": {"type": "text", "maxlength": 120}}
    time = {"data_type": "datetime", "data_option": {"future": True, "past": True}}
    for name, kind in ((STEP, text), (DUE, time)):
        own.create(admin, {"object": "Ticket", "name": name, "display": name, "active": True, **kind})
    own.migrate()
    yield
    for id in [id for id, row in world.desk.desk.attributes.items() if row["name"] in (STEP, DUE)]:
        own.delete(id)
    own.migrate()


def stands(world: World, ticket: str) -> tuple[Any, Any]:
    row = world.desk.ticket(ticket)
    return row[STEP] or "", row[DUE]


@pytest.mark.usefixtures("attributes")
def test_they_follow_the_escalation_from_its_first_step_to_its_end(world: World) -> None:
    desk, ticket = world.desk, world.ticket("calm")
    world.running(ticket)

    step, due = eventually(lambda: next((it for it in [stands(world, ticket)] if all(it)), None), what="both")
    assert step == "1 of 2 (calm)"
    until = datetime.fromisoformat(due) - world.stepped(ticket)
    assert timedelta(minutes=4) <= until <= timedelta(minutes=5), "the next step comes five minutes after the first"

    desk.take(ticket, by=desk.alice)
    world.note(ticket, "acknowledged by Alice Agent")
    assert eventually(lambda: stands(world, ticket) == ("1 of 2 (calm)", None), what="nothing comes by itself")

    desk.close(ticket, by=desk.alice)
    assert eventually(lambda: stands(world, ticket) == ("", None), what="emptied")


@pytest.mark.usefixtures("attributes")
def test_old_values_from_an_open_screen_acknowledge_nothing(world: World) -> None:
    desk, ticket = world.desk, world.ticket("calm")
    screen = desk.open_screen(ticket)
    world.running(ticket)
    eventually(lambda: all(stands(world, ticket)), what="both")

    desk.save_screen(screen, by=desk.bob)

    assert not any(stands(world, ticket)), "taken back by the screen"
    world.state(ticket, "running")
    desk.take(ticket, by=desk.bob)
    world.note(ticket, "acknowledged by Bob Builder")
    assert eventually(lambda: stands(world, ticket) == ("1 of 2 (calm)", None), what="written again")
    assert [entry for entry in world.shown(ticket)["history"] if entry["kind"] == "acknowledged"][1:] == []
