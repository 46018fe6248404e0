"""Finding tickets and people, without a search engine: conditions in SQL's manner, words by LIKE."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from .conditions import UnknownCondition, matches
from .desk import Caller, Desk, Event
from .rows import Refused, Row, moment, stamp

MOST = 200  # rows a page, whatever is asked for


def tickets(desk: Desk, caller: Caller, params: Row) -> list[Row]:
    """The tickets that the caller may read and that match `query` and `condition`, one page of them."""
    column = str(params.get("sort_by") or "updated_at")
    order = str(params.get("order_by") or ("asc" if params.get("sort_by") else "desc"))
    condition, query = params.get("condition") or {}, str(params.get("query") or "").replace("*", "").strip()

    def fits(row: Row) -> bool:
        wanted = desk.may(caller, row, "read") and matches(condition, desk.subject(row, Event(row["id"], caller.id)))
        return wanted and (not query or _says(desk, row, query))

    with desk.lock:
        found = _indexed(desk, condition)
        if found and column not in found[0]:
            raise Refused(422, f"Found invalid column '{column}' for sorting.")
        found.sort(key=lambda row: (row[column] is not None, row[column]), reverse=order.lower() == "desc")
        try:
            return page(filter(fits, found), params, int(params.get("limit") or 50))
        except UnknownCondition as unknown:
            raise Refused(422, f"Invalid condition {unknown}") from None


def _indexed(desk: Desk, condition: Row) -> list[Row]:
    """What can fit at all, as an index would tell: a desk may hold tens of thousands of tickets."""
    ids = condition.get("ticket.id", {})
    if ids.get("operator") == "is" and isinstance(ids.get("value"), list):
        wanted = {int(id) for id in map(str, ids["value"]) if id.isdecimal()}
        return [desk.tickets[id] for id in sorted(wanted & desk.tickets.keys())]
    saved = condition.get("ticket.updated_at", {})
    since = stamp(moment(saved["value"])) if saved.get("operator") == "after (absolute)" else ""
    return [row for row in desk.tickets.values() if row["updated_at"] >= since]


def page(found: Iterable[Row], params: Row, otherwise: int, most: int = MOST) -> list[Row]:
    """One page: `page` counts from 1, `per_page` rows each."""
    size = min(int(params.get("per_page") or otherwise), most)
    start = (max(int(params.get("page") or 1), 1) - 1) * size
    return list(islice(found, start, start + size))


def users(desk: Desk, params: Row) -> list[Row]:
    """People by words, permission and rights in groups; `params` as parsed from the query's brackets."""
    query = str(params.get("query") or "").replace("*", "").lower()
    permissions: list[str] = params.get("permissions", [])
    rights: dict[str, str] = params.get("group_ids", {})
    with desk.lock:
        found = [row for id, row in desk.users.items() if id != 1 and row["active"] and _is_called(row, query)]
        found = [row for row in found if all(_has(row, one) for one in permissions)]
        found = [row for row in found if all(_right(row, id, right) for id, right in rights.items())]
    return sorted(page(found, params, int(params.get("limit") or 50)), key=_latest, reverse=True)


def _says(desk: Desk, row: Row, query: str) -> bool:
    texts: list[Any] = [row["number"], row["title"]]
    for article in desk.articles_of(row["id"]):
        texts += [article["subject"], article["body"], article["from"]]
    return any(query.lower() in str(text or "").lower() for text in texts)


def _is_called(row: Row, query: str) -> bool:
    name = f"{row['firstname']} {row['lastname']}"
    return any(query in str(text).lower() for text in (row["login"], row["email"], name))


def _has(row: Row, permission: str) -> bool:
    return {"ticket.agent": 2, "ticket.customer": 3, "admin": 1}.get(permission) in row["role_ids"]


def _right(row: Row, group_id: str, right: str) -> bool:
    has = row["group_ids"].get(str(group_id), [])
    return right in has or "full" in has


def _latest(row: Row) -> str:
    return str(row["updated_at"])
