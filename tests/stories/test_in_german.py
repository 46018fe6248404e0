"""With `language: de` the ticket tells its story in German; what machines and other systems read stays as it is."""

from collections.abc import Iterator
from typing import Any

import pytest

from channels import BUILT_IN
from tests.msgids import left_in_english

from .plans import DANA
from .world import World


class GermanWorld(World):
    def config(self) -> dict[str, Any]:
        config = super().config()
        return {**config, "service": {**config["service"], "language": "de"}}


@pytest.fixture(scope="module")
def german(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = GermanWorld(tmp_path_factory.mktemp("german"))
    try:
        world.start()
        yield world
    finally:
        world.stop()


def test_from_the_first_push_to_the_summary(german: World) -> None:
    german.providers.twilio.on_call(DANA).press("1")
    ticket = german.ticket("ladder")
    german.note(ticket, "übernommen von Dana Reyes (Anruf)")
    german.desk.close(ticket, by=german.desk.alice)
    summary = german.note(ticket, "abgeschlossen")

    code = german.code(ticket)
    assert german.headlines(ticket) == [
        f"Eskalation {code}, Schritt 1 von 3 (Plan ladder)",
        f"Eskalation {code}, Schritt 2 von 3 (Plan ladder)",
        f"Eskalation {code}, Schritt 3 von 3 (Plan ladder)",
        f"Eskalation {code} übernommen von Dana Reyes (Anruf)",
        f"Eskalation {code} abgeschlossen",
    ]
    first = german.notes(ticket)[0]
    assert "Push an Dana Reyes: angenommen" in first
    assert "Als Nächstes: SMS an Dana Reyes um " in first
    assert "Übernommen von Dana Reyes (Anruf) nach " in summary
    assert "Anruf an Dana Reyes: abgenommen, Taste 1 gedrückt" in summary
    assert "begonnen: Plan ladder: die Regel in Zeile " in summary
    assert "geschlossen durch Alice Agent" in summary
    assert left_in_english("\n".join(german.notes(ticket)), BUILT_IN.notes("de")) == []


def test_commands_in_notes_are_answered_in_german(german: World) -> None:
    ticket = german.ticket("calm")
    german.note(ticket, "Schritt 1 von 2")

    def answer(line: str, headline: str) -> str:
        german.desk.internal_note(ticket, by=german.desk.bob, body=line)
        return german.note(ticket, headline)

    assert "Schritt 1 von 2 ist erreicht" in answer("/why", ": warum")
    assert "/snoze kenne ich nicht." in answer("/snoze 30m", "Antwort an Bob Builder")
    assert "Bob Builder hat Plan patient gestartet." in answer("/escalate patient", "ab jetzt Plan patient")
    assert "Gestoppt durch Bob Builder." in answer("/stop", "abgebrochen")
    assert left_in_english("\n".join(german.notes(ticket)), BUILT_IN.notes("de")) == []


def test_what_other_systems_read_stays_in_english(german: World) -> None:
    ticket = german.ticket("quick")
    german.note(ticket, "niemand kam")
    history = [entry["text"] for entry in german.shown(ticket)["history"]]
    assert history[0].startswith("plan quick: the rule in line ")
    assert "nobody came" in history
    assert german.shown(ticket)["state"] == "exhausted"
