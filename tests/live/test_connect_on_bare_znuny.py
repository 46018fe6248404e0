"""`escalator connect` on a real Znuny in which nothing is set up: from there to the first acknowledged escalation.

Takes the throw-away Znuny away first, so it is run by itself (see .ci/live).
"""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from ..stories.world import escalator
from .conftest import HERE, LiveZnuny, state
from .world import World

#: Where agents, their rights, fields and web services stand.
TABLES = ("users", "user_preferences", "group_user", "dynamic_field", "gi_webservice_config")
MINUTES_AT_MOST = 5


class Bare(LiveZnuny):
    """Its web service is Escalator's own, made by `connect`, and already posts to the right place."""

    def post_webhooks_to(self, url: str) -> None:
        """Nothing to do: see the class."""

    def options(self) -> dict[str, Any]:
        secret = {"webhook_secret": ["a-webhook-secret"], "password_file": "znuny-password"}
        return {"url": self.url, "user": "escalator", "timezone": "UTC", **secret}


class BareWorld(World):
    def escalator(self, *words: str) -> str:
        with (self.directory / "escalation.yml").open("w", encoding="utf-8") as file:
            YAML(typ="safe").dump(self.config(), file)
        environ = {**os.environ, "ESCALATOR_CONFIG": str(self.directory / "escalation.yml"), "COLUMNS": "200"}
        done = subprocess.run(escalator(*words), env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareWorld]:
    subprocess.run([HERE / "stop", "--purge"], check=True)
    environ = {**os.environ, "ZNUNY_BARE": "1"}
    run = subprocess.run([HERE / "start"], env=environ, capture_output=True, text=True, check=True, timeout=900)
    znuny = Bare(dict(line.split("=", 1) for line in run.stdout.splitlines()))
    world = BareWorld(tmp_path_factory.mktemp("bare"), znuny)
    world.providers.start()
    try:
        yield world
    finally:
        world.stop()
        znuny.close()
        subprocess.run([HERE / "stop", "--purge"], check=True)


def dump() -> str:
    """What stands in the tables that a set-up writes."""
    command = ["pg_dump", "-h", str(state() / "run"), "--data-only", "--inserts", "znuny"]
    for table in TABLES:
        command += ["-t", table]
    done = subprocess.run(["runuser", "-u", "postgres", "--", *command], capture_output=True, text=True, check=True)
    rows = (line for line in done.stdout.splitlines() if line.startswith("INSERT"))
    return "\n".join(sorted(row for row in rows if "'UserLastLogin" not in row))  # Znuny notes down every sign-in


def pages() -> Path:
    return Path("/usr/share/otrs/Kernel/Config/Files/ZZZEscalator.pm")


def test_from_nothing_to_the_first_acknowledged_escalation_without_a_click(bare: BareWorld) -> None:
    began = time.monotonic()
    said = bare.escalator("connect", "--yes")
    assert 'web service "Escalation": made' in said
    bare.run()
    ticket = bare.running("again")
    assert bare.fields(ticket)["Status"] == "running"
    bare.anna.acknowledge(ticket.id)
    # Znuny tells who it was by id alone, until that agent has owned a ticket
    assert re.search(r"acknowledged by (Anna Agent|agent 3) ", bare.note(ticket, "(Acknowledge escalation)"))
    bare.status(ticket, "acknowledged")
    took = time.monotonic() - began

    print(f"\nconnect, up, ticket, step, acknowledged: {took:.0f} s")
    assert took < MINUTES_AT_MOST * 60


def test_the_second_run_changes_nothing(bare: BareWorld) -> None:
    before = dump()
    assert bare.escalator("connect").splitlines()[-1] == "Nothing to change."
    assert dump() == before


def test_what_somebody_changed_is_mended(bare: BareWorld) -> None:
    pages().unlink()
    said = bare.escalator("connect", "--yes")
    assert "menu entry, dashboard list and fields in the pages: made" in said
    assert pages().exists()


def test_after_disconnect_nothing_of_ours_is_active_and_what_stays_is_listed(bare: BareWorld) -> None:
    bare.stop_up()
    said = bare.escalator("disconnect", "--purge", "--yes")

    assert "the dynamic fields, switched off, with what stands in them" in said
    rows = dump().splitlines()
    assert not [row for row in rows if "gi_webservice_config" in row]
    assert not pages().exists()
    assert bare.escalator("disconnect", "--purge").splitlines()[0] == "Nothing of Escalator is there."
    active = "INSERT INTO public.dynamic_field VALUES"
    ours = [row for row in rows if row.startswith(active) and "'Escalation" in row]
    assert len(ours) == 4
