"""The API for other systems: bearer token, JSON in and out."""

from collections.abc import Iterator

import pytest

from connector.sandbox.zammad import SandboxZammad

from .conftest import API_TOKEN

AUTH = {"Authorization": f"Bearer {API_TOKEN}"}
HERE = "/api/v1/escalations"


@pytest.fixture(scope="module")
def zammad() -> Iterator[SandboxZammad]:
    with SandboxZammad() as running:
        yield running


@pytest.fixture
def desk_world(build_world, zammad):
    """A world whose helpdesk answers."""
    world = build_world({"canary-desk-token": zammad.escalator.token}, zammad.url)
    yield world
    zammad.faults.heal()


def test_a_plan_is_started_and_the_escalation_comes_back_with_its_history(desk_world, zammad):
    ticket = zammad.create_ticket("Printer on fire", priority="2 normal")
    body = {"ticket": ticket["number"], "plan": "texts", "by": "monitoring"}
    answer = desk_world.client.post(HERE, json=body, headers=AUTH)
    assert answer.status_code == 201
    begun = answer.json
    assert set(begun) == {
        "code", "ticket", "plan", "state", "step", "steps", "round", "rounds", "next", "created_at", "updated_at",
        "acknowledged", "history",
    }  # fmt: skip
    assert begun["ticket"]["number"] == ticket["number"]
    assert begun["ticket"]["title"] == "Printer on fire"
    assert (begun["plan"], begun["state"], begun["step"], begun["steps"]) == ("texts", "waiting", 0, 2)
    assert begun["next"]["notify"] == ["owner", "lee"]
    assert begun["next"]["by"] == ["sms"]
    assert begun["acknowledged"] is None
    assert begun["history"][0]["kind"] == "created"
    assert "started by monitoring" in begun["history"][0]["text"]
    again = desk_world.client.post(HERE, json={**body, "ticket": f"id:{ticket['id']}"}, headers=AUTH)
    assert (again.status_code, again.json["error"]) == (409, "already_escalating")


def test_a_start_that_cannot_be_says_why(desk_world, zammad):
    def start(**body):
        answer = desk_world.client.post(HERE, json={"plan": "texts", "by": "me", **body}, headers=AUTH)
        return answer.status_code, answer.json["error"], answer.json.get("field")

    assert start(ticket="99999999") == (404, "no_ticket", "ticket")
    assert start(ticket="id:99999999") == (404, "no_ticket", "ticket")
    assert start(ticket="id:../users/1") == (422, "invalid", "ticket")
    assert start(ticket="1", plan="nothing") == (422, "unknown_plan", "plan")


def test_a_closed_ticket_starts_nothing(desk_world, zammad):
    ticket = zammad.create_ticket("Printer")
    zammad.close(ticket["id"], zammad.alice)
    answer = desk_world.client.post(HERE, json={"ticket": ticket["number"], "plan": "texts", "by": "mon"}, headers=AUTH)
    assert (answer.status_code, answer.json["error"], answer.json["field"]) == (409, "ticket_closed", "ticket")
    assert desk_world.services.store.case(str(ticket["id"])) is None


@pytest.mark.parametrize("both", [True, False])
def test_an_e_without_a_dash_means_the_code_that_starts_with_e_if_there_is_one(world, both):
    world.escalating("42")
    if both:
        world.escalating("14378")
    answer = world.client.post(f"{HERE}/E1A/acknowledge", json={"by": "dana"}, headers=AUTH)
    assert (answer.status_code, answer.json["code"]) == (200, "E-E1A" if both else "E-1A")
    assert world.acknowledger("42") == (("", "") if both else ("Dana Reyes", "API"))


def test_a_helpdesk_that_is_away_is_said(world):
    body = {"ticket": "50001", "plan": "texts", "by": "me"}
    answer = world.client.post(HERE, json=body, headers=AUTH)
    assert (answer.status_code, answer.json["error"]) == (503, "helpdesk_away")


def test_live_ones_are_listed_and_ended_ones_on_request(world):
    world.escalating("42")
    world.escalating("43")
    world.closed("43")
    live = world.client.get(HERE, headers=AUTH).json["escalations"]
    assert [(each["code"], each["state"], each["ticket"]["id"]) for each in live] == [("E-1A", "running", "42")]
    every = world.client.get(f"{HERE}?all=1", headers=AUTH).json["escalations"]
    assert [(each["code"], each["state"]) for each in every] == [("E-1A", "running"), ("E-1B", "resolved")]
    assert "history" not in live[0]


def test_one_is_shown_with_its_history_by_its_code_in_any_form(world):
    world.sent()
    for code in ("E-1A", "e-1a", "1a"):
        shown = world.client.get(f"{HERE}/{code}", headers=AUTH)
        assert (shown.status_code, shown.json["code"]) == (200, "E-1A")
    assert [entry["kind"] for entry in shown.json["history"]][:2] == ["created", "step"]
    assert shown.json["history"][1]["late_s"] >= 0
    assert all(entry["at"].endswith("Z") for entry in shown.json["history"])
    assert (shown.json["next"]["notify"], shown.json["next"]["by"]) == (["owner"], ["sms"])


