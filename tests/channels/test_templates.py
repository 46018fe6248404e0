"""Texts are templates: ours in two languages, an admin's own in their place, and ours again when those are no use."""

import logging
from pathlib import Path

import pytest

from channels import Texts, phone, sms
from channels._templates import OURS, Proofreader

from .messages import bundle, step


def write(folder: Path, name: str, text: str) -> Texts:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return Texts(str(folder))


def test_an_admins_text_is_said_instead_of_ours(tmp_path: Path) -> None:
    texts = write(tmp_path, "en/sms/ticket.txt", "{{ code }} hurry: {{ title }} {{ link }}")
    assert sms.compose(step(acknowledge_url=""), texts) == "E-1A hurry: Server outage"
    assert "Reply ALL" in sms.compose(bundle(3), texts)  # what they left alone stays ours


def test_an_admin_can_add_a_language(tmp_path: Path) -> None:
    texts = write(tmp_path, "fr/sms/ticket.txt", "{{ code }}: prenez le ticket {{ number }}")
    assert texts.language("fr-CA") == "fr"
    assert sms.compose(step(language="fr-CA"), texts) == "E-1A: prenez le ticket 50042"
    assert sms.compose(step(language="it"), texts).startswith("E-1A: ticket 50042")


def test_a_language_that_is_not_there_is_english() -> None:
    texts = Texts()
    assert [texts.language(wanted) for wanted in ("de-AT", "DE", "en-US", "fr", "", "../de")] == [
        *("de", "de", "en", "en", "en", "en"),
    ]


@pytest.mark.parametrize(
    "broken",
    [
        "{{ nobody_knows_this }}",
        "{% if %}",
        "{{ code.__class__.__mro__[1].__subclasses__() }}",
        "{% include 'en/sms/missing.txt' %}",
        "{{ 1 / 0 }}",
        "{{ code }} " + "far too long " * 20,
        "no word of what to reply",
        "",
    ],
)
def test_whatever_is_wrong_with_it_at_night_ours_goes_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    texts = write(tmp_path, "en/sms/ticket.txt", broken)
    with caplog.at_level(logging.WARNING):
        assert sms.compose(step(), texts) == sms.compose(step())
    assert "ours is sent instead" in caplog.text
    assert "Server outage" not in caplog.text


@pytest.mark.parametrize(
    "broken",
    [
        "<Say>open",
        "just words",
        "<Dial>+15005550000</Dial>",
        "",
        "<Say>{{ title }}</Say> and more",
        "<Say>x</Say>" * 999,
    ],
)
def test_what_is_no_twiml_is_never_handed_to_twilio(tmp_path: Path, broken: str) -> None:
    texts = write(tmp_path, "en/phone/announce.xml", broken)
    assert phone.compose(step(), "en-GB", texts) == phone.compose(step(), "en-GB")


def test_a_call_can_be_given_another_voice(tmp_path: Path) -> None:
    texts = write(tmp_path, "en/phone/menu.xml", '<Say voice="Polly.Amy">Press <break strength="weak"/> 1.</Say>')
    said = phone.compose(step(), "en-GB", texts)
    assert '<Say voice="Polly.Amy" language="en-GB">Press <break strength="weak" /> 1.</Say>' in said


def test_every_language_of_ours_has_every_text() -> None:
    names = {
        language.name: {file.relative_to(language).as_posix() for file in language.rglob("*") if file.is_file()}
        for language in OURS.iterdir()
    }
    assert set(names) == {"en", "de"}
    assert names["de"] == names["en"] | {"notes.po"}  # the English of notes stands in the code


def test_the_proofreader_names_file_and_line(tmp_path: Path) -> None:
    write(tmp_path, "en/sms/ticket.txt", "{{ code }}\n{{ numbr }}\n")
    write(tmp_path, "de/sms/ticket.txt", "{{ code }}\n\n{% if %}\n")
    write(tmp_path, "en/sms/tickets.txt", "x" * 161)
    write(tmp_path, "en/sms/tiket.txt", "")
    reader = Proofreader(str(tmp_path))
    for message in (step(), step(language="de"), bundle(37)):
        sms.compose(message, reader)
    found = {(Path(fault.file).relative_to(tmp_path).as_posix(), fault.line) for fault in reader.faults.values()}
    assert found == {("en/sms/ticket.txt", 2), ("de/sms/ticket.txt", 3), ("en/sms/tickets.txt", 0)}
    told = " ".join(fault.sentence for fault in reader.faults.values())
    assert "'numbr' is undefined" in told
    assert "161 of 160 septets" in told
    assert list(reader.strangers()) == [str(tmp_path / "en/sms/tiket.txt")]
