"""What the watchdog makes of what it has seen, one fact at a time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connector import queues
from connector.clockwork.redis_health import redis_troubles, refusal
from connector.clockwork.rq_health import QueueSeen, WorkerSeen
from connector.clockwork.walk import Walked
from connector.clockwork.watchdog import OURS, Seen, Steadiness, judge
from connector.core.overdue import Late, What

NOW = datetime(2026, 1, 31, 20, 15, tzinfo=UTC)
WORKER = WorkerSeen("one", queues.WORK, busy=False, silent=3.0, here=True)
WELL = Seen(NOW, queues=(QueueSeen(queues.WORK, 0.0, (WORKER,)),), redis={"aof_enabled": 1}, swept_at=NOW)


def test_all_is_well() -> None:
    assert judge(WELL) == {}


@pytest.mark.parametrize(
    ("seen", "topic", "sentence"),
    [
        (replace(WELL, timers_age=11.0), "timers", "The timers process has not been seen for 11 s: no step fires."),
        (replace(WELL, timers_age=None), "timers", "The timers process has not been seen ever: no step fires."),
        (
            replace(WELL, queues=(QueueSeen(queues.WORK, 0.0, (replace(WORKER, silent=26.0),)),)),
            "workers",
            "1 work worker stuck, silent for 26 s.",
        ),
        (
            replace(WELL, queues=(QueueSeen(queues.WORK, 0.0, (replace(WORKER, stopped=True),)),)),
            "workers",
            "1 work worker stuck, silent for 3 s.",
        ),
        (replace(WELL, queues=(QueueSeen(queues.DESK, 0.0, ()),)), "workers", "No desk worker is running."),
        (
            replace(WELL, queues=(QueueSeen(queues.WORK, 16.0, (WORKER,)),)),
            "workers",
            "The work workers are behind: a job has waited for 16 s.",
        ),
        (
            replace(
                WELL,
                walked=Walked(counts={What.STEP: 2}, oldest={What.STEP: Late(What.STEP, "E-1A", NOW)}),
            ),
            "overdue-steps",
            "2 steps are late: due; the oldest (of E-1A) since 20:15:00 UTC.",
        ),
        (replace(WELL, walked=Walked(spoiled=1)), "spoiled", "What is stored about 1 ticket can't be understood."),
        (
            replace(WELL, swept_at=NOW - timedelta(seconds=116)),
            "sweep-late",
            "The helpdesk was last asked for missed tickets at 20:13:04 UTC.",
        ),
        (
            replace(WELL, jumped=-3600.0),
            "clock-jump",
            "This machine's clock has jumped back by 3600 s: is NTP running?",
        ),
        (replace(WELL, heartbeat="It does not answer."), "heartbeat", "It does not answer."),
    ],
)
def test_one_thing_is_wrong(seen: Seen, topic: str, sentence: str) -> None:
    assert judge(seen) == {topic: sentence}
    assert topic in OURS


def test_before_the_first_up_nothing_but_redis_and_clock_can_be_wrong() -> None:
    assert judge(replace(WELL, begun=False, timers_age=None, queues=())) == {}


def test_a_busy_worker_may_be_silent_for_as_long_as_its_drain_takes() -> None:
    busy = WorkerSeen("two", queues.DELIVER, busy=True, silent=60.0, here=True)
    assert (busy.stuck, replace(busy, silent=101.0).stuck) == (False, True)


def test_a_silent_worker_of_another_host_is_for_the_watchdog_there() -> None:
    other = WorkerSeen("three", queues.WORK, busy=False, silent=60.0, here=False)
    assert (other.stuck, other.speaks) == (False, False)


@pytest.mark.parametrize(
    ("info", "saves", "topic"),
    [
        ({"aof_enabled": 1, "aof_last_write_status": "err"}, True, "redis-disk"),
        ({"aof_enabled": 0, "rdb_last_bgsave_status": "err"}, True, "redis-disk"),
        ({"aof_enabled": 0}, False, "redis-disk"),
        ({"aof_enabled": 1, "maxmemory": 100, "used_memory": 95}, True, "redis-full"),
    ],
)
def test_redis_says_what_it_can_not(info: dict[str, object], saves: bool, topic: str) -> None:
    assert list(redis_troubles(info, saves)) == [topic]


def test_a_redis_whose_replicas_keep_what_it_holds_needs_no_disk() -> None:
    assert redis_troubles({"aof_enabled": 0, "connected_slaves": 1}, saves=False) == {}


def test_a_refusal_is_told_without_the_words_of_the_command() -> None:
    assert refusal(Exception("MISCONF Redis is configured to save ...")) == "it can't write to its disk"
    assert refusal(Exception("WRONGTYPE secret")) == "it refuses them"


def test_a_clock_that_jumps_is_wrong_until_it_was_steady_for_a_minute() -> None:
    clock = Steadiness()
    assert [clock.look(1000.0 + at, at) for at in (0.0, 5.0)] == [0.0, 0.0]
    assert clock.look(4610.0, 10.0) == 3600.0
    assert clock.look(4615.0, 15.0) == 3600.0
    assert clock.look(4671.0, 71.0) == 0.0


def test_a_clock_that_is_slewed_does_not_jump() -> None:
    clock = Steadiness()
    assert {clock.look(1000.0 + at * 1.05, float(at)) for at in range(0, 500, 5)} == {0.0}
