"""Agents of whom the helpdesk tells no more than an id, as notes then call them, and what to write into the config."""

from collections.abc import Iterator, Mapping
from typing import Any

import redis

from config.problems import Report
from config.settings import Settings

from ..engine.agents import Agents
from ..errors import ConfigError
from ..probing import Finding, Result
from ..redis_server import connect, redis_url
from .common import Places

KEY = "agents"  # of the helpdesk's options, where it has one
FEW = 10  # that are named; the config is mended one by one


def warn_of_unnamed(places: Places, settings: Settings, where: Report) -> None:
    """Adds a warning for them, where there is a Redis that tells; whether it is well is said elsewhere."""
    if KEY not in settings.helpdesk.options:
        return
    try:
        connection = connect(redis_url(places.data))
        said = words(unnamed(connection, settings.helpdesk.options))
    except (ConfigError, redis.RedisError):
        return
    if said is not None:
        where.warning(("helpdesk",), *said)


def look_at_agents(connection: Any, settings: Settings) -> Iterator[Finding]:
    """A link that is doubtful, where there are any."""
    said = words(unnamed(connection, settings.helpdesk.options)) if KEY in settings.helpdesk.options else None
    if said is not None:
        yield Finding("names", Result.DOUBTFUL, *said)


def unnamed(connection: Any, options: Mapping[str, Any]) -> list[str]:
    """Ids of agents who have acted and whom neither the helpdesk nor the config names."""
    named = {str(id) for id in options[KEY]}
    return [id for id in Agents(connection).unnamed() if id not in named]


def words(ids: list[str]) -> tuple[str, str] | None:
    """What is so, and what to write."""
    if not ids:
        return None
    names = ", ".join(f"agent {id}" for id in ids[:FEW]) + (f" and {len(ids) - FEW} more" if len(ids) > FEW else "")
    logins = ", ".join(f'"{id}": LOGIN' for id in ids[:FEW])
    sentence = f"Notes can call somebody no more than {names}: the helpdesk tells nobody's name who never had a ticket."
    return sentence, f"Write `agents: {{{logins}}}` under `helpdesk`; the helpdesk's list of agents links to their ids."
