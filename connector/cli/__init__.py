"""The `escalator` command. One module a family of commands; each is imported only when it is asked for."""

import importlib
import sys
from typing import Any

import click
import redis

from ..errors import ConfigError, EscalatorError
from ..faults import describe

REDIS_AWAY = "Redis does not answer. Is `escalator up` running with the same --data, or is REDIS_URL right?"

#: command -> (module, what the list of commands says)
COMMANDS = {
    "up": ("up", "Run everything: receiver, workers, timers, sweep, Redis."),
    "demo": ("demo", "Play the whole story on this machine, with no account anywhere."),
    "check": ("check", "Say all that is wrong with config, helpdesk and providers, with its mend."),
    "connect": ("connect", "Set the helpdesk up: shows the difference first; a second run changes nothing."),
    "disconnect": ("connect", "Take away what `connect` made."),
    "doctor": ("doctor", "Send a probe ticket round, and name the broken link of the chain with its mend."),
    "plans": ("plans", "Every plan in plain words."),
    "explain": ("explain", "Which plan applies to a ticket and why, and who is told what and when."),
    "status": ("status", "The escalations now."),
    "show": ("status", "One escalation with its whole history."),
    "start": ("hand", "Start a plan for a ticket by hand."),
    "acknowledge": ("hand", "Somebody has it."),
    "escalate": ("hand", "The next step now."),
    "stop": ("hand", "No more of this escalation."),
    "adopt": ("adopt", "Start plans for tickets that were there before Escalator."),
    "pair": ("pair", "A personal link and QR code with which a phone receives Web Push."),
    "test-notify": ("test_notify", "Send somebody a real test message."),
    "sweep": ("sweep", "Look at the helpdesk for missed tickets and changes now."),
    "rebuild": ("rebuild", "Restore everything from the tickets after losing Redis."),
}


class Commands(click.Group):
    """Loads a command's module when it is called; what we can explain ends in one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f".{COMMANDS[cmd_name][0]}", __name__)
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, said) for name, (_, said) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigError as problem:
            click.echo(str(problem), err=True)
            ctx.exit(2)
        except EscalatorError as problem:
            click.echo(str(problem), err=True)
            ctx.exit(1)
        except redis.RedisError:
            click.echo(REDIS_AWAY, err=True)
            ctx.exit(1)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click says these itself
        except Exception as problem:  # ours to mend, not theirs to read
            click.echo(f"This is a mistake in Escalator itself: {describe(problem)}. Please report it.", err=True)
            ctx.exit(1)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="escalator", message="escalator %(version)s")
def main() -> None:
    """Climbs a plan of ever more urgent notifications until a person takes the ticket."""


if __name__ == "__main__":
    sys.exit(main())
