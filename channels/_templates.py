"""The texts that people get, as jinja2 templates: ours in English and German, and an admin's own in their place.

`templates/<language>/<kind>/<name>` is one text. A folder of the admin's with the same names inside comes first, file
by file. Whatever is wrong with an admin's text at three in the morning, ours is sent instead: a message matters more
than its wording. `escalator check` finds it by day.
"""

import contextlib
import logging
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, StrictUndefined, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

log = logging.getLogger(__name__)

OURS = Path(__file__).parent / "templates"
ENGLISH = "en"
NOTES = "notes.po"

Facts = Mapping[str, Any]
#: The template, filled in with these facts.
Fill = Callable[[Facts], str]


#: What people see or hear first, and the text that stands before it in a rehearsal, whoever has written the template.
MARKED = {
    **dict.fromkeys(("sms/ticket.txt", "sms/tickets.txt", "sms/short.txt", "sms/notice.txt"), "rehearsal/mark.txt"),
    **dict.fromkeys(("push/title.txt", "webpush/title.txt"), "rehearsal/mark.txt"),
    **dict.fromkeys(("email/subject.txt", "email/lead.txt"), "rehearsal/mark.txt"),
    **dict.fromkeys(("phone/announce.xml", "phone/notice.xml"), "rehearsal/mark.xml"),
}


class Unusable(ValueError):
    """A text that can't be sent as it is: one sentence on why, and the line of its file where that is known."""

    def __init__(self, sentence: str, line: int = 0) -> None:
        super().__init__(sentence)
        self.line = line


