"""Reading tickets: one reader a ticket, nothing forgotten, and no ticket in the way of another."""

import threading
from collections.abc import Sequence
from datetime import timedelta

import pytest

from connector.core.escalation import State
from connector.engine.keys import HINTS, PREFIX
from connector.engine.store import Emptied
from connector.errors import HelpdeskAway, HelpdeskRefused, PermissionLost
from connector.ports import Row

from .conftest import World


def hinted(world: World) -> list[str]:
    return [raw.decode() for raw in world.redis.zrange(HINTS, 0, -1)]  # type: ignore[union-attr]


def test_a_hint_has_the_ticket_read_and_is_forgotten(world: World) -> None:
    world.helpdesk.ticket("42")
    world.store.hints.add(["42"])
    world.desk.drain()
    assert world.escalation().state is State.WAITING
    assert hinted(world) == []
    assert world.redis.keys(f"{PREFIX}hint:*") == []


def test_a_hint_that_comes_during_the_reading_has_it_read_again(world: World) -> None:
    world.helpdesk.ticket("42")
    world.store.hints.add(["42"])
    world.helpdesk.goes_on.clear()
    reading = threading.Thread(target=world.observer.look, args=("42",))
    reading.start()
    assert world.helpdesk.entered.wait(10)
    world.store.hints.add(["42"])
    world.helpdesk.goes_on.set()
    reading.join()
    assert hinted(world) == ["42"]


