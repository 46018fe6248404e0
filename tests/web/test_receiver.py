"""Webhooks: proof first, stored before answered; whatever else comes in gets a JSON error at once."""

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from connector.core.ticket import Person
from connector.engine.keys import HINTS
from connector.helpdesks.zammad.adapter import Zammad
from connector.ports import Hint
from connector.redis_server import connect
from connector.services import build
from connector.web.app import create_app

from .conftest import HOOK_SECRET

HERE = "/webhooks/zammad"
MIB = 1024 * 1024

PROMPT = 0.1  # seconds; the quickest of three, where the scheduler may come between


def proof(raw, secret=HOOK_SECRET):
    return {"X-Hub-Signature": "sha1=" + hmac.new(secret.encode(), raw, hashlib.sha1).hexdigest()}


def deliver(client, body, headers=None):
    """Posts it with good proof; the answer must come within 100 ms and be JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signed = {"Content-Type": "application/json", **proof(raw)} if headers is None else headers
    began = time.monotonic()
    answer = client.post(HERE, data=raw, headers=signed)
    took = time.monotonic() - began
    assert answer.is_json
    return answer, took


def hints(world):
    return [raw.decode() for raw in world.services.redis.zrange(HINTS, 0, -1)]


def test_a_webhook_with_good_proof_is_stored_and_answered_with_fixed_words(world):
    answer, _ = deliver(world.client, {"ticket": {"id": 42, "title": "Server outage"}})
    assert (answer.status_code, answer.data) == (202, b'{"Success": 1}')
    assert hints(world) == ["42"]


@pytest.mark.parametrize("headers", [{}, {"X-Hub-Signature": ""}, {"X-Hub-Signature": "sha1=é"}])
def test_without_proof_nothing_is_stored(world, headers):
    answer, _ = deliver(world.client, {"ticket": {"id": 42}}, headers)
    assert (answer.status_code, answer.json["error"]) == (401, "bad_proof")
    assert hints(world) == []


def test_a_changed_body_or_another_secret_is_no_proof(world):
    raw = b'{"ticket": {"id": 42}}'
    for headers in (proof(raw + b" "), proof(raw, "somebody-elses")):
        assert deliver(world.client, raw, headers)[0].status_code == 401
    assert hints(world) == []


BAD = {
    "not JSON": (b"ticket=42", 400),
    "empty": (b"", 400),
    "cut": (b'{"ticket": {"id": 42}', 400),
    "not UTF-8": (b'{"ticket": "\xff\xfe"}', 400),
    "nested a thousand deep": (b'{"ticket": ' * 1000 + b"1" + b"}" * 1000, 400),
    "nested a million deep": (b"[" * 1_000_000, 400),
    "a list": (b"[1, 2]", 422),
    "a word": (b'"ticket"', 422),
    "null": (b"null", 422),
    "no ticket": (b"{}", 422),
    "ticket is a number": (b'{"ticket": 42}', 422),
    "ticket without an id": (b'{"ticket": {"title": "x"}}', 422),
    "id is a list": (b'{"ticket": {"id": [42]}}', 422),
    "id is a path": (b'{"ticket": {"id": "../1"}}', 422),
    "id is negative": (b'{"ticket": {"id": -1}}', 422),
    "id is true": (b'{"ticket": {"id": true}}', 422),
    "id of a thousand digits": (b'{"ticket": {"id": ' + b"9" * 1000 + b"}}", 422),
    "id of ten thousand digits": (b'{"ticket": {"id": ' + b"9" * 10_000 + b"}}", 400),
}


@pytest.mark.parametrize(("raw", "status"), BAD.values(), ids=BAD.keys())
def test_what_is_not_understood_gets_a_json_error_within_100_ms_and_stores_nothing(world, raw, status):
    client = world.client
    deliver(client, {"ticket": {"id": 1}})
    answers = [deliver(client, raw) for _ in range(3)]
    answer, took = answers[0][0], min(took for _, took in answers)
    assert (answer.status_code, took < PROMPT) == (status, True)
    assert set(answer.json) >= {"error", "message"}
    assert hints(world) == ["1"]
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("ticket", [{"id": "42"}, {"id": 42, "title": None}, {"id": 42, "updated_at": "soon"}])
def test_a_body_with_a_ticket_id_is_a_hint_whatever_else_is_odd_in_it(world, ticket):
    assert deliver(world.client, {"ticket": ticket, "article": 7})[0].status_code == 202
    assert hints(world) == ["42"]


def test_a_name_that_nothing_can_store_keeps_no_hint_from_being_stored(world, monkeypatch):
    named = Hint("42", people=(Person("3", "dana", "Dana \ud800"),))
    monkeypatch.setattr(Zammad, "parse", lambda *_: named)
    assert deliver(world.client, {"ticket": {"id": 42}})[0].status_code == 202
    assert hints(world) == ["42"]


def test_over_30_mib_is_refused_at_once_and_asks_for_a_sweep(world):
    client = world.client
    client.get("/healthz")
    began = time.monotonic()
    answer = client.post(HERE, environ_overrides={"CONTENT_LENGTH": str(31 * MIB)}, data=b"{}")
    assert (answer.status_code, answer.json["error"]) == (413, "too_large")
    assert time.monotonic() - began < PROMPT
    assert world.counter("webhooks_too_large") == 1
    assert queued(world) == ["sweep"]


def test_a_flood_of_large_bodies_is_no_flood_of_sweeps(world):
    for _ in range(5):
        world.client.post(HERE, environ_overrides={"CONTENT_LENGTH": str(31 * MIB)}, data=b"{}")
    assert queued(world) == ["sweep"]


def queued(world):
    ids = world.services.redis.lrange("rq:queue:escalator-desk", 0, -1)
    return [raw.decode().rsplit("-", 1)[0] for raw in ids]


def test_30_mib_exactly_is_read(world):
    head = b'{"ticket": {"id": 42}, "filler": "'
    raw = head + b"x" * (30 * MIB - len(head) - 2) + b'"}'
    assert deliver(world.client, raw)[0].status_code == 202
    assert hints(world) == ["42"]


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_another_method_is_405_with_those_allowed(world, method):
    answer = getattr(world.client, method)(HERE)
    assert (answer.status_code, answer.json["error"]) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "OPTIONS, POST"


def test_another_helpdesks_address_and_no_address_are_404(world):
    for path in ("/webhooks/znuny", "/webhooks/", "/", "/webhooks/zammad/x", "/.env"):
        answer = world.client.post(path, data=b"{}")
        assert (answer.status_code, answer.json["error"]) == (404, "not_found")


def test_redis_away_is_503_so_that_the_helpdesk_tries_again(world, tmp_path, caplog):
    services = build(world.services.settings, connect(f"unix://{tmp_path}/nobody.sock"))
    client = create_app(lambda: services).test_client()
    answers = [deliver(client, {"ticket": {"id": 42}}) for _ in range(3)]
    answer, took = answers[0][0], min(took for _, took in answers)
    assert (answer.status_code, answer.json["error"], took < PROMPT) == (503, "store_away", True)
    assert client.get("/healthz").status_code == 200
    assert "nobody.sock" not in caplog.text


def test_an_app_that_fails_says_so_without_a_traceback(world, caplog, monkeypatch):
    def broken(*_, **__):
        raise KeyError("canary in an exception")

    monkeypatch.setattr(type(world.services.store.hints), "add_if_new", broken)
    answer, _ = deliver(world.client, {"ticket": {"id": 42}})
    assert (answer.status_code, answer.json["error"]) == (500, "failed")
    assert "canary" not in answer.text + caplog.text
    assert "KeyError at test_receiver.py" in caplog.text


def test_bad_proof_is_limited_per_address_and_good_proof_from_there_still_passes(world):
    client = world.client
    codes = [deliver(client, b"{}", {})[0].status_code for _ in range(61)]
    assert (codes[59], codes[60]) == (401, 429)
    assert deliver(client, {"ticket": {"id": 42}})[0].status_code == 202
    elsewhere = client.post(HERE, data=b"{}", environ_overrides={"REMOTE_ADDR": "192.0.2.7"})
    assert elsewhere.status_code == 401


def test_every_answer_carries_the_hardening_headers(world):
    for answer in (world.client.get("/healthz"), world.client.get("/nothing"), world.client.post(HERE)):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def body(updated_at, **more):
    return {"ticket": {"id": 42, "updated_at": updated_at.isoformat(), **more}}


def test_a_webhook_about_what_was_read_since_stores_nothing(world):
    read = world.case_of(datetime(2026, 1, 31, 20, 15, 0, 123000, UTC))
    for late in (read, read - timedelta(milliseconds=1), read - timedelta(days=1), read.replace(microsecond=0)):
        assert deliver(world.client, body(late))[0].status_code == 202
    assert (hints(world), world.counter("hints_dropped")) == ([], 4)
    assert deliver(world.client, body(read + timedelta(milliseconds=1)))[0].status_code == 202
    assert hints(world) == ["42"]


def test_whole_seconds_are_compared_rightly_with_parts_of_one(world):
    read = world.case_of(datetime(2026, 1, 31, 20, 15, 0, 0, UTC))
    deliver(world.client, body(read))
    assert hints(world) == []
    deliver(world.client, body(read + timedelta(microseconds=1000)))
    assert hints(world) == ["42"]


def test_a_ticket_that_nobody_has_read_yet_is_always_read(world):
    deliver(world.client, body(datetime(2020, 1, 1, tzinfo=UTC)))
    assert hints(world) == ["42"]


def test_a_closed_ticket_is_only_read_when_it_is_known(world):
    world.services.store.hints.add_if_new(Hint("7", closed=True))
    assert (hints(world), world.counter("hints_dropped")) == ([], 1)
    world.case_of(datetime(2026, 1, 31, 20, 15, tzinfo=UTC))
    world.services.store.hints.add_if_new(Hint("42", closed=True))
    assert hints(world) == ["42"]


def test_every_hint_is_counted_and_has_one_reader_woken(world):
    for _ in range(5):
        deliver(world.client, {"ticket": {"id": 42}})
    assert (world.counter("hints"), world.services.redis.get("escalator:hint:42")) == (5, b"5")
    assert queued(world) == ["desk", "desk"]
