"""In a rehearsal with `redirect_to` every text says first that it is one and whom it is meant for."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from channels import Texts, email, phone, push, sms, webpush
from channels._proofreading import samples
from channels._texts import one_segment
from connector.ports import Message, Purpose

from ..channels.messages import bundle, step

SENDER = ("Escalations", "escalations@example.com")
FOR = {"en": "Rehearsal, for Lee Adams:", "de": "Probe, für Lee Adams:"}
SPOKEN = {"en": "This is a rehearsal, meant for Lee Adams.", "de": "Dies ist eine Probe, bestimmt für Lee Adams."}


def firsts(message: Message, texts: Texts) -> list[str]:
    """What is read first, by each way."""
    mail = email.compose(message, SENDER, texts)
    body = mail.get_body(("plain",))
    assert body is not None
    shown: list[Any] = [push.compose(message, texts)["aps"]["alert"]["title"], webpush.compose(message, texts)["title"]]
    return [sms.compose(message, texts), *shown, str(mail["subject"]), body.get_content()]


@pytest.mark.parametrize("language", FOR)
@pytest.mark.parametrize("purpose", [Purpose.STEP, Purpose.EXHAUSTED, Purpose.ALL_CLEAR, Purpose.STILL_ON_IT])
def test_each_way_says_it_first_in_the_language_of_who_gets_it(language: str, purpose: Purpose) -> None:
    facts: dict[str, Any] = {"purpose": purpose, "line": "E-1A: it is over.", "language": language}
    message = step(**facts, rehearsed_for="Lee Adams")
    assert [text for text in firsts(message, Texts()) if not text.startswith(FOR[language])] == []
    call = phone.compose(message, "en-GB")
    assert call.index(SPOKEN[language]) == call.index("<Say") + call[call.index("<Say") :].index(">") + 1


def test_live_nothing_says_so() -> None:
    assert not [text for text in firsts(step(), Texts()) if "ehears" in text]
    assert "rehearsal" not in phone.compose(step(), "en-GB")


def test_an_admins_own_text_is_marked_too(tmp_path: Path) -> None:
    file = tmp_path / "en/sms/ticket.txt"
    file.parent.mkdir(parents=True)
    file.write_text("{{ code }} hurry: {{ title }}")
    marked = sms.compose(step(rehearsed_for="Lee Adams"), Texts(str(tmp_path)))
    assert marked == "Rehearsal, for Lee Adams: E-1A hurry: Server outage"


@pytest.mark.parametrize("language", FOR)
@pytest.mark.parametrize("name", ["Maximiliane Mustermann-Beispiel", "Мария Иванова", "a.example.com/x\r\nBcc: b"])
def test_a_marked_text_is_one_sms_whoever_it_is_meant_for(language: str, name: str) -> None:
    rehearsed = [one for one in samples(language) if one.purpose not in (Purpose.TEST, Purpose.OPERATOR)]
    for message in (*rehearsed, bundle(37, language=language)):
        marked = sms.compose(replace(message, rehearsed_for=name, only_one=False))
        assert one_segment(marked)
        assert message.code in marked
        assert marked.startswith(FOR[language].split(" Lee")[0])
