"""Own attributes in the sandbox, as a Zammad 6.0 keeps them: captured where it was run, else from its source."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from connector.sandbox.zammad import SandboxZammad, render

CAPTURED = Path(__file__).parents[1] / "helpdesks" / "zammad" / "captured" / "api"
PATH = "/object_manager_attributes"


@pytest.fixture(scope="module")
def captured() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CAPTURED / "attr_create.json").read_text("utf-8"))
    return found


@pytest.fixture
def body(captured: dict[str, Any]) -> dict[str, Any]:
    return dict(captured["request"]["body"])


@pytest.fixture
def desk() -> Iterator[SandboxZammad]:
    with SandboxZammad() as running:
        yield running


def ask(desk: SandboxZammad, method: str, path: str, body: Any = None, token: str = "") -> requests.Response:
    headers = {"Authorization": f"Token token={token or desk.admin.token}"}
    return requests.request(method, f"{desk.url}/api/v1{path}", json=body, headers=headers, timeout=10)


def migrate(desk: SandboxZammad) -> None:
    answer = ask(desk, "POST", f"{PATH}_execute_migrations", {})
    assert (answer.status_code, answer.json()) == (200, {})


def listed(desk: SandboxZammad) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(desk, "GET", PATH).json()
    return found


def test_a_new_one_answers_as_captured_and_is_pending(
    desk: SandboxZammad, captured: dict[str, Any], body: dict[str, Any]
) -> None:
    answer = ask(desk, "POST", PATH, body)
    stamps = ("created_at", "updated_at")
    expected = {key: value for key, value in captured["response"]["body"].items() if key not in stamps}
    assert answer.status_code == captured["response"]["status"]
    assert {key: value for key, value in answer.json().items() if key not in stamps} == expected
    assert answer.json().keys() == captured["response"]["body"].keys()


def test_it_is_a_column_of_every_ticket_once_it_was_migrated(desk: SandboxZammad, body: dict[str, Any]) -> None:
    old = desk.create_ticket()["id"]
    ask(desk, "POST", PATH, body)
    assert ask(desk, "PUT", f"/tickets/{old}", {"escalation_step": "x"}).status_code == 200, "unknown, and ignored"
    assert "escalation_step" not in desk.ticket(old)
    migrate(desk)
    new = desk.create_ticket()["id"]
    assert (desk.ticket(old)["escalation_step"], desk.ticket(new)["escalation_step"]) == (None, "")
    set_ = json.loads((CAPTURED / "attr_set.json").read_text("utf-8"))
    assert ask(desk, "PUT", f"/tickets/{old}", set_["request"]["body"]).json()["escalation_step"] == "2 of 4"
    [row] = listed(desk)
    assert (row["object"], row["deletable"], row["to_create"], row["to_migrate"]) == ("Ticket", True, False, False)
    assert "object_lookup_id" not in row


def test_an_agents_token_may_do_nothing_of_this(desk: SandboxZammad, body: dict[str, Any]) -> None:
    token = desk.escalator.token
    for method, path in (("GET", PATH), ("POST", PATH), ("POST", f"{PATH}_execute_migrations")):
        assert ask(desk, method, path, body, token).status_code == 403


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"name": "owner_id"}, "*_id and *_ids are not allowed"),
        ({"name": "Step"}, "only lowercase letters"),
        ({"name": "title"}, "already exists"),
        ({"name": "action"}, "reserved word"),
        ({"data_type": "picture"}, "not a valid data type"),
        ({"data_option": {"type": "text"}}, ":maxlength"),
        ({"data_type": "datetime", "data_option": {"past": True}}, ":future"),
    ],
)
def test_what_zammad_refuses_is_refused(
    desk: SandboxZammad, body: dict[str, Any], change: dict[str, Any], error: str
) -> None:
    answer = ask(desk, "POST", PATH, {**body, **change})
    assert answer.status_code == 422
    assert error in answer.json()["error"]


def test_a_name_is_taken_once_an_object(desk: SandboxZammad, body: dict[str, Any]) -> None:
    assert ask(desk, "POST", PATH, body).status_code == 201
    assert ask(desk, "POST", PATH, {**body, "object": "User"}).status_code == 201
    again = ask(desk, "POST", PATH, body)
    assert (again.status_code, again.json()["error"]) == (422, "already exists")
    migrate(desk)
    assert desk.desk.custom == {"escalation_step": ""}, "a person's attribute is no ticket's"


def test_a_change_names_its_attribute_in_the_body_and_its_options_wait(
    desk: SandboxZammad, body: dict[str, Any]
) -> None:
    id = ask(desk, "POST", PATH, body).json()["id"]
    migrate(desk)
    longer = {**body, "active": False, "data_option": {**body["data_option"], "maxlength": 200}}
    row = ask(desk, "PUT", f"{PATH}/{id}", longer).json()
    assert (row["active"], row["data_option"]["maxlength"], row["data_option_new"]["maxlength"]) == (False, 120, 200)
    assert (row["to_config"], row["to_migrate"]) == (True, True)
    migrate(desk)
    [row] = listed(desk)
    assert (row["data_option"]["maxlength"], row["to_config"], row["to_migrate"]) == (200, False, False)
    assert "escalation_step" in desk.create_ticket(), "a column stays one while the attribute is switched off"
    assert ask(desk, "PUT", f"{PATH}/{id}", {**body, "name": "another"}).json()["error"] == "does not exist"
    assert ask(desk, "PUT", f"{PATH}/{id}", {"name": "escalation_step"}).status_code == 500
    other = {**body, "data_type": "datetime", "data_option": {"future": True, "past": True}}
    assert "can't be altered" in ask(desk, "PUT", f"{PATH}/{id}", other).json()["error"]


def test_deleting_drops_the_values_with_the_migration_and_what_was_never_migrated_at_once(
    desk: SandboxZammad, body: dict[str, Any]
) -> None:
    ticket = desk.create_ticket()["id"]
    ask(desk, "DELETE", f"{PATH}/{ask(desk, 'POST', PATH, body).json()['id']}")
    assert listed(desk) == []
    id = ask(desk, "POST", PATH, body).json()["id"]
    migrate(desk)
    assert ask(desk, "DELETE", f"{PATH}/{id}").json() == {}
    assert "escalation_step" in desk.ticket(ticket)
    migrate(desk)
    assert "escalation_step" not in desk.ticket(ticket)
    assert listed(desk) == []


def test_what_a_condition_asks_about_is_neither_deleted_nor_switched_off(
    desk: SandboxZammad, body: dict[str, Any]
) -> None:
    id = ask(desk, "POST", PATH, body).json()["id"]
    migrate(desk)
    asks = {"ticket.escalation_step": {"operator": "is", "value": "1 of 3"}}
    nested = {"operator": "OR", "conditions": [{"name": "ticket.escalation_step", "operator": "is", "value": "x"}]}
    overview = {"name": "Mine", "condition": asks, "view": {}, "order": {}}
    assert ask(desk, "POST", "/overviews", overview).status_code == 201
    assert ask(desk, "POST", "/triggers", {"name": "T", "condition": nested, "perform": {}}).status_code == 201
    for method, sent in (("DELETE", None), ("PUT", {**body, "active": False})):
        answer = ask(desk, method, f"{PATH}/{id}", sent)
        assert answer.status_code == 422
        assert "referenced by Trigger: T; Overview: Mine" in answer.json()["error"]
    assert listed(desk)[0]["deletable"] is False


def test_a_time_is_kept_as_the_api_shows_times_and_told_in_the_history(desk: SandboxZammad) -> None:
    body = {"object": "Ticket", "name": "due", "display": "Due", "data_type": "datetime", "active": True}
    ask(desk, "POST", PATH, {**body, "data_option": {"future": True, "past": True}})
    migrate(desk)
    ticket = desk.create_ticket()["id"]
    row = ask(desk, "PUT", f"/tickets/{ticket}", {"due": "2026-11-22T21:15:00+01:00"}).json()
    assert row["due"] == "2026-11-22T20:15:00.000Z"
    [line] = [one for one in desk.history(ticket) if one.get("attribute") == "due"]
    assert (line["value_from"], line["value_to"]) == ("", "2026-11-22 20:15:00 UTC")
    assert ask(desk, "PUT", f"/tickets/{ticket}", {"due": None}).json()["due"] is None


def test_webhooks_and_searches_have_it_like_any_column(desk: SandboxZammad, body: dict[str, Any]) -> None:
    ask(desk, "POST", PATH, body)
    migrate(desk)
    ticket = desk.create_ticket()["id"]
    desk.change(ticket, desk.escalator, escalation_step="2 of 4")
    condition = {"ticket.escalation_step": {"operator": "is", "value": "2 of 4"}}
    asked = {"query": "", "condition": condition, "expand": True}
    [found] = ask(desk, "POST", "/tickets/search", asked).json()
    assert found["escalation_step"] == "2 of 4"
    sent = json.loads(render.payload(desk.desk, desk.desk.ticket(ticket), None))
    assert sent["ticket"]["escalation_step"] == "2 of 4"


def test_whoever_hears_of_changes_hears_of_these(desk: SandboxZammad, body: dict[str, Any]) -> None:
    ask(desk, "POST", PATH, body)
    migrate(desk)
    ticket = desk.create_ticket(owner=desk.alice, by=desk.bob)["id"]
    desk.change(ticket, desk.escalator, escalation_step="2 of 4")
    told = [line["value_to"] for line in desk.history(ticket) if line["type"] == "notification"]
    assert told[-1] == f"{desk.alice.login}(update:online,email)"
