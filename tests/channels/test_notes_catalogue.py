"""The words of notes in other languages: nothing is left in English, nothing is said that fits no sentence."""

from pathlib import Path

import pytest

from channels import Texts
from channels._catalogue import gaps, read
from channels._templates import OURS, Fault, Proofreader
from channels._twilio import OUTCOMES, PROBLEMS
from connector.core.plan import Way
from tests.msgids import said

GERMAN = OURS / "de" / "notes.po"
#: How somebody took it, as the history says it in a word: the core's own, and those from outside the helpdesk.
WAYS = {*(way.value for way in Way if way is not Way.OUTSIDE), "snooze", "close", "reopened", "Acknowledge escalation"}
FROM_OUTSIDE = {"phone call", "SMS", "link", "push", "API", "terminal"}
#: What a receipt adds to its outcome in brackets.
IN_BRACKETS = {problem.sentence.rstrip(".") for code, problem in PROBLEMS.items() if code >= 30000}


def test_every_sentence_is_given_what_its_gaps_ask_for() -> None:
    assert [one for one in said() if gaps(one.msgid) != one.given] == []


def test_every_sentence_has_its_german_one_and_no_german_one_is_left_over() -> None:
    sentences = {one.msgid for one in said()} | WAYS | FROM_OUTSIDE | OUTCOMES.keys() | IN_BRACKETS
    assert {one.english for one in read(GERMAN)} ^ sentences == set()


def test_a_german_sentence_has_the_gaps_of_the_english_one() -> None:
    assert [one for one in read(GERMAN) if not one.fits] == []


def test_no_sentence_stands_in_the_catalogue_twice() -> None:
    ids = [line for line in GERMAN.read_text(encoding="utf-8").splitlines() if line.startswith("msgid ")]
    assert len(ids) == len(set(ids)) == len(read(GERMAN)) + 1  # the header


# --- an admin's own --------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "de").mkdir()
    return tmp_path


def write(folder: Path, text: str, language: str = "de") -> None:
    (folder / language).mkdir(exist_ok=True)
    (folder / language / "notes.po").write_text(text, encoding="utf-8")


def faults(folder: Path) -> list[Fault]:
    reader = Proofreader(str(folder))
    reader.notes("de")
    return list(reader.faults.values())


def test_an_admins_sentence_comes_before_ours_and_the_others_stay(folder: Path) -> None:
    write(folder, 'msgid "stopped by {who}"\nmsgstr "angehalten von {who}"\n')
    notes = Texts(str(folder)).notes("de")
    assert notes["stopped by {who}"] == "angehalten von {who}"
    assert notes["nobody came"] == "niemand kam"


def test_a_region_has_the_sentences_of_its_language(folder: Path) -> None:
    write(folder, 'msgid "priority"\nmsgstr "Dringlichkeit"\n', "de-at")
    notes = Texts(str(folder)).notes("de-AT")
    assert (notes["priority"], notes["nobody came"]) == ("Dringlichkeit", "niemand kam")


def test_a_language_of_the_admins_own_is_said_as_far_as_it_goes(folder: Path) -> None:
    write(folder, 'msgid "nobody came"\nmsgstr "personne n’est venu"\n', "fr")
    assert Texts(str(folder)).notes("fr") == {"nobody came": "personne n’est venu"}


def test_without_a_catalogue_notes_are_english() -> None:
    assert Texts().notes("en") == Texts().notes("pt-BR") == {}


def test_what_is_empty_or_marked_fuzzy_is_left_out(folder: Path) -> None:
    write(folder, 'msgid "busy"\nmsgstr ""\n\n#, fuzzy\nmsgid "nobody came"\nmsgstr "jemand kam"\n')
    assert Texts(str(folder)).notes("de") == Texts().notes("de")
    assert faults(folder) == []


def test_a_sentence_with_other_gaps_is_named_by_its_line_and_ours_is_said(folder: Path) -> None:
    write(folder, 'msgid "busy"\nmsgstr "belegt"\n\nmsgid "stopped by {who}"\nmsgstr "angehalten von {wem}"\n')
    notes = Texts(str(folder)).notes("de")
    assert (notes["stopped by {who}"], notes["busy"]) == ("gestoppt durch {who}", "belegt")
    [fault] = faults(folder)
    assert (Path(fault.file).name, fault.line) == ("notes.po", 4)
    assert fault.sentence == "It doesn't have the gaps that the English sentence has."


@pytest.mark.parametrize("text", ['msgid "nobody came"\nniemand kam\n', "<html></html>\n"])
def test_a_file_that_is_no_catalogue_is_named_and_ours_is_said(folder: Path, text: str) -> None:
    write(folder, text)
    assert Texts(str(folder)).notes("de") == Texts().notes("de")
    [fault] = faults(folder)
    assert fault.sentence.startswith("It is no gettext catalogue")


def test_a_file_in_another_encoding_is_named_too(folder: Path) -> None:
    (folder / "de" / "notes.po").write_bytes('msgid "nobody came"\nmsgstr "fürwahr"\n'.encode("latin-1"))
    assert [fault.sentence for fault in faults(folder)] == ["It is no UTF-8 text."]


def test_a_sentence_that_no_note_says_is_named_by_its_line(folder: Path) -> None:
    write(folder, 'msgid "busy"\nmsgstr "belegt"\n\nmsgid "buzy"\nmsgstr "belegt"\n')
    assert list(Proofreader(str(folder)).unsaid()) == [(str(folder / "de" / "notes.po"), 4)]


def test_it_is_no_text_that_nobody_reads(folder: Path) -> None:
    write(folder, 'msgid "busy"\nmsgstr "belegt"\n')
    assert list(Proofreader(str(folder)).strangers()) == []
