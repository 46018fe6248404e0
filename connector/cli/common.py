"""What several commands share: where config and data are, Escalator's parts from them, and how things are printed."""

import functools
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Concatenate, ParamSpec
from zoneinfo import ZoneInfo

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from config.problems import did_you_mean
from config.settings import Settings

from .. import helpdesks
from ..core.ticket import Reading
from ..core.wording import Reader
from ..errors import ConfigError, TicketGone
from ..ports import Helpdesk
from ..redis_server import connect, redis_url
from ..services import Services, build, config_path, data_path, read_config

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Places:
    """Where the config file and Escalator's data are."""

    config: Path
    data: Path

    def settings(self) -> Settings:
        """The config. Raises ConfigError, whose text is every error on a line of its own."""
        loaded = read_config(self.config)
        if loaded.settings is None:
            raise ConfigError("\n".join(str(problem) for problem in loaded.errors))
        return loaded.settings

    def services(self) -> Services:
        """All parts, on the Redis that `escalator up` uses. Raises ConfigError, redis.RedisError when it is away."""
        settings = self.settings()
        connection = connect(redis_url(self.data))
        connection.ping()
        return build(settings, connection)


def placed(command: Callable[Concatenate[Places, P], None]) -> Callable[P, None]:
    """Gives a command `--config` and `--data`, as its first argument `places`."""

    @click.option("--config", type=click.Path(path_type=Path), default=None, help="The config file.")
    @click.option("--data", type=click.Path(path_type=Path), default=None, help="Where `escalator up` keeps its data.")
    @functools.wraps(command)
    def with_places(*args: P.args, **kwargs: P.kwargs) -> None:
        config, data = kwargs.pop("config"), kwargs.pop("data")
        assert isinstance(config, Path | None)
        assert isinstance(data, Path | None)
        return command(Places(config or config_path(os.environ), data or data_path(os.environ)), *args, **kwargs)

    return with_places


as_json = click.option("--json", "json_", is_flag=True, help="Print JSON.")
by_name = click.option("--by", required=True, metavar="NAME", help="Who does it; stands on the ticket.")


def build_helpdesk(settings: Settings) -> Helpdesk:
    """The helpdesk alone, without Redis."""
    helpdesk: Helpdesk = helpdesks.discover()[settings.helpdesk.kind].build(dict(settings.helpdesk.options))
    return helpdesk


def read_ticket(helpdesk: Helpdesk, ticket: str) -> Reading:
    """The ticket named as people do: its number, or `id:N`. Raises TicketGone with a sentence on how to name it."""
    name = ticket.strip().removeprefix("#")
    try:
        return helpdesk.read(name.removeprefix("id:") if name.startswith("id:") else helpdesk.find(name))
    except TicketGone:
        words = f'There is no ticket "{ticket}" that Escalator may see. Give its number, or its id as id:N.'
        raise TicketGone(words) from None


def known(name: str, among: Sequence[str] | Any, what: str) -> str:
    """The name if it exists. Raises click.BadParameter with the nearest one."""
    if name not in among:
        raise click.BadParameter(f'There is no {what} "{name}". {did_you_mean(name, among)}')
    return name


def reader(settings: Settings) -> Reader:
    """For times and channel names as notes have them."""
    kinds = {name: channel.kind for name, channel in settings.channels.items()}
    return Reader(ZoneInfo(settings.service.timezone), kinds)


def utc_now() -> datetime:
    return datetime.now(UTC)


# --- printing ----------------------------------------------------------------------------------------------------


def print_json(data: Any) -> None:
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))


def say(*lines: str) -> None:
    for line in lines:
        click.echo(_plain(line))


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on a terminal, plain aligned text elsewhere."""
    console = Console(highlight=False)
    if console.is_terminal:
        table = Table(*head, box=box.SIMPLE_HEAD)
        for row in rows:
            table.add_row(*(Text(_plain(cell)) for cell in row))
        console.print(table)
        return
    lines = [list(head), *([_plain(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


def _plain(text: str) -> str:
    """A hostile title can't move the cursor."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
