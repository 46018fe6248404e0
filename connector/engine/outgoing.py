"""What is still to be sent: the index `out`, kept in step with the notifications of each case."""

import contextlib
import logging
import time
from datetime import datetime
from typing import Any

from redis import WatchError
from redis.client import Pipeline

from .. import queues
from ..core.case import Case
from ..core.escalation import Stage
from .keys import OUT, case_key
from .records import to_case

log = logging.getLogger(__name__)


def write(pipe: Pipeline, ticket_id: str, old_case: Case | None, new_case: Case) -> None:
    now = time.time()
    old, new = _open(old_case), _open(new_case)
    if old == new:
        return
    for id in old.keys() - new.keys():
        pipe.zrem(OUT, f"{ticket_id} {id}")
    soon = False
    for id, (at, stage) in new.items():
        if old.get(id) == (at, stage):
            continue
        pipe.zadd(OUT, {f"{ticket_id} {id}": at})
        if stage is Stage.PLANNED and at <= now:
            soon = True
        elif stage is Stage.PLANNED:
            queues.arm(pipe, queues.DELIVER, "deliver", [], f"deliver-{id}", at)
    if soon:
        queues.nudge(pipe, queues.DELIVER, "deliver")


def due(redis: Any, now: datetime, limit: int) -> list[tuple[str, str]]:
    """(ticket, notification) of what may be sent now, most overdue first. What can't be one is forgotten."""
    due: list[tuple[str, str]] = []
    for raw in redis.zrangebyscore(OUT, "-inf", now.timestamp(), start=0, num=limit):
        ticket, _, id = raw.decode(errors="ignore").partition(" ")
        if f"{ticket} {id}".encode() == raw:
            due.append((ticket, id))
        else:
            log.error("what is stored as a notification to be sent is none")
            redis.zrem(OUT, raw)
    return due


def put_right(redis: Any, ticket_id: str, id: str, now: datetime) -> None:
    """Has `out` say what the case says of a notification that could not be claimed: when to try again, or never.

    When the case changes at this moment, whoever changes it does that.
    """
    with redis.pipeline() as pipe:
        pipe.watch(case_key(ticket_id))
        found = _open(to_case(pipe.get(case_key(ticket_id)))).get(id)
        pipe.multi()
        if found is None:
            pipe.zrem(OUT, f"{ticket_id} {id}")
        else:  # overdue, and yet nobody may have it: a tick is about to end it
            pipe.zadd(OUT, {f"{ticket_id} {id}": max(found[0], now.timestamp() + 0.5)})
        with contextlib.suppress(WatchError):
            pipe.execute()


def _open(case: Case | None) -> dict[str, tuple[float, Stage]]:
    """What is still to be sent, or being sent: notification -> (not before, stage)."""
    if case is None or case.escalation is None:
        return {}
    return {
        n.id: (n.at.timestamp(), n.stage)
        for n in case.escalation.notifications
        if n.stage in (Stage.PLANNED, Stage.CLAIMED)
    }
