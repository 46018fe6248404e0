"""`python -m connector.ticking`: the timers process, with the sweeps that it calls."""

import logging
import sys

import click

from .clockwork.timers import Periodic, Timers
from .errors import EscalatorError
from .queues import QUEUES
from .services import current

OVERDUE_EVERY = 1.0  # seconds
WHILE_LATE_EVERY = 10.0  # seconds
REPLICAS_EVERY = 1.0  # seconds


@click.command()
def main() -> None:
    """Has every armed job start when it is due, until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        services = current()
    except EscalatorError as problem:
        raise click.ClickException(str(problem)) from None
    sweep_every = services.settings.service.sweep_every.total_seconds()
    periodic = (
        Periodic(OVERDUE_EVERY, services.sweep.overdue),
        Periodic(sweep_every, services.sweep.ask_for_helpdesk),
        Periodic(WHILE_LATE_EVERY, services.sweep.ask_again_while_late),
        Periodic(REPLICAS_EVERY, lambda: services.store.replication.look(services.operator)),
    )
    Timers(services.redis, QUEUES, periodic).work()
    sys.exit(0)


if __name__ == "__main__":
    main()
