"""`escalator connect`, `disconnect`: what Escalator needs in the helpdesk is shown, made there, or taken away."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import click
from requests.auth import AuthBase, HTTPBasicAuth
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from config.settings import Settings

from .. import helpdesks
from ..errors import ConfigError, HelpdeskError
from ..services import read_config
from ..setting_up import ByHand, Piece, SetUp, Standing, Wanted
from .common import Places, as_json, placed, print_json, print_table, say

LOGIN = "escalator"
NOT_YET = "not-yet"
MARKS = {Standing.RIGHT: "right", Standing.MISSING: "will be made", Standing.DIFFERENT: "will be changed"}

_signed_in = [
    click.option("--login", default=LOGIN, show_default=True, help="Login of Escalator's own user."),
    click.option("--yes", is_flag=True, help="Don't ask."),
    click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing."),
]


def _options(command: Any) -> Any:
    for option in reversed(_signed_in):
        command = option(command)
    return command


@click.command()
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Where a new token or password is written, for its owner alone; else where the config says, else it is shown.",
)
@click.option(
    "--with-fields",
    is_flag=True,
    help="Zammad: step and next time as attributes of the ticket, too; needs a restart of Zammad. (Znuny has fields.)",
)
@_options
@placed
@as_json
def connect(
    places: Places,
    login: str,
    token_file: Path | None,
    with_fields: bool,
    yes: bool,
    dry_run: bool,
    json_: bool,
) -> None:
    """Set the helpdesk up: user, token, webhook, triggers, macro, overview. A second run changes nothing.

    An administrator signs in for this run alone: ESCALATOR_ADMIN_TOKEN, or ESCALATOR_ADMIN_USER and
    ESCALATOR_ADMIN_PASSWORD, or it asks. Nothing of that is kept.
    """
    settings, in_config = _read(places)
    try:
        set_up = _build(settings, login, with_fields)
    except ByHand as there:
        _write_script(there, dry_run)
        return
    pieces = list(set_up.look())
    if not json_:
        _show(pieces)
    open_ = [piece for piece in pieces if piece.standing is not Standing.RIGHT]
    cautions = list(set_up.cautions([piece.name for piece in open_]))
    if not json_:
        say(*cautions)
    if open_ and not dry_run:
        _ask(f"Change {_counted(len(open_), 'thing')} in the helpdesk?", yes)
        try:
            _make_all(set_up, pieces, json_)
        finally:  # it can't be asked for again, and a piece after it may be refused
            _keep_token(set_up.new_token(), token_file or in_config, json_)
    findings = [] if dry_run and open_ else list(set_up.findings())
    if json_:
        said = {"cautions": cautions, "findings": findings}
        print_json({"pieces": [_document(piece) for piece in pieces], "changed": not dry_run, **said})
    else:
        say(*findings, *([] if open_ else ["Nothing to change."]))


@click.command()
@click.option("--purge", is_flag=True, help="Switch Escalator's own user off as well.")
@_options
@placed
def disconnect(places: Places, login: str, purge: bool, yes: bool, dry_run: bool) -> None:
    """Take away what `connect` made: nothing of Escalator stays active in the helpdesk. Tickets keep their notes."""
    settings, _ = _read(places)
    try:
        set_up = _build(settings, login)
    except ByHand as there:
        say(f"{there} There, run:", there.commands[-1].replace(" make ", " remove "))
        return
    names = list(set_up.removable(purge=purge))
    say(*(f"{name}: {'would be' if dry_run else 'will be'} taken away" for name in names), *set_up.cautions(names))
    if names and not dry_run:
        _ask(f"Take {_counted(len(names), 'thing')} away?", yes)
        for name in names:
            with _named(name):
                set_up.remove(name)
            say(f"{name}: taken away")
    say(*([] if names else ["Nothing of Escalator is there."]), f"Stays: {'; '.join(set_up.left_behind())}.")


def _make_all(set_up: SetUp, pieces: Sequence[Piece], quiet: bool) -> None:
    for piece in pieces:
        if piece.standing is Standing.RIGHT:
            continue
        with _named(piece.name):
            set_up.make(piece.name)
        if not quiet:
            say(f"{piece.name}: {'made' if piece.standing is Standing.MISSING else 'changed'}")


@contextmanager
def _named(name: str) -> Iterator[None]:
    """What the helpdesk refuses is told with the piece that it was about."""
    try:
        yield
    except HelpdeskError as error:
        details = f" ({error.details})" if error.details else ""
        raise type(error)(f"{name}: {error}{details}") from None


def _write_script(there: ByHand, dry_run: bool) -> None:
    path = Path("escalator-set-up.pl")
    say(f"{there} A script does it on the helpdesk's own:", *(line.format(file=path) for line in there.commands))
    if not dry_run:
        _write_secret(path, there.script)
        say(f"It stands in {path}, which only you can read: it holds the webhook's secret and the password.")


def _keep_token(token: str, path: Path | None, quiet: bool) -> None:
    if not token:
        return
    if path is None:
        click.echo(f"The new token, shown this once; export it as the config names it:\n{token}", err=True)
        return
    _write_secret(path, f"{token}\n")
    if not quiet:
        say(f"What Escalator signs in with stands in {path}, which only you can read.")


def _write_secret(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # a file that others could read stays so when it is written again
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _ask(question: str, yes: bool) -> None:
    if not yes and not click.confirm(question, default=False, err=True):
        click.echo("Nothing was changed.", err=True)
        sys.exit(1)


def _show(pieces: Sequence[Piece]) -> None:
    rows = [(piece.name, MARKS[piece.standing], "; ".join(piece.changes)) for piece in pieces]
    print_table(("Piece", "Stands", "Change"), rows)


def _document(piece: Piece) -> dict[str, object]:
    return {"name": piece.name, "standing": piece.standing.value, "changes": list(piece.changes)}


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


# --- who signs in, and what for --------------------------------------------------------------------------------------


def _administrator() -> str | AuthBase:
    """An administrator's token, or user and password; asked for where the environment doesn't say."""
    token, user = os.environ.get("ESCALATOR_ADMIN_TOKEN"), os.environ.get("ESCALATOR_ADMIN_USER")
    if token:
        return token
    if user is None:
        token = click.prompt(
            "An administrator's token (empty: user and password)", default="", hide_input=True, err=True
        )
        if token:
            return str(token)
        user = click.prompt("An administrator's login", err=True)
    password = os.environ.get("ESCALATOR_ADMIN_PASSWORD") or click.prompt("Password", hide_input=True, err=True)
    return HTTPBasicAuth(str(user), str(password))


def _build(settings: Settings, login: str, fields: bool = False) -> SetUp:
    module = helpdesks.set_up_of(settings.helpdesk.kind)
    options, public_url = dict(settings.helpdesk.options), settings.service.public_url
    if module is None:
        raise ConfigError(f"`connect` can't set {settings.helpdesk.kind} up yet: see the README.")
    if not public_url:
        raise ConfigError("`service.public_url` isn't set: the helpdesk's webhooks need to know where Escalator is.")
    token = str(options.get("token") or options.get("password") or "")
    built: SetUp = module.build(
        Wanted(
            url=str(options["url"]),
            public_url=public_url,
            webhook_secret=str(options["webhook_secret"][0]) if options["webhook_secret"] else "",
            login=login,
            token="" if token == NOT_YET else token,
            ca_file=options.get("ca_file"),
            webservice=str(options.get("webservice", "")),
            webhook_header=str(options.get("webhook_header", "")),
            fields=fields,
        ),
        _administrator,
    )
    return built


class _AsFarAsKnown(dict[str, str]):
    """The environment; a variable that isn't set yet has a value all the same."""

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ARG002  as dict has it
        return super().get(key) or NOT_YET


def _read(places: Places) -> tuple[Settings, Path | None]:
    """The config, also while the helpdesk's token isn't made yet; and where its file is to be."""
    environ = _AsFarAsKnown(os.environ)
    text, path = _without_token_file(places.config)
    loaded = read_config(places.config, environ, text)
    if loaded.settings is None:
        raise ConfigError("\n".join(str(problem) for problem in read_config(places.config, environ).errors))
    return loaded.settings, path


def _without_token_file(config: Path) -> tuple[str | None, Path | None]:
    """While the file with the token (or password) is missing: the config's text with one that isn't; and that file."""
    yaml = YAML()
    try:
        document = yaml.load(config.read_text(encoding="utf-8"))
        key = "token" if "token_file" in document["helpdesk"] else "password"
        path = config.parent / document["helpdesk"][f"{key}_file"]
    except (OSError, UnicodeDecodeError, YAMLError, KeyError, TypeError):
        return None, None  # whatever is wrong is said when it is read in earnest
    if path.is_file():
        return None, path
    del document["helpdesk"][f"{key}_file"]
    document["helpdesk"][key] = NOT_YET
    written = StringIO()
    yaml.dump(document, written)
    return written.getvalue(), path
