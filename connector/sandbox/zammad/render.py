"""How rows are shown: in the API's answers, expanded or with assets, and in webhook bodies.

Key sets are those of Zammad 6.0. In a webhook body a missing article or organization is `{}`; the JSON is compact,
sorted by nothing, UTF-8, with `<`, `>` and `&` escaped.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from .desk import Desk
from .rows import ARTICLE_TYPES, ROLES, SENDERS, Row

_HIDDEN = ("last_login", "login_failed", "preferences", "group_ids", "authorization_ids")


def plain_ticket(desk: Desk, row: Row, *, bare: bool = False) -> Row:
    """A ticket with ids only; `bare` as `GET /tickets/{id}` has it, without the ids of articles."""
    return dict(row) if bare else {**row, **_lists(desk, row)}


def expanded_ticket(desk: Desk, row: Row) -> Row:
    """A ticket with names beside the ids, as `expand=true` gives."""
    names: Row = {"group": desk.groups[row["group_id"]]["name"], "ticket_time_accounting": []}
    if row["organization_id"]:
        names["organization"] = desk.organizations[row["organization_id"]]["name"]
    names |= {"state": desk.states[row["state_id"]]["name"]}
    names |= {"priority": desk.priorities[row["priority_id"]]["name"]}
    names |= {who: _login(desk, row[f"{who}_id"]) for who in ("owner", "customer", "created_by", "updated_by")}
    return {**plain_ticket(desk, row), **names, **_first_article(row)}


def _lists(desk: Desk, row: Row) -> Row:
    return {"article_ids": [one["id"] for one in desk.articles_of(row["id"])], "ticket_time_accounting_ids": []}


def _first_article(row: Row) -> Row:
    if row["create_article_type_id"] is None:
        return {}
    names = {"create_article_type": ARTICLE_TYPES[row["create_article_type_id"]]}
    return names | {"create_article_sender": SENDERS[row["create_article_sender_id"]]}


def _login(desk: Desk, id: int) -> str:
    return str(desk.users[id]["login"])


def article(desk: Desk, row: Row) -> Row:
    """An article with names, as every answer about articles has it."""
    shown = {**row, "created_by": _login(desk, row["created_by_id"]), "updated_by": _login(desk, row["updated_by_id"])}
    shown |= {"type": ARTICLE_TYPES[row["type_id"]], "sender": SENDERS[row["sender_id"]]}
    return shown | ({"origin_by": _login(desk, row["origin_by_id"])} if row["origin_by_id"] else {})


def user(desk: Desk, row: Row, *, expand: bool = False) -> Row:
    """A person; expanded with the names of roles and groups, and the rights there."""
    if not expand:
        return dict(row)
    groups = {desk.groups[int(id)]["name"]: rights for id, rights in row["group_ids"].items()}
    return {**row, **_user_names(desk, row), "authorizations": [], "groups": groups}


def _user_names(desk: Desk, row: Row) -> Row:
    names: Row = {"roles": [ROLES[id] for id in row["role_ids"]], "organizations": [], "overview_sortings": []}
    names |= {"created_by": _login(desk, row["created_by_id"]), "updated_by": _login(desk, row["updated_by_id"])}
    if row["organization_id"]:
        names["organization"] = desk.organizations[row["organization_id"]]["name"]
    return names


def group(desk: Desk, row: Row) -> Row:
    """A group with the ids of its members."""
    return {**row, "user_ids": [id for id, one in desk.users.items() if str(row["id"]) in one["group_ids"]]}


def organization(desk: Desk, row: Row) -> Row:
    """An organization with the ids of its members."""
    members = [id for id, one in desk.users.items() if one["organization_id"] == row["id"]]
    return {**row, "member_ids": members, "secondary_member_ids": []}


def assets(desk: Desk, tickets: Sequence[Row], articles: Sequence[Row] = (), users: Iterable[int] = ()) -> Row:
    """The rows that an answer refers to, by table and id as text."""
    ids = set(users)
    for row in tickets:
        ids |= {row["owner_id"], row["customer_id"], row["created_by_id"], row["updated_by_id"]}
    for row in articles:
        ids |= {row["created_by_id"], row["updated_by_id"]}
    people = [desk.users[id] for id in sorted(ids)]
    groups = {row["group_id"] for row in tickets} | {int(id) for one in people for id in one["group_ids"]}
    homes = {row["organization_id"] for row in tickets} | {one["organization_id"] for one in people}
    found = {
        "Ticket": [plain_ticket(desk, row) for row in tickets],
        "TicketArticle": [dict(row) for row in articles],
        "User": [dict(row) for row in people],
        "Role": [{"id": id, "name": ROLES[id], "active": True} for id in ROLES],
        "Group": [group(desk, desk.groups[id]) for id in sorted(groups)],
        "Organization": [organization(desk, desk.organizations[id]) for id in sorted(homes - {None})],
    }
    return {table: {str(row["id"]): row for row in shown} for table, shown in found.items() if shown}


def history(desk: Desk, ticket: Row) -> Row:
    """`GET /ticket_history/{id}`: every line of it, and the people in it."""
    lines = [line for line in desk.history if line["ticket_id"] == ticket["id"]]
    shown = []
    for line in lines:
        hidden = {"ticket_id"} | ({"related_history_object_id"} if "related_o_id" in line else set())
        shown.append({k: v for k, v in line.items() if k not in hidden})
    people = {line["created_by_id"] for line in lines}
    for line in lines:
        if line.get("attribute") in ("owner", "customer"):
            people |= {line["id_from"], line["id_to"]} - {None}
    return {"history": shown, "assets": assets(desk, [ticket], desk.articles_of(ticket["id"]), people)}


# --- webhook bodies -------------------------------------------------------------------------------------------------


def payload(desk: Desk, ticket: Row, article_row: Row | None) -> bytes:
    """The body of a delivery, from the rows as they are now (`app/jobs/trigger_webhook_job/record_payload/`)."""
    body = {"ticket": _ticket_record(desk, ticket), "article": _article_record(desk, article_row)}
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    for bare, escaped in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(bare, escaped)
    return text.encode()


def _ticket_record(desk: Desk, row: Row) -> Row:
    record = expanded_ticket(desk, row)
    record |= {who: _person(desk, row[f"{who}_id"]) for who in ("owner", "customer", "created_by", "updated_by")}
    home = desk.organizations.get(row["organization_id"] or 0)
    members = organization(desk, home) if home else {}
    if home:
        members["members"] = [_login(desk, id) for id in members["member_ids"]]
    place = group(desk, desk.groups[row["group_id"]])
    place["users"] = [_login(desk, id) for id in place["user_ids"]]
    record |= {"group": _stamped(desk, place), "priority": _stamped(desk, desk.priorities[row["priority_id"]])}
    return record | {"organization": _stamped(desk, members) if home else {}}


def _article_record(desk: Desk, row: Row | None) -> Row:
    if row is None:
        return {}
    people: Row = {who: _person(desk, row[f"{who}_id"]) for who in ("created_by", "updated_by")}
    return {**article(desk, row), **people, "accounted_time": 0.0}


def _person(desk: Desk, id: int) -> Row:
    row = desk.users[id]
    return {k: v for k, v in row.items() if k not in _HIDDEN} | _user_names(desk, row)


def _stamped(desk: Desk, row: Row) -> dict[str, Any]:
    return {**row, "created_by": _login(desk, row["created_by_id"]), "updated_by": _login(desk, row["updated_by_id"])}
