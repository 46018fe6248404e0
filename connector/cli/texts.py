"""The texts that people will get, read before anybody needs them."""

from pathlib import Path

from channels._proofreading import proofread
from channels._templates import OURS, Fault, Proofreader
from config.problems import Path as ConfigPath
from config.problems import Problem, Report, Severity, did_you_mean
from config.settings import Settings

from ..web import proofreading as answers_and_pages
from . import proofreading as sheets

ENGLISH_INSTEAD = "There are no texts in `{}`: English is used."


def look_at_texts(settings: Settings, where: Report) -> list[Problem]:
    """Every text of every channel in use, filled in with made-up tickets; `where` knows the config's places."""
    report = Report(where.file, where.keys, where.values)
    reader = Proofreader(settings.service.texts, settings.service.timezone)
    used: dict[str, ConfigPath] = {settings.service.language: ("service", "language")}
    used |= {one.language: ("contacts", key, "language") for key, one in settings.contacts.items() if one.language}
    for language, path in used.items():
        if reader.language(language).split("-")[0] != language.lower().split("-")[0]:
            mend = f"There is {', '.join(f'`{one}`' for one in sorted(reader.languages))}."
            report.warning(path, ENGLISH_INSTEAD.format(language), mend)
    languages = sorted({reader.language(language) for language in used} | _own(settings.service.texts))
    answers_and_pages.proofread(reader, languages)
    sheets.proofread(reader, languages)
    for language in languages:
        reader.notes(language)
    faults = proofread(reader, {channel.kind for channel in settings.channels.values()}, languages)
    return [*report.problems, *map(_problem, faults), *_unread(reader), *_unsaid(reader)]


def _own(folder: str) -> set[str]:
    """The languages of the admin's folder."""
    return {one.name for one in Path(folder).iterdir() if one.is_dir()} if folder and Path(folder).is_dir() else set()


def _problem(fault: Fault) -> Problem:
    mend = "Until it is mended, Escalator's own text is sent instead."
    return Problem(
        Severity.ERROR, fault.file, fault.line, 1 if fault.line else 0, "service.texts", fault.sentence, mend
    )


def _unread(reader: Proofreader) -> list[Problem]:
    names = [file.relative_to(OURS / "en").as_posix() for file in (OURS / "en").rglob("*") if file.is_file()]
    return [
        Problem(
            Severity.WARNING,
            file,
            0,
            0,
            "service.texts",
            "No text is called so: nobody will ever read it.",
            did_you_mean("/".join(Path(file).relative_to(reader.folder).parts[1:]), names),
        )
        for file in reader.strangers()
    ]


def _unsaid(reader: Proofreader) -> list[Problem]:
    """Sentences of the admin's catalogues that no note says (any more)."""
    mend = "Take the English sentence as it stands in `channels/templates/de/notes.po`."
    sentence = "No note says this sentence: nobody will ever read what stands for it."
    return [Problem(Severity.WARNING, file, line, 1, "service.texts", sentence, mend) for file, line in reader.unsaid()]
