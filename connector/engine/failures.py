"""Tickets on which Escalator itself fails again and again: nothing else waits for them.

Tries are counted in Redis, for each step anew: the next one comes ever later, the fifth failure parks the step (see
`core.leaving_out`), and the plan goes on to the next one at its own time. Where not even that works (a record that
can't be understood), it is tried every five minutes, since an update or a new reading may mend it.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import redis

from ..core.case import Case
from ..core.escalation import Escalation
from ..core.events import WriteNote
from ..core.leaving_out import leave_out
from ..core.wording import Reader
from ..faults import describe
from .keys import PREFIX
from .operator import Operator
from .records import NotOurs
from .store import Emptied, Store, Writes

if TYPE_CHECKING:
    from .engine import Engine

log = logging.getLogger(__name__)

AGAIN = (1.0, 5.0, 15.0, 30.0)  # seconds until the next try
LATER = 300.0  # seconds
REMEMBERED = 3600  # seconds; what has worked for so long is fine
FAILING, PARKED = "failing", "parked"  # topics of the operator's troubles


def count(store: Store, ticket_id: str, what: str, error: BaseException) -> int:
    """Counts one more failure of `what` on this ticket; how many it has been."""
    key = f"{PREFIX}failed:{ticket_id}"
    with store.redis.pipeline() as pipe:
        pipe.hincrby(key, what, 1)
        pipe.expire(key, REMEMBERED)
        tries = int(pipe.execute()[0])
    store.count("failures")
    log.error("ticket %s failed, try %d: %s", ticket_id, tries, describe(error))
    return tries


def failed(store: Store, operator: Operator, ticket_id: str, error: BaseException, what: str = "reading") -> float:
    """The same, told to the operator from the fifth time on; the seconds until the next try."""
    return _again(operator, ticket_id, count(store, ticket_id, what, error))


def _again(operator: Operator, ticket_id: str, tries: int) -> float:
    if tries <= len(AGAIN):
        return AGAIN[tries - 1]
    sentence = f"Escalator fails on the ticket with id {ticket_id} again and again; see the log."
    operator.tell(FAILING, sentence, about=ticket_id)
    return LATER


def wake_failed(engine: "Engine", ticket_id: str, error: Exception) -> None:
    """A wake of this ticket failed: it is tried again, or what failed is parked."""
    escalation = _escalation(engine.store, ticket_id)
    what = stands(escalation) if escalation is not None else "wake"
    tries = count(engine.store, ticket_id, what, error)
    if tries > len(AGAIN):
        parked = _park(engine, ticket_id)
        if parked:
            words = f"Escalator failed on a step of {parked.partition(':')[0]} five times and left it out; see the log."
            engine.operator.tell(PARKED, words, about=f"{ticket_id} {parked}")
            return
    wait = _again(engine.operator, ticket_id, tries)
    engine.store.wake_later(ticket_id, engine.clock.now() + timedelta(seconds=wait))


def _escalation(store: Store, ticket_id: str) -> Escalation | None:
    try:
        case = store.case(ticket_id)
    except NotOurs:
        return None
    return case.escalation if case is not None else None


def _park(engine: "Engine", ticket_id: str) -> str:
    """Leaves out what fails; where the escalation stands now, or "" when there is nothing to leave out."""
    now, parked = engine.clock.now(), ""

    def decide(cases: Mapping[str, Case | None]) -> Sequence[Writes]:
        nonlocal parked
        case, parked = cases[ticket_id], ""
        if case is None or case.escalation is None:
            return ()
        left, commands = leave_out(case.escalation, now)
        if not commands:
            return ()
        parked = stands(left)
        return [engine.writes(case, replace(case, escalation=left), commands)]

    try:
        engine.store.commit([ticket_id], decide)
    except (redis.RedisError, Emptied):
        raise
    except Exception as error:
        log.error("ticket %s: its step could not be parked: %s", ticket_id, describe(error))
        return ""
    return parked


def stands(escalation: Escalation) -> str:
    """Where an escalation is, in a word."""
    return f"{escalation.code}:{escalation.state.value}:{escalation.round}:{escalation.step}"


def plain_note(command: WriteNote, reader: Reader) -> tuple[str, ...]:
    """The note on a parked step: no names, no times, nothing that could fail."""
    headline, *more = command.remarks
    first = reader.says("Escalation {code}: {headline}", code=command.escalation.code, headline=headline)
    return (first, *(reader.says(remark) for remark in more))
