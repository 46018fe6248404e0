"""Agents whom Znuny names nowhere: notes call them "agent 3", and `check` and `doctor` say what to write."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from redis import Redis

from connector.cli import main
from connector.cli.unnamed import words
from connector.engine.agents import UNNAMED
from connector.redis_server import EmbeddedRedis

ENVIRON = {"ZNUNY_PASSWORD": "a-password", "ZNUNY_WEBHOOK_SECRET": "a-secret", "ESCALATOR_KEY": "0123456789" * 4}


def checked(folder: Path, redis_server: EmbeddedRedis, **options: Any) -> str:
    """What `check` says of a Znuny that isn't there, and of what stands in Redis."""
    helpdesk = {"kind": "znuny", "url": "http://127.0.0.1:9/otrs", "user": "escalator", **options}
    helpdesk |= {"password": "${ZNUNY_PASSWORD}", "webhook_secret": "${ZNUNY_WEBHOOK_SECRET}"}
    plan = {"respond_within": "10m", "unassigned": "dana", "steps": [{"notify": "owner", "by": "email"}]}
    config = {
        "helpdesk": helpdesk,
        "service": {"public_url": "https://escalator.example.com", "secret_keys": "${ESCALATOR_KEY}"},
        "channels": {"email": {"host": "127.0.0.1", "port": 9, "from": "escalations@example.com"}},
        "contacts": {"dana": {"name": "Dana Reyes", "login": "dana", "email": "dana@example.com"}},
        "plans": {"urgent": {**plan, "when_exhausted": {"notify": "dana", "by": "email"}}},
        "priorities": {"5 very high": "urgent"},
    }
    path = folder / "escalation.yml"
    path.write_text(json.dumps(config))
    environ = {**ENVIRON, "ESCALATOR_CONFIG": str(path), "REDIS_URL": redis_server.url}
    return CliRunner().invoke(main, ["check"], env=environ).output


def test_check_says_what_to_write_for_an_agent_who_only_acted(
    tmp_path: Path, redis: Redis, redis_server: EmbeddedRedis
) -> None:
    redis.sadd(UNNAMED, "3", "12")
    said = checked(tmp_path, redis_server)
    assert "Notes can call somebody no more than agent 3, agent 12" in said
    assert 'Write `agents: {"3": LOGIN, "12": LOGIN}` under `helpdesk`' in said


def test_who_stands_in_the_config_is_not_asked_for_again(
    tmp_path: Path, redis: Redis, redis_server: EmbeddedRedis
) -> None:
    redis.sadd(UNNAMED, "3")
    said = checked(tmp_path, redis_server, agents={"3": "dana"})
    assert "Notes can call somebody" not in said
    assert "`helpdesk.agents" not in said, "and it is a key that can be set"


@pytest.mark.parametrize("agents", [{"anna": "dana"}, {"1": "root"}, {"3": ""}, "anna"])
def test_what_is_no_id_or_no_login_is_refused(
    tmp_path: Path, redis: Redis, redis_server: EmbeddedRedis, agents: Any
) -> None:
    assert "`helpdesk.agents" in checked(tmp_path, redis_server, agents=agents)


def test_of_many_the_first_few_are_named() -> None:
    assert words([]) is None
    said = words([str(number) for number in range(2, 32)])
    assert said is not None
    assert "agent 11 and 20 more:" in said[0]
    assert "12: LOGIN" not in said[1]
