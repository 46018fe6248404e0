"""Escalations by the ten thousand, written by the store's own writer, many to a transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import redis

from connector import queues
from connector.core import observing
from connector.core.case import Case
from connector.core.escalation import State
from connector.core.events import Tick
from connector.core.ticket import Facts, Person, Phase, Reading, Ticket
from connector.core.transition import transition
from connector.engine.keys import DUE, LIVE, case_key, wake_job
from connector.engine.store import Writes
from connector.services import Services

FIRST_ID = 10_000_000
AT_ONCE = 200


def reading(number: int, plan: str, at: datetime, owned: bool = False) -> Reading:
    """A new ticket. `owned`: by an agent whom no other ticket has, and whose mobile only the helpdesk knows."""
    id = str(FIRST_ID + number)
    owner = Person(id, f"agent{id}", f"Agent {number}", mobile=f"+49151{id}") if owned else None
    facts = Facts("3 high", "Network", f"Server outage {number} ({plan})", "Example Ltd")
    ticket = Ticket(
        id, f"9{id}", f"https://desk.example.com/#ticket/zoom/{id}", facts, "new", Phase.OPEN, at, at, owner=owner
    )
    return Reading(ticket, (), at)


def write(services: Services, readings: Sequence[Reading], fired: bool, told: Callable[[int], None]) -> None:
    """Takes in new tickets as `Engine.observe` does, each on its plan. `fired`: with a notification to send."""
    engine, store = services.engine, services.store
    since = datetime.fromtimestamp(0, UTC)
    for start in range(0, len(readings), AT_ONCE):
        with store.redis.pipeline() as pipe:
            pipe.multi()
            for each in readings[start : start + AT_ONCE]:
                observed = observing.observe(None, each, engine.policy, since, each.read_at)
                writes = engine.writes(None, observed.case, observed.commands)
                store._write(pipe, _fired(services, writes) if fired else writes)
            pipe.execute()
        told(min(start + AT_ONCE, len(readings)))


def _fired(services: Services, writes: Writes) -> Writes:
    """The same, with the window over and the first step fired a moment ago."""
    case = writes.new
    assert case.escalation is not None
    now = datetime.now(UTC)
    over = replace(case.escalation, state=State.RUNNING, due_at=now)
    after, _ = transition(over, Tick(services.engine.people, now), now)
    return replace(writes, new=replace(case, escalation=after, read_at=now))


def same_as_usual(services: Services, at: datetime) -> bool:
    """Whether `write` leaves in Redis what the usual way leaves, for one ticket; it is taken away again."""
    one = reading(-1, "later", at)
    ticket_id = one.ticket.id
    write(services, [one], False, lambda _: None)
    bulk = traces(services.redis, ticket_id, services)
    forget(services.redis, ticket_id)
    services.engine.observe(one, datetime.fromtimestamp(0, UTC))
    usual = traces(services.redis, ticket_id, services)
    forget(services.redis, ticket_id)
    return bulk == usual and bool(bulk["due"])


def traces(connection: Any, ticket_id: str, services: Services) -> Mapping[str, Any]:
    job = connection.hgetall(queues.job_key(wake_job(ticket_id)))
    case: Case | None = services.store.case(ticket_id)
    return {
        "case": case,
        "due": connection.zscore(DUE, ticket_id),
        "armed": connection.zscore(queues.scheduled_key(queues.WORK), wake_job(ticket_id)),
        "live": connection.hget(LIVE, ticket_id),
        "job": {name: value for name, value in job.items() if name != b"created_at"},
        "history": len(services.store.history(case.escalation.code)) if case and case.escalation else 0,
    }


def forget(connection: redis.Redis, ticket_id: str) -> None:
    from connector.core.code import code_of

    with connection.pipeline() as pipe:
        pipe.delete(case_key(ticket_id), f"escalator:history:{code_of(ticket_id)}")
        pipe.zrem(DUE, ticket_id)
        pipe.hdel(LIVE, ticket_id)
        queues.disarm(pipe, queues.WORK, wake_job(ticket_id))
        pipe.execute()
