"""For operations: alive, ready, counted. Counts only, never a secret."""

import time

import pytest

from connector.clockwork.readiness import WATCHDOG
from connector.clockwork.timers import HEARTBEAT
from connector.engine.epoch import Holds, new_epoch
from connector.engine.keys import EPOCH
from connector.redis_server import connect
from connector.services import build
from connector.web.app import create_app

from .conftest import API_TOKEN, DANA, HOOK_SECRET


@pytest.fixture
def running(world):
    """A world whose timers tick, and whose watchdog looks."""
    world.services.redis.set(HEARTBEAT, repr(time.time()))
    world.services.redis.hset(WATCHDOG, "at", repr(time.time()))
    return world


@pytest.fixture
def without_redis(world, tmp_path):
    """The same app, whose Redis is gone."""
    services = build(world.services.settings, connect(f"unix://{tmp_path}/nobody.sock"))
    return create_app(lambda: services).test_client()


def reasons(world):
    answer = world.client.get("/readyz")
    assert answer.status_code == (503 if answer.json["reasons"] else 200)
    return [(each["reason"], each.get("what", "")) for each in answer.json["reasons"]]


def test_all_is_well(running):
    assert running.client.get("/healthz").json == {"status": "ok"}
    answer = running.client.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"status": "ready", "reasons": []})


def test_alive_asks_nothing_of_redis_and_ready_says_that_it_is_away(without_redis):
    assert without_redis.get("/healthz").status_code == 200
    answer = without_redis.get("/readyz")
    assert answer.status_code == 503
    assert [each["reason"] for each in answer.json["reasons"]] == ["redis"]
    metrics = without_redis.get("/metrics")
    assert (metrics.status_code, "escalator_redis_up 0.0" in metrics.text) == (200, True)


def test_an_emptied_redis_is_not_ready(running):
    running.services.redis.delete(EPOCH)
    assert reasons(running) == [("epoch", "")]


def test_live_processes_on_what_was_rehearsed_are_not_ready(running):
    running.services.redis.set(EPOCH, new_epoch(Holds.REHEARSAL))
    assert reasons(running) == [("mode", "")]


def test_timers_that_stopped_are_not_ready(running):
    running.services.redis.set(HEARTBEAT, repr(time.time() - 11))
    assert reasons(running) == [("timers", "")]
    running.services.redis.delete(HEARTBEAT)
    assert reasons(running) == [("timers", "")]


def test_a_watchdog_that_stopped_is_not_ready(running):
    running.services.redis.hset(WATCHDOG, "at", repr(time.time() - 61))
    assert reasons(running) == [("watchdog", "")]
    running.services.redis.delete(WATCHDOG)
    assert reasons(running) == [("watchdog", "")]


def test_a_full_redis_is_not_ready_although_it_takes_no_word_about_it(running):
    running.services.redis.config_set("maxmemory", "100kb")
    try:
        assert reasons(running) == [("redis", "redis-full")]
        assert samples(running)['escalator_watchdog_trouble{what="redis-full"}'] == 1
    finally:
        running.services.redis.config_set("maxmemory", "0")
    assert reasons(running) == []


def test_a_heartbeat_that_does_not_get_out_is_a_trouble_and_no_reason_to_be_unready(running):
    running.services.operator.tell("heartbeat", "The heartbeat's address does not answer.")
    assert reasons(running) == []
    assert samples(running)["escalator_troubles"] == 1


@pytest.mark.parametrize("what", ["due", "out", "hints", "desk"])
def test_work_overdue_for_a_minute_is_not_ready(running, what):
    running.services.redis.zadd(f"escalator:{what}", {"42": time.time() - 30})
    assert reasons(running) == []
    running.services.redis.zadd(f"escalator:{what}", {"42": time.time() - 61})
    assert reasons(running) == [("overdue", what)]


def test_an_open_trouble_is_told_until_it_is_settled(running):
    running.services.operator.tell("helpdesk", "The helpdesk does not answer: no connection")
    assert reasons(running) == [("trouble", "helpdesk")]
    running.services.operator.settled("helpdesk")
    assert reasons(running) == []


def samples(world):
    text = world.client.get("/metrics").text
    pairs = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def test_metrics_count_escalations_backlogs_and_what_happened(running):
    running.sent("42")
    running.escalating("43")
    running.client.post(running.ack_url(running.escalation("42").notifications[0]))
    running.services.store.hints.add(["77"])
    found = samples(running)
    assert found['escalator_escalations{state="running"}'] == 1
    assert found['escalator_escalations{state="acknowledged"}'] == 1
    assert found['escalator_backlog{what="hints"}'] >= 1
    assert found['escalator_backlog{what="out"}'] >= 2
    assert found['escalator_queue_jobs{queue="desk"}'] >= 1
    assert found["escalator_hints_total"] == 1
    assert found["escalator_links_done_total"] == 1
    assert found["escalator_notifications_sent_total"] == 2
    assert found["escalator_redis_up"] == 1
    assert 0 <= found["escalator_timers_heartbeat_age_seconds"] < 60


def test_metrics_are_prometheus_text(running):
    answer = running.client.get("/metrics")
    assert answer.content_type.startswith("text/plain; version=")
    assert "# TYPE escalator_escalations gauge" in answer.text


def test_no_secret_number_or_title_is_in_what_operations_read(running, caplog):
    caplog.set_level("DEBUG")
    sent = running.sent(title="Canary title")
    link = running.ack_url(sent[0])
    running.client.post(link)
    running.client.post(link + "x")
    running.call_back("sms", {"From": DANA, "Body": "canary body"})
    running.client.get("/api/v1/escalations", headers={"Authorization": f"Bearer {API_TOKEN}x"})
    read = [running.client.get(path).text for path in ("/healthz", "/readyz", "/metrics")]
    token = link.rsplit(".", 1)[1]
    for canary in ("canary", "Canary", DANA, DANA[1:], HOOK_SECRET, running.twilio.auth_token, token):
        assert not [text for text in read if canary in text]
        assert canary not in caplog.text
