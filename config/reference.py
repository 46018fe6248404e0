"""Every key of the config with type, default and meaning, read from the schemas themselves."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from marshmallow import Schema, fields, missing

from .fields import written
from .filling import takes_file
from .schema import REQUIRED, SECTIONS
from .validation import by_key


class Entry(NamedTuple):
    """One key. `default` is "required", "" (nothing) or the value as it would be written."""

    path: str
    type: str
    default: str
    meaning: str


def reference(
    channel_kinds: Mapping[str, type[Schema]] | None = None, helpdesk_kinds: Mapping[str, type[Schema]] | None = None
) -> list[Entry]:
    """All keys in the order of the file; those of helpdesks and channels when their schemas are given."""
    entries: list[Entry] = []
    for key, (schema, shape, meaning) in SECTIONS.items():
        path = {"one": key, "named": f"{key}.NAME", "listed": f"{key}[]", "words": f"{key}.PRIORITY"}[shape]
        entries.append(Entry(path, _SHAPES[shape], "required" if key in REQUIRED else "", meaning))
        if schema is not None:
            entries += _of(schema(), path)
        kinds = {"helpdesk": helpdesk_kinds, "channels": channel_kinds}.get(key)
        if kinds is not None:
            names = ", ".join(sorted(kinds))
            default = "required" if key == "helpdesk" else "NAME, where that is a kind"
            entries.append(Entry(f"{path}.kind", f"one of {names}", default, "which module speaks to it"))
            for kind in sorted(kinds):
                entries += _of(kinds[kind](), f"{path}({kind})")
    return entries


def markdown(entries: Iterable[Entry]) -> str:
    """The entries as a table for a README."""
    lines = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    for entry in entries:
        cells = (f"`{entry.path}`", entry.type, f"`{entry.default}`" if entry.default else "", entry.meaning)
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines) + "\n"


_SHAPES = {"one": "section", "named": "sections by name", "listed": "list of sections", "words": "plan by name"}

#: Marshmallow's plain fields, which helpdesks and channels use.
_PLAIN_TYPES: dict[type[Any], str] = {
    fields.String: "text",
    fields.Integer: "number",
    fields.Float: "number",
    fields.Boolean: "true or false",
    fields.List: "list",
    fields.Dict: "names with values",
    fields.Nested: "section",
}


def _of(schema: Schema, path: str) -> Iterator[Entry]:
    for key, field in by_key(schema).items():
        if key == "kind":
            continue
        here, meaning = f"{path}.{key}", str(field.metadata.get("meaning", ""))
        if takes_file(key, field):
            meaning = f"{meaning} (or `{key}_file`)".strip()
        yield Entry(here, _type(field), _default(field), meaning)
        inner = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, fields.Nested) and isinstance(inner.schema, Schema):
            yield from _of(inner.schema, here if inner is field else f"{here}[]")


def _type(field: Any) -> str:
    if isinstance(field, fields.List):
        return f"list of {_type(field.inner)}s"
    if word := getattr(field, "value_type", ""):
        return str(word)
    return next((word for kind, word in _PLAIN_TYPES.items() if isinstance(field, kind)), "text, or a list")


def _default(field: Any) -> str:
    if field.required:
        return "required"
    value = field.load_default() if callable(field.load_default) else field.load_default
    if value is missing or value is None or value in ("", (), [], {}):
        return ""
    if isinstance(value, timedelta):
        return written(value)
    if isinstance(value, bool):
        return str(value).lower()
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list | tuple) else str(value)
