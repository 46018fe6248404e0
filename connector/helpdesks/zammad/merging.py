"""What a merge took along, given back to the ticket on which it was written. Pure.

A merge moves a ticket's articles into the other ticket and touches each; their rows of the history go along (captured
from 6.0) or stay. A note written shortly before is found over there only, where it is nobody's work: whether it was
an acknowledgement is asked where it was written.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connector.helpdesks.zammad.values import moment, required_moment

Row = Mapping[str, Any]

SAME_MERGE = timedelta(seconds=2)  # a merge touches each article that it moves, right before it is logged


@dataclass(frozen=True, slots=True)
class Merge:
    """One ticket that came into another one. `row`: id of the row that tells of it there; tickets by id."""

    row: int
    at: datetime
    source: int | None
    target: int | None


def merges(history: Iterable[Row]) -> tuple[Merge, ...]:
    """All that came into this history's ticket, in its order."""
    return tuple(
        Merge(int(row["id"]), required_moment(row["created_at"]), row.get("id_from"), row.get("id_to"))
        for row in history
        if row["type"] == "received_merge"
    )


def came_by_merge(row: Row, article: Row, merges: Iterable[Merge]) -> bool:
    """Whether one of these merges brought the article that this row tells of."""
    written, touched = moment(article.get("created_at")), moment(article.get("updated_at"))
    if written is None or touched is None:
        return False
    return any(
        int(row["id"]) < one.row and written < one.at - SAME_MERGE <= touched <= one.at + SAME_MERGE for one in merges
    )


def gone_into(history: Sequence[Row]) -> int | None:
    """Id of the ticket into which this history's ticket was merged."""
    return next((int(row["id_to"]) for row in reversed(history) if row["type"] == "merged_into"), None)


def taken_along(
    source: int, history: Sequence[Row], there: Sequence[Row], articles: Iterable[Row]
) -> tuple[Sequence[Row], Sequence[Row]]:
    """The rows of the articles that the merge took along, as they were before it, and these articles.

    `history` is the source's, `there` and `articles` the target's. Only what is surely the source's own: an article
    that may as well have come by another merge of that moment, or that the source itself got by one, stays where it is.
    """
    came = merges(there)
    ours = next((one for one in came if one.source == source), None)
    if ours is None:
        return [], []
    own_since = max((one.row for one in merges(history)), default=0)
    alone = all(one is ours or abs(one.at - ours.at) > 2 * SAME_MERGE for one in came)
    known = {int(row["id"]): row for row in articles}
    rows = []
    for row in written(there):
        article = known.get(int(row["o_id"]))
        if article is None or not own_since < int(row["id"]) < ours.row:
            continue
        elsewhere = row.get("related_o_id") not in (None, ours.target)
        if row.get("related_o_id") == source or (alone and not elsewhere and came_by_merge(row, article, [ours])):
            rows.append({**row, "related_o_id": source})
    named = {int(row["o_id"]) for row in (*rows, *written(history))}
    return rows, [known[one] for one in sorted(named & known.keys())]


def written(history: Iterable[Row]) -> list[Row]:
    """The rows that tell of an article."""
    return [row for row in history if row["object"] == "Ticket::Article" and row["type"] == "created"]
