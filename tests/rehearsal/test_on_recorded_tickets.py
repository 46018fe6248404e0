"""Recorded tickets in a rehearsal and then live: what `explain` shows, what is rehearsed and what live does agree."""

import json
from collections.abc import Iterator

import pytest
import requests

from connector.beginning import IS_LIVE, REHEARSAL_IS_OVER

from ..stories.world import eventually
from .recorded import ACTED_WITHIN, AT_ONCE, RECORDINGS, Played, Stage, table

QUIET = {"texts": 0, "calls": 0, "pushes": 0, "mails": 0, "posts": 0, "writes": 0}


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    world = Stage(tmp_path_factory.mktemp("rehearsal"), mode="rehearsal")
    try:
        world.start()
        yield world
    finally:
        world.stop()


@pytest.fixture(scope="module")
def rehearsed(rehearsal: Stage) -> dict[str, Played]:
    return rehearsal.play()


@pytest.fixture(scope="module")
def live(rehearsed: dict[str, Played], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Played]]:
    """What live then does on the same tickets."""
    world = Stage(tmp_path_factory.mktemp("live"))
    try:
        world.start()
        played = world.play()
        effects = world.effects()
        print(f"\n{table(rehearsed, played)}\nlive: {effects}")
        assert all(effects.values())
        told = {way: sum(one.told_by(way) for one in played.values()) for way in ("sms", "push", "pager")}
        assert told == {"sms": effects["texts"], "push": effects["pushes"], "pager": effects["posts"]}
        yield played
    finally:
        world.stop()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", RECORDINGS)
def test_live_does_what_was_rehearsed(name: str, rehearsed: dict[str, Played], live: dict[str, Played]) -> None:
    assert rehearsed[name].steps == live[name].steps
    assert rehearsed[name].told == live[name].told
    assert rehearsed[name].end == live[name].end == RECORDINGS[name].ends


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", RECORDINGS)
def test_what_is_rehearsed_is_what_explain_shows(name: str, rehearsed: dict[str, Played]) -> None:
    ahead = [at for at, *_ in rehearsed[name].ahead]
    steps = [due for kind, words, due in rehearsed[name].steps if kind == "step" and words.startswith("step ")]
    fired = ahead[: len(steps)]
    assert steps[: len(fired)] == [AT_ONCE if due == AT_ONCE else at for at, due in zip(fired, steps, strict=False)]
    whom = [(who, by, otherwise) for _, who, by, otherwise in rehearsed[name].ahead]
    told = {(who, channel) for who, channel, _ in rehearsed[name].told if channel != "pager"}
    shown = {(one, way) for who, by, otherwise in whom for one in who.split(", ") for way in (*by, *otherwise)}
    assert told - shown <= {("Lee Adams", "email")}  # who is told that nobody came


@pytest.mark.timeout(400)
def test_nobody_was_told_and_nothing_was_written(rehearsal: Stage, rehearsed: dict[str, Played]) -> None:
    assert len(rehearsed) == len(RECORDINGS)
    assert rehearsal.effects() == QUIET
    assert rehearsal.desk.faults.requests.total() > len(RECORDINGS)  # it was asked, though
    us = rehearsal.desk.escalator.id
    rows = (*rehearsal.desk.desk.history, *rehearsal.desk.desk.articles.values())
    assert not [row for row in rows if us in (row["created_by_id"], row.get("updated_by_id"))]


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("status", "--all"), "acknowledged by Alice Agent"),
        (("show", "E-1"), "SMS to Dana Reyes: not sent (rehearsal)"),
        (("show", "E-1"), "not written (rehearsal): Escalation E-1: nobody came"),
        (("explain", "id:5"), "plan later"),
        (("check",), "helpdesk: "),
    ],
)
def test_every_command_says_that_it_is_a_rehearsal(
    rehearsal: Stage, rehearsed: dict[str, Played], words: tuple[str, ...], says: str
) -> None:
    assert rehearsed
    told = rehearsal.run(*words).stdout
    assert "Rehearsal: nothing is sent to anybody, and nothing is written to the helpdesk." in told
    assert says.casefold() in told.casefold()
    assert json.loads(rehearsal.run(*words, "--json").stdout)["mode"] == "rehearsal"


@pytest.mark.timeout(400)
def test_so_do_up_the_api_and_readyz(rehearsal: Stage, rehearsed: dict[str, Played]) -> None:
    assert rehearsed
    assert "Rehearsal: nothing is sent to anybody" in rehearsal.said()
    assert rehearsal.shown("1")["mode"] == "rehearsal"
    assert requests.get(f"{rehearsal.url}/readyz", timeout=10).json()["mode"] == "rehearsal"


@pytest.mark.timeout(400)
def test_doctor_alone_writes_to_the_probe_that_was_asked_for(rehearsal: Stage, rehearsed: dict[str, Played]) -> None:
    assert rehearsed
    before = rehearsal.effects()
    told = json.loads(rehearsal.run("doctor", "--json", "--within", "60").stdout)
    found = {link["link"]: link for link in told["links"]}
    assert found["mode"]["sentence"].endswith("But you asked for a probe: that ticket is made and written to.")
    assert [found[link]["result"] for link in ("webhook", "note", "live state", "closed")] == ["right"] * 4
    assert rehearsal.effects()["writes"] > before["writes"]
    number = told["probe"]["number"]
    others = [str(row["id"]) for row in rehearsal.desk.desk.tickets.values() if str(row["number"]) != number]
    assert len(others) == len(RECORDINGS)
    assert not [note for ticket in others for note in rehearsal.notes(ticket)]


@pytest.mark.timeout(400)
def test_live_on_the_same_data_nobody_hears_of_what_was_rehearsed_and_there_is_no_way_back(
    rehearsal: Stage, rehearsed: dict[str, Played]
) -> None:
    assert rehearsed
    rehearsal.stop_up()
    rehearsal.service = {}
    rehearsal.write_config()
    rehearsal.start_up()
    new = rehearsal.comes_in(RECORDINGS["ui_owner_chosen"])
    rehearsal.note(new, "step 1 of 2", ACTED_WITHIN)
    swept = [rehearsal.swept()]
    eventually(lambda: rehearsal.swept() != swept[0], ACTED_WITHIN, "another sweep")
    assert REHEARSAL_IS_OVER in rehearsal.said()
    assert [one["code"] for one in json.loads(rehearsal.run("status", "--all", "--json").stdout)["escalations"]] == [
        rehearsal.code(new)
    ]
    assert rehearsal.effects() | {"writes": 0} == QUIET | {"mails": 1}
    assert not [note for id in range(1, int(new)) for note in rehearsal.notes(str(id)) if "Escalation E-" in note]
    rehearsal.stop_up()
    rehearsal.service = {"mode": "rehearsal"}
    rehearsal.write_config()
    refused = rehearsal.run("up", "--port", str(rehearsal.port))
    assert (refused.returncode, refused.stderr.splitlines()[-1]) == (2, IS_LIVE)