class Texts:
    """Thread-safe. Files are read once: what is written into them later counts after the next start.

    `folder` is the admin's, "" for none. `timezone` (IANA) is that of people who have none of their own.
    """

    def __init__(self, folder: str = "", timezone: str = "UTC") -> None:
        self.folder = folder
        self.timezone = timezone
        ours = FileSystemLoader(OURS)
        self._ours = _environment(ours)
        self._first = _environment(ChoiceLoader([FileSystemLoader(folder), ours])) if folder else self._ours
        self._folders = (OURS, *([Path(folder)] if folder else []))
        self._notes: dict[str, Mapping[str, str]] = {}

    @cached_property
    def languages(self) -> frozenset[str]:
        """Those that have texts of ours or the admin's."""
        there = [folder for folder in self._folders if folder.is_dir()]
        return frozenset(one.name for folder in there for one in folder.iterdir() if one.is_dir())

    def language(self, wanted: str) -> str:
        """The language that is spoken where `wanted` (`de-AT`) is asked for: the nearest there is, else English."""
        return next((one for one in _nearest(wanted) if one in self.languages), ENGLISH)

    def notes(self, language: str) -> Mapping[str, str]:
        """What notes say in the nearest language, by the English sentence; what is missing is said in English.

        An admin's sentences come before ours, one by one.
        """
        if language not in self._notes:
            files = [folder / one / NOTES for one in reversed(_nearest(language)) for folder in self._folders]
            self._notes[language] = {
                english: said for file in files if file.is_file() for english, said in self._sentences(file).items()
            }
        return self._notes[language]

    def _sentences(self, file: Path) -> dict[str, str]:
        from ._catalogue import read  # Babel, which English alone doesn't need

        try:
            found = read(file)
        except (Unusable, OSError) as error:
            self.failed(str(file), error)
            return {}
        for one in found:
            if not one.fits:
                self.failed(str(file), Unusable("It doesn't have the gaps that the English sentence has.", one.line))
        return {one.english: one.said for one in found if one.fits}

    def compose(self, language: str, name: str, write: Callable[[Fill], str]) -> str:
        """What `write` makes of the text `name` ("sms/ticket.txt") in the nearest language.

        `write` may fill the template in several times (to make it fit) and raises Unusable when nothing helps.
        """
        names = [f"{one}/{name}" for one in (*_nearest(language), ENGLISH)]
        mark = [f"{one}/{MARKED[name]}" for one in (*_nearest(language), ENGLISH)] if name in MARKED else []
        try:
            return self._composed(self._first, names, mark, write)
        except Exception as error:  # an admin's template may do anything; ours goes out instead
            if self._first is self._ours:
                raise
            self.failed(self._file(names), error)
        return self._composed(self._ours, names, mark, write)

    def failed(self, file: str, error: Exception) -> None:
        """An admin's text was of no use. No word of the error: it may hold what the text was filled with."""
        log.warning("the text %s can't be used (%s): ours is sent instead", file, type(error).__name__)

    def text(self, language: str, name: str, facts: Facts) -> str:
        """The text with the lines that its file has."""
        return self.compose(language, name, lambda fill: fill(facts))

    def line(self, language: str, name: str, facts: Facts) -> str:
        """The text as one line, whatever lines its file is written in."""
        return self.compose(language, name, lambda fill: one_line(fill(facts)))

    def title(self, language: str, name: str, facts: Facts) -> str:
        """The text as one line for a notification, which shows nothing without one."""

        def write(fill: Fill) -> str:
            text = one_line(fill(facts))
            if not text:
                raise Unusable("A notification needs a title.")
            return text

        return self.compose(language, name, write)

    def _composed(
        self, from_: ImmutableSandboxedEnvironment, names: list[str], mark: list[str], write: Callable[[Fill], str]
    ) -> str:
        template = from_.select_template(names)

        def fill(facts: Facts) -> str:
            text = template.render(facts)
            if not mark or not facts.get("rehearsed_for"):
                return text
            return f"{from_.select_template(mark).render(facts)} {text}"

        return write(fill)

    def _file(self, names: list[str]) -> str:
        """The file behind the first of these names that there is."""
        folders = [*([Path(self.folder)] if self.folder else []), OURS]
        there = (folder / name for name in names for folder in folders if (folder / name).is_file())
        return str(next(there, OURS / names[-1]))


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a text; `line` is 0 where it is the file as a whole."""

    file: str
    line: int
    sentence: str


class Proofreader(Texts):
    """Texts that remember what was wrong with them: whoever composes with it finds that in `faults`."""

    def __init__(self, folder: str = "", timezone: str = "UTC") -> None:
        super().__init__(folder, timezone)
        self.faults: dict[tuple[str, int], Fault] = {}

    def failed(self, file: str, error: Exception) -> None:
        line = _line_of(error, file)
        self.faults.setdefault((file, line), Fault(file, line, _sentence(error)))

    def strangers(self) -> Iterator[str]:
        """Files of the admin's that no text of ours is called like: nobody will ever read them."""
        known = {file.relative_to(OURS / ENGLISH).as_posix() for file in (OURS / ENGLISH).rglob("*") if file.is_file()}
        known.add(NOTES)
        for file in sorted(Path(self.folder).rglob("*")) if self.folder else ():
            name = file.relative_to(self.folder)
            if file.is_file() and not file.name.startswith(".") and "/".join(name.parts[1:]) not in known:
                yield str(file)

    def unsaid(self) -> Iterator[tuple[str, int]]:
        """File and line of each sentence of the admin's for notes that none of ours is: nobody will ever say it."""
        from ._catalogue import read

        files = sorted(Path(self.folder).glob(f"*/{NOTES}")) if self.folder else []
        known = {one.english for one in read(OURS / "de" / NOTES)} if files else set()
        for file in files:
            with contextlib.suppress(Unusable, OSError):  # said already
                yield from ((str(file), one.line) for one in read(file) if one.english not in known)


def one_line(text: str) -> str:
    return " ".join(text.split())


def _sentence(error: Exception) -> str:
    if isinstance(error, TemplateSyntaxError):
        return f"It is no template: {error.message}"
    if isinstance(error, UnicodeDecodeError):
        return "It is no UTF-8 text."
    if isinstance(error, Unusable):
        return str(error)
    return f"It can't be filled in: {error or type(error).__name__}"


def _line_of(error: Exception, file: str) -> int:
    """The line of the template where it happened: jinja2 puts it into the traceback."""
    if isinstance(error, TemplateSyntaxError):
        return error.lineno
    if isinstance(error, Unusable) and error.line:
        return error.line
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return (lines[-1] if lines else 0) or 0


def _nearest(wanted: str) -> tuple[str, ...]:
    """`de-at` and `de` for `de-AT`; nothing that could lead out of the folder."""
    parts = [part for part in wanted.lower().split("-") if part.isalnum()]
    return tuple("-".join(parts[:length]) for length in range(len(parts), 0, -1))


def _environment(loader: BaseLoader) -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=loader,
        undefined=StrictUndefined,
        autoescape=lambda name: str(name).endswith((".html", ".xml")),
        auto_reload=False,
    )


#: Our texts as they come.
BUILT_IN = Texts()
