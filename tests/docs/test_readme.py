"""The README is true: its commands work, its table is the schemas', the files it names are there."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import requests
from ruamel.yaml import YAML

from connector.cli import COMMANDS
from connector.sandbox.zammad import SandboxZammad
from tests.stories.world import escalator, eventually

from .reference import README, with_reference

ROOT = README.parent
TEXT = README.read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
PATH = re.compile(r"`((?:config|tests|channels|connector)/[\w./-]+)`")
BLOCKS = re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL)


def test_the_reference_is_what_the_schemas_say() -> None:
    assert with_reference(TEXT) == TEXT, "run: python -m tests.docs.reference"


def test_every_make_target_that_it_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^make ([a-z]+)$", "\n".join(BLOCKS), re.MULTILINE)) == {"demo", "test"}
    named = re.findall(r"`make ([a-z]+)`", TEXT + CONTRIBUTING)
    assert {"demo", "test", *named} <= targets


def test_every_command_that_it_names_is_there() -> None:
    named = set(re.findall(r"escalator ([a-z-]+)", TEXT)) - {"is"}
    assert {"check", "up", "plans", "explain", "adopt"} <= named
    assert named <= set(COMMANDS)


@pytest.mark.parametrize("path", sorted(set(PATH.findall(TEXT + CONTRIBUTING))))
def test_every_path_that_it_names_is_there(path: str) -> None:
    made_by_the_reader = {"config/escalation.yml"}
    assert path in made_by_the_reader or (ROOT / path).exists()


def test_the_first_steps_of_going_live_work(tmp_path: Path) -> None:
    steps = next(block for block in BLOCKS if "cp config/escalation.example.yml" in block).splitlines()
    assert steps[0] == "cp config/escalation.example.yml config/escalation.yml"
    copied = tmp_path / "escalation.yml"
    copied.write_text((ROOT / "config/escalation.example.yml").read_text())
    key = subprocess.run(["sh", "-c", steps[1] + "; echo $ESCALATOR_KEY"], capture_output=True, text=True, check=True)
    environ = {
        **os.environ,
        "ESCALATOR_KEY": key.stdout.strip(),
        "ESCALATOR_CONFIG": str(copied),
        "ZAMMAD_TOKEN": "a-token",
        "ZAMMAD_WEBHOOK_SECRET": "a-webhook-secret",
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "a-twilio-token",
        "PAGER_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    }
    checked = subprocess.run(
        [*escalator("check"), "--offline"], env=environ, capture_output=True, text=True, cwd=tmp_path
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_command_that_sets_zammad_up_makes_it_send_webhooks(tmp_path: Path) -> None:
    [command] = next(block for block in BLOCKS if "escalator connect" in block).splitlines()
    with SandboxZammad() as desk:
        token = tmp_path / "token"
        config = YAML(typ="safe").load((ROOT / "config/examples/email.yml").read_text())
        config["helpdesk"] = {**config["helpdesk"], "url": desk.url, "token_file": str(token)}
        del config["helpdesk"]["token"]
        config["service"]["public_url"] = "http://127.0.0.1:9"
        (tmp_path / "escalation.yml").write_text(json.dumps(config))
        environ = {
            **os.environ,
            "ESCALATOR_CONFIG": str(tmp_path / "escalation.yml"),
            "ESCALATOR_ADMIN_TOKEN": desk.admin.token,
            "ZAMMAD_WEBHOOK_SECRET": "a-webhook-secret",
        }
        words = command.removeprefix(".venv/bin/escalator ").split()
        done = subprocess.run([*escalator(*words), "--yes"], env=environ, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

        ticket = desk.create_ticket("Server outage", by=desk.cathy, priority="3 high", group="Network")
        desk.take(ticket["id"], by=desk.alice)
        eventually(lambda: desk.deliveries.failing == 2, 5, "one for the new ticket, one for who took it")
        ours = {"ticket_id": ticket["id"], "body": "ours", "internal": True, "sender": "System", "type": "note"}
        headers = {"Authorization": f"Token token={token.read_text().strip()}"}
        requests.post(f"{desk.url}/api/v1/ticket_articles", json=ours, headers=headers, timeout=10).raise_for_status()
        desk.internal_note(ticket["id"], by=desk.bob, body="a colleague's")
        eventually(lambda: desk.deliveries.failing == 3, 5, "one for the colleague's note, none for ours")
        assert {line["url"] for line in desk.deliveries.log} == {"http://127.0.0.1:9/webhooks/zammad"}
