"""`escalator up` where a rehearsal and a live Escalator could meet."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis import Redis

from connector import redis_server as servers
from connector.beginning import IS_LIVE, record
from connector.cli.up import keep, reload, usable
from connector.engine.epoch import Holds, new_epoch
from connector.engine.keys import EPOCH

from ..stories.world import escalator

CONFIG = """
helpdesk: {{kind: zammad, url: "http://127.0.0.1:1", token: EXAMPLE, webhook_secret: EXAMPLE}}
service: {{mode: {mode}, secret_keys: [a-key-that-is-only-for-these-tests-1234]}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "escalation.yml"
    path.write_text(CONFIG.format(mode="rehearsal"))
    return path


def up(config: Path, data: Path, url: str = "") -> "subprocess.CompletedProcess[str]":
    words = escalator("up", "--config", str(config), "--data", str(data), "--port", "0")
    environ = {"PATH": "/usr/bin:/bin", "REDIS_URL": url}
    return subprocess.run(words, env=environ, capture_output=True, text=True, timeout=100)


@pytest.mark.timeout(120)
def test_a_rehearsal_is_refused_where_the_data_is_that_of_a_live_escalator(config: Path, tmp_path: Path) -> None:
    record(tmp_path / "data", datetime.now(UTC))
    refused = up(config, tmp_path / "data")
    assert (refused.returncode, refused.stderr.splitlines()[-1]) == (2, IS_LIVE)


@pytest.mark.timeout(120)
def test_and_where_the_redis_is(
    config: Path, tmp_path: Path, redis_server: servers.EmbeddedRedis, redis: Redis
) -> None:
    redis.set(EPOCH, new_epoch(Holds.LIVE))
    refused = up(config, tmp_path / "data", redis_server.url)
    assert (refused.returncode, refused.stderr.splitlines()[-1]) == (2, IS_LIVE)


BEGINNING = """
import sys
from pathlib import Path
from connector.beginning import Beginning
from connector.cli.up import usable

config, data, url = sys.argv[1:]
settings = usable(Path(config))
beginning = Beginning(url, Path(data), lambda: settings, lambda line: print(line, flush=True))
beginning.ready()
sys.stdin.read()
print(beginning.ready())
"""


@pytest.mark.timeout(120)
def test_should_that_show_only_later_nothing_else_of_the_rehearsal_starts(
    config: Path, tmp_path: Path, redis_server: servers.EmbeddedRedis, redis: Redis
) -> None:
    redis.set(EPOCH, new_epoch(Holds.LIVE))
    words = [sys.executable, "-c", BEGINNING, str(config), str(tmp_path / "data"), redis_server.url]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as beginning:
        assert beginning.stdout is not None
        assert beginning.stdout.readline().strip() == IS_LIVE
        said, _ = beginning.communicate("", timeout=60)
    assert said.strip() == "False"


def test_the_mode_is_not_changed_by_a_reload(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    running = tmp_path / "running-1.yml"
    monkeypatch.setenv("ESCALATOR_RUNNING", str(running))
    settings = usable(config)
    assert settings is not None
    assert keep(running, config, settings)
    config.write_text(CONFIG.format(mode="live"))
    assert not reload(running, config)
    assert "`service.mode` has changed: stop `escalator up` and start it again." in capsys.readouterr().out
    config.write_text(CONFIG.format(mode="rehearsal") + "# another word\n")
    assert reload(running, config)