def test_a_hint_that_comes_after_another_one_was_forgotten_is_not_forgotten_in_its_place(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.escalating("42")
    world.store.hints.add(["42"])
    rows = world.helpdesk.rows

    def meanwhile(ids: Sequence[str]) -> Sequence[Row]:
        found = rows(ids)  # as it was before all this
        world.observer.look("42")  # by another worker, which forgets the hint
        world.helpdesk.takes("42")
        world.store.hints.add(["42"])
        return found

    monkeypatch.setattr(world.helpdesk, "rows", meanwhile)
    world.observer.look_together(["42"])
    assert hinted(world) == ["42"]
    world.desk.drain()
    assert world.escalation().state is State.ACKNOWLEDGED


def test_one_reads_a_ticket_at_a_time_and_the_other_comes_back(world: World) -> None:
    world.helpdesk.ticket("42")
    world.store.hints.add(["42"])
    with world.store.locks.hold(f"{PREFIX}reading:42"):
        world.observer.look("42")
    assert world.helpdesk.calls["read"] == 0
    assert hinted(world) == ["42"]


def test_a_reading_that_is_not_whole_is_taken_in_and_the_ticket_soon_read_again(world: World) -> None:
    world.helpdesk.ticket("42")
    world.helpdesk.whole = False
    world.looks("42")
    assert world.escalation().state is State.WAITING
    assert round(world.redis.zscore(HINTS, "42") - world.clock.now().timestamp()) == 2  # type: ignore[operator]
    world.helpdesk.whole = True
    world.looks("42")
    assert hinted(world) == []


def test_no_ticket_is_old_because_our_clock_was_set_back_since_escalator_was_switched_on(world: World) -> None:
    set_back = timedelta(seconds=90)
    world.since = world.clock.now() + set_back - timedelta(seconds=10)
    world.helpdesk.skew = set_back
    world.helpdesk.ticket("42", age=-set_back)  # made now, by the helpdesk's clock
    world.looks("42")
    assert world.escalation().state is State.WAITING


def test_an_escalation_on_an_emptied_redis_is_not_begun_anew(world: World) -> None:
    world.helpdesk.ticket("42")
    world.redis.flushall()
    world.store.hints.add(["42"])
    world.desk.drain()
    with pytest.raises(Emptied):
        world.observer.look("42")
    assert hinted(world) == ["42"]
    assert world.store.case("42") is None


def test_a_helpdesk_that_is_away_is_asked_less_often_and_the_operator_hears_of_the_third_time(world: World) -> None:
    world.helpdesk.ticket("42")
    world.helpdesk.trouble = HelpdeskAway("No answer.")
    waits = []
    for _ in range(5):
        world.looks("42")
        waits.append(round(world.redis.zscore(HINTS, "42") - world.clock.now().timestamp()))  # type: ignore[operator]
        assert world.troubles() == ([] if len(waits) < 3 else ["The helpdesk does not answer: No answer."])
    assert waits == [2, 5, 10, 30, 30]
    world.helpdesk.trouble = None
    world.looks("42")
    assert world.troubles() == []
    assert hinted(world) == []


def test_a_deleted_ticket_ends_its_escalation(world: World) -> None:
    world.escalating()
    del world.helpdesk.tickets["42"]
    world.looks("42")
    assert world.escalation().state is State.RESOLVED


def test_lost_permission_ends_nothing_and_the_operator_is_told(world: World) -> None:
    world.escalating()
    world.helpdesk.refused["42"] = PermissionLost("Not allowed.")
    world.looks("42")
    assert world.escalation().state is State.RUNNING
    assert world.troubles() == ["A ticket can't be read: Not allowed."]
    assert hinted(world) == ["42"]


def test_a_refused_ticket_with_a_delete_event_is_gone(world: World) -> None:
    world.escalating()
    world.helpdesk.refused["42"] = HelpdeskRefused("No such ticket, or not allowed.")
    world.store.hints.add(["42"], deleted=True)
    world.observer.look("42")
    assert world.escalation().state is State.RESOLVED
    assert world.troubles() == []


def test_a_ticket_that_is_never_ours_to_read_is_forgotten_after_a_day(world: World) -> None:
    world.helpdesk.ticket("42")
    world.helpdesk.refused["42"] = PermissionLost("Not allowed.")
    world.store.hints.add(["42"])
    hours = 0.0
    while hinted(world):
        world.observer.look("42")
        due = world.redis.zscore(HINTS, "42")
        if due is not None:
            passed = due - world.clock.now().timestamp()  # type: ignore[operator]
            hours += passed / 3600
            world.clock.passes(seconds=passed)
    assert 18 < hours < 30
    assert world.redis.keys(f"{PREFIX}refused:*") == []


def test_a_ticket_that_breaks_us_is_tried_ever_less_often_and_told_the_fifth_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise KeyError("the owner's number")

    monkeypatch.setattr(world.helpdesk, "read", breaks)
    world.store.hints.add(["42"])
    waits = []
    for _ in range(6):
        world.observer.look("42")
        waits.append(round(world.redis.zscore(HINTS, "42") - world.clock.now().timestamp()))  # type: ignore[operator]
        assert len(world.troubles()) == (1 if len(waits) >= 5 else 0)
    assert waits == [1, 5, 15, 30, 300, 300]
    assert "number" not in world.troubles()[0]


def test_a_merge_follows_the_ticket_to_where_it_went_in_the_end(world: World) -> None:
    world.escalating("42")
    world.helpdesk.ticket("43", "1 low")
    world.helpdesk.ticket("44", "1 low")
    world.helpdesk.merges("42", "43")
    world.helpdesk.merges("43", "44")
    world.looks("42")
    assert world.escalation("44").code == "E-1A"
    world.looks("43")
    assert world.escalation("44").state is State.RUNNING


def test_merged_into_a_ticket_that_cannot_be_read_it_goes_on_where_it_is(world: World) -> None:
    world.escalating("42")
    world.helpdesk.ticket("43")
    world.helpdesk.refused["43"] = PermissionLost("Not allowed.")
    world.helpdesk.merges("42", "43")
    world.looks("42")
    assert world.escalation("42").state is State.RUNNING
    assert world.troubles() == ["A ticket can't be read: Not allowed."]
    world.helpdesk.refused.clear()
    world.looks("42")
    assert (world.escalation("43").code, world.escalation("42").state) == ("E-1B", State.RESOLVED)


def test_merged_into_a_ticket_that_is_gone_it_ends(world: World) -> None:
    world.escalating("42")
    world.helpdesk.merges("42", "43")
    world.looks("42")
    assert world.escalation("42").state is State.RESOLVED


def test_a_merge_waits_for_a_helpdesk_that_is_away(world: World) -> None:
    world.escalating("42")
    world.helpdesk.ticket("43", "1 low")
    world.helpdesk.merges("42", "43")
    world.helpdesk.refused["43"] = HelpdeskAway("No answer.")
    world.looks("42")
    assert world.escalation("42").state is State.RUNNING
    assert hinted(world) == ["42"]
    world.helpdesk.refused.clear()
    world.looks("42")
    assert world.escalation("43").code == "E-1A"
