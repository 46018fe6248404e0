"""Puts secrets into the parsed config: `"${NAME}"` from the environment, `*_file` from files beside the config.

Filling happens after parsing and in strings only, so no value can change the structure of the file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from marshmallow import Schema, fields

from .fields import Named, Text
from .problems import Path, Report, dotted, shown
from .validation import by_key

MAX_SECRET_BYTES = 64 << 10

_REFERENCE = re.compile(r"\$(?:\$|\{([A-Za-z_][A-Za-z0-9_]*)\}|(\{[^}]*\}?))")
_SECRET_NAME = re.compile(r"(.*_)?(token|password|secret|key)")


@dataclass(slots=True)
class Filled:
    """The data with everything filled in. `blank` are the places where nothing could be: they were told already.

    `hidden` are the places whose text came from the environment or a file and must not be quoted.
    """

    data: Any
    blank: set[Path] = field(default_factory=set)
    hidden: set[Path] = field(default_factory=set)


def fill(data: Any, environ: Mapping[str, str], report: Report) -> Filled:
    """A copy of the data in which every reference to the environment is replaced."""
    filled = Filled(None)
    filled.data = _filled(data, (), environ, filled, report)
    return filled


def _filled(value: Any, path: Path, environ: Mapping[str, str], filled: Filled, report: Report) -> Any:
    if isinstance(value, dict):
        return {key: _filled(one, (*path, key), environ, filled, report) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, (*path, index), environ, filled, report) for index, one in enumerate(value)]
    if not isinstance(value, str) or "$" not in value:
        return value

    def replaced(match: re.Match[str]) -> str:
        name, malformed = match.groups()
        if malformed is not None:
            sentence = f"`{dotted(path)}` holds a `${{` that names no variable."
            report.error(path, sentence, 'Write "${NAME}", or `$$` for a dollar.')
            filled.blank.add(path)
        elif name is not None:
            filled.hidden.add(path)
            return _variable(name, path, environ, filled, report)
        return "$"

    return _REFERENCE.sub(replaced, value)


def _variable(name: str, path: Path, environ: Mapping[str, str], filled: Filled, report: Report) -> str:
    value = environ.get(name)
    if value is None:
        report.error(path, f"The environment variable {shown(name)} isn't set.", f"export {shown(name)}=...")
    elif not value.strip():
        report.error(path, f"The environment variable {shown(name)} is empty.", f"export {shown(name)}=...")
    elif not _readable(value):
        report.error(path, f"The environment variable {shown(name)} holds control characters.", "Set it again.")
    else:
        return value
    filled.blank.add(path)
    return "-"


def read_files(
    section: dict[str, Any], schema: Schema, path: Path, folder: FilePath, filled: Filled, report: Report
) -> None:
    """Replaces `token_file: x` by the token in the file x, and makes the schema's own `*_file` paths absolute.

    Both are relative to the config file's folder. A file with several lines is a list (rotation) where the key
    takes one.
    """
    known = by_key(schema)
    for key in [key for key in section if key.endswith("_file")]:
        here, base = (*path, key), key.removesuffix("_file")
        if key in known:
            _make_absolute(section, key, here, folder, filled, report)
        elif base in known and takes_file(base, known[base]):
            there = (*path, base)
            if base in section:
                report.error(
                    here, f"Both `{dotted(there)}` and `{dotted(here)}` are set.", "Keep one of them.", key=True
                )
                del section[key]
                continue
            text = _secret(section.pop(key), here, folder, filled, report)
            lines = text.split("\n") if text else []
            single = isinstance(known[base], fields.String | Text)
            section[base] = lines if len(lines) > 1 and not single else (text or "-")
            filled.hidden.add(there)
            report.values = {**report.values, there: report.place(here)}
            if text is None:
                filled.blank.add(there)


def find_folders(section: dict[str, Any], schema: Schema, path: Path, folder: FilePath, report: Report) -> None:
    """Makes the paths of folders absolute; they are relative to the config file's folder, as files are."""
    for key, field_ in by_key(schema).items():
        name = section.get(key)
        if not field_.metadata.get("folder") or not isinstance(name, str) or not name.strip() or not _readable(name):
            continue
        section[key] = str(folder / name)
        if not _is_folder(folder / name):
            at = (*path, key)
            mend = f"It is looked for in {shown(str(folder), 120)}."
            report.error(at, f"`{dotted(at)}`: there is no folder {shown(name)}.", mend)


def warn_of_open_secrets(section: dict[str, Any], schema: Schema, path: Path, filled: Filled, report: Report) -> None:
    """The config is kept in git; a secret written into it is known to everybody who can read that."""
    for key, field_ in by_key(schema).items():
        if key not in section or not takes_file(key, field_):
            continue
        here, value = (*path, key), section[key]
        places = (
            [((*here, index), one) for index, one in enumerate(value)] if isinstance(value, list) else [(here, value)]
        )
        for at, one in places:
            if isinstance(one, str) and one and not {at, here} & (filled.hidden | filled.blank):
                mend = f'Write "${{{shown(key.upper())}}}" and export it, or use `{shown(key)}_file`.'
                report.warning(at, f"`{dotted(at)}` stands in the open, and this file is meant for git.", mend)


def takes_file(key: str, field: Any) -> bool:
    """Whether `<key>_file` may stand instead of this key."""
    return not isinstance(field, Named) and bool(field.metadata.get("secret", _SECRET_NAME.fullmatch(key)))


def _make_absolute(
    section: dict[str, Any], key: str, path: Path, folder: FilePath, filled: Filled, report: Report
) -> None:
    if isinstance(name := section[key], str) and name.strip() and path not in filled.blank and _readable(name):
        section[key] = str(folder / name)
        if not _is_file(folder / name):
            shown_name = "that file" if path in filled.hidden else f"the file {shown(name)}"
            report.error(path, f"`{dotted(path)}`: {shown_name} isn't there.", f"It is looked for in {folder}.")
            filled.blank.add(path)


def _secret(name: Any, path: Path, folder: FilePath, filled: Filled, report: Report) -> str | None:
    if path in filled.blank:
        return None
    if not isinstance(name, str) or not name.strip() or not _readable(name):
        report.error(path, f"`{dotted(path)}` must be the path of a file.")
        return None
    shown_name = "the file" if path in filled.hidden else f"the file {shown(name)}"
    if not _is_file(folder / name):
        report.error(
            path, f"`{dotted(path)}`: {shown_name} isn't there.", f"It is looked for in {shown(str(folder), 120)}."
        )
        return None
    try:
        with (folder / name).open("rb") as file:
            text = file.read(MAX_SECRET_BYTES + 1).decode().strip().replace("\r\n", "\n")
    except OSError:
        report.error(path, f"`{dotted(path)}`: {shown_name} can't be read.", "Let Escalator's user read it.")
        return None
    except UnicodeDecodeError:
        report.error(path, f"`{dotted(path)}`: {shown_name} is no text.")
        return None
    if not text or len(text) > MAX_SECRET_BYTES:
        report.error(path, f"`{dotted(path)}`: {shown_name} is {'too large' if text else 'empty'}.")
        return None
    return text


def _is_file(path: FilePath) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _readable(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _is_folder(path: FilePath) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
