"""The Zammad around a captured delivery as it was a moment before: what the delivery is about undone."""

from dataclasses import replace
from datetime import datetime

from ..helpdesks.zammad.composed import Composed, Row

NAMED = ("owner", "state", "priority", "group", "organization")


def before(it: Composed) -> Composed | None:
    """The ticket without the history rows of this delivery; None when they are those of its creation."""
    rows = [row for row in it.history if str(row["id"]) not in it.event]
    if not any(row["object"] == "Ticket" and row["type"] == "created" for row in rows):
        return None
    undone = [row for row in it.history if str(row["id"]) in it.event]
    written = {row["o_id"] for row in undone if row["object"] == "Ticket::Article"}
    ticket = dict(it.ticket)
    for row in reversed(undone):
        _undo(ticket, row)
    ticket["updated_at"] = max(row["created_at"] for row in rows)
    articles = [article for article in it.articles if article["id"] not in written]
    return replace(it, ticket=ticket, history=rows, articles=articles)


def _undo(ticket: Row, row: Row) -> None:
    attribute = row.get("attribute")
    if row["type"] != "updated" or attribute is None:
        return
    if attribute in NAMED:
        ticket[attribute], ticket[f"{attribute}_id"] = row["value_from"], row["id_from"]
    elif attribute == "pending_time":
        ticket[attribute] = row["value_from"].replace(" UTC", "Z").replace(" ", "T") or None
    else:
        ticket[attribute] = row["value_from"]


def moment_of(it: Composed) -> datetime:
    """When the body was rendered, or the last thing that it shows happened."""
    rows = [datetime.fromisoformat(row["created_at"]) for row in it.history]
    return max(datetime.fromisoformat(it.ticket["updated_at"]), *rows)


def begin_of(it: Composed) -> datetime:
    """When what the delivery is about began."""
    updated = datetime.fromisoformat(it.ticket["updated_at"])
    rows = [datetime.fromisoformat(row["created_at"]) for row in it.history if str(row["id"]) in it.event]
    close = [at for at in rows if (updated - at).total_seconds() < 2]  # an article of before its ticket's merge isn't
    return min(close, default=updated)
