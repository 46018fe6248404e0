"""Reads the config file and reports everything that is wrong with it at once."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from marshmallow import Schema

from connector.errors import ConfigError

from . import build, crosscheck, document, later
from .fields import Text
from .filling import Filled, fill, find_folders, read_files, warn_of_open_secrets
from .problems import Path, Problem, Report, did_you_mean, dotted, nearest, shown
from .schema import REQUIRED, SECTIONS, ServiceSchema
from .settings import Settings
from .validation import by_key, check, check_value, unknown_key

Kinds = Mapping[str, type[Schema]]


@dataclass(frozen=True, slots=True)
class Loaded:
    """`settings` is None when there are errors. `problems` holds errors and warnings in the order of the file."""

    settings: Settings | None
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.is_error)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if not problem.is_error)


def load(
    path: str | os.PathLike[str],
    channel_kinds: Kinds,
    helpdesk_kinds: Kinds,
    environ: Mapping[str, str] | None = None,
    *,
    needs: Mapping[str, str] = crosscheck.NEEDS,
    text: str | None = None,
) -> Loaded:
    """Reads the file at `path`; whatever it holds, problems are returned and nothing is raised.

    `text`: what is taken for the file's content instead of what stands there now.

    `channel_kinds` and `helpdesk_kinds` are the option schemas by kind; `needs` tells which field of a contact a kind
    of channel needs ("" for none). `environ` is the process environment unless given.
    """
    file = FilePath(path)
    report = Report(str(path))
    text = _text(file, report) if text is None else text
    parsed = document.parse(text, report) if text is not None else None
    if text is None or parsed is None:
        return Loaded(None, report.in_order())
    filled = fill(parsed.data, os.environ if environ is None else environ, report)
    filled.blank |= parsed.unread
    sections = _Sections(filled, file.absolute().parent, report).load(channel_kinds, helpdesk_kinds)
    crosscheck.run(filled, sections.kinds, needs, report)
    _forget_blanks(filled, report)
    if report.failed:
        return Loaded(None, report.in_order())
    settings = build.settings(file, digest_of(text), sections.loaded, report)
    return Loaded(settings, settings.warnings)


def digest_of(text: str) -> str:
    """What `Settings.digest` says of a file with this text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def load_or_raise(
    path: str | os.PathLike[str],
    channel_kinds: Kinds,
    helpdesk_kinds: Kinds,
    environ: Mapping[str, str] | None = None,
    *,
    needs: Mapping[str, str] = crosscheck.NEEDS,
) -> Settings:
    """The settings. Raises ConfigError, whose text is every error on a line of its own."""
    loaded = load(path, channel_kinds, helpdesk_kinds, environ, needs=needs)
    if loaded.settings is None:
        raise ConfigError("\n".join(str(problem) for problem in loaded.errors))
    return loaded.settings


def _text(file: FilePath, report: Report) -> str | None:
    try:
        with file.open("rb") as stream:
            raw = stream.read(document.MAX_BYTES + 1)
        if len(raw) > document.MAX_BYTES:
            report.error((), "The file is larger than 1 MiB.", "Is it the right one?")
            return None
        return raw.decode("utf-8-sig")
    except FileNotFoundError:
        report.error((), "There is no such file.", f"cp config/escalation.example.yml {shown(str(file), 200)}")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        report.error((), f"Line {line} isn't UTF-8.", "Save the file as UTF-8.")
    except (OSError, ValueError):
        report.error((), "The file can't be read.", "Is it a file, and may Escalator's user read it?")
    return None


def _forget_blanks(filled: Filled, report: Report) -> None:
    """What couldn't be filled in was told once; what a schema says of the gap would only repeat it."""
    blanks = {dotted(path) for path in filled.blank}
    told: set[str] = set()
    kept = []
    for problem in report.problems:
        if problem.path in blanks:
            if problem.path in told:
                continue
            told.add(problem.path)
        kept.append(problem)
    report.problems[:] = kept


#: Keys that are looked for at the top although they belong into a section.
_MISPLACED = dict.fromkeys(by_key(ServiceSchema()), "It belongs under `service`.")


