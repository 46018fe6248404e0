"""A storm: one message tells of many tickets, one word takes them all, and each ticket has notes of its own."""

from collections.abc import Iterator
from typing import Any

import pytest

from .plans import RITA
from .world import World, eventually

MANY = 16


class StormyWorld(World):
    """What follows a message within two seconds goes into one with what else comes."""

    def config(self) -> dict[str, Any]:
        told = super().config()
        return {**told, "service": {**told["service"], "bundle_within": "2s"}}


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = StormyWorld(tmp_path_factory.mktemp("storm"))
    try:
        world.start()
        yield world
    finally:
        world.stop()


def test_one_word_takes_all_that_a_few_texts_told_of(storm: World) -> None:
    tickets = [storm.ticket("texted", title=f"Outage {number}") for number in range(MANY)]
    for ticket in tickets:
        assert "SMS to Rita" in storm.note(ticket, "step 1 of")
    texts = [text for text in storm.providers.twilio.messages if text.to == RITA and not text.answer]
    assert len(texts) <= MANY / 2
    storm.providers.twilio.text_from(RITA, "ALL")
    for ticket in tickets:
        storm.note(ticket, "acknowledged by Rita")
    [answered] = eventually(lambda: storm.answers(RITA), what="an answer")
    assert "Rita Ready" in answered
