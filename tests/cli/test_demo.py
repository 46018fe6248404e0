"""`escalator demo`: the story ends well, and a broken part is noticed."""

import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from connector.cli.story import DANA, SCRIPT, verdict
from connector.cli.story.seen import Note, Seen, Told

from .conftest import ROOT, heeds_ctrl_c

AT = datetime(2026, 1, 31, 20, 0, tzinfo=UTC)


def minute(number: float) -> datetime:
    return AT + timedelta(seconds=number)


def note(at: float, first: str) -> Note:
    return Note(minute(at), (f"Escalation E-1{first}",), internal=True)


WELL = Seen(
    ticket_at=AT,
    told=(
        Told("push", minute(5.1), "", arrived=True),
        Told("sms", minute(10.1), "", arrived=True),
        Told("phone", minute(15.1), "", arrived=True, keys="1"),
    ),
    notes=(
        note(5.3, ", step 1 of 3 (plan major-incident)"),
        note(11, ", step 2 of 3 (plan major-incident)"),
        note(16, ", step 3 of 3 (plan major-incident)"),
        note(16.1, " acknowledged by Dana Reyes (phone call)"),
        note(19, " closed"),
    ),
    owner=DANA,
)


def differences(seen: Seen) -> str:
    return " ".join(verdict.at_the_end(seen, SCRIPT, DANA))


def changed(number: int, **columns: object) -> Seen:
    told = list(WELL.told)
    told[number] = replace(told[number], **columns)  # type: ignore[arg-type]
    return replace(WELL, told=tuple(told))


def test_a_story_that_went_well_differs_in_nothing() -> None:
    assert differences(WELL) == ""


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        (changed(0, at=minute(4.9)), "The push came 0.1 s early."),
        (changed(1, at=minute(14)), "The SMS came 4.0 s late."),
        (changed(1, arrived=False), "The SMS did not arrive."),
        (changed(2, keys=""), "Nobody pressed key 1 in the call."),
        (replace(WELL, told=WELL.told[1:]), "0 times push instead of once."),
        (replace(WELL, told=(*WELL.told, WELL.told[1])), "2 times SMS instead of once."),
        (replace(WELL, told=(*WELL.told, Told("sms", minute(17), "", True))), "After the acknowledgement came SMS."),
        (replace(WELL, told=WELL.told[::-1]), "The order was phone, then sms, then push"),
        (replace(WELL, notes=WELL.notes[:3]), "Nobody acknowledged"),
        (replace(WELL, notes=(*WELL.notes[:1], *WELL.notes[2:])), "wanted was one a step"),
        (replace(WELL, notes=tuple(replace(one, internal=False) for one in WELL.notes)), "visible to the customer"),
        (replace(WELL, tags=("escalation-running",)), "tags are escalation-running instead of none"),
        (replace(WELL, owner=""), "Dana Reyes is not the ticket's owner."),
    ],
)
def test_whatever_differs_is_said(seen: Seen, sentence: str) -> None:
    assert sentence in differences(seen)


def test_an_all_clear_may_follow_the_acknowledgement() -> None:
    clear = Told("push", minute(17), "", arrived=True, all_clear=True)

    assert differences(replace(WELL, told=(*WELL.told, clear))) == ""


def demo(*options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "connector.cli", "demo", "--late", "6", *options]  # beside other tests
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "80"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heeds_ctrl_c,
    )


def test_the_whole_story_ends_well_within_45_seconds() -> None:
    out, err = (playing := demo()).communicate(timeout=45)

    assert playing.returncode == 0, out + err
    ways = [
        line.split()[2] for line in out.splitlines() if re.match(r" *[\d.]+ min  (push|SMS|call) .*phone (s|r)", line)
    ]
    assert ways == ["push", "SMS", "call"]
    assert "Escalation E-1, step 2 of 3 (plan major-incident)" in out
    assert re.search(r"Acknowledged by Dana Reyes \(phone call\) 1[5-7] told minutes after the ticket came\.\n$", out)


def test_a_broken_part_makes_it_fail() -> None:
    out, err = (playing := demo("--break", "sms")).communicate(timeout=60)

    assert playing.returncode == 1, out + err
    assert "The story did not end as it should:\n- The SMS did not arrive.\n" in out


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)])
def test_however_it_is_ended_it_leaves_nothing_running(number: signal.Signals, code: int) -> None:
    playing = demo()
    assert playing.stdout is not None
    playing.stdout.readline()  # Escalator runs at ...
    below = psutil.Process(playing.pid).children(recursive=True)
    assert len(below) > 5

    playing.send_signal(number)
    _, err = playing.communicate(timeout=30)

    assert (playing.returncode, err) == (code, "Ended.\n" if code > 0 else "")
    assert psutil.wait_procs(below, timeout=20)[1] == []
