"""The page on several machines is true: its settings start real servers, its commands are there, its URL is taken."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from connector.cli import COMMANDS
from connector.cli.redis_look import look_at_redis
from connector.cli.up import up
from connector.redis_server import check_url, connect, find_server
from tests.stories.world import eventually, free_port

from ..hosts.sentinels import quietly

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "several-machines.md").read_text()
SETTINGS: Mapping[str, str] = dict(re.findall(r"```conf (\w+)\n(.*?)```", TEXT, re.DOTALL))
PASSWORD = "a-password-of-the-tests"


def test_the_readme_leads_to_it() -> None:
    assert "(docs/several-machines.md)" in (ROOT / "README.md").read_text()


def test_its_url_is_one_that_check_takes() -> None:
    [url] = re.findall(r'export REDIS_URL="(.+)"', TEXT)
    check_url(url)
    connect(url).close()


def test_every_command_that_it_names_is_there() -> None:
    assert set(re.findall(r"^escalator ([a-z-]+)", TEXT, re.MULTILINE)) == {"check", "up"} <= set(COMMANDS)
    options = {option for parameter in up.params for option in parameter.opts}
    assert {"--host", "--data"} <= options


@pytest.fixture
def service(tmp_path: Path) -> Iterator[str]:
    """A master, a replica and a Sentinel with these settings, but for names and certificates: their REDIS_URL."""
    master, replica, sentinel = free_port(), free_port(), free_port()
    with ExitStack() as running:
        running.enter_context(server(tmp_path / "master", SETTINGS["redis"], master))
        following = f"{SETTINGS['redis']}replicaof 127.0.0.1 {master}\n"
        running.enter_context(server(tmp_path / "replica", following, replica))
        asked = SETTINGS["sentinel"].replace("one.example.com 6379", f"127.0.0.1 {master}")
        running.enter_context(server(tmp_path / "sentinel", asked, sentinel, "--sentinel"))
        yield f"redis+sentinel://:{PASSWORD}@127.0.0.1:{sentinel}/escalator"


def test_its_settings_are_those_of_a_redis_that_check_finds_nothing_wrong_with(service: str) -> None:
    with connect(service) as client:
        eventually(lambda: quietly(lambda: client.info("replication")["connected_slaves"] == 1), 60, "a replica")
        eventually(lambda: quietly(lambda: client.set("ticket", "42")), 60, "a master that takes writes")
    found, looked = look_at_redis(service)
    assert ([str(problem) for problem in found], looked.result) == ([], "ok")


@contextmanager
def server(place: Path, settings: str, port: int, *more: str) -> Iterator[None]:
    """Without TLS, which not every build of Redis has."""
    place.mkdir()
    lines = [line for line in settings.splitlines() if not line.startswith(("tls-", "replica-announce-ip"))]
    config = place / "server.conf"
    config.write_text("\n".join(lines).replace("PASSWORD", PASSWORD).replace("port 0", f"port {port}") + "\n")
    with config.open("a") as file:
        file.write(f"dir {place}\nbind 127.0.0.1\n")
    with (place / "log").open("wb") as log:
        process = subprocess.Popen([find_server().path, config, *more], stdout=log, stderr=log)
    try:
        yield
    finally:
        process.kill()
        process.wait()
