"""Runs a schema over one section and turns what it says into problems with places."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from . import later
from .problems import Complaint, Path, Report, did_you_mean, dotted, nearest, shown

_MISSING = fields.Field.default_error_messages["required"]
_UNKNOWN = "Unknown field."

#: Marshmallow's own words, for options that use its plain fields.
_PLAIN = {
    fields.Field.default_error_messages["null"]: ("`{name}` is empty.", "Fill it in, or take the key out."),
    "Shorter than minimum length 1.": ("`{name}` is empty.", "Fill it in, or take the key out."),
    "Not a valid URL.": ("`{name}` is no address.", "Write it as `https://host.example.com`."),
    "Not a valid number.": ("`{name}` must be a number.", ""),
    fields.String.default_error_messages["invalid"]: ("`{name}` must be text.", "Put it in quotes."),
    fields.Integer.default_error_messages["invalid"]: ("`{name}` must be a whole number.", ""),
    fields.Boolean.default_error_messages["invalid"]: (
        "`{name}` is neither true nor false.",
        "Write `true` or `false`.",
    ),
    fields.List.default_error_messages["invalid"]: ("`{name}` must be a list.", "Write `[one, another]`."),
    "Invalid type.": ("`{name}` must hold keys.", "Write `key: value` lines under it."),
    "Invalid input type.": ("`{name}` must hold keys.", "Write `key: value` lines under it."),
}


def check(schema: Schema, value: Any, path: Path, report: Report) -> Any:
    """The loaded section, or None when it has errors (which are then in the report)."""
    if not isinstance(value, dict):
        report.error(path, f"`{dotted(path)}` must hold keys.", "Write `key: value` lines under it.")
        return None
    try:
        return schema.load(value)
    except ValidationError as error:
        found = list(_flat(error.messages, value))
        meant = {_meant(schema, at) for at, message in found if message == _UNKNOWN}
        for at, message in found:
            if message != _MISSING or at not in meant:  # the typo is told, the gap it leaves isn't
                _tell(schema, path, at, message, report)
        return None


def _meant(schema: Schema, at: Path) -> Path:
    return (*at[:-1], nearest(str(at[-1]), known_keys(schema, at[:-1])) or "")


def check_value(field: fields.Field[Any], value: Any, path: Path, report: Report) -> Any:
    """One loaded value, or None when it is wrong (which is then in the report)."""
    try:
        return field.deserialize(value)
    except ValidationError as error:
        for at, message in _flat(error.messages, value):
            _tell(Schema(), path, at, message, report)
        return None


def _flat(messages: Any, value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Each message with its path inside the section."""
    if isinstance(messages, dict):
        for key, inner in messages.items():
            if _is_place(key, value):
                below = value[key] if isinstance(value, dict) and key in value else _item(value, key)
                yield from _flat(inner, below, (*path, key))
            else:
                yield from _flat(inner, value, path)
    elif isinstance(messages, list | tuple):
        for message in messages:
            yield from _flat(message, value, path)
    else:
        yield path, messages if isinstance(messages, str) else str(messages)


def _is_place(key: Any, value: Any) -> bool:
    """Whether a key of the messages is a place in the data, not marshmallow's own `_schema`, `key` or `value`."""
    if isinstance(key, int):
        return isinstance(value, list)
    if isinstance(value, dict) and key in value:
        return True
    return isinstance(key, str) and key not in ("_schema", "key", "value")


def _item(value: Any, key: Any) -> Any:
    return value[key] if isinstance(value, list) and isinstance(key, int) and key < len(value) else None


def _tell(schema: Schema, section: Path, at: Path, message: str, report: Report) -> None:
    path = (*section, *at)
    name = dotted(path)
    if isinstance(message, Complaint):
        report.error(path, message.replace("{name}", name), message.mend.replace("{name}", name), key=message.key)
    elif message == _UNKNOWN:
        unknown_key(path, known_keys(schema, at[:-1]), report)
    elif message == _MISSING:
        inside = f" under `{dotted(path[:-1])}`" if path[:-1] else ""
        example = _example(schema, at)
        report.error(path, f"`{name}` is missing.", f"Add `{shown(str(path[-1]))}: {example}`{inside}.")
    elif message in _PLAIN:
        sentence, mend = _PLAIN[message]
        report.error(path, sentence.replace("{name}", name), mend)
    elif message == validate.Regexp.default_message:
        example = _example(schema, at)
        report.error(
            path, f"`{name}` isn't in the form it needs.", f"Write it like {example}." if example != "…" else ""
        )
    else:
        report.error(path, f"`{name}`: {shown(message, 200).rstrip('.')}.")


def unknown_key(
    path: Path, known: set[str], report: Report, elsewhere: Mapping[str, str] = MappingProxyType({})
) -> None:
    """A key that the section doesn't have: not yet, a typo with the nearest known key, or one that belongs elsewhere.

    `elsewhere` holds the mend by key.
    """
    key = str(path[-1])
    if later.is_later(path[:-1], key):
        report.error(path, later.sentence(f"`{dotted(path)}`"), later.mend(key), key=True)
        return
    where = f"under `{dotted(path[:-1])}`" if path[:-1] else "at the top"
    best = nearest(key, known)
    mend = f"Did you mean `{best}`?" if best else elsewhere.get(key) or did_you_mean(key, known)
    report.error(path, f"There is no key `{shown(key)}` {where}.", mend, key=True)


def known_keys(schema: Schema, at: Path) -> set[str]:
    """The keys that may stand at this place inside a section."""
    found = _schema_at(schema, at)
    return set(by_key(found)) if found else set()


def _example(schema: Schema, at: Path) -> str:
    found = _schema_at(schema, at[:-1])
    field = by_key(found).get(str(at[-1])) if found and at else None
    return str(field.metadata.get("example", "…")) if field else "…"


def _schema_at(schema: Schema, at: Path) -> Schema | None:
    for part in at:
        field = by_key(schema).get(str(part)) if isinstance(part, str) else None
        if field is None:
            continue  # a list index: the schema is the one of its items
        inner = _nested(field)
        if inner is None:
            return None
        schema = inner
    return schema


def _nested(field: Any) -> Schema | None:
    while isinstance(field, fields.List):
        field = field.inner
    if isinstance(field, fields.Nested):
        schema = field.schema
        return schema if isinstance(schema, Schema) else None
    return None


def by_key(schema: Schema) -> dict[str, Any]:
    """The schema's fields by the key that stands in the file."""
    return {field.data_key or name: field for name, field in schema.load_fields.items()}
