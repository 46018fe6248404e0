"""`/api/v1/devices`: an own app registers Apple's device tokens."""

import pytest
from werkzeug.test import TestResponse

from connector.engine.devices import MOST

from .conftest import API_TOKEN, World

TOKEN = "c0ffee" * 10
HEADERS = {"Authorization": f"Bearer {API_TOKEN}"}


def register(world: World, contact: str = "dana", token: str = TOKEN) -> TestResponse:
    return world.client.post("/api/v1/devices", json={"contact": contact, "token": token}, headers=HEADERS)


def test_a_registered_device_is_one_of_the_contacts(world: World) -> None:
    answer = register(world)
    assert (answer.status_code, answer.json) == (201, {"contact": "dana", "devices": 1})
    dana = world.services.settings.contacts["dana"]
    assert world.services.devices.join(dana).push == (TOKEN,)


def test_registering_it_again_changes_nothing(world: World) -> None:
    register(world)
    assert (register(world).status_code, register(world).json["devices"]) == (200, 1)


def test_the_contact_may_be_named_by_login_or_name(world: World) -> None:
    assert register(world, "dana@example.com").json["contact"] == "dana"
    assert register(world, "Dana Reyes").json["contact"] == "dana"


def test_the_list_tells_counts_and_no_token(world: World) -> None:
    register(world)
    answer = world.client.get("/api/v1/devices", headers=HEADERS)
    assert answer.json == {"devices": [{"contact": "dana", "push": 1, "webpush": 0}]}
    assert TOKEN not in answer.text


def test_a_device_can_be_taken_away(world: World) -> None:
    register(world)
    body = {"contact": "dana", "token": TOKEN}
    gone = world.client.delete("/api/v1/devices", json=body, headers=HEADERS)
    assert (gone.status_code, gone.json["devices"]) == (200, 0)
    assert world.client.delete("/api/v1/devices", json=body, headers=HEADERS).status_code == 404
    assert world.client.get("/api/v1/devices", headers=HEADERS).json == {"devices": []}


@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_it_needs_a_token_of_the_api(world: World, method: str) -> None:
    assert getattr(world.client, method)("/api/v1/devices", json={}).status_code == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"contact": "dana"}, "token"),
        ({"contact": "dana", "token": "../../secret"}, "token"),
        ({"contact": "dana", "token": "x" * 201}, "token"),
        ({"contact": "stranger", "token": TOKEN}, "contact"),
        ({"contact": "dana", "token": TOKEN, "more": 1}, "more"),
    ],
)
def test_what_is_wrong_is_named(world: World, body: dict[str, str], field: str) -> None:
    answer = world.client.post("/api/v1/devices", json=body, headers=HEADERS)
    assert (answer.status_code, answer.json["field"]) == (422, field)


def test_one_contact_has_no_endless_number_of_devices(world: World) -> None:
    answers = [register(world, token=f"{number:064x}").status_code for number in range(MOST + 1)]
    assert answers == [201] * MOST + [409]
