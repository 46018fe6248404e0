"""A world that loses its Redis, and a second Redis for the twin that doesn't."""

from collections.abc import Iterator

import pytest
from redis import Redis

from connector import redis_server as servers

from .worlds import Losing


@pytest.fixture
def world(redis: Redis) -> Losing:
    return Losing(redis)


@pytest.fixture
def other_redis(redis_server: servers.EmbeddedRedis) -> Iterator[Redis]:
    client = servers.connect(f"{redis_server.url}?db=1")
    client.flushdb()
    yield client
    client.close()
