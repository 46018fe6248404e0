"""What every test may ask for: a real Redis, clean for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from connector import redis_server as servers


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.EmbeddedRedis]:
    """One real Redis on a unix socket for the whole run; `.url` is what REDIS_URL would hold."""
    data: Path = tmp_path_factory.mktemp("redis")
    with servers.running(data, appendfsync="no") as embedded:
        yield embedded


@pytest.fixture
def redis(redis_server: servers.EmbeddedRedis) -> Iterator[Redis]:
    """A client of that Redis, which is empty when the test starts."""
    client = servers.connect(redis_server.url)
    client.flushall()
    yield client
    client.close()
