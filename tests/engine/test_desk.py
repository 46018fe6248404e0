"""Writing in the helpdesk: every note in order, once, however long the helpdesk was away."""

import threading

import pytest
from redis import Redis

from connector.engine.keys import DESK, PREFIX
from connector.engine.records import DeskItem, encode
from connector.errors import HelpdeskAway, HelpdeskRefused, PermissionLost, TicketGone
from connector.ports import Note

from .conftest import DANA, World


def put(world: World, *headlines: str, id: str = "42") -> None:
    """Notes that wait for a ticket, oldest first."""
    for headline in headlines:
        item = DeskItem("E-1A", (headline,), f"proof of {headline}")
        world.redis.rpush(f"{PREFIX}desk:{id}", encode(item))
    world.redis.zadd(DESK, {id: world.clock.now().timestamp()})


@pytest.fixture
def ticket(world: World) -> str:
    return world.helpdesk.ticket("42")


def test_notes_are_written_in_order_and_nothing_is_left_behind(world: World, ticket: str) -> None:
    put(world, "one", "two", "three")
    world.desk.drain()
    assert world.helpdesk.headlines(ticket) == ["one", "two", "three"]
    assert world.redis.keys(f"{PREFIX}desk*") == []


def test_two_writers_keep_the_order(world: World, ticket: str) -> None:
    put(world, "one", "two", "three")
    world.helpdesk.goes_on.clear()
    first = threading.Thread(target=world.desk.write, args=(ticket,))
    first.start()
    assert world.helpdesk.entered.wait(10)
    world.desk.write(ticket)
    world.helpdesk.goes_on.set()
    first.join()
    assert world.helpdesk.headlines(ticket) == ["one", "two", "three"]
    world.clock.passes(seconds=2)
    world.writes()
    assert world.redis.keys(f"{PREFIX}desk*") == []


def test_a_note_whose_answer_was_cut_stands_there_once(world: World, ticket: str) -> None:
    put(world, "one", "two")
    world.helpdesk.cut = True
    world.writes()
    assert world.helpdesk.headlines(ticket) == ["one", "two"]
    assert world.helpdesk.calls["find_note"] == 1


def killed_over_a_note(world: World, ticket: str) -> None:
    """The writer dies after it began, and nobody knows whether its request went out."""
    world.helpdesk.trouble = KeyboardInterrupt()  # type: ignore[assignment]  # as good as a kill
    with pytest.raises(KeyboardInterrupt):
        world.desk.write(ticket)
    world.helpdesk.trouble = None


def test_a_note_whose_writer_died_is_written_again_when_the_helpdesk_no_longer_works_on_it(
    world: World, ticket: str
) -> None:
    put(world, "one", "two")
    killed_over_a_note(world, ticket)
    world.writes()
    assert (world.helpdesk.calls["find_note"], world.helpdesk.headlines(ticket)) == (1, [])
    world.clock.passes(seconds=55)
    world.writes()
    assert world.helpdesk.headlines(ticket) == []
    world.clock.passes(seconds=6)
    world.writes()
    assert (world.helpdesk.calls["find_note"], world.helpdesk.headlines(ticket)) == (2, ["one", "two"])


def test_a_note_on_which_a_slow_helpdesk_still_worked_stands_there_once(world: World, ticket: str) -> None:
    put(world, "one")
    killed_over_a_note(world, ticket)
    world.writes()
    world.helpdesk.notes[ticket].append(Note(("one",), "proof of one"))  # the first request comes through
    world.clock.passes(seconds=61)
    world.writes()
    assert world.helpdesk.headlines(ticket) == ["one"]
    assert world.redis.keys(f"{PREFIX}desk*") == []


def test_while_one_note_waits_the_live_state_and_other_tickets_go_on(world: World) -> None:
    world.helpdesk.ticket("43")
    put(world, "other", id="43")
    world.escalating()
    world.sends()
    killed_over_a_note(world, "42")
    world.writes()
    assert [live.status for live in world.helpdesk.shown["42"]] == ["running"]
    assert (world.helpdesk.headlines("42"), world.helpdesk.headlines("43")) == ([], ["other"])


