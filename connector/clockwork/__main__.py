"""`python -m connector.clockwork`: the timers process."""

import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click
import redis

from ..errors import ConfigError
from ..queues import QUEUES
from ..redis_server import connect, redis_url
from .timers import Periodic, Timers


def run(connection: redis.Redis, periodic: Callable[[redis.Redis], Sequence[Periodic]]) -> int:
    """Ticks until SIGTERM; `periodic` makes what is called meanwhile."""
    Timers(connection, QUEUES, periodic(connection)).work()
    return 0


@click.command()
@click.option(
    "--data", type=click.Path(path_type=Path), default="data", help="Where the embedded Redis keeps its data."
)
def main(data: Path, environ: Mapping[str, str] = os.environ) -> None:
    """Has every armed job start when it is due, until SIGTERM."""
    if not logging.getLogger().handlers:
        logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        connection = connect(redis_url(data, environ))
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    sys.exit(run(connection, lambda _: ()))


if __name__ == "__main__":
    main()
