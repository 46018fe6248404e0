"""The sweep finds what no webhook told, reads nothing that it knows, and wakes what was forgotten."""

import threading
import time
from datetime import timedelta
from itertools import pairwise

import pytest

from connector import queues
from connector.clockwork import sweep
from connector.core.escalation import State
from connector.engine.keys import DUE, HINTS, wake_job
from connector.errors import HelpdeskAway
from connector.ports import Row

from .conftest import World


def queued(world: World, queue: str) -> list[str]:
    return [raw.decode() for raw in world.redis.lrange(queues.queue_key(queue), 0, -1)]  # type: ignore[union-attr]


def test_a_ticket_whose_webhook_never_came_is_found_and_read(world: World) -> None:
    world.helpdesk.ticket("42")
    assert world.sweep.look_at_helpdesk() == ["42"]
    world.desk.drain()
    assert world.escalation().state is State.WAITING


def test_a_change_whose_webhook_never_came_is_found(world: World) -> None:
    world.escalating()
    world.sweep.look_at_helpdesk()
    world.clock.passes(minutes=1)
    world.helpdesk.takes("42")
    assert world.sweep.look_at_helpdesk() == ["42"]


def test_a_saved_sla_that_moves_updated_at_of_all_has_nothing_read(world: World) -> None:
    ids = [world.helpdesk.ticket(str(id), "1 low") for id in range(100, 500)]
    world.escalating()
    world.sweep.look_at_helpdesk()
    world.desk.drain()
    world.helpdesk.calls.clear()
    world.clock.passes(minutes=5)
    for id in [*ids, "42"]:
        world.helpdesk.touches(id)
    world.helpdesk.takes("42")
    assert world.sweep.look_at_helpdesk() == ["42"]
    world.desk.drain()
    assert (world.helpdesk.calls["find_changed"], world.helpdesk.calls["read"]) == (1, 1)


def test_a_sweep_that_takes_long_goes_on_in_another_job_from_where_it_was(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "SWEEP_FOR", 0.0)
    ids = [world.helpdesk.ticket(str(1000 + number), age=timedelta(seconds=600 - number)) for number in range(500)]
    assert world.sweep.look_in_turn() == ids[:200]
    assert [job.split("-")[0] for job in queued(world, queues.DESK)] == ["desk", "sweep"]
    assert world.sweep.look_in_turn() == ids[199:399], "from the last one on, which may have company in its moment"
    assert world.sweep.look_in_turn() == ids[398:]
    world.desk.drain()
    assert world.sweep.look_in_turn() == []


def test_in_a_storm_it_goes_back_two_minutes_once_a_minute_and_else_some_seconds(world: World) -> None:
    world.helpdesk.skew = timedelta(0)
    for _ in range(6):
        world.sweep.look_in_turn()
        world.clock.passes(seconds=10)
    asked = world.helpdesk.asked_since
    went_back = [round((now - then).total_seconds()) for then, now in pairwise(asked[1:])]
    assert went_back == [10, 10, 10, pytest.approx(10 - 105, abs=1)]


def test_only_one_worker_sweeps_at_a_time(world: World) -> None:
    world.helpdesk.ticket("42")
    with world.store.locks.hold("escalator:swept:by"):
        assert world.sweep.look_in_turn() == []
    assert world.sweep.look_in_turn() == ["42"]


def test_while_a_sweep_takes_its_time_fresh_looks_go_on(world: World) -> None:
    world.escalating()
    began, ends = threading.Event(), threading.Event()

    def sweeps() -> None:
        began.set()
        assert ends.wait(30)

    draining = threading.Thread(target=world.desk.drain, kwargs={"beside": sweeps})
    draining.start()
    assert began.wait(10)
    world.helpdesk.calls.clear()
    world.helpdesk.entered.clear()
    world.redis.zadd(HINTS, {"42": 0})
    assert world.helpdesk.entered.wait(10)
    ends.set()
    draining.join()
    assert world.helpdesk.calls["read"] == 1


def test_what_is_known_and_what_is_closed_and_unknown_is_not_read(world: World) -> None:
    world.escalating()
    world.helpdesk.more = [Row(str(id), world.clock.now(), closed=True) for id in range(1000, 21000)]
    began = time.monotonic()
    assert world.sweep.look_at_helpdesk() == []
    assert time.monotonic() - began < 10
    assert world.redis.zcard(HINTS) == 0


def test_a_ticket_that_was_merged_away_is_not_read_again(world: World) -> None:
    world.escalating("42")
    world.helpdesk.ticket("43", "1 low")
    world.helpdesk.merges("42", "43")
    world.looks("42")
    world.helpdesk.closes("42")
    assert "42" not in world.sweep.look_at_helpdesk()


def test_a_ticket_read_in_the_second_of_its_change_is_read_again_where_times_are_whole_seconds(world: World) -> None:
    world.helpdesk.unmarked.add("42")
    world.escalating()
    read_at = world.case().read_at
    whole = read_at.replace(microsecond=0)
    world.helpdesk.tickets["42"] = world.helpdesk.tickets["42"].__class__(
        **{
            name: whole if name == "updated_at" else getattr(world.helpdesk.tickets["42"], name)
            for name in world.helpdesk.tickets["42"].__slots__
        }
    )
    world.looks("42")
    assert world.sweep.look_at_helpdesk() == ["42"]
    world.clock.passes(seconds=3)
    world.looks("42")
    assert world.sweep.look_at_helpdesk() == []


