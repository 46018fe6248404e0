"""Whatever is typed: help for all, one sentence on stderr, an honest exit code, never a traceback."""

import subprocess
import sys

import pytest

from connector.cli import COMMANDS

from .conftest import ROOT, Bench


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help(alone: Bench, command: str) -> None:
    said = alone.run(command, "--help")

    assert said.exit_code == 0
    assert said.stdout.startswith(f"Usage: main {command} ")
    assert len(said.stdout.splitlines()) > 5


def test_the_list_of_commands_is_the_help(alone: Bench) -> None:
    said = alone.run("--help").stdout

    for command, (_, words) in COMMANDS.items():
        assert command in said
        assert words.split()[0] in said


NONSENSE = [
    (["fly"], 2, "No such command"),
    (["status", "--wings"], 2, "No such option"),
    (["status", "now"], 2, "unexpected extra argument"),
    (["show"], 2, "Missing argument"),
    (["show", "E-1"], 2, "No Redis"),
    (["show", "E-1", "E-2"], 2, "unexpected extra argument"),
    (["status"], 2, "No Redis"),
    (["status", "--json"], 2, "No Redis"),
    (["sweep"], 2, "No Redis"),
    (["adopt", "--yes"], 2, "No Redis"),
    (["start", "1"], 2, "Missing argument"),
    (["start", "1", "calm"], 2, "--by"),
    (["start", "1", "calm", "--by", "  "], 2, "Write a name"),
    (["start", "1", "calm", "--by", "x" * 101], 2, "Write a name"),
    (["acknowledge", "E-1"], 2, "--by"),
    (["acknowledge", "E-1", "--by", "Dana"], 2, "No Redis"),
    (["test-notify", "dna", "sms"], 2, "Did you mean `dana`?"),
    (["test-notify", "dana", "smms"], 2, "Did you mean `sms`?"),
    (["test-notify", "dana", "push"], 1, "has no address for push"),
    (["explain", ""], 1, "There is no ticket"),
    (["explain", "id:"], 1, ""),
    (["explain", "id:abc"], 1, ""),
    (["explain", "../users/1"], 1, "There is no ticket"),
    (["explain", "id:99999999"], 1, "There is no ticket"),
    (["plans", "--config", "/nowhere/escalation.yml"], 2, "There is no such file"),
    (["plans", "--config", "/"], 2, "can't be read"),
    (["check", "--config", "/dev/null"], 1, ""),
    (["up", "--port", "many"], 2, "not a valid integer"),
    (["up", "--workers", "0"], 2, "not in the range"),
    (["up", "--config", "/nowhere/escalation.yml"], 2, "There is no such file"),
    (["demo", "--break", "everything"], 2, "is not one of"),
]


@pytest.mark.parametrize(
    ("words", "code", "sentence"), NONSENSE, ids=[" ".join(words)[:40] for words, _, _ in NONSENSE]
)
def test_nonsense_is_answered_in_a_sentence(alone: Bench, words: list[str], code: int, sentence: str) -> None:
    said = alone.run(*words)

    assert said.exit_code == code, said.output
    assert sentence in said.output
    assert said.output.strip()


def test_a_redis_that_is_away_is_said_so(alone: Bench) -> None:
    said = alone.run("status", REDIS_URL="redis://127.0.0.1:1")

    assert (said.exit_code, said.stdout) == (1, "")
    assert said.stderr.startswith("Redis does not answer. Is `escalator up` running")


def test_an_embedded_redis_that_has_ended_is_said_so(alone: Bench) -> None:
    (alone.folder / "data").mkdir()
    (alone.folder / "data" / "redis.socket").write_text(str(alone.folder / "gone.sock"))

    said = alone.run("show", "E-1")

    assert (said.exit_code, "Redis does not answer" in said.stderr) == (1, True)


def test_a_redis_elsewhere_without_tls_is_refused(alone: Bench) -> None:
    said = alone.run("status", REDIS_URL="redis://redis.example.com")

    assert (said.exit_code, "without verified TLS" in said.stderr) == (2, True)


def test_a_helpdesk_that_is_away_is_said_so(alone: Bench) -> None:
    alone.config["helpdesk"]["url"] = "http://127.0.0.1:1"
    alone.write()

    said = alone.run("explain", "58001")

    assert said.exit_code == 1
    assert len(said.stderr.splitlines()) == 1


def test_the_program_itself_ends_without_a_traceback(alone: Bench) -> None:
    command = [sys.executable, "-m", "connector.cli", "status"]
    done = subprocess.run(command, env=alone.environ, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("No Redis: ")
