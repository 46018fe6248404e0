"""Whatever breaks, the operator and /readyz tell of it within a minute, and /readyz forgets it when it is over.

Real processes: Escalator's own under a real `up`, its Redis, and stand-ins for helpdesk, mail server and Twilio.
"""

import json
import resource
import time

import pytest

from connector import queues
from connector.core.code import code_of
from connector.engine.keys import case_key

from ..stories.world import eventually
from .world import Watched, stopped

pytestmark = pytest.mark.timeout(180)


def test_timers_that_are_stopped(world: Watched) -> None:
    with stopped(world.process("connector.ticking")), world.fault("The timers process has not been seen", "timers"):
        pass
    world.well()


@pytest.mark.parametrize("queue", queues.QUEUES)
def test_a_worker_that_is_stopped(world: Watched, queue: str) -> None:
    name = queue.removeprefix("escalator-")
    with stopped(world.worker(queue)), world.fault(f"1 {name} worker stuck", "workers"):
        pass
    world.well()


def test_a_queue_that_is_stuck_though_its_worker_says_a_word(world: Watched) -> None:
    """A job that hangs: here a due step whose wake stands behind it is late."""
    ticket = world.ticket("soon")
    world.known(ticket)
    with stopped(world.worker(queues.WORK)), world.fault("late", "overdue-steps"):
        pass
    eventually(lambda: world.texts(ticket), 30, "the step")
    world.well()


def test_redis_that_is_full(world: Watched) -> None:
    world.redis.config_set("maxmemory", "100kb")
    try:
        with world.fault("Redis refuses writes: its memory is full", "redis-full"):
            pass
    finally:
        world.redis.config_set("maxmemory", "0")
    world.well()


def test_redis_that_does_not_persist(world: Watched) -> None:
    world.redis.config_set("appendonly", "no")
    try:
        with world.fault("Redis keeps nothing on disk", "redis-disk"):
            pass
    finally:
        world.redis.config_set("appendonly", "yes")
    world.well()


def test_redis_that_can_not_write_to_its_disk(world: Watched) -> None:
    """With `appendfsync everysec` it lives on and refuses writes; with `always` it ends (see test_disk_full)."""
    process = world.redis_process()
    world.redis.config_set("appendfsync", "everysec")
    before = process.rlimit(resource.RLIMIT_FSIZE)
    process.rlimit(resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        with world.fault("Redis refuses writes: it can't write to its disk", "redis-disk"):
            pass
    finally:
        process.rlimit(resource.RLIMIT_FSIZE, before)
    world.well()
    world.redis.config_set("appendfsync", "always")


def test_a_helpdesk_that_refuses_notes(world: Watched) -> None:
    world.desk.faults.refuse(422, "/api/v1/ticket_articles", reads=False)
    with world.fault("The helpdesk refused a note", "notes-refused"):
        ticket = world.ticket("texted")
    world.desk.faults.heal()
    world.desk.take(ticket, by=world.desk.alice)  # the next note is taken
    world.well()


def test_a_token_that_lost_its_permission(world: Watched) -> None:
    ticket = world.ticket("soon")
    world.known(ticket)
    world.desk.permit("Network", ("read",))
    with world.fault("Notes wait", "notes"):
        pass
    world.desk.permit("Network")
    world.desk.take(ticket, by=world.desk.alice)  # else it is tried again after five minutes
    world.note(ticket, "step 1 of", 60)
    world.well()


def test_a_provider_that_refuses_the_credentials(world: Watched) -> None:
    world.providers.twilio.answer_with(20003, times=1000)
    with world.fault("Channel sms", "channel-sms"):
        world.ticket("texted")
    world.providers.twilio.works_again()
    world.ticket("texted")
    world.well()


def test_a_sweep_that_fails(world: Watched) -> None:
    world.desk.faults.refuse(500, "/api/v1/tickets/search")
    with world.fault("can't be asked for missed tickets", "sweep"):
        pass
    world.desk.faults.heal()
    world.well()


def test_a_clock_that_jumps(world: Watched) -> None:
    """A watchdog of its own whose clock is an hour ahead from a moment on; all others keep theirs."""
    with world.watchdog_with_a_clock() as jump:
        with world.fault("clock has jumped forward by 36", "clock-jump"):
            jump(3600)
        world.well(120)


def test_a_step_that_is_parked(world: Watched) -> None:
    """Something in the record breaks every try at the first step; the second one comes at its own time."""
    ticket = world.ticket("soon")
    eventually(lambda: world.redis.exists(case_key(ticket)), 30, "the ticket is known")
    spoil(world, ticket, [{"key": "", "login": "", "channel": "", "at": "2026-01-01T00:00:00", "plan": ""}])
    eventually(lambda: "parked" in history(world, ticket), 90, "the step is parked")
    with world.fault(f"Escalator failed on a step of {code_of(ticket)} five times", "parked"):
        pass
    world.note(ticket, "step 1 of 2 is left out")
    spoil(world, ticket, [])
    assert not world.texts(ticket)
    eventually(lambda: world.texts(ticket), 90, "the second step")
    world.well()


def history(world: Watched, ticket: str) -> str:
    return " ".join(entry["text"] for entry in world.shown(ticket)["history"])


def spoil(world: Watched, ticket: str, told: list[dict[str, str]]) -> None:
    """Writes into the record who has been told: a moment without a zone can't be compared with ours."""
    redis = world.redis

    def change(pipe: object) -> None:
        record = json.loads(redis.get(case_key(ticket)))
        record["escalation"]["told"] = told
        pipe.multi()  # type: ignore[attr-defined]
        pipe.set(case_key(ticket), json.dumps(record))  # type: ignore[attr-defined]

    redis.transaction(change, case_key(ticket))


def test_all_is_well_again_is_said_once(world: Watched) -> None:
    with stopped(world.process("connector.ticking")), world.fault("The timers process has not been seen", "timers"):
        known = len(world.mails_to_operator())
    eventually(lambda: "All is well again" in " ".join(world.mails_to_operator()[known:]), 90, "the line")
    time.sleep(3)
    assert sum("All is well again" in mail for mail in world.mails_to_operator()[known:]) == 1
