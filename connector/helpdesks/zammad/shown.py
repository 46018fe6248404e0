"""Finding the tickets that carry one of our tags."""

from collections.abc import Iterable, Iterator

from connector.helpdesks.zammad.search import PAGE, Search

_SURELY_FULL = 100  # no version caps a page below this: fewer rows are the end


def tagged(search: Search, tags: Iterable[str]) -> Iterator[str]:
    """Ids of the tickets with at least one of these tags, in any state, oldest first."""
    condition = {"ticket.tags": {"operator": "contains one", "value": ", ".join(tags)}}
    page = 1
    while True:
        asked = {"query": "", "condition": condition, "sort_by": "created_at", "order_by": "asc"}
        rows = search({**asked, "page": page, "per_page": PAGE, "expand": True})
        yield from (str(row["id"]) for row in rows)
        if len(rows) < _SURELY_FULL:
            return
        page += 1
