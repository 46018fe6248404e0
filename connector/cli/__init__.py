"""The `escalator` command. One module a family of commands; each is imported only when it is asked for."""

import importlib
import sys
from typing import Any

import click

from ..errors import ConfigError, EscalatorError

#: command -> (module, what the list of commands says)
COMMANDS = {
    "up": ("up", "Run everything: receiver, workers, timers, sweep, Redis."),
    "demo": ("demo", "Play the whole story on this machine, with no account anywhere."),
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


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="escalator", message="escalator %(version)s")
def main() -> None:
    """Climbs a plan of ever more urgent notifications until a person takes the ticket."""


if __name__ == "__main__":
    sys.exit(main())
