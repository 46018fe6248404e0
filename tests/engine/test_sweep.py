"""The sweep finds what no webhook told, reads nothing that it knows, and wakes what was forgotten."""

import time
from datetime import timedelta

import pytest

from connector import queues
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
