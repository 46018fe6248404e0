"""All that a job in Redis may run: short name -> function. Whoever writes to Redis can't call anything else.

A job's arguments are ids; it looks at the truth before it acts, and may be called twice, late, or for nothing.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from . import services
from .errors import EscalatorError, HelpdeskError
from .points import reached


def prepare() -> None:
    """Builds what jobs need before the first one is due; a config that can't be used is each job's own error."""
    with suppress(EscalatorError):
        services.current()


def ping() -> None:
    """Does nothing: shows that a worker takes jobs."""


def wake(ticket_id: str) -> None:
    """Does what is due on this ticket's escalation."""
    reached("wake begun")
    services.current().engine.wake(ticket_id)
    reached("wake done")


def deliver() -> None:
    """Sends what is due."""
    services.current().delivery.drain()


def desk() -> None:
    """Reads and writes in the helpdesk."""
    services.current().desk.drain()


def sweep() -> None:
    """Asks the helpdesk for what was missed while its desk goes on; one that is away is asked again soon anyway."""
    try:
        services.current().desk.drain(beside=services.current().sweep.look_in_turn)
    except HelpdeskError:
        return


def operator() -> None:
    """Tells the operator what is wrong with Escalator itself, while the desk goes on: a way may take long to fail."""
    services.current().desk.drain(beside=services.current().operator.send_open)


JOBS: dict[str, Callable[..., Any]] = {
    "ping": ping,
    "wake": wake,
    "deliver": deliver,
    "desk": desk,
    "sweep": sweep,
    "operator": operator,
}
