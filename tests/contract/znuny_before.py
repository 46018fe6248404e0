"""The Znuny around a captured event as it was a moment before: the lines that the event is about undone."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ..helpdesks.znuny.composed import Composed, Line

STATE_TYPES = {
    "new": "new",
    "open": "open",
    "pending reminder": "pending reminder",
    "closed successful": "closed",
    "merged": "merged",
}


def lines_of(it: Composed) -> list[Line]:
    """The ticket's history; a deleted ticket answers none."""
    found = it.history.get("TicketHistory")
    return list(found[0]["History"]) if found else []


def before(it: Composed) -> Composed | None:
    """The ticket without the lines of this event; None when they are those of its creation."""
    lines = lines_of(it)
    kept, undone = lines[: len(lines) - it.act], lines[len(lines) - it.act :]
    if not kept:
        return None
    ticket: dict[str, Any] = dict(it.ticket["Ticket"][0])
    for line in reversed(undone):
        _undo(ticket, line, kept)
    written = {int(line["ArticleID"]) for line in undone}
    ticket["Article"] = [one for one in ticket["Article"] if int(one["ArticleID"]) not in written]
    ticket["Changed"] = kept[-1]["CreateTime"]
    history = {"TicketHistory": [{"TicketID": it.ticket_id, "History": kept}]}
    return replace(it, ticket={"Ticket": [ticket]}, history=history)


def _undo(ticket: dict[str, Any], line: Line, kept: list[Line]) -> None:
    values = line["Name"].removeprefix("%%").split("%%")
    match line["HistoryType"]:
        case "Lock" | "Unlock":
            ticket["Lock"] = "unlock" if line["HistoryType"] == "Lock" else "lock"
        case "PriorityUpdate":
            ticket["Priority"], ticket["PriorityID"] = values[0], values[1]
        case "Move":
            ticket["Queue"], ticket["QueueID"] = values[2], values[3]
        case "StateUpdate":
            ticket["State"], ticket["StateType"] = values[0], STATE_TYPES[values[0]]
            ticket["RealTillTimeNotUsed"] = _waited_for(kept) if values[0] == "pending reminder" else 0
        case "OwnerUpdate":
            earlier = [one["Name"] for one in kept if one["HistoryType"] == "OwnerUpdate"]
            ticket["Owner"], ticket["OwnerID"] = earlier[-1].removeprefix("%%").split("%%") if earlier else ("", 1)


def _waited_for(kept: list[Line]) -> int:
    times = [one["Name"].removeprefix("%%") for one in kept if one["HistoryType"] == "SetPendingTime"]
    return int(datetime.strptime(times[-1], "%Y-%m-%d %H:%M").replace(tzinfo=UTC).timestamp())


def moment_of(it: Composed) -> datetime:
    """When the last thing happened that the event shows."""
    return max(_at(line) for line in lines_of(it))


def begin_of(it: Composed) -> datetime:
    """When what the event is about began."""
    return _at(lines_of(it)[-it.act]) if it.act else moment_of(it)


def _at(line: Line) -> datetime:
    return datetime.strptime(line["CreateTime"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
