"""What agents write as the first line of an internal note."""

from datetime import timedelta

import pytest

from connector.core.commands import NO_TIME, Word, parse

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("line", "word", "lasts"),
    [
        ("/ack", Word.ACK, None),
        ("  /ACK on my way", Word.ACK, None),
        ("/ack 2h", Word.ACK, 2 * HOUR),
        ("/snooze 30m until the part arrives", Word.SNOOZE, 30 * MINUTE),
        ("/snooze 45", Word.SNOOZE, 45 * MINUTE),
        ("/snooze 1d", Word.SNOOZE, 24 * HOUR),
        ("/snooze 2 h", Word.SNOOZE, 2 * HOUR),
        ("/stop", Word.STOP, None),
        ("/why?", Word.WHY, None),
        ("/escalate", Word.ESCALATE, None),
    ],
)
def test_a_command_is_a_word_with_its_time(line: str, word: Word, lasts: timedelta | None) -> None:
    command = parse(line)
    assert command is not None
    assert (command.word, command.lasts, command.problem) == (word, lasts, "")


def test_the_plan_to_start_stands_behind_escalate() -> None:
    command = parse("/escalate major-incident")
    assert command is not None
    assert command.rest == "major-incident"


@pytest.mark.parametrize("line", ["", "I'll take it", "/var/log is full", "/etc", "/ack/ed", "see /ack", "/stop-gap"])
def test_an_ordinary_note_is_no_command(line: str) -> None:
    assert parse(line) is None


@pytest.mark.parametrize("line", ["/snooze", "/snooze a while", "/snooze 0m"])
def test_a_snooze_wants_a_time(line: str) -> None:
    command = parse(line)
    assert command is not None
    assert command.problem == NO_TIME


def test_a_word_that_is_nearly_one_is_answered_with_the_list() -> None:
    command = parse("/esclate")
    assert command is not None
    assert command.word is None
    assert command.problem.startswith("I don't know /esclate. I know /ack")