def test_acknowledging_for_a_contact_and_again(world):
    world.sent()
    done = world.client.post(f"{HERE}/E-1A/acknowledge", json={"by": "dana"}, headers=AUTH)
    assert (done.status_code, done.json["outcome"]) == (200, "done")
    assert done.json["acknowledged"]["by"] == "Dana Reyes"
    assert done.json["acknowledged"]["via"] == "API"
    again = world.client.post(f"{HERE}/E-1A/acknowledge", json={"by": "lee"}, headers=AUTH)
    assert (again.status_code, again.json["outcome"]) == (200, "already")
    assert again.json["acknowledged"]["by"] == "Dana Reyes"


@pytest.mark.parametrize(
    ("by", "name"), [("dana@example.com", "Dana Reyes"), ("lee adams", "Lee Adams"), ("NOC", "NOC")]
)
def test_by_is_a_key_a_login_a_name_or_anybody(world, by, name):
    world.escalating()
    world.client.post(f"{HERE}/1A/acknowledge", json={"by": by}, headers=AUTH)
    assert world.acknowledger() == (name, "API")


def test_escalating_now_and_stopping(world):
    world.sent()
    pushed = world.client.post(f"{HERE}/E-1A/escalate", json={"by": "lee"}, headers=AUTH)
    assert (pushed.status_code, pushed.json["step"]) == (200, 2)
    stopped = world.client.post(f"{HERE}/E-1A/stop", json={"by": "lee"}, headers=AUTH)
    assert (stopped.status_code, stopped.json["state"], stopped.json["next"]) == (200, "cancelled", None)
    again = world.client.post(f"{HERE}/E-1A/acknowledge", json={"by": "dana"}, headers=AUTH)
    assert (again.status_code, again.json["error"]) == (409, "ended")
    assert "stopped by Lee Adams" in again.json["message"]


def test_a_plan_that_leaves_out_outside_refuses_the_api_too(world):
    world.escalating(priority="1 low")
    answer = world.client.post(f"{HERE}/E-1A/acknowledge", json={"by": "dana"}, headers=AUTH)
    assert (answer.status_code, answer.json["error"]) == (409, "refused")
    assert world.acknowledger() == ("", "")


@pytest.mark.parametrize("code", ["E-ZZZ", "nonsense!", "E-1A-2", "%00", "E-1U"])
def test_a_code_that_is_none_is_unknown(world, code):
    world.escalating()
    assert world.client.get(f"{HERE}/{code}", headers=AUTH).status_code == 404
    for act in ("acknowledge", "escalate", "stop"):
        answer = world.client.post(f"{HERE}/{code}/{act}", json={"by": "dana"}, headers=AUTH)
        assert (answer.status_code, answer.json["error"]) == (404, "unknown")


@pytest.mark.parametrize(
    ("sends", "status", "field"),
    [
        ({"data": b"{"}, 400, None),
        ({"data": b""}, 400, None),
        ({"data": b"[" * 1000 + b"]" * 1000}, 400, None),
        ({"data": b"[" * 200_000}, 400, None),
        ({"json": []}, 422, None),
        ({"json": {}}, 422, "by"),
        ({"json": {"by": ""}}, 422, "by"),
        ({"json": {"by": " "}}, 422, "by"),
        ({"json": {"by": None}}, 422, "by"),
        ({"json": {"by": 7}}, 422, "by"),
        ({"json": {"by": ["dana"]}}, 422, "by"),
        ({"json": {"by": "d" * 101}}, 422, "by"),
        ({"json": {"by": "dana\nforged line"}}, 422, "by"),
        ({"json": {"by": "dana", "buy": "x"}}, 422, "buy"),
    ],
)
def test_a_body_that_is_wrong_names_the_field(world, sends, status, field):
    world.escalating()
    answer = world.client.post(f"{HERE}/E-1A/acknowledge", headers=AUTH, **sends)
    assert (answer.status_code, answer.json.get("field")) == (status, field)
    assert answer.json["message"]
    assert world.acknowledger() == ("", "")


def test_a_body_over_1_mib_is_too_large_and_asks_for_no_sweep(world):
    answer = world.client.post(HERE, data=b"x" * (1024 * 1024 + 1), headers=AUTH)
    assert (answer.status_code, answer.json["error"]) == (413, "too_large")
    assert world.counter("webhooks_too_large") == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {API_TOKEN}"},
        {"Authorization": API_TOKEN},
        {"Authorization": f"Bearer {API_TOKEN}x"},
        {"Authorization": "Bearer é"},
    ],
)
def test_without_a_token_nothing_is_told_or_done(world, headers):
    world.escalating()
    for method, path in (("get", HERE), ("post", HERE), ("get", f"{HERE}/E-1A"), ("post", f"{HERE}/E-1A/acknowledge")):
        answer = getattr(world.client, method)(path, headers=headers)
        assert (answer.status_code, answer.json["error"]) == (401, "bad_token")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_each_of_the_tokens_counts_and_the_scheme_in_any_case(world):
    for value in ("Bearer another-api-token", f"bearer {API_TOKEN}", f"BEARER  {API_TOKEN} "):
        assert world.client.get(HERE, headers={"Authorization": value}).status_code == 200


def test_unset_tokens_mean_no_api(build_world):
    world = build_world({"  api_tokens: {monitoring: canary-api-token, spare: another-api-token}\n": ""})
    assert world.client.get(HERE, headers=AUTH).status_code == 404
    assert world.client.get(HERE).status_code == 404


def test_wrong_tokens_are_limited_and_right_ones_are_not(world):
    codes = [world.client.get(HERE).status_code for _ in range(61)]
    assert (codes[59], codes[60]) == (401, 429)
    assert world.client.get(HERE, headers=AUTH).status_code == 200
