"""`escalator check`: all that is wrong with config, helpdesk and providers, each with line and mend."""

import os
import sys
from dataclasses import asdict

import click

from config.problems import Problem, Severity
from config.settings import Settings

from ..errors import ConfigError, EscalatorError
from ..redis_server import check_url
from ..services import build_channels, read_config
from .common import Places, as_json, build_helpdesk, placed, print_json, say
from .names import compare, find_places
from .providers import Looked, look_at_providers
from .redis_look import look_at_redis
from .texts import look_at_texts
from .unnamed import warn_of_unnamed
from .words import in_rehearsal


@click.command()
@click.option("--offline", is_flag=True, help="Look at the config alone: ask neither helpdesk nor providers.")
@placed
@as_json
def check(places: Places, offline: bool, json_: bool) -> None:
    """Say all that is wrong with config, helpdesk and providers, with its mend. Sends nothing to anybody.

    Exits 0 when there are no errors (warnings allowed), 1 with errors, 2 without a config.
    """
    loaded = read_config(places.config)
    problems = list(loaded.problems)
    looked: list[Looked] = []
    if not places.config.exists():
        click.echo("\n".join(map(str, problems)), err=True)
        sys.exit(2)
    if loaded.settings is not None:
        problems += _unusable(places, loaded.settings)
        problems += look_at_texts(loaded.settings, find_places(places.config))
        if not offline:
            more, looked = _outside(places, loaded.settings)
            problems += more
    errors = [one for one in problems if one.is_error]
    rehearsal = in_rehearsal(loaded.settings) if loaded.settings is not None else ""
    if json_:
        documents = [{**asdict(one), "severity": one.severity.value} for one in problems]
        mode = {"mode": loaded.settings.service.mode} if loaded.settings is not None and rehearsal else {}
        print_json({"ok": not errors, **mode, "problems": documents, "checked": [asdict(one) for one in looked]})
    else:
        say(*(f"{one.severity.value}: {one}" for one in problems))
        say(*filter(None, [rehearsal]))
        say(*(f"{one.what}: {'' if one.result == 'ok' else f'{one.result}. '}{one.sentence}" for one in looked))
        say(_count(len(errors), len(problems) - len(errors)))
    sys.exit(1 if errors else 0)


def _unusable(places: Places, settings: Settings) -> list[Problem]:
    """What only shows when the parts are built: a key file that is none, a Redis that isn't safe."""
    found = []
    try:
        build_channels(settings)
    except ConfigError as problem:
        found.append(str(problem))
    try:
        if url := os.environ.get("REDIS_URL"):
            check_url(url)
    except ConfigError as problem:
        found.append(str(problem))
    return [Problem(Severity.ERROR, str(places.config), 0, 0, "", sentence) for sentence in found]


def _outside(places: Places, settings: Settings) -> tuple[list[Problem], list[Looked]]:
    problems: list[Problem] = []
    looked: list[Looked] = []
    where = find_places(places.config)
    try:
        helpdesk = build_helpdesk(settings)
        looked.append(Looked("helpdesk", "ok", helpdesk.about()))
        more, unchecked = compare(settings, helpdesk.names(), where)
        problems += more
        if unchecked:
            sentence = f"The helpdesk does not tell which {' and '.join(unchecked)} exist."
            looked.append(Looked("names", "not checked", sentence))
    except EscalatorError as problem:
        where.error(("helpdesk",), str(problem), "Is it up, and are `helpdesk.url` and the credentials right?")
        looked.append(Looked("helpdesk", "failed", str(problem)))
    warn_of_unnamed(places, settings, where)
    if url := os.environ.get("REDIS_URL"):
        more, answer = look_at_redis(url)
        problems += more
        looked.append(answer)
    for one in look_at_providers(settings):
        looked.append(one)
        if one.result == "failed":
            where.error(one.path, one.sentence, one.mend)
    return [*problems, *where.problems], looked


def _count(errors: int, warnings: int) -> str:
    def counted(number: int, word: str) -> str:
        return f"{number} {word}{'' if number == 1 else 's'}"

    if not errors and not warnings:
        return "Nothing is wrong."
    return f"{counted(errors, 'error')}, {counted(warnings, 'warning')}."
