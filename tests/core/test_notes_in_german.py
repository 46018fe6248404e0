"""Every kind of note in English and in German, side by side: `notes.txt` is what stands on tickets."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from channels import BUILT_IN
from connector.core.events import Command, Entry, Say, WriteNote
from connector.core.leaving_out import PARKED
from connector.core.notes import note_lines
from connector.core.wording import Reader, entry_words
from connector.core.words import Words
from connector.engine.failures import plain_note
from connector.engine.records import encode, to_entry
from tests.msgids import left_in_english

from .builders import PEOPLE, at
from .scenes_by_hand import SCENES

BERLIN, KINDS = ZoneInfo("Europe/Berlin"), {name: name for name in ("push", "sms", "phone", "email")}
ENGLISH = Reader(BERLIN, KINDS)
GERMAN = Reader(BERLIN, KINDS, BUILT_IN.notes("de"))


def notes() -> dict[str, tuple[str, str]]:
    """Scene -> its note in English and in German."""
    _, *parts = Path(__file__).with_name("notes.txt").read_text(encoding="utf-8").split("\n== ")
    found = {}
    for part in parts:
        name, english, german = part.strip().replace("\n--\n", "\n\n", 1).split("\n\n")
        found[name] = (english, german)
    return found


def last_note(commands: list[Command], reader: Reader) -> str:
    """The last note that these commands ask for; a summary from what Redis keeps of the history."""
    history = [to_entry(encode(command)) for command in commands if isinstance(command, Entry)]
    note = [command for command in commands if isinstance(command, WriteNote | Say)][-1]
    if isinstance(note, Say):
        lines = tuple(reader.says(line) for line in note.lines)
    elif note.kind == PARKED:
        lines = plain_note(note, reader)
    else:
        lines = note_lines(note, PEOPLE, reader, history)
    return "\n".join(lines)


@pytest.mark.parametrize("scene", notes())
def test_a_note_says_the_same_in_both_languages(scene: str) -> None:
    english, german = notes()[scene]
    assert last_note(SCENES[scene](), ENGLISH) == english
    assert last_note(SCENES[scene](), GERMAN) == german
    assert left_in_english(english, GERMAN.catalogue) != []
    assert left_in_english(german, GERMAN.catalogue) == []


def test_every_scene_has_its_note() -> None:
    assert list(notes()) == list(SCENES)


def test_a_summary_of_before_sentences_kept_their_values_is_still_read() -> None:
    stored = encode(Entry(at(10), "notification", Words("phone to Dana: no answer"), channel="phone"))
    assert entry_words(to_entry(stored), GERMAN) == "phone call to Dana: no answer"
