"""`escalator pair`: a link for one person, and what they have paired."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from redis import Redis

from channels import webpush
from connector.cli import main
from connector.engine.devices import WEBPUSH, Device, Devices
from connector.engine.pairing import read
from connector.engine.proofs import Signatures
from connector.redis_server import EmbeddedRedis
from connector.sandbox.providers import PushService

from .conftest import Bench

SECRET = "canary-key-0123456789abcdef012345"
CONFIG: dict[str, Any] = {
    "helpdesk": {"kind": "zammad", "url": "https://desk.example.com", "token": "x", "webhook_secret": "y"},
    "service": {"secret_keys": [SECRET], "public_url": "https://escalator.example.com"},
    "channels": {"webpush": {"subject": "mailto:desk@example.com", "private_key": webpush.new_key()}},
    "contacts": {"dana": {"name": "Dana Reyes"}},
    "plans": {
        "p": {
            "respond_within": "5m",
            "unassigned": "dana",
            "steps": [{"notify": "dana", "by": "webpush"}],
            "when_exhausted": {"notify": "dana", "by": "webpush", "every": "1h"},
        }
    },
    "priorities": {"3 high": "p"},
}

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, redis: Redis, redis_server: EmbeddedRedis) -> Run:
    file = tmp_path / "escalation.yml"
    file.write_text(json.dumps(CONFIG))
    environ = {"ESCALATOR_CONFIG": str(file), "ESCALATOR_DATA": str(tmp_path), "REDIS_URL": redis_server.url}
    return lambda *words: CliRunner().invoke(main, list(words), env=environ)


def a_phone(redis: Redis) -> Device:
    at = datetime(2026, 1, 31, 20, 15, tzinfo=UTC)
    device = Device(WEBPUSH, "https://push.example.com/c4nary", at, "iPhone", "p256dh", "c4nary-auth")
    Devices(redis).add("dana", device)
    return device


def test_it_prints_a_code_to_scan_and_the_link(run: Run) -> None:
    said = run("pair", "dana")
    assert said.exit_code == 0
    assert "\u2588\u2588" in said.stdout
    assert "For Dana Reyes alone, valid for 60 minutes" in said.stdout
    assert "https://escalator.example.com/pair/" in said.stdout


def test_the_link_is_for_one_contact_and_one_hour(run: Run) -> None:
    told = json.loads(run("pair", "dana", "--json").stdout)
    invitation = read(Signatures([SECRET]), told["url"].rpartition("/")[2])
    assert invitation is not None
    assert (invitation.contact, invitation.until.isoformat()) == ("dana", told["valid_until"])
    now = datetime.now(UTC)
    assert not invitation.expired(now)
    assert invitation.expired(now + timedelta(hours=1))


def test_it_lists_devices_without_their_addresses(run: Run, redis: Redis) -> None:
    device = a_phone(redis)
    said = run("pair", "--list")
    assert said.stdout.splitlines()[1].split() == ["dana", device.id, "webpush", "iPhone", "2026-01-31", "20:15", "UTC"]
    [listed] = json.loads(run("pair", "dana", "--list", "--json").stdout)["devices"]
    assert listed["id"] == device.id
    assert "c4nary" not in said.stdout + json.dumps(listed)


def test_it_removes_one(run: Run, redis: Redis) -> None:
    device = a_phone(redis)
    assert run("pair", "dana", "--remove", device.id).exit_code == 0
    assert run("pair", "--list").stdout == "No device is paired.\n"
    again = run("pair", "dana", "--remove", device.id)
    assert (again.exit_code, again.stderr) == (1, "dana has no such device: see escalator pair --list\n")


def test_it_makes_a_key_for_the_config(run: Run) -> None:
    key = run("pair", "--new-key").stdout.strip()
    assert webpush.public_key(key)


def test_nobody_is_told_what_to_write_instead_of_a_contact_in_vain(run: Run) -> None:
    assert "Did you mean `dana`?" in run("pair", "dna").stderr
    assert "escalator pair CONTACT" in run("pair").stderr


def test_explain_knows_who_has_paired_a_phone(alone: Bench, redis: Redis, redis_server: EmbeddedRedis) -> None:
    alone.config["channels"]["webpush"] = CONFIG["channels"]["webpush"]
    alone.config["plans"]["calm"]["steps"] = [{"notify": "dana", "by": "webpush"}]
    alone.write()
    number = str(alone.zammad.create_ticket("Server outage", priority="3 high")["number"])
    bare = alone.run("explain", number, REDIS_URL=redis_server.url).stdout
    assert "Dana Reyes has no address for Web Push" in bare
    a_phone(redis)
    assert "has no address" not in alone.run("explain", number, REDIS_URL=redis_server.url).stdout
    assert "has no address" not in alone.run("explain", number).stdout  # no Redis: it can't be known


def test_a_test_message_needs_a_paired_browser(run: Run) -> None:
    said = run("test-notify", "dana", "webpush")
    assert (said.exit_code, said.stderr) == (1, "Dana Reyes has paired no browser: escalator pair dana\n")


def test_a_test_message_goes_to_every_browser_they_have_paired(run: Run, redis: Redis, tmp_path: Path) -> None:
    with PushService() as service:
        options = {**CONFIG["channels"]["webpush"], **service.options}
        (tmp_path / "escalation.yml").write_text(json.dumps({**CONFIG, "channels": {"webpush": options}}))
        browsers = [service.browser(webpush.public_key(options["private_key"])) for _ in range(2)]
        for browser in browsers:
            keys = browser.subscription()["keys"]
            Devices(redis).add("dana", Device(WEBPUSH, browser.endpoint, datetime.now(UTC), "iPhone", **keys))
        assert run("test-notify", "dana", "webpush").stdout == "Sent to Dana Reyes by webpush: accepted.\n"
        assert {push.device for push in service.pushes} == {browser.name for browser in browsers}
