"""`escalator up` and `escalator rebuild` after all of Escalator's own data is gone: the helpdesk is enough."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector import redis_server as servers
from connector.core.code import code_of
from connector.engine.keys import EPOCH

from ..kills.outage import Outage
from ..stories.world import escalator, eventually

NOTHING = "There is nothing to rebuild: everything that the helpdesk tells of is known."
PLANS: dict[str, dict[str, Any]] = {
    name: {
        "respond_within": "1s",
        "unassigned": ["dana"],
        "steps": [{"notify": "owner", "by": "sms"}, {"after": after, "notify": "owner", "by": "push"}],
        "give_up_after": "10m",
    }
    for name, after in (("long", "20m"), ("soon", "30s"))
} | {
    "patient": {"respond_within": "30m", "unassigned": ["dana"], "steps": [{"notify": "owner", "by": "sms"}]},
}


class Desert(Outage):
    """Nothing is left here but the config, and the tickets in the helpdesk."""

    def config(self) -> dict[str, Any]:
        rules = [{"when": {"title": [name]}, "plan": name} for name in PLANS]
        return {**super().config(), "plans": PLANS, "rules": rules}

    def loses_everything(self) -> None:
        self.stop_up()
        shutil.rmtree(self.data)

    def run(self, *words: str, url: str = "", says: str = "") -> "subprocess.CompletedProcess[str]":
        environ = {**self.environ, "REDIS_URL": url, "COLUMNS": "200"}
        return subprocess.run(escalator(*words), env=environ, input=says, capture_output=True, text=True, timeout=100)

    def status(self) -> dict[str, Any]:
        """Every live escalation, by its code."""
        known = json.loads(self.run("status", "--json").stdout)["escalations"]
        return {one["code"]: one for one in known}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Desert]:
    world = Desert(tmp_path)
    try:
        world.start()
        yield world
    finally:
        world.stop()


def lasting(document: dict[str, Any]) -> dict[str, Any]:
    """What has to be the same after a rebuild."""
    names = ("code", "plan", "state", "step", "round", "next", "acknowledged", "created_at")
    return {name: document[name] for name in names}


@pytest.mark.timeout(240)
def test_a_new_up_waits_for_the_helpdesk_and_then_goes_on_with_all_of_them(world: Desert) -> None:
    running, taken, waiting = world.ticket("long"), world.ticket("long"), world.ticket("patient")
    soon = world.ticket("soon")
    world.running(running, taken, soon)
    world.desk.take(taken, by=world.desk.alice)
    world.note(taken, "acknowledged by Alice Agent")
    eventually(lambda: {code_of(one) for one in (running, taken, waiting)} <= world.status().keys(), what="all known")
    before = {code: lasting(one) for code, one in world.status().items() if code != code_of(soon)}
    world.loses_everything()
    world.desk.go_away()

    world.start_up()

    eventually(lambda: any("Nothing is sent until the helpdesk answers" in line for line in world.said()), 40, "why")
    assert world.answer("/healthz")[0] == 200
    status, reasons = world.answer("/readyz")
    assert (status, "Redis is empty" in reasons) == (503, True)
    world.desk.come_back()
    eventually(lambda: any("Rebuilt from the helpdesk: 3 by their notes, 1" in line for line in world.said()), 60, "it")
    after = world.status()
    assert {code: lasting(one) for code, one in after.items() if code != code_of(soon)} == before
    eventually(lambda: world.answer("/readyz")[0] == 200, 40, "all is well again")
    eventually(lambda: world.pushed(soon), 80, "the second step")
    assert [len(world.texts(one)) for one in (running, taken, soon, waiting)] == [1, 1, 1, 0]
    assert [world.pushed(one) for one in (running, taken, soon)] == [0, 0, 1]
    print(f"\nall data lost, the helpdesk away: {len(after)} escalations as before, the next step came once")


@pytest.mark.timeout(240)
def test_by_hand_it_shows_asks_and_restores_and_the_second_time_there_is_nothing_to_do(
    world: Desert, redis_server: servers.EmbeddedRedis, redis: object
) -> None:
    ticket, waiting = world.ticket("long"), world.ticket("patient")
    world.running(ticket)
    world.loses_everything()
    redis_url, code = redis_server.url, code_of(ticket)
    connection = servers.connect(redis_url)

    shown = world.run("rebuild", "--dry-run", url=redis_url)
    assert shown.returncode == 0, shown.stderr
    line = next(line for line in shown.stdout.splitlines() if line.startswith(f"{code} "))
    assert line.split()[2:4] == ["notes", "running"]
    assert "2 of 2: owner" in line
    line = next(line for line in shown.stdout.splitlines() if line.startswith(f"{code_of(waiting)} "))
    assert line.split()[2:4] == ["history", "waiting"]
    assert list(connection.scan_iter("escalator:case:*")) == []

    refused = world.run("rebuild", url=redis_url, says="n\n")
    assert refused.returncode == 1
    assert "Nothing was restored." in refused.stderr
    assert not connection.exists(EPOCH)

    done = world.run("rebuild", "--yes", "--json", url=redis_url)
    told = json.loads(done.stdout)
    assert [one["code"] for one in told["rebuilt"]] == [code]
    assert [one["code"] for one in told["waiting"]] == [code_of(waiting)]
    assert told["left_alone"] == []
    assert connection.exists(EPOCH)
    assert (world.data / "since").exists()

    again = world.run("rebuild", "--yes", url=redis_url)
    assert (again.returncode, again.stdout.strip()) == (0, NOTHING)
    connection.close()


@pytest.mark.timeout(120)
def test_a_first_up_begins_with_nothing_to_say(world: Desert) -> None:
    assert not any("Redis is empty" in line or "Rebuilt" in line for line in world.said())
    assert world.store.begun()
    since = world.store.since()
    assert since is not None
    assert (world.data / "since").read_text() == since.isoformat()
