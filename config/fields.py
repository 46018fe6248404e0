"""Kinds of values in the config, each with its own word for what is wrong and what to write instead.

Adapters and channels may use these in their own options, so that all sections speak alike. In a complaint `{name}`
stands for the dotted path of the value.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import ValidationError, fields

from .problems import Complaint, nearest

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_DURATION = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LANGUAGE = re.compile(r"[a-z]{2}(-[A-Z]{2})?")
_EMAIL = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+\.[^\s@<>,;\".]+|[^\s@<>,;\"]+@localhost")
LONGEST = timedelta(days=3660)


def complain(sentence: str, mend: str = "") -> ValidationError:
    return ValidationError(Complaint(sentence, mend))


class Checked(fields.Field[Any]):
    """A value that is read from what YAML gives; `read` raises through `complain`."""

    value_type = "value"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:  # noqa: ARG002
        return self.read(value)

    def read(self, value: Any) -> Any:
        raise NotImplementedError


class Text(Checked):
    """Text that isn't empty. Numbers are refused: YAML has already changed them by the time they are seen."""

    value_type = "text"

    def read(self, value: Any) -> str:
        if isinstance(value, bool | int | float):
            what = "a truth value" if isinstance(value, bool) else "a number"
            raise complain(f"`{{name}}` is {what}, not text.", "Put it in quotes.")
        if not isinstance(value, str):
            raise complain("`{name}` must be text.", "Write one value in quotes.")
        if not value.strip():
            raise complain("`{name}` is empty.", "Fill it in, or take the key out.")
        return value


class Phone(Text):
    """A phone number; whether it exists is checked where the region is known."""

    value_type = "phone number in quotes"

    def read(self, value: Any) -> str:
        if isinstance(value, int | float):
            raise complain("`{name}` is a number to YAML, which loses its plus and zeros.", 'Put it in quotes: "+49…".')
        return super().read(value)


class Email(Text):
    """One bare mail address."""

    value_type = "mail address"

    def read(self, value: Any) -> str:
        text = super().read(value).strip()
        if not _EMAIL.fullmatch(text) or len(text) > 254:
            raise complain("`{name}` is no mail address.", "Write it as `name@example.com`.")
        return text


class Url(Text):
    """An http or https address without a trailing slash."""

    value_type = "address"

    def read(self, value: Any) -> str:
        text = super().read(value).strip()
        if not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", text):
            raise complain("`{name}` is no address.", "Write it as `https://host.example.com`.")
        return text.rstrip("/")


class Beat(Text):
    """An https address that may hold a query; http only on this machine. Its path is a secret."""

    value_type = "address"

    def read(self, value: Any) -> str:
        text = super().read(value).strip()
        if not re.fullmatch(
            r"https://[^\s/?#@]+([/?][^\s#]*)?|http://(localhost|127\.[0-9.]+|\[::1\])(:[0-9]+)?([/?][^\s#]*)?", text
        ):
            raise complain("`{name}` is no https address.", "Write it as `https://host.example.com/token`.")
        return text


class Zone(Text):
    """A time zone by its name in the IANA database."""

    value_type = "time zone"

    def read(self, value: Any) -> str:
        text = super().read(value)
        try:
            ZoneInfo(text)
        except (KeyError, ValueError, OSError):  # unknown, malformed, or a folder of the database
            raise complain("`{name}` is no time zone.", "Write one like `Europe/Berlin` or `UTC`.") from None
        return text


class Language(Text):
    value_type = "language"

    def read(self, value: Any) -> str:
        text = super().read(value)
        if not _LANGUAGE.fullmatch(text):
            raise complain("`{name}` is no language.", "Write one like `en` or `en-GB`.")
        return text


