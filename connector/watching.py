"""`python -m connector.watching`: the watchdog, which looks after all the others and tells the operator by itself."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable

import click

from .cli.providers import look_at_providers
from .clockwork.watch import Watch
from .errors import EscalatorError
from .faults import describe
from .services import Services, current

EVERY = 5.0  # seconds
REST = 3.0  # times as long as a look took: many escalations must not keep Redis busy

log = logging.getLogger(__name__)


@click.command()
@click.option(
    "--every",
    type=click.FloatRange(0.1, 20.0),
    envvar="ESCALATOR_WATCH_EVERY",
    default=EVERY,
    show_default=True,
    help="Seconds between two looks.",
)
def main(every: float) -> None:
    """Looks after Escalator until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        services = current()
    except EscalatorError as problem:
        raise click.ClickException(str(problem)) from None
    watch_until(stop, services, every)
    sys.exit(0)


def watch_until(stop: threading.Event, services: Services, every: float) -> None:
    """One look after the other; one that fails in an unexpected way doesn't end it."""
    watch = watch_of(services)
    while not stop.is_set():
        rest = every
        try:
            rest = max(every, REST * watch.look())
        except Exception as error:  # a mistake of ours in one look must not blind the next
            log.error("a look of the watchdog failed: %s", describe(error))
        stop.wait(rest)


def watch_of(services: Services) -> Watch:
    service = services.settings.service
    return Watch(
        store=services.store,
        operator=services.operator,
        calls=services.engine.people.calls,
        sweep_every=service.sweep_every,
        heartbeat_url=service.heartbeat_url,
        heartbeat_allow_private=service.heartbeat_allow_private,
        alone="ESCALATOR_RUNNING" not in os.environ,
        probe=probe(services),
    )


def probe(services: Services) -> Callable[[str], bool]:
    """Whether the provider behind a channel takes our credentials now, where it can be asked without sending."""

    def ask(name: str) -> bool:
        channel = services.settings.channels.get(name)
        if channel is None:
            return True  # nobody sends by it any more
        what = "twilio" if channel.kind in ("sms", "phone") else name
        return any(one.what == what and one.result == "ok" for one in look_at_providers(services.settings))

    return ask


if __name__ == "__main__":
    main()
