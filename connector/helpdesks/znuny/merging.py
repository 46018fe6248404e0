"""What a merge took along, given back to the ticket on which it was written. Pure.

`TicketMerge` (Znuny 6.5, Kernel/System/Ticket.pm) moves a ticket's articles, with the history lines about them, into
the other ticket, and stamps each article's last change with its own time and agent. Both histories get a line `Merged`:
`%%NUMBER%%ID%%NUMBER%%ID`, from the first into the second. A note written shortly before the merge is found over there
only, where it is nobody's work: whether it was an acknowledgement is asked where it was written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connector.helpdesks.znuny.acts import Line
from connector.helpdesks.znuny.articles import NO_ARTICLE, came_by_merge
from connector.helpdesks.znuny.values import ident

Articles = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Merge:
    """One ticket's way into another one. Tickets and agent by id."""

    at: datetime
    by: str
    source: str
    target: str


def merges(lines: Sequence[Line]) -> tuple[Merge, ...]:
    """All merges in a history, in its order."""
    return tuple(
        Merge(line.at, line.by, ident(line.value(1)), ident(line.value(3))) for line in lines if line.type == "Merged"
    )


def gone_into(lines: Sequence[Line], ticket_id: str) -> Merge | None:
    """The last merge of this ticket into another one."""
    return next((one for one in reversed(merges(lines)) if one.source == ticket_id and one.target), None)


def taken_along(
    gone: Merge, lines: Sequence[Line], there: Sequence[Line], articles: Articles, zone: ZoneInfo
) -> tuple[tuple[Line, ...], Articles]:
    """The articles that this merge took along, as they were before it, and for each the line that tells of it.

    `lines` are the source's, `there` and `articles` the target's. Only what is surely the source's own: an article that
    may as well have come by another merge of that moment (a bulk action), or that the source itself got by a merge,
    stays where it is.
    """
    here = [one.at for one in merges(lines) if one.target == gone.source]
    into = [one for one in merges(there) if one.target == gone.target]
    moved: dict[str, Line] = {}
    for line in there:
        raw = articles.get(line.article_id)
        if raw is None or line.type in NO_ARTICLE or any(line.at <= at for at in here):
            continue
        by = {one.source for one in into if came_by_merge(raw, [(one.at, one.by)], zone)}
        if by == {gone.source}:
            moved.setdefault(line.article_id, line)
    return tuple(moved.values()), {one: _as_before(articles[one]) for one in moved}


def _as_before(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**raw, "ChangeTime": raw.get("CreateTime"), "ChangeBy": raw.get("CreateBy")}
