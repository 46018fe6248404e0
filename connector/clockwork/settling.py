"""When a trouble that concerns single tickets is over: shown by the ticket itself, whoever told of it."""

from collections.abc import Callable
from typing import Any

from ..core.case import Case
from ..engine.failures import FAILING, PARKED, stands
from ..engine.keys import HINTS, LIVE, PREFIX
from ..engine.operator import Operator, about_key
from ..engine.records import NotOurs
from ..engine.store import Store
from .walk import Walked, desk_key

CHANNEL = "channel-"  # how the topics of refused credentials begin
AT_ONCE = 1000  # tickets looked at for one topic


def settle_tickets(store: Store, operator: Operator, walked: Walked) -> None:
    """Settles what is over. May raise redis.RedisError."""
    redis: Any = store.redis

    def written(ticket: str) -> bool:
        return not redis.exists(desk_key(ticket), f"{PREFIX}show:{ticket}")

    def ended(ticket: str) -> bool:
        return written(ticket) and not redis.hexists(LIVE, ticket)

    def read(ticket: str) -> bool:
        return redis.zscore(HINTS, ticket) is None

    def works(ticket: str) -> bool:
        return read(ticket) and ticket not in walked.tickets and _case(store, ticket) is not None

    def goes_on(about: str) -> bool:
        """Another step has fired since one was parked, or a person has the ticket."""
        ticket, _, parked = about.partition(" ")
        case = _case(store, ticket)
        escalation = case.escalation if case is not None else None
        return escalation is None or not escalation.state.climbing or stands(escalation) != parked

    over: dict[str, Callable[[str], bool]] = {
        "notes": written,
        "notes-refused": ended,
        "live-state": ended,
        "unreadable": read,
        FAILING: works,
        PARKED: goes_on,
    }
    for topic, is_over in over.items():
        for _, raw in zip(range(AT_ONCE), redis.sscan_iter(about_key(topic)), strict=False):
            about = raw.decode(errors="replace")
            if is_over(about):
                operator.settled(topic, about)


def _case(store: Store, ticket: str) -> Case | None:
    try:
        return store.case(ticket)
    except NotOurs:
        return None
