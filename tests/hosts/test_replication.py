"""What a second Redis must have before anybody acts on it, and what another master puts in doubt."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis as redis_py
from flask.testing import FlaskClient
from redis import Redis

from connector import queues
from connector import services as graph
from connector.engine import replication as module
from connector.engine.keys import EPOCH
from connector.engine.operator import Operator
from connector.engine.replication import MASTER, WAIT_AT_MOST, Replication
from connector.redis_server import connect
from connector.sandbox.providers import Twilio
from connector.web.app import create_app

from ..engine.conftest import World
from ..stories.world import eventually
from ..web.conftest import HOOK_SECRET, config
from .sentinels import PATIENCE, Cluster

BODY = json.dumps({"ticket": {"id": 42, "title": "Server outage"}}).encode()
PROOF = {"X-Hub-Signature": "sha1=" + hmac.new(HOOK_SECRET.encode(), BODY, hashlib.sha1).hexdigest()}
LONG_AGO = timedelta(minutes=10)


@pytest.fixture
def shared(cluster: Cluster) -> Iterator[Redis]:
    """Empty, found by Sentinels."""
    with connect(cluster.url) as client:
        client.flushall()
        yield client


@pytest.fixture
def alone(cluster: Cluster, shared: Redis) -> Iterator[Redis]:
    """The same, and no replica follows it."""
    cluster.cut_off()
    yield shared
    cluster.join()
    eventually(lambda: shared.info("replication")["connected_slaves"] == 2, PATIENCE, "replicas")


def test_what_a_replica_has_is_safe(cluster: Cluster, shared: Redis) -> None:
    shared.set("ticket", "42")
    assert Replication(shared).safe()
    assert b"42" in [cluster.node(port).get("ticket") for port in cluster.replicas()]


def test_what_no_replica_has_is_not_safe_and_nobody_waits_for_long(alone: Redis) -> None:
    began = time.monotonic()
    assert not Replication(alone).safe()
    assert WAIT_AT_MOST * 0.9 <= time.monotonic() - began < PATIENCE


def test_a_single_redis_is_as_safe_as_it_will_be_and_is_asked_nothing(redis: Redis) -> None:
    single = Replication(redis)
    assert single.safe()
    assert not single.in_doubt()
    single.look(Operator(redis))
    assert redis.keys("*") == []


# --- the helpdesk -------------------------------------------------------------------------------------------------


@pytest.fixture
def helpdesk(tmp_path: Path, shared: Redis) -> Iterator[FlaskClient]:
    """Who sends webhooks to an Escalator on this Redis."""
    with Twilio() as twilio:
        loaded = graph.read_config(config(tmp_path, twilio), {})
        assert loaded.settings is not None
        shared.set(EPOCH, "an-epoch")
        services = graph.build(loaded.settings, shared)
        yield create_app(lambda: services).test_client()


def test_a_webhook_is_taken_once_a_replica_has_it(helpdesk: FlaskClient) -> None:
    assert helpdesk.post("/webhooks/zammad", data=BODY, headers=PROOF).status_code == 202


def test_a_webhook_that_no_replica_has_is_to_be_sent_again(helpdesk: FlaskClient, alone: Redis) -> None:
    answer = helpdesk.post("/webhooks/zammad", data=BODY, headers=PROOF)
    assert (answer.status_code, answer.get_json()["error"]) == (503, "store_away")


def test_looking_waits_for_no_replica(helpdesk: FlaskClient, alone: Redis) -> None:
    alone.delete(module.WRITTEN)
    assert helpdesk.get("/healthz").status_code == 200
    assert not alone.exists(module.WRITTEN)


# --- people and notes ----------------------------------------------------------------------------------------------


def test_somebody_is_told_although_no_replica_is_in_time(alone: Redis) -> None:
    world = World(alone)
    world.escalating()
    world.sends()
    assert len(world.channels["push"].sent) == 1


# --- another master -------------------------------------------------------------------------------------------------


@pytest.fixture
def taken_over(shared: Redis) -> Redis:
    """As a new master finds it: the one before it had noted its own name there."""
    shared.set(MASTER, "the-run-id-of-a-dead-one")
    return shared


def test_the_first_master_is_no_change(shared: Redis) -> None:
    replication = Replication(shared)
    assert replication.notice() is None
    assert shared.get(MASTER) == str(shared.info("server")["run_id"]).encode()
    assert not replication.in_doubt()


def test_what_was_due_before_another_master_took_over_is_in_doubt(taken_over: Redis) -> None:
    replication = Replication(taken_over)
    assert replication.in_doubt(datetime.now(UTC) - LONG_AGO)
    assert replication.in_doubt()
    assert not replication.in_doubt(datetime.now(UTC) + timedelta(seconds=1))


def test_every_process_learns_of_it_and_one_sweep_is_asked_for(taken_over: Redis) -> None:
    moments = {Replication(taken_over).notice() for _ in range(3)}
    assert len(moments) == 1
    assert None not in moments
    assert taken_over.llen(queues.queue_key(queues.DESK)) == 1


def test_after_two_minutes_nothing_is_in_doubt_any_more(taken_over: Redis) -> None:
    Replication(taken_over).notice()
    assert 0 < taken_over.ttl(module.CHANGED) <= module.IN_DOUBT
    taken_over.delete(module.CHANGED)
    assert not Replication(taken_over).in_doubt()


def test_the_provider_is_asked_before_what_may_have_been_sent_is_sent(taken_over: Redis) -> None:
    world = World(taken_over)
    world.escalating()
    world.sends()
    assert len(world.channels["push"].asked) == 1


def test_a_note_that_may_have_been_written_is_looked_for(taken_over: Redis) -> None:
    world = World(taken_over)
    world.escalating()
    world.sends()
    world.clock.passes(minutes=1)
    world.engine.wake("42")
    world.writes()
    assert (world.helpdesk.calls["find_note"], world.helpdesk.calls["add_note"]) == (1, 1)


# --- the operator --------------------------------------------------------------------------------------------------


def test_the_operator_is_told_that_no_replica_follows_and_when_one_does_again(
    alone: Redis, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    replication, operator = Replication(alone), Operator(alone)
    replication.look(operator)
    assert operator.open() == []  # a replica may be about to come back
    monkeypatch.setattr(module, "ALONE_AT_MOST", -1.0)
    replication.look(operator)
    assert [trouble["topic"] for trouble in operator.open()] == ["replicas"]

    cluster.join()
    eventually(lambda: _settled(replication, operator), PATIENCE, "nothing to tell")


def _settled(replication: Replication, operator: Operator) -> bool:
    try:
        replication.look(operator)
    except redis_py.RedisError:
        return False
    return operator.open() == []
