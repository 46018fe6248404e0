"""Records that somebody or something has spoiled in Redis."""

import json
from datetime import UTC, datetime

import pytest

from connector.engine.keys import BEHIND, DESK, HINTS, KNOWN, LIVE, OUT
from connector.engine.operator import TO_SEND
from connector.helpdesks.zammad.values import moment
from connector.ports import Hint
from tests.engine.conftest import World


@pytest.mark.parametrize("spoiled", [b"{cut", b"[]", b'{"ticket": 5}', b"\xff"])
def test_a_webhook_is_stored_whatever_its_tickets_record_holds(world: World, spoiled: bytes) -> None:
    world.redis.set("escalator:case:42", spoiled)
    assert world.store.hints.add_if_new(Hint("42", datetime.now(UTC)))
    assert world.redis.zscore(KNOWN, "42") is not None
    world.helpdesk.ticket("42")
    world.desk.drain()
    assert world.helpdesk.calls["read"] == 1


@pytest.mark.parametrize("spoiled", [b"\xff\xfe", b"42", b""])
def test_the_others_are_told_whatever_stands_among_what_is_to_be_sent(world: World, spoiled: bytes) -> None:
    world.escalating()
    world.redis.zadd(OUT, {spoiled: 0})
    world.sends()
    assert [m.code for channel in world.channels.values() for m in channel.sent] == ["E-1A"]
    assert world.redis.zscore(OUT, spoiled) is None


@pytest.mark.parametrize("spoiled", [b"\xff\xfe", b"forty-two", b""])
@pytest.mark.parametrize("key", [HINTS, KNOWN, BEHIND, DESK])
def test_the_others_are_read_and_noted_whatever_stands_among_the_tickets(
    world: World, key: str, spoiled: bytes
) -> None:
    world.escalating()
    world.redis.zadd(key, {spoiled: -1})
    world.desk.drain()
    assert world.redis.zscore(key, spoiled) is None
    world.store.redis.hset(LIVE, spoiled, "E-X")
    assert world.store.live_tickets() == ["42"]


def test_a_note_that_was_spoiled_lets_the_next_one_through_and_the_operator_hears_of_it(world: World) -> None:
    world.escalating()
    world.redis.lpush("escalator:desk:42", b"no note")
    world.sends()
    world.clock.passes(seconds=31)  # the first step's note waits for outcomes until then
    world.engine.wake("42")
    world.writes()
    assert world.helpdesk.headlines("42") == ["Escalation E-1A, step 1 of 3 (plan major)"]
    told = [json.loads(raw)["sentence"] for raw in world.redis.lrange(TO_SEND, 0, -1)]
    assert told == ["A note that waited was spoiled in Redis, and is lost."]


def test_a_time_that_is_none_in_utc_is_no_time() -> None:
    assert moment("9999-12-31T23:59:59.999-14:00") is None
