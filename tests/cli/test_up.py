"""`escalator up`: the same processes as the Procfile, and a config that is read again at SIGHUP."""

import hashlib
import hmac
import os
import signal
import sys
from pathlib import Path

import psutil
import requests

from connector.cli.story.stage import free_port
from connector.cli.up import processes
from connector.services import read_config

from .conftest import ROOT, SECRET, Bench


def test_the_procfile_has_the_processes_of_up(alone: Bench) -> None:
    settings = read_config(alone.path).settings
    assert settings is not None
    listed = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines() if line)

    supervised = {one.name: one for one in processes(alone.folder, "redis://127.0.0.1:1", settings, workers=2)}

    assert list(supervised) == sorted(listed, key=list(supervised).index)
    for name, process in supervised.items():
        told = listed[name].replace("python -m ", "").split()
        ours = [word for word in process.command if word not in (sys.executable, "-m")]
        assert ours[0] == told[0], name
        assert ours[-1] == told[-1], name
        shared = {"--worker-class", "--threads", "--timeout", "--workers", "--log-level"}
        options = {word for word in ours if word.partition("=")[0] in shared}
        assert options <= set(told), name


def test_an_embedded_redis_comes_first(alone: Bench) -> None:
    settings = read_config(alone.path).settings
    assert settings is not None

    names = [one.name for one in processes(alone.folder / "data", "", settings, workers=1)]

    assert names == ["redis", "timers", "work", "desk", "deliver", "watchdog", "web"]


def test_with_the_helpdesk_away_it_starts_and_says_so(alone: Bench) -> None:
    alone.port = free_port()
    alone.config["helpdesk"]["url"] = "http://127.0.0.1:1"
    alone.write()
    alone.start_up()
    try:
        alone.until(lambda: any(line.startswith("The helpdesk can't be used right now: ") for line in alone.said))
    finally:
        alone.stop_up()


def knock(bench: Bench, secret: str) -> int:
    """A webhook that is proven with this secret: 401 when it isn't the config's."""
    body = b'{"ticket": {"id": 999999}}'
    proof = "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
    url = f"http://127.0.0.1:{bench.port}/webhooks/zammad"
    try:
        headers = {"X-Hub-Signature": proof, "Content-Type": "application/json"}
        return requests.post(url, data=body, headers=headers, timeout=10).status_code
    except requests.ConnectionError:
        return 0


def test_at_sighup_the_children_read_the_edited_config(alone: Bench, tmp_path: Path) -> None:
    alone.port = free_port()
    alone.start_up()
    try:
        assert alone.up is not None
        alone.until(lambda: knock(alone, SECRET) == 202)
        alone.config["helpdesk"]["webhook_secret"] = "a-new-secret-for-the-webhook"
        alone.write()
        os.kill(alone.up.pid, signal.SIGHUP)
        alone.until(lambda: any(line.startswith("Reloaded.") for line in alone.said), 40)
        alone.until(lambda: knock(alone, "a-new-secret-for-the-webhook") == 202)
        assert knock(alone, SECRET) == 401

        alone.path.write_text("nonsense: true")
        os.kill(alone.up.pid, signal.SIGHUP)
        alone.until(lambda: any(line.startswith("Reload refused") for line in alone.said))
        assert knock(alone, "a-new-secret-for-the-webhook") == 202
    finally:
        alone.stop_up()
    assert alone.up.returncode == 0


def test_what_starts_again_runs_on_the_config_that_was_good_whatever_stands_there_now(alone: Bench) -> None:
    alone.port = free_port()
    alone.start_up()
    try:
        assert alone.up is not None
        alone.until(lambda: knock(alone, SECRET) == 202)
        alone.path.write_text("half an edit: [")
        for child in psutil.Process(alone.up.pid).children():
            if "gunicorn" in " ".join(child.cmdline()):
                child.kill()
        alone.until(lambda: knock(alone, SECRET) in (0, 202) and knock(alone, SECRET) == 202)
        assert [knock(alone, SECRET) for _ in range(8)] == [202] * 8  # both server processes
    finally:
        alone.stop_up()
    assert not list((alone.folder / "data").glob("running-*"))
