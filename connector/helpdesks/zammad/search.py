"""Looking for changed tickets page by page, while they go on changing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connector.helpdesks.zammad.values import required_moment

PAGE = 200  # Zammad gives no more, whatever is asked
_SURELY_FULL = 100  # no version caps a page below this: fewer rows are the end
_INCLUSIVE = timedelta(seconds=1)  # "after (absolute)" leaves the moment itself out

Search = Callable[[Mapping[str, Any]], list[Mapping[str, Any]]]


def changed(search: Search, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Rows changed at or after `since` (some before may be among them), oldest change first, each state once.

    Pages by number would shift: a ticket that changes meanwhile goes to the end, and the one behind a page's edge slips
    through. So each page starts where the last one ended, in time; page numbers only part tickets of the same moment.
    """
    seen: set[tuple[int, datetime]] = set()
    start, page = since - _INCLUSIVE, 1
    while True:
        rows = search(_asked(start, page))
        keys = [(int(row["id"]), required_moment(row["updated_at"])) for row in rows]
        for row, key in zip(rows, keys, strict=True):
            if key not in seen:
                yield row
        ahead = max((at for _, at in keys), default=start) - timedelta(milliseconds=1)
        all_known = seen.issuperset(keys)
        seen.update(keys)
        if len(rows) < _SURELY_FULL:
            return
        # nothing new: more tickets share these moments than fit on a page
        start, page = (start, page + 1) if all_known or ahead <= start else (ahead, 1)


def _asked(start: datetime, page: int) -> dict[str, Any]:
    written = start.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "query": "",
        "condition": {"ticket.updated_at": {"operator": "after (absolute)", "value": written}},
        "sort_by": "updated_at",
        "order_by": "asc",
        "page": page,
        "per_page": PAGE,
        "expand": True,
    }


def these(ticket_ids: Sequence[str], tag: str = "") -> dict[str, Any]:
    """The search for these tickets, at most a page of them; only those that carry the tag, if there is one."""
    condition: dict[str, Any] = {"ticket.id": {"operator": "is", "value": [str(int(one)) for one in ticket_ids]}}
    if tag:
        condition["ticket.tags"] = {"operator": "contains one", "value": tag}
    return {"query": "", "condition": condition, "page": 1, "per_page": PAGE, "expand": True}
