"""All of Escalator's own data is lost beside a real Znuny: its notes, fields and histories are enough to go on."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ..stories.plans import plan, step
from ..stories.world import escalator
from .conftest import LiveZnuny, New, Receiver
from .world import World, eventually

pytestmark = pytest.mark.timeout(900)  # the first test installs Znuny

PLANS: dict[str, dict[str, Any]] = {
    "long": plan("1s", step("owner", "email"), step("owner", "email", "20m")),
    "later": plan("30m", step("owner", "email")),
}


class Desert(World):
    def config(self) -> dict[str, Any]:
        rules = [{"when": {"title": [name], "priority": ["4 high"]}, "plan": name} for name in PLANS]
        return {**super().config(), "plans": PLANS, "rules": rules}

    def status(self, *words: str) -> dict[str, dict[str, Any]]:
        """What `escalator status` tells of each live escalation that has to last, by its code."""
        environ = {
            "ESCALATOR_CONFIG": str(self.directory / "escalation.yml"),
            "ESCALATOR_DATA": str(self.directory / "data"),
            "PATH": "/usr/bin:/bin:/usr/local/bin",
        }
        said = subprocess.run(escalator("status", "--json"), env=environ, capture_output=True, check=True, timeout=100)
        names = ("plan", "state", "step", "round", "next", "acknowledged", "created_at")
        return {
            one["code"]: {"ticket": one["ticket"]["id"], **{name: one[name] for name in names}}
            for one in json.loads(said.stdout)["escalations"]
        }


@pytest.fixture
def world(znuny: LiveZnuny, receiver: Receiver, tmp_path: Path) -> Iterator[Desert]:
    world = Desert(tmp_path, znuny)
    try:
        world.start()
        yield world
    finally:
        znuny.post_webhooks_to(receiver.url)
        world.stop()


def test_every_escalation_is_as_it_was_and_who_worked_meanwhile_has_it(world: Desert) -> None:
    running, merging, taken, put_off = (world.running("long") for _ in range(4))
    waiting, target = world.ticket("later"), world.ticket("of no plan")
    world.anna.lock(taken.id)
    world.note(taken, "acknowledged by Anna Agent")
    until = (datetime.now(UTC) + timedelta(hours=2)).replace(second=0, microsecond=0)
    world.ben.pend(put_off.id, until)
    world.note(put_off, "put off until")
    mine: list[New] = [running, merging, taken, put_off, waiting]
    codes = {world.code(ticket) for ticket in mine}
    eventually(lambda: codes <= world.status().keys(), "all of them are known")
    before = world.status()
    mails = {ticket.id: len(world.mails(ticket)) for ticket in mine}

    world.stop_up()
    shutil.rmtree(world.directory / "data")
    world.anna.merge(merging.id, target.number)
    world.run()

    log = (world.directory / "up.log").read_text
    eventually(lambda: "Rebuilt from the helpdesk: " in log(), lambda: f"it is rebuilt; up said {log()}")
    moved = world.code(merging)
    eventually(lambda: world.status().get(moved, {}).get("ticket") == target.id, "it moved to where it was merged into")
    after = world.status()
    assert {code: one for code, one in after.items() if code in codes - {moved}} == {
        code: one for code, one in before.items() if code in codes - {moved}
    }
    assert {**after[moved], "ticket": merging.id} == before[moved]
    world.note(target, f"{moved}: it goes on")
    assert {ticket.id: len(world.mails(ticket)) for ticket in mine} == mails, "nobody was told again"

    world.ben.lock(running.id)
    world.note(running, "acknowledged by Ben Beispiel (locked the ticket)")
    longest = max(len(note["Body"].rpartition("escalator:")[2].strip()) for note in world.notes(running))
    print(f"\n{len(codes)} escalations on a real Znuny as before; the longest signed line has {longest} characters")
