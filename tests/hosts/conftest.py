"""A Redis with replicas and Sentinels for tests that leave it as they found it."""

from collections.abc import Iterator

import pytest

from . import sentinels

NEVER = 600_000  # milliseconds: no Sentinel takes a busy machine for a dead master


@pytest.fixture(scope="package")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sentinels.Cluster]:
    with sentinels.running(tmp_path_factory.mktemp("cluster"), down_after=NEVER) as cluster:
        yield cluster
