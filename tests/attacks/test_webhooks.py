"""Webhooks that the helpdesk didn't send, or sent once: without proof nothing is stored, and a copy is only a hint.

A hint makes Escalator read the ticket; it decides nothing by itself.
"""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from connector.core.escalation import State
from connector.engine.keys import HINTS
from tests.web.conftest import API_TOKEN, HOOK_SECRET
from tests.web.conftest import World as House

HERE = "/webhooks/zammad"
BODY = json.dumps({"ticket": {"id": 42, "title": "Server outage", "state": "open"}}).encode()


def sign(raw: bytes, secret: str = HOOK_SECRET, digest: Any = hashlib.sha1) -> str:
    return f"{digest().name}={hmac.new(secret.encode(), raw, digest).hexdigest()}"


def hints(house: House) -> list[str]:
    return [raw.decode() for raw in house.services.redis.zrange(HINTS, 0, -1)]


def test_what_the_helpdesk_signed_is_stored(house: House) -> None:
    assert house.client.post(HERE, data=BODY, headers={"X-Hub-Signature": sign(BODY)}).status_code == 202
    assert hints(house) == ["42"]


#: attack -> (body, headers), from the genuine body and its signature
TAMPERED: dict[str, Callable[[bytes, str], tuple[bytes, dict[str, str]]]] = {
    "no signature": lambda raw, _: (raw, {}),
    "another ticket under an old signature": lambda raw, s: (raw.replace(b"42", b"43"), {"X-Hub-Signature": s}),
    "a space more": lambda raw, s: (raw + b" ", {"X-Hub-Signature": s}),
    "a byte less": lambda raw, s: (raw[:-1], {"X-Hub-Signature": s}),
    "an empty body under a signature": lambda raw, s: (b"", {"X-Hub-Signature": s}),
    "signed with an empty secret": lambda raw, _: (raw, {"X-Hub-Signature": sign(raw, "")}),
    "signed with the API token": lambda raw, _: (raw, {"X-Hub-Signature": sign(raw, API_TOKEN)}),
    "signed with the desk's token": lambda raw, _: (raw, {"X-Hub-Signature": sign(raw, "canary-desk-token")}),
    "signed with the key of links": lambda raw, _: (
        raw,
        {"X-Hub-Signature": sign(raw, "canary-key-0123456789abcdef012345")},
    ),
    "Twilio's old token": lambda raw, _: (raw, {"X-Hub-Signature": sign(raw, "old-auth-token")}),
    "another hash under sha1's name": lambda raw, _: (
        raw,
        {"X-Hub-Signature": "sha1=" + sign(raw, digest=hashlib.sha256).partition("=")[2]},
    ),
    "half of the signature": lambda raw, s: (raw, {"X-Hub-Signature": s[:-20]}),
    "the signature without its name": lambda raw, s: (raw, {"X-Hub-Signature": s.removeprefix("sha1=")}),
    "the signature twice": lambda raw, s: (raw, {"X-Hub-Signature": f"{s}, {s}"}),
    "the signature under Znuny's header": lambda raw, _: (raw, {"X-Webhook-Secret": HOOK_SECRET}),
    "the secret itself": lambda raw, _: (raw, {"X-Hub-Signature": HOOK_SECRET}),
    "the API's bearer token": lambda raw, _: (raw, {"Authorization": f"Bearer {API_TOKEN}"}),
    "a signature of a megabyte": lambda raw, _: (raw, {"X-Hub-Signature": "sha1=" + "a" * 1_000_000}),
}


@pytest.mark.parametrize("attack", TAMPERED)
def test_what_was_tampered_with_or_signed_by_somebody_else_is_refused(house: House, attack: str) -> None:
    raw, headers = TAMPERED[attack](BODY, sign(BODY))
    answer = house.client.post(HERE, data=raw, headers=headers)
    assert (answer.status_code, answer.get_json()["error"]) == (401, "bad_proof")
    assert hints(house) == []


@pytest.mark.parametrize("path", ["/webhooks/znuny", "/webhooks/Zammad", "/webhooks/zammad/", "/webhooks/../zammad"])
def test_genuine_proof_counts_at_its_own_address_only(house: House, path: str) -> None:
    assert house.client.post(path, data=BODY, headers={"X-Hub-Signature": sign(BODY)}).status_code == 404
    assert hints(house) == []


def test_a_webhook_of_another_installation_is_refused(house: House) -> None:
    """Two Escalators behind one helpdesk have secrets of their own."""
    theirs = {"X-Hub-Signature": sign(BODY, "the-secret-of-the-other-one")}
    assert house.client.post(HERE, data=BODY, headers=theirs).status_code == 401


def test_a_copy_of_an_old_webhook_changes_nothing(house: House) -> None:
    """The ticket was closed since; the copy still says that it is open."""
    house.sent("42")
    house.closed("42")
    before = (house.escalation("42"), house.history(), len(house.twilio.messages))
    read = house.case("42").ticket.updated_at
    old = {"ticket": {"id": 42, "state": "open", "updated_at": (read - timedelta(minutes=1)).isoformat()}}
    raw = json.dumps(old).encode()
    for _ in range(5):
        assert house.client.post(HERE, data=raw, headers={"X-Hub-Signature": sign(raw)}).status_code == 202
    assert house.counter("hints_dropped") == 5
    house.send()
    assert (house.escalation("42"), house.history(), len(house.twilio.messages)) == before


@pytest.mark.parametrize(
    "says",
    [
        {"state": "closed", "close_at": "2026-01-31T20:15:00Z"},
        {"owner": {"login": "dana@example.com"}, "owner_id": 3},
        {"priority": {"name": "1 low"}},
        {"article": {"body": "/ack", "internal": True, "sender": "Agent"}},
    ],
    ids=["closed", "taken", "lowered", "acknowledged by a note"],
)
def test_what_a_body_claims_about_the_ticket_is_not_believed(house: House, says: dict[str, Any]) -> None:
    """Even with good proof: the ticket is read, and here the helpdesk can't be asked."""
    house.sent("42")
    before = house.escalation("42")
    raw = json.dumps({"ticket": {"id": 42, **says}, "article": says.get("article", {})}).encode()
    assert house.client.post(HERE, data=raw, headers={"X-Hub-Signature": sign(raw)}).status_code == 202
    house.services.desk.drain()
    assert house.escalation("42").state is State.RUNNING
    assert house.escalation("42").acknowledged == before.acknowledged is None
    assert hints(house) == ["42"]


def test_the_answer_to_a_webhook_holds_nothing_of_it(house: House) -> None:
    raw = json.dumps({"ticket": {"id": 42, "title": "canary"}, "Success": 0, "ErrorMessage": "canary"}).encode()
    answer = house.client.post(HERE, data=raw, headers={"X-Hub-Signature": sign(raw)})
    assert answer.data == b'{"Success": 1}'
