"""What a merge took along, given back to the ticket on which it was written. Pure.

A merge moves a ticket's articles into the other ticket and touches each; their rows of the history go along (captured
from 6.0) or stay. A note written shortly before is found over there only, where it is nobody's work: whether it was
an acknowledgement is asked where it was written.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connector.helpdesks.zammad.values import moment, required_moment

Row = Mapping[str, Any]

SAME_MERGE = timedelta(seconds=2)  # the articles are touched right before the merge is logged


def gone_into(history: Iterable[Row]) -> int | None:
    """Id of the ticket into which this history's ticket was merged."""
    return next((int(row["id_to"]) for row in reversed(list(history)) if row["type"] == "merged_into"), None)


def taken_along(
    source: int, history: Sequence[Row], there: Sequence[Row], articles: Iterable[Row]
) -> tuple[Sequence[Row], Sequence[Row]]:
    """The rows of the articles that the merge took along, as they were before it, and these articles.

    `history` is the source's, `there` and `articles` the target's. Only what is surely the source's own: an article
    that may as well have come by another merge of that moment, or that the source itself got by one, stays where it is.
    """
    came = [row for row in there if row["type"] == "received_merge"]
    ours = next((row for row in came if row.get("id_from") == source), None)
    if ours is None:
        return [], []
    own_since = max((int(row["id"]) for row in history if row["type"] == "received_merge"), default=0)
    at = required_moment(ours["created_at"])
    alone = all(row is ours or abs(required_moment(row["created_at"]) - at) > 2 * SAME_MERGE for row in came)
    known = {int(row["id"]): row for row in articles}
    rows = []
    for row in _written(there):
        article = known.get(int(row["o_id"]))
        if article is None or not own_since < int(row["id"]) < int(ours["id"]):
            continue
        elsewhere = row.get("related_o_id") not in (None, ours.get("id_to"))
        touched = moment(article.get("updated_at"))
        moved = alone and touched is not None and _before(article, touched) and abs(touched - at) <= SAME_MERGE
        if row.get("related_o_id") == source or (moved and not elsewhere):
            rows.append({**row, "related_o_id": source})
    named = {int(row["o_id"]) for row in (*rows, *_written(history))}
    return rows, [known[one] for one in sorted(named & known.keys())]


def _written(history: Sequence[Row]) -> list[Row]:
    """The rows that tell of an article."""
    return [row for row in history if row["object"] == "Ticket::Article" and row["type"] == "created"]


def _before(article: Row, touched: datetime) -> bool:
    """Whether it was written a while before it was touched."""
    written = moment(article.get("created_at"))
    return written is not None and written < touched - SAME_MERGE
