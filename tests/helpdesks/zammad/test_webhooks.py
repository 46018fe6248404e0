"""What arrives from Zammad: proof and hint, over every delivery that was captured."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connector.errors import NotUnderstood
from connector.helpdesks.zammad import build
from connector.helpdesks.zammad.states import phases
from connector.helpdesks.zammad.webhook import hint, proven
from connector.ports import Helpdesk

from .composed import HERE, NAMES, answer, composed
from .served import OPTIONS

SECRET = "EXAMPLE-SECRET"


@pytest.fixture
def helpdesk() -> Helpdesk:
    return build(OPTIONS)


@pytest.fixture
def signature() -> dict[str, str]:
    return composed("captured/closed").headers


@pytest.fixture
def raw() -> bytes:
    return composed("captured/closed").raw


def test_a_delivery_signed_with_our_secret_is_from_zammad(helpdesk, raw, signature):
    assert helpdesk.prove(signature, raw)


@pytest.mark.parametrize("name", NAMES)
def test_every_delivery_proves_itself_and_names_its_ticket(name):
    it = composed(name)
    helpdesk = build({**OPTIONS, "webhook_secret": it.secret})
    assert helpdesk.prove(it.headers, it.raw)
    found = helpdesk.parse(it.body)
    assert found.ticket_id == str(it.ticket["id"])
    assert found.updated_at == datetime.fromisoformat(it.ticket["updated_at"])
    assert not found.deleted


def test_no_delivery_is_left_without_a_meaning():
    files = {f"captured/{path.stem}" for path in (HERE / "captured" / "outgoing").glob("*.json")}
    files |= {f"payloads/{path.stem}" for path in (HERE / "payloads").glob("*.json")}
    assert set(NAMES) == files - {"captured/index", "payloads/index", "payloads/custom_payload_example"}


def test_while_secrets_are_rotated_the_old_and_the_new_one_hold(raw, signature):
    assert build({**OPTIONS, "webhook_secret": ["the next one", SECRET]}).prove(signature, raw)
    assert not build({**OPTIONS, "webhook_secret": ["the next one", "and another"]}).prove(signature, raw)


def test_header_names_may_come_in_any_case(helpdesk, raw, signature):
    assert helpdesk.prove({name.upper(): value for name, value in signature.items()}, raw)


def test_a_changed_byte_breaks_the_proof(helpdesk, raw, signature):
    assert not helpdesk.prove(signature, raw.replace(b"closed", b"opened"))


@pytest.mark.parametrize("given", ["", "sha1=", "sha1=00", "9225b1833ae6b449de46ce45e62c44d4e4ca8d36", "sha1=für"])
def test_anything_but_the_right_signature_proves_nothing(helpdesk, raw, given):
    assert not helpdesk.prove({"X-Hub-Signature": given}, raw)
    assert not helpdesk.prove({}, raw)


def test_without_a_secret_nothing_is_proven(raw, signature):
    assert not proven(signature, raw, [])


def test_closed_is_said_only_when_the_states_are_known():
    closed = composed("captured/closed").body
    _, by_name = phases(answer("ticket_states_expand"))
    assert hint(closed, by_name).closed
    assert hint(composed("captured/merged_source").body, by_name).closed
    assert not hint(composed("captured/pending_close").body, by_name).closed
    assert not hint(closed, {}).closed


def test_times_keep_their_milliseconds():
    body = {"ticket": {"id": 2, "updated_at": "2026-11-21T23:27:43.339Z"}}
    assert hint(body, {}).updated_at == datetime(2026, 11, 21, 23, 27, 43, 339000, UTC)


@pytest.mark.parametrize(
    "ticket",
    [
        {"id": 2},
        {"id": "2"},
        {"id": 2, "updated_at": None, "state": {"name": "closed"}},
        {"id": 2, "updated_at": "yesterday", "state": 4, "owner": []},
        {"id": 2, "updated_at": "2026-11-21 23:27:43"},
    ],
)
def test_a_body_with_a_ticket_id_is_a_hint_whatever_else_is_odd(helpdesk, ticket: dict[str, Any]):
    found = helpdesk.parse({"ticket": ticket, "article": "?"})
    assert (found.ticket_id, found.updated_at, found.closed) == ("2", None, False)


@pytest.mark.parametrize(
    "body",
    [None, [], "ticket", {}, {"ticket": None}, {"ticket": 2}, {"ticket": {}}]
    + [{"ticket": {"id": number}} for number in (None, True, 0, -2, 2.5, "", "two", "٢", "1" * 30, {"id": 2})],
)
def test_a_body_without_a_ticket_id_is_not_understood(helpdesk, body: Any):
    with pytest.raises(NotUnderstood):
        helpdesk.parse(body)


def test_a_custom_payload_is_not_understood(helpdesk):
    rendered = json.loads((HERE / "payloads" / "custom_payload_example.json").read_text())
    with pytest.raises(NotUnderstood):
        helpdesk.parse(rendered["rendered_6_0"])
