"""What the options of several helpdesks have in common."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields, validate


class OneOrSeveral(fields.List[str]):
    """A list of texts, or one text alone; none may be empty. Several are valid at once, for a change without a gap."""

    def __init__(self, **options: Any) -> None:
        super().__init__(fields.String(validate=validate.Length(min=1)), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> list[Any]:
        return super()._deserialize([value] if isinstance(value, str) else value, attr, data, **more)


def web_address(otherwise: str) -> Callable[[str], None]:
    """A validator for http(s) addresses without user, query or fragment; `otherwise` says what it must be."""

    def check(value: str) -> None:
        try:
            parts = urlsplit(value)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable or parts.username or parts.query or parts.fragment:
            raise ValidationError(otherwise)

    return check
