"""`escalator doctor` on a real Znuny: a whole chain, and two broken ones."""

import os
import subprocess
from collections.abc import Iterator

import pytest
from ruamel.yaml import YAML

from ..stories.world import escalator
from .conftest import LiveZnuny
from .world import World

pytestmark = pytest.mark.timeout(900)  # the first test installs Znuny

TITLE = "Escalator's probe: please leave it alone, it closes by itself"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, znuny: LiveZnuny) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("doctor"), znuny)
    try:
        world.start()
        znuny.ticket_by_customer("Somebody's printer")  # where tickets are, a probe may go
        yield world
    finally:
        world.stop()


def doctor(world: World, *words: str, config: str = "escalation.yml") -> subprocess.CompletedProcess[str]:
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("REDIS", "ESCALATOR"))},
        "ESCALATOR_CONFIG": str(world.directory / config),
        "ESCALATOR_DATA": str(world.directory / "data"),
    }
    return subprocess.run(escalator("doctor", *words), env=environ, capture_output=True, text=True, check=False)


def probes(world: World, state_type: str) -> list[str]:
    asked = {"Title": TITLE, "StateType": state_type}
    found = world.znuny.call("POST", "/TicketSearch", asked).get("TicketID") or []
    return found if isinstance(found, list) else [found]


def test_a_whole_chain_is_ticked_off_and_the_probe_is_closed(world: World) -> None:
    before = len(probes(world, "closed"))
    said = doctor(world)

    assert said.returncode == 0, said.stdout + said.stderr
    for link in ("helpdesk", "ticket", "webhook", "taken in", "note", "live state", "closed"):
        assert f"✓  {link}: " in said.stdout
    assert said.stdout.splitlines()[-1] == "The chain is whole."
    assert not probes(world, "new") + probes(world, "open")
    assert len(probes(world, "closed")) == before + 1


def test_a_password_that_is_not_accepted_is_named(world: World) -> None:
    config = world.config()
    config["helpdesk"]["password"] = "not-the-password"
    with (world.directory / "other.yml").open("w", encoding="utf-8") as file:
        YAML(typ="safe").dump(config, file)

    said = doctor(world, config="other.yml")

    assert said.returncode == 1
    assert "The broken link: helpdesk. Znuny doesn't accept our user and password." in said.stdout


def test_webhooks_that_go_elsewhere_are_named_with_where_they_have_to_go(world: World) -> None:
    world.znuny.post_webhooks_to("http://127.0.0.1:1/webhooks/znuny")
    try:
        said = doctor(world, "--within", "10")
    finally:
        world.znuny.post_webhooks_to(world.webhook_url)

    assert said.returncode == 1
    assert "The broken link: webhook. No webhook came within 10 s" in said.stdout
    assert f"It has to go to {world.webhook_url}." in said.stdout
    assert not probes(world, "new") + probes(world, "open")