def test_the_first_sweep_asks_from_when_escalator_was_switched_on(world: World) -> None:
    world.sweep.look_at_helpdesk()
    asked = world.helpdesk.asked_since[0]
    assert world.since - timedelta(minutes=3) < asked <= world.since


def test_a_helpdesk_whose_clock_is_behind_hides_nothing(world: World) -> None:
    behind = timedelta(minutes=10)
    world.helpdesk.more = [Row("42", world.clock.now() - behind, closed=False)]
    assert world.sweep.look_at_helpdesk() == ["42"]
    world.clock.passes(minutes=1)
    world.helpdesk.more.append(Row("43", world.clock.now() - behind, closed=False))
    assert "43" in world.sweep.look_at_helpdesk()


def test_a_helpdesk_whose_clock_was_set_back_hides_nothing(world: World) -> None:
    world.helpdesk.skew = timedelta(minutes=10)
    world.sweep.look_at_helpdesk()
    world.helpdesk.skew = timedelta(0)
    world.clock.passes(minutes=1)
    world.helpdesk.more.append(Row("43", world.clock.now() - timedelta(seconds=1), closed=False))
    assert world.sweep.look_at_helpdesk() == ["43"]


def test_where_the_clock_is_known_a_quiet_helpdesk_is_not_asked_for_the_last_storm_again(world: World) -> None:
    world.helpdesk.skew = timedelta(0)
    world.sweep.look_at_helpdesk()
    world.clock.passes(minutes=30)
    world.sweep.look_at_helpdesk()
    world.sweep.look_at_helpdesk()
    assert world.clock.now() - world.helpdesk.asked_since[-1] < timedelta(minutes=3)


def test_a_helpdesk_whose_clock_is_ahead_hides_nothing(world: World) -> None:
    ahead = timedelta(minutes=10)
    world.helpdesk.more = [Row("42", world.clock.now() + ahead, closed=False)]
    world.sweep.look_at_helpdesk()
    world.clock.passes(minutes=1)
    world.helpdesk.more.append(Row("43", world.clock.now() + timedelta(seconds=1), closed=False))
    assert "43" in world.sweep.look_at_helpdesk()


def test_a_sweep_that_failed_asks_from_the_same_moment_again(world: World) -> None:
    world.sweep.look_at_helpdesk()
    world.helpdesk.trouble = HelpdeskAway("No answer.")
    world.clock.passes(minutes=30)
    with pytest.raises(HelpdeskAway):
        world.sweep.look_at_helpdesk()
    assert world.troubles() == ["The helpdesk can't be asked for missed tickets: No answer."]
    world.helpdesk.trouble = None
    world.sweep.look_at_helpdesk()
    assert world.helpdesk.asked_since[-1] == world.helpdesk.asked_since[0]
    assert world.troubles() == []


def test_what_was_told_late_is_looked_for_every_few_seconds_until_it_is_on_time_again(world: World) -> None:
    world.helpdesk.ticket("42", age=timedelta(seconds=30))
    world.sweep.look_at_helpdesk()
    world.sweep.ask_again_while_late()
    assert [job.split("-")[0] for job in queued(world, queues.DESK)] == ["desk", "sweep"]
    world.desk.drain()
    world.sweep.look_at_helpdesk()
    world.sweep.ask_again_while_late()
    assert len(queued(world, queues.DESK)) == 2


def test_on_an_emptied_redis_hints_wait_and_no_sweep_counts(world: World) -> None:
    world.helpdesk.ticket("42")
    world.redis.flushall()
    world.sweep.look_at_helpdesk()
    world.desk.drain()
    assert world.helpdesk.calls["read"] == 0
    assert world.redis.zrange(HINTS, 0, -1) == [b"42"]
    assert world.redis.exists("escalator:swept") == 0


def test_an_overdue_wake_whose_job_was_lost_is_queued_again(world: World) -> None:
    world.escalating()
    world.redis.delete(queues.scheduled_key(queues.WORK))
    world.redis.zadd(DUE, {"42": time.time() - 5})
    assert world.sweep.overdue() == 1
    assert queued(world, queues.WORK) == [wake_job("42")]


def test_what_waits_in_a_queue_that_is_behind_is_not_queued_twice(world: World) -> None:
    world.redis.zadd(DUE, {"42": time.time() - 5, "43": time.time() - 5})
    assert [world.sweep.overdue() for _ in range(3)] == [2, 0, 0]
    assert queued(world, queues.WORK) == [wake_job("42"), wake_job("43")]


def test_a_wake_that_a_worker_took_and_lost_is_queued_again(world: World) -> None:
    world.redis.zadd(DUE, {"42": time.time() - 5, "43": time.time() - 5})
    world.sweep.overdue()
    world.redis.lpop(queues.queue_key(queues.WORK))
    assert world.sweep.overdue() == 1
    assert queued(world, queues.WORK) == [wake_job("43"), wake_job("42")]


def test_the_operator_is_told_from_where_no_notification_waits(world: World) -> None:
    world.operator.tell("sweep", "The helpdesk can't be asked.")
    world.sweep.overdue()
    assert [job.split("-")[0] for job in queued(world, queues.DESK)] == ["operator"]
    assert queued(world, queues.DELIVER) == []