class _Sections:
    """Validates section by section and entry by entry, so that one mistake hides no other."""

    def __init__(self, filled: Filled, folder: FilePath, report: Report) -> None:
        self.filled, self.folder, self.report = filled, folder, report
        self.data: dict[str, Any] = filled.data
        self.kinds: dict[str, str] = {}  # of channels, by their name in the config
        self.loaded: dict[str, Any] = {"channels": {}, "contacts": {}, "plans": {}, "rules": [], "priorities": {}}

    def load(self, channel_kinds: Kinds, helpdesk_kinds: Kinds) -> "_Sections":
        self._top_keys()
        if "helpdesk" in self.data:
            self.loaded["helpdesk"] = self._of_kind(("helpdesk",), self.data["helpdesk"], helpdesk_kinds, None)
        for name, entry in self._entries("channels").items():
            options = {} if entry is None else entry
            self.loaded["channels"][name] = self._of_kind(("channels", name), options, channel_kinds, name)
        for key, (schema, shape, _) in SECTIONS.items():
            if schema is not None and key in self.data:
                self._plain(key, schema(), shape)
        for priority, plan in self._entries("priorities").items():
            loaded = check_value(Text(required=True), plan, ("priorities", priority), self.report)
            self.loaded["priorities"][priority] = loaded
        return self

    def _top_keys(self) -> None:
        for key in self.data:
            if key not in SECTIONS:
                unknown_key((key,), set(SECTIONS), self.report, _MISPLACED)
        for key in REQUIRED:
            if key not in self.data:
                self.report.error((), f"`{key}` is missing.", f"Add `{key}:` as in `config/escalation.example.yml`.")

    def _plain(self, key: str, schema: Schema, shape: str) -> None:
        value = self.data[key]
        if shape == "one":
            self.loaded[key] = self._section(schema, value, (key,))
        elif shape == "named":
            for name, entry in self._entries(key).items():
                self.loaded[key][name] = self._section(schema, entry, (key, name))
        elif isinstance(value, list):
            self.loaded[key] = [self._section(schema, entry, (key, index)) for index, entry in enumerate(value)]
        elif value is not None:
            self.report.error((key,), f"`{key}` must be a list.", "Begin each line under it with `- `.")

    def _entries(self, key: str) -> dict[str, Any]:
        value = self.data.get(key)
        if value is not None and not isinstance(value, dict):
            self.report.error((key,), f"`{key}` must hold names.", "Write `name: …` lines under it.")
        return value if isinstance(value, dict) else {}

    def _section(self, schema: Schema, value: Any, path: Path) -> Any:
        if isinstance(value, dict):
            read_files(value, schema, path, self.folder, self.filled, self.report)
            find_folders(value, schema, path, self.folder, self.report)
            warn_of_open_secrets(value, schema, path, self.filled, self.report)
        return check(schema, value, path, self.report)

    def _of_kind(self, path: Path, value: Any, kinds: Kinds, default: str | None) -> tuple[str, Any] | None:
        """Kind and loaded options of the helpdesk or a channel."""
        if not isinstance(value, dict):
            self.report.error(path, f"`{dotted(path)}` must hold keys.", "Write `key: value` lines under it.")
            return None
        kind = value.get("kind", default)
        if not isinstance(kind, str) or kind not in kinds:
            self._no_kind(path, value, kind, kinds)
            return None
        if path[0] == "channels":
            self.kinds[str(path[1])] = kind
        schema = kinds[kind]()
        options = value if "kind" in by_key(schema) else {key: one for key, one in value.items() if key != "kind"}
        loaded = self._section(schema, options, path)
        return (kind, loaded) if loaded is not None else None

    def _no_kind(self, path: Path, value: dict[str, Any], kind: Any, kinds: Kinds) -> None:
        at = (*path, "kind") if "kind" in value else path
        if not isinstance(kind, str):
            example = sorted(kinds)[0] if kinds else "…"
            self.report.error(at, f"`{dotted((*path, 'kind'))}` is missing.", f"Write `kind: {example}`.")
        elif path[0] == "channels" and kind in later.CHANNEL_KINDS:
            said = later.sentence(f"The channel kind `{kind}`")
            self.report.error(at, said, later.mend(kind), key="kind" not in value)
        elif "kind" not in value:
            all_kinds = ", ".join(f"`{one}`" for one in sorted(kinds))
            best = nearest(kind, kinds)
            mend = f"{f'Did you mean `{best}`? Else add' if best else 'Add'} `kind:` with one of {all_kinds}."
            self.report.error(at, f"`{shown(kind)}` is no kind of channel, and `kind` is missing.", mend, key=True)
        elif at not in self.filled.blank:
            word = "helpdesk" if path == ("helpdesk",) else "channel"
            name = "That" if at in self.filled.hidden else f"`{shown(kind)}`"
            self.report.error(at, f"{name} is no kind of {word}.", did_you_mean(kind, kinds))