def test_a_request_that_never_left_leaves_nothing_open(world: World, ticket: str) -> None:
    put(world, "one")
    world.helpdesk.trouble = HelpdeskAway("It can't be reached.")
    world.desk.write(ticket)
    world.helpdesk.trouble = None
    world.desk.write(ticket)
    assert (world.helpdesk.calls["find_note"], world.helpdesk.headlines(ticket)) == (0, ["one"])


def test_a_note_that_can_never_be_looked_for_is_written_once_more_and_says_so(
    world: World, ticket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def times_out(*_: object) -> None:
        raise HelpdeskAway("A thread of 20 MB.")

    put(world, "one")
    killed_over_a_note(world, ticket)
    monkeypatch.setattr(world.helpdesk, "find_note", times_out)
    for _ in range(4):
        world.desk.write(ticket)
        assert world.helpdesk.headlines(ticket) == []
    world.clock.passes(seconds=61)
    world.helpdesk.cut = True
    for _ in range(5):
        world.desk.write(ticket)
    doubt = "possibly sent twice: the helpdesk answered neither the first request nor the look-up"
    assert [note.lines for note in world.helpdesk.notes[ticket]] == [("one", doubt)]
    monkeypatch.undo()
    world.desk.write(ticket)
    assert world.helpdesk.headlines(ticket) == ["one"]
    assert world.redis.keys(f"{PREFIX}desk*") == []


def test_what_waits_while_the_helpdesk_is_away_is_written_when_it_is_back(world: World, ticket: str) -> None:
    put(world, "one")
    world.helpdesk.trouble = HelpdeskAway("No answer.")
    waits = []
    for _ in range(6):
        world.desk.write(ticket)
        waits.append(round(world.redis.zscore(DESK, ticket) - world.clock.now().timestamp()))  # type: ignore[operator]
    assert waits == [2, 5, 15, 30, 60, 60]
    assert world.troubles() == ["Notes wait: the helpdesk does not take them."]
    world.helpdesk.trouble = None
    world.clock.passes(seconds=61)
    world.writes()
    assert world.helpdesk.headlines(ticket) == ["one"]
    assert world.troubles() == []


def test_a_refused_note_is_set_aside_and_the_next_ones_go_on(
    world: World, ticket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = world.helpdesk.add_note

    def refuses_one(ticket_id: str, note: object) -> str:
        if note.lines == ("one",):  # type: ignore[attr-defined]
            raise HelpdeskRefused("The body is too long.")
        return write(ticket_id, note)  # type: ignore[arg-type]

    monkeypatch.setattr(world.helpdesk, "add_note", refuses_one)
    put(world, "one")
    world.writes()
    assert world.history() == ['not written, "one": The body is too long.']
    assert world.troubles() == ["The helpdesk refused a note: The body is too long."]
    put(world, "one", "two")
    world.writes()
    assert world.helpdesk.headlines(ticket) == ["two"]
    assert world.troubles() == []


def test_a_token_that_ran_out_loses_no_note(world: World, ticket: str) -> None:
    put(world, "one")
    world.helpdesk.refused[ticket] = PermissionLost("The token isn't accepted.")
    world.writes()
    assert world.troubles() == ["Notes wait: The token isn't accepted."]
    world.helpdesk.refused.clear()
    world.clock.passes(seconds=301)
    world.writes()
    assert world.helpdesk.headlines(ticket) == ["one"]
    assert world.troubles() == []


def test_a_permission_that_stays_lost_for_a_day_sets_the_note_aside(world: World, ticket: str) -> None:
    put(world, "one")
    world.helpdesk.refused[ticket] = PermissionLost("Not allowed.")
    tries = 0
    while world.redis.llen(f"{PREFIX}desk:{ticket}"):
        world.desk.write(ticket)
        tries += 1
    assert tries * 300 == 24 * 3600
    assert world.history() == ['not written, "one": Not allowed.']


def test_a_note_for_a_deleted_ticket_is_nobodys_trouble(world: World, ticket: str) -> None:
    put(world, "one")
    world.helpdesk.refused[ticket] = TicketGone("It is gone.")
    world.writes()
    assert world.history() == ['not written, "one": the ticket does not exist any more']
    assert world.troubles() == []
    assert world.redis.keys(f"{PREFIX}desk*") == []


def test_a_note_that_breaks_us_is_set_aside_after_the_fifth_try(
    world: World, ticket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise KeyError("a number")

    put(world, "one")
    monkeypatch.setattr(world.helpdesk, "add_note", breaks)
    for _ in range(4):
        with pytest.raises(KeyError):
            world.desk.write(ticket)
        world.clock.passes(seconds=61)
    world.desk.write(ticket)
    assert world.history() == ['not written, "one": Escalator failed to write it']
    assert world.redis.keys(f"{PREFIX}desk*") == []


def test_of_several_live_states_that_wait_only_the_newest_is_shown(world: World) -> None:
    world.escalating()
    world.sends()
    world.answers.acknowledge("E-1A", DANA, "API")
    world.writes()
    assert [live.status for live in world.helpdesk.shown["42"]] == ["acknowledged"]


def test_a_live_state_that_comes_while_another_is_written_is_written_too(world: World) -> None:
    world.escalating()
    world.helpdesk.goes_on.clear()
    writing = threading.Thread(target=world.desk.write, args=("42",))
    writing.start()
    assert world.helpdesk.entered.wait(10)
    world.answers.acknowledge("E-1A", DANA, "API")
    world.helpdesk.goes_on.set()
    writing.join()
    world.clock.passes(seconds=2)
    world.writes()
    assert world.helpdesk.shown["42"][-1].status == "acknowledged"
    assert world.redis.keys(f"{PREFIX}show:*") == []


def test_a_refused_live_state_keeps_no_note_waiting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object) -> None:
        raise HelpdeskRefused("There is no such field.")

    monkeypatch.setattr(world.helpdesk, "show", refuses)
    world.escalating()
    world.sends()
    world.writes()
    assert len(world.helpdesk.notes["42"]) == 1
    assert world.troubles() == ["The helpdesk refuses the live state: There is no such field."]
    assert world.redis.keys(f"{PREFIX}show:*") == []


def test_who_cannot_be_made_the_owner_is_named_in_the_note(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.helpdesk, "assign", lambda *_: False)
    world.escalating()
    world.answers.acknowledge("E-1A", DANA, "API")
    world.writes()
    assert world.helpdesk.notes["42"][-1].lines[-1] == "Dana Reyes is not assigned: please set the owner."


def test_they_are_named_in_the_language_of_notes(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(redis, language="de")
    monkeypatch.setattr(world.helpdesk, "assign", lambda *_: False)
    world.escalating()
    world.answers.acknowledge("E-1A", DANA, "API")
    world.writes()
    lines = world.helpdesk.notes["42"][-1].lines
    assert (lines[0], lines[-1]) == (
        "Eskalation E-1A übernommen von Dana Reyes (API)",
        "Dana Reyes ist nicht zugewiesen: bitte den Besitzer eintragen.",
    )


def test_a_storm_of_hints_does_not_keep_notes_from_being_written(world: World, ticket: str) -> None:
    put(world, "one")
    world.store.hints.add([str(id) for id in range(1000, 1400)])
    for _ in range(8):
        for act in world.desk._due(set(), 2).values():
            act()
    assert world.helpdesk.headlines(ticket) == ["one"]
    assert world.helpdesk.calls["read"] >= 6


def test_a_fresh_look_goes_before_everything_else(world: World) -> None:
    put(world, "one", id="43")
    world.store.hints.add(["44", "45"])
    world.redis.zadd(f"{PREFIX}hints", {"42": 0})
    for _ in range(4):
        assert list(world.desk._due(set(), 1)) == ["42"]
