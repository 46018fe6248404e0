"""Articles: who an article is from, and what a new one does to its ticket.

Facts (captured from Zammad 6.0): a System note leaves `updated_by` and the counter alone; a public article of a
communication type by an agent is the first response and opens a new ticket; a note never is.
"""

import hashlib
import re
from typing import Any

from . import rows
from .desk import Caller, Desk
from .rows import ARTICLE_TYPES, NOBODY, SENDERS, Refused, Row

MAX_BODY = 1_500_000
_DESK_ADDRESS = "desk@example.com"


def add_article(
    desk: Desk, caller: Caller, ticket: Row, params: Row, *, as_system: bool = False, counts: bool = True
) -> Row:
    """Writes an article in the caller's name. Raises Refused (422).

    `as_system`: by sender System whoever the caller is, as macros and triggers do. `counts` is False for the note that
    a merge leaves.
    """
    type_id, sender_id, body = check_article(params)
    sender_id = 3 if as_system else sender_id if desk.is_agent(caller.user) else 2
    article = rows.article(desk.next_id("article"), ticket["id"], caller.id, desk.stamp())
    html = params.get("content_type") == "text/html"
    article |= {
        "type_id": type_id,
        "sender_id": sender_id,
        "subject": params.get("subject"),
        "to": params.get("to"),
        "cc": params.get("cc"),
        "in_reply_to": params.get("in_reply_to") or None,
        "content_type": "text/html" if html else "text/plain",
        "body": sanitised(body) if html else body,
        "internal": _flag(params.get("internal")) and (caller.agent or as_system),
        "preferences": dict(params.get("preferences") or {}),
    }
    article |= _from(desk, caller, ticket, article)
    desk.articles[article["id"]] = article
    desk.log(ticket["id"], "created", caller.id, object="Ticket::Article", o_id=article["id"], **_related(ticket["id"]))
    desk.event(ticket["id"]).article_id = article["id"]
    _follow(desk, caller, ticket, article, counts)
    return article


def check_article(params: Row) -> tuple[int, int, str]:
    """Type id, sender id (for an agent's article) and body. Raises Refused (422)."""
    body = str(params.get("body") or "")
    if not body:
        raise Refused(422, "Need at least an 'article body' field.")
    if len(body) > MAX_BODY:
        raise Refused(422, "body is too long")
    return _id(ARTICLE_TYPES, params, "type", 10), _id(SENDERS, params, "sender", 1), body


def add_mail(desk: Desk, caller: Caller, ticket: Row, body: str, *, auto_response: bool = False) -> Row:
    """A mail that came through the mail gateway: it opens the ticket unless that is new, closed or not."""
    article = rows.article(desk.next_id("article"), ticket["id"], caller.id, desk.stamp())
    message_id = f"<{article['id']}@mail.example.org>"
    article |= {
        "type_id": 1,
        "sender_id": 1 if desk.is_agent(caller.user) else 2,
        "from": f"{desk.name_of(caller.id)} <{caller.user['email']}>",
        "to": _DESK_ADDRESS,
        "subject": f"Re: [Ticket#{ticket['number']}] {ticket['title']}",
        "message_id": message_id,
        "message_id_md5": _md5(message_id),
        "body": body,
        "preferences": {"send-auto-response": not auto_response, "is-auto-response": auto_response},
    }
    desk.articles[article["id"]] = article
    event = desk.event(ticket["id"])
    if event.kind != "create" and desk.states[ticket["state_id"]]["name"] not in ("new", "merged", "removed"):
        desk.change(ticket, caller.id, {"state_id": 2, "pending_time": None})
    desk.log(ticket["id"], "created", caller.id, object="Ticket::Article", o_id=article["id"], **_related(ticket["id"]))
    event.article_id = article["id"]
    _follow(desk, caller, ticket, article, True)
    return article


def sanitised(html: str) -> str:
    """HTML without comments, scripts and `data-` attributes, bare ampersands escaped."""
    html = re.sub(r"<!--.*?-->|<script\b.*?</script>", "", html, flags=re.DOTALL | re.IGNORECASE)
    html = re.sub(r"""(<[^>]*?)\sdata-[\w-]+=("[^"]*"|'[^']*'|[^\s>]+)""", r"\1", html)
    return re.sub(r"&(?!#?\w+;)", "&amp;", html)


def _follow(desk: Desk, caller: Caller, ticket: Row, article: Row, counts: bool) -> None:
    """What a new article changes on its ticket."""
    at, sender = article["created_at"], SENDERS[article["sender_id"]]
    creating = desk.event(ticket["id"]).kind == "create"
    ticket["updated_at"] = desk.stamp()
    if creating:
        ticket |= {"create_article_type_id": article["type_id"], "create_article_sender_id": article["sender_id"]}
    if sender == "System":
        return
    ticket["article_count"] += 1 if counts else 0
    columns: Row = {}
    contact = not article["internal"] and ARTICLE_TYPES[article["type_id"]] != "note"
    automatic = article["preferences"].get("is-auto-response") is True
    if contact and sender == "Customer" and not automatic and _answered(ticket):
        columns = {"last_contact_at": at, "last_contact_customer_at": at}
    if contact and sender == "Agent":
        columns = {"first_response_at": ticket["first_response_at"] or at, "last_contact_at": at}
        columns["last_contact_agent_at"] = at
        if ticket["owner_id"] != NOBODY:
            columns["last_owner_update_at"] = at
        if ticket["state_id"] == 1 and not creating:
            columns["state_id"] = 2
    desk.change(ticket, caller.id, columns)


def _answered(ticket: Row) -> bool:
    """Whether this is the customer's first word, or the first since an agent's: only that one counts as contact."""
    customer, agent = ticket["last_contact_customer_at"], ticket["last_contact_agent_at"]
    return customer is None or (agent is not None and agent > customer)


def _from(desk: Desk, caller: Caller, ticket: Row, article: Row) -> Row:
    """`from`, `origin_by_id` and, for a mail, what the sending of it leaves."""
    name = desk.name_of(caller.id)
    kind, sender = ARTICLE_TYPES[article["type_id"]], SENDERS[article["sender_id"]]
    if sender == "Customer" and kind in ("web", "phone"):
        customer = desk.users[ticket["customer_id"] if desk.is_agent(caller.user) else caller.id]
        writer = f"{desk.name_of(customer['id'])} <{customer['email']}>"
        return {"from": writer, "origin_by_id": customer["id"]}
    if kind == "email" and sender == "Agent":
        message_id = f"<{article['id']}.{ticket['id']}@desk.example.com>"
        sent = {"delivery_retry": 1, "email_address_id": 1, "delivery_status": "success"}
        return {
            "from": f"{name} via Desk <{_DESK_ADDRESS}>",
            "subject": article["subject"] or ticket["title"],
            "message_id": message_id,
            "message_id_md5": _md5(message_id),
            "preferences": {**article["preferences"], **sent},
        }
    return {"from": name}


def _related(ticket_id: int) -> Row:
    return {"related_o_id": ticket_id, "related_object": "Ticket"}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _flag(value: Any) -> bool:
    return value in (True, "true", 1, "1")


def _id(names: dict[int, str], params: Row, name: str, default: int) -> int:
    if f"{name}_id" in params:
        return int(params[f"{name}_id"])
    if params.get(name) is None:
        return default
    found = rows.id_of(names, params[name])
    if found is None:
        raise Refused(422, f"No lookup value found for '{name}': \"{params[name]}\"")
    return found
