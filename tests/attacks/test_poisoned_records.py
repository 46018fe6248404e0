"""Records that somebody or something has spoiled in Redis."""

from datetime import UTC, datetime

import pytest

from connector.engine.store import HINTS
from connector.helpdesks.zammad.values import moment
from tests.engine.conftest import World


@pytest.mark.parametrize("spoiled", [b"{cut", b"[]", b'{"ticket": 5}', b"\xff"])
def test_a_webhook_is_stored_whatever_its_tickets_record_holds(world: World, spoiled: bytes) -> None:
    world.redis.set("escalator:case:42", spoiled)
    assert world.store.hint_if_new("42", datetime.now(UTC), closed=False, deleted=False)
    assert world.redis.zscore(HINTS, "42") is not None


def test_a_time_that_is_none_in_utc_is_no_time() -> None:
    assert moment("9999-12-31T23:59:59.999-14:00") is None
