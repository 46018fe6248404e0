"""Tickets on which Escalator itself fails again and again: tried ever less often, and from the fifth time on told.

Nothing else waits for them. What is due for such a ticket is tried every five minutes from then on, since an update or
a new reading may mend it.
"""

import logging

from ..faults import describe
from .keys import PREFIX
from .operator import Operator
from .store import Store

log = logging.getLogger(__name__)

AGAIN = (1.0, 5.0, 15.0, 30.0)  # seconds until the next try
PARKED = 300.0  # seconds
REMEMBERED = 3600  # seconds; what has worked for so long is fine


def failed(store: Store, operator: Operator, ticket_id: str, error: BaseException) -> float:
    """Counts one more failure; the seconds until the next try."""
    key = f"{PREFIX}failed:{ticket_id}"
    tries = int(store.redis.incr(key))
    store.redis.expire(key, REMEMBERED)
    store.count("failures")
    log.error("ticket %s failed, try %d: %s", ticket_id, tries, describe(error))
    if tries <= len(AGAIN):
        return AGAIN[tries - 1]
    operator.tell("failing", f"Escalator fails on the ticket with id {ticket_id} again and again; see the log.")
    return PARKED