class Flag(Checked):
    """`true` or `false` and nothing else: YAML 1.2 reads `yes` as text."""

    value_type = "true or false"

    def read(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise complain("`{name}` is neither true nor false.", "Write `true` or `false`, without quotes.")
        return value


class Duration(Checked):
    """`90s`, `15m`, `2h` or `1d` as a timedelta."""

    value_type = "duration"

    def __init__(self, *, least: timedelta = timedelta(0), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.least = least

    def read(self, value: Any) -> timedelta:
        if isinstance(value, int | float) and not isinstance(value, bool):
            example = f" Is it `{value}m` or `{value}s`?" if isinstance(value, int) and 0 < value < 10_000 else ""
            raise complain("`{name}` is a number without a unit.", "Write `90s`, `15m`, `2h` or `1d`." + example)
        match = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if not match:
            raise complain("`{name}` is no duration.", "Write `90s`, `15m`, `2h` or `1d`.")
        duration = timedelta(**{_UNITS[match[2]]: int(match[1])})
        if duration < self.least:
            raise complain("`{name}` is too short.", f"Write at least `{written(self.least)}`.")
        if duration > LONGEST:
            raise complain("`{name}` is longer than ten years.", "Write a shorter one.")
        return duration


class Moment(Checked):
    """A date and time with its zone, as aware UTC."""

    value_type = "date and time"

    def read(self, value: Any) -> datetime:
        mend = 'Write it as "2026-01-31T20:15:00Z".'
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                raise complain("`{name}` carries no time zone.", mend)
            return moment.astimezone(UTC)
        except (TypeError, ValueError, OverflowError) as error:
            if isinstance(error, ValidationError):
                raise
            raise complain("`{name}` is no date and time.", mend) from None


class Choice(Text):
    """One of a few words."""

    def __init__(self, *words: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.words = words
        self.value_type = " or ".join(words) if len(words) < 3 else f"one of {', '.join(words)}"

    def read(self, value: Any) -> str:
        text = super().read(value)
        if text not in self.words:
            best = nearest(text, self.words)
            written_out = " or ".join(f"`{word}`" for word in self.words)
            raise complain(
                "`{name}` can't be this word.", f"Did you mean `{best}`?" if best else f"Write {written_out}."
            )
        return text


class Whole(Checked):
    """A whole number within bounds."""

    value_type = "number"

    def __init__(self, *, least: int, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.least, self.most = least, most

    def read(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not self.least <= value <= self.most:
            raise complain("`{name}` is out of bounds.", f"Write a whole number from {self.least} to {self.most}.")
        return value


class OneOrMany(Checked):
    """One value, or a list of them; a tuple either way."""

    def __init__(self, item: fields.Field[Any], *, empty: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.item, self.empty = item, empty
        self.value_type = f"{getattr(item, 'value_type', 'value')}, or a list"

    def read(self, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            return (self.item.deserialize(value),)
        if not value and not self.empty:
            raise complain("`{name}` is an empty list.", "Name at least one, or take the key out.")
        found, errors = [], {}
        for index, one in enumerate(value):
            try:
                found.append(self.item.deserialize(one))
            except ValidationError as error:
                errors[index] = error.messages
        if errors:
            raise ValidationError(errors)
        return tuple(found)


class Named(Checked):
    """`{name: value}` with free names."""

    def __init__(self, item: fields.Field[Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.item = item
        self.value_type = f"name: {getattr(item, 'value_type', 'value')}"

    def read(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise complain("`{name}` must hold names with values.", "Write `{name: value}`.")
        found, errors = {}, {}
        for name, one in value.items():
            try:
                found[name] = self.item.deserialize(one)
            except ValidationError as error:
                errors[name] = error.messages
        if errors:
            raise ValidationError(errors)
        return found


class Loose(Text):
    """What a helpdesk's custom field is compared with: text; numbers and truth values as they are written."""

    value_type = "text or number"

    def read(self, value: Any) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        return super().read(str(value) if isinstance(value, int) else value)


def written(duration: timedelta) -> str:
    """As it stands in a config: `90s`, `15m`, `2h`, `1d`."""
    seconds = int(duration.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
