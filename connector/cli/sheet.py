"""What `plans` and `explain` tell, as one structure: the text and the HTML page are both made of it, and so agree."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
from markupsafe import Markup

from channels import Texts
from channels._texts import clean

from ..core.wording import Reader
from ..web.html import HERE, STYLE
from .common import say

_STYLE = STYLE + Markup((HERE / "sheet.css").read_text(encoding="utf-8"))  # noqa: S704  # our own
#: How long a wait is drawn: as long as the number of these that it exceeds.
_WAITS = (timedelta(0), timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=2))


@dataclass(frozen=True, slots=True)
class Row:
    """A moment and what happens then. `icons`: the kinds of channels used at once, `otherwise` those used instead."""

    when: str
    words: str
    icons: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()
    waits: timedelta = timedelta(0)  # since the moment before
    remarks: tuple[str, ...] = ()

    @property
    def gap(self) -> int:
        """How far below the moment before it stands in a picture: 0 to 5."""
        return sum(self.waits > wait for wait in _WAITS)


@dataclass(frozen=True, slots=True)
class Part:
    """Sentences, a timeline, sentences. `heading` is "" where the sheet has one part only."""

    heading: str = ""
    before: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which tickets (`what`) which plan is for: `plan` counts the sheet's parts from 1; 0: no plan."""

    what: str
    plan: int = 0


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything in whole sentences, in one language. `chosen` repeats for the page what the parts say."""

    title: str
    intro: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    outro: tuple[str, ...] = ()
    chosen: tuple[Chosen, ...] = ()
    link: str = ""  # to the ticket in the helpdesk


class Sentences:
    """Composes the sentences of `plan/sentence.txt` in one language; what comes in is made harmless, on one line."""

    def __init__(self, texts: Texts, language: str) -> None:
        self._texts, self._language = texts, language

    def __call__(self, kind: str, **facts: Any) -> str:
        return self._texts.line(self._language, "plan/sentence.txt", {"kind": kind, **tame(facts)})


def tame(value: Any) -> Any:
    """The same, each text in it on one line and without what a terminal or a page would take for more than text."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {name: tame(one) for name, one in value.items()}
    return tuple(map(tame, value)) if isinstance(value, list | tuple) else value


def lines_of(sheet: Sheet) -> Iterator[str]:
    """The sheet for a terminal."""
    yield from sheet.intro
    for part in sheet.parts:
        if part.heading:
            yield part.heading
        indent = "  " if part.heading else ""
        width = max((len(row.when) for row in part.rows), default=0)
        yield from (f"{indent}{sentence}" for sentence in part.before)
        for row in part.rows:
            yield f"{indent}  {row.when:>{width}}  {row.words}"
            yield from (f"{indent}    {remark}" for remark in row.remarks)
        yield from (f"{indent}{sentence}" for sentence in part.after)
        if part.heading:
            yield ""
    yield from sheet.outro


def page_of(sheet: Sheet, texts: Texts, language: str, reader: Reader, now: datetime) -> str:
    """The sheet as one HTML page that loads nothing, in `language` or the nearest there is."""
    made = f"{now.astimezone(reader.zone):%Y-%m-%d} {reader.clock(now, now)}"
    link = sheet.link if sheet.link.startswith(("https://", "http://")) else ""
    return texts.text(language, "page/plans.html", {"sheet": sheet, "link": link, "made": made, "style": _STYLE})


# --- the option -----------------------------------------------------------------------------------------------------

as_page = click.option(
    "--html",
    "html",
    type=click.Path(dir_okay=False, writable=True, allow_dash=True, path_type=Path),
    metavar="FILE",
    help="Write a page for sharing into FILE; -: print it.",
)


def put(page: str, file: Path) -> None:
    """Writes the page, and says where. Raises click.ClickException with a sentence on why it can't."""
    content = page.encode("utf-8")
    if str(file) == "-":
        click.echo(content, nl=False)
        return
    try:
        file.write_bytes(content)
    except OSError as problem:
        raise click.ClickException(f"{file} can't be written: {problem.strerror}.") from None
    say(f"Written to {file}.")
