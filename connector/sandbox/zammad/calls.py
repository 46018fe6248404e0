"""One call of the API: who asks what, and what a route is."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from werkzeug.wrappers import Request

from .desk import Caller
from .rows import Row

Answer = tuple[int, Any]  # status, content
View = Callable[..., Answer]


class Route(NamedTuple):
    """`methods` like "GET|POST", a path with werkzeug's placeholders, and the permission that it needs."""

    methods: str
    path: str
    view: View
    needs: str = ""


class Call(NamedTuple):
    """One authenticated request."""

    caller: Caller
    query: Row
    body: Row

    def asks(self, flag: str) -> bool:
        """Whether a flag such as `expand` is set, in the query or the body."""
        return str({**self.query, **self.body}.get(flag, "")).lower() in ("true", "1")


def query_of(request: Request) -> Row:
    """The query with Rails' brackets undone: `permissions[]=a` is a list, `group_ids[2]=full` a mapping."""
    query: Row = {}
    for name, value in request.args.items(multi=True):
        outer = re.fullmatch(r"(\w+)\[(\w*)\]", name)
        if outer is None:
            query[name] = [value] if name == "permissions" else value
        elif outer[2]:
            query.setdefault(outer[1], {})[outer[2]] = value
        else:
            query.setdefault(outer[1], []).append(value)
    return query
