"""Where the attacks are played.

`world` is the engine's world (tests/engine); `house` is the web app before a real Redis (tests/web). After each attack
on a house its service is looked at: it answers, and a new ticket still reaches a person.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.conftest import world
from tests.web.conftest import World as House
from tests.web.conftest import build_world as build_house
from tests.web.conftest import twilio

__all__ = ["build_house", "house", "twilio", "world"]


@pytest.fixture
def house(build_house: Any) -> Iterator[House]:
    built: House = build_house()
    yield built
    assert healthy(built) == (200, "Dana Reyes was told")


def healthy(house: House) -> tuple[int, str]:
    """What /healthz answers, and whether the step of a new ticket reaches Dana."""
    answer = house.client.get("/healthz")
    before = len(house.twilio.messages)
    house.sent("777", title="After the attack")
    told = [text.to for text in house.twilio.messages[before:]]
    return answer.status_code, "Dana Reyes was told" if "+491701234567" in told else f"told: {told}"
