"""What a fresh Zammad 6.0 holds, and how its rows look: column names, default values, times.

A row is a dictionary with the columns of the table, as the REST API shows it; ids and names are those of the seeds.
"""

from datetime import UTC, datetime
from typing import Any

Row = dict[str, Any]

NOBODY = 1  # the user "-": owner of what nobody owns, and author of what Zammad does by itself
ADMIN, AGENT, CUSTOMER = 1, 2, 3  # roles
ROLES = {ADMIN: "Admin", AGENT: "Agent", CUSTOMER: "Customer"}
PERMISSIONS = {
    ADMIN: frozenset({"admin", "user_preferences"}),
    AGENT: frozenset({"ticket.agent", "user_preferences"}),
    CUSTOMER: frozenset({"ticket.customer", "user_preferences"}),
}
SENDERS = {1: "Agent", 2: "Customer", 3: "System"}
ARTICLE_TYPES = {1: "email", 2: "sms", 3: "chat", 4: "fax", 5: "phone", 10: "note", 11: "web"}
MERGED, CLOSED, PENDING_CLOSE = 5, 4, 7

_STATES = (  # id, name, state type id, state type
    (1, "new", 1, "new"),
    (2, "open", 2, "open"),
    (3, "pending reminder", 3, "pending reminder"),
    (4, "closed", 5, "closed"),
    (5, "merged", 6, "merged"),
    (6, "removed", 7, "removed"),
    (7, "pending close", 4, "pending action"),
)
# fmt: off
_TICKET = (
    "group_id", "priority_id", "state_id", "organization_id", "number", "title", "owner_id", "customer_id",
    "note", "first_response_at", "first_response_escalation_at", "first_response_in_min",
    "first_response_diff_in_min", "close_at", "close_escalation_at", "close_in_min", "close_diff_in_min",
    "update_escalation_at", "update_in_min", "update_diff_in_min", "last_close_at", "last_contact_at",
    "last_contact_agent_at", "last_contact_customer_at", "last_owner_update_at", "create_article_type_id",
    "create_article_sender_id", "article_count", "escalation_at", "pending_time", "type", "time_unit",
)
_ARTICLE = (
    "from", "to", "cc", "subject", "reply_to", "message_id", "message_id_md5", "in_reply_to",
)
# fmt: on
_NOTIFIED = {
    event: {
        "criteria": {"owned_by_me": True, "owned_by_nobody": unowned, "subscribed": unowned, "no": False},
        "channel": {"email": True, "online": True},
    }
    for event, unowned in (("create", True), ("update", True), ("reminder_reached", False), ("escalation", False))
}


class Refused(Exception):
    """The desk says no: HTTP status and the text that Zammad gives."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status, self.error = status, error


def stamp(moment: datetime) -> str:
    """A time as the API writes it: ISO 8601, UTC, milliseconds, Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def moment(text: str) -> datetime:
    """The aware UTC datetime in an ISO 8601 text; without a zone it is UTC. Raises ValueError."""
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def stamps(by: int, at: str) -> Row:
    """The four columns that every table has."""
    return {"updated_by_id": by, "created_by_id": by, "created_at": at, "updated_at": at}


def states(at: str) -> dict[int, Row]:
    """The default states; `state_type` is shown only in expanded answers."""
    return {
        id: {
            "id": id,
            "state_type_id": type_id,
            "name": name,
            "next_state_id": CLOSED if id == PENDING_CLOSE else None,
            "ignore_escalation": id > 2,
            "default_create": id == 1,
            "default_follow_up": id == 2,
            "note": None,
            "active": name != "removed",
            **stamps(NOBODY, at),
            "state_type": type_name,
        }
        for id, name, type_id, type_name in _STATES
    }


def priorities(at: str) -> dict[int, Row]:
    """The default priorities."""
    looks = {1: ("1 low", "low-priority", "low-priority"), 2: ("2 normal", None, None)}
    looks[3] = ("3 high", "important", "high-priority")
    return {
        id: {
            "id": id,
            "name": name,
            "default_create": id == 2,
            "ui_icon": icon,
            "ui_color": color,
            "note": None,
            "active": True,
            **stamps(NOBODY, at),
        }
        for id, (name, icon, color) in looks.items()
    }


def group(id: int, name: str, at: str) -> Row:
    """A group with the default settings."""
    return {
        "id": id,
        "signature_id": None,
        "email_address_id": None,
        "name": name,
        "assignment_timeout": None,
        "follow_up_possible": "yes",
        "reopen_time_in_days": None,
        "follow_up_assignment": True,
        "active": True,
        "shared_drafts": True,
        "note": None,
        **stamps(NOBODY, at),
    }


def organization(id: int, name: str, by: int, at: str) -> Row:
    """An organization that shares its members' tickets."""
    return {
        "id": id,
        "name": name,
        "shared": True,
        "domain": "",
        "domain_assignment": False,
        "active": True,
        "note": "",
        **stamps(by, at),
    }


def user(id: int, login: str, firstname: str, lastname: str, role_ids: list[int], by: int, at: str) -> Row:
    """A person; `group_ids` is {group id as text: [rights]}, as the API has it."""
    return {
        "id": id,
        "organization_id": None,
        "login": login,
        "firstname": firstname,
        "lastname": lastname,
        "email": login if "@" in login else "",
        "image": None,
        "image_source": None,
        **dict.fromkeys(("web", "phone", "fax", "mobile"), ""),
        "department": None,
        **dict.fromkeys(("street", "zip", "city", "country"), ""),
        "address": None,
        "vip": False,
        "verified": False,
        "active": True,
        "note": "",
        "last_login": None,
        "source": None,
        "login_failed": 0,
        "out_of_office": False,
        "out_of_office_start_at": None,
        "out_of_office_end_at": None,
        "out_of_office_replacement_id": None,
        "preferences": {"notification_config": {"matrix": _NOTIFIED}} if AGENT in role_ids else {},
        **stamps(by, at),
        "role_ids": role_ids,
        "organization_ids": [],
        "authorization_ids": [],
        "overview_sorting_ids": [],
        "group_ids": {},
    }


def ticket(id: int, by: int, at: str) -> Row:
    """A ticket with every column empty but its number and stamps."""
    row = {"id": id, **dict.fromkeys(_TICKET), "preferences": {}, **stamps(by, at)}
    return {**row, "number": str(58000 + id), "owner_id": NOBODY, "article_count": 0}


def article(id: int, ticket_id: int, by: int, at: str) -> Row:
    """An article with every column empty but its stamps."""
    return {
        "id": id,
        "ticket_id": ticket_id,
        "type_id": 10,
        "sender_id": 1,
        **dict.fromkeys(_ARTICLE),
        "content_type": "text/plain",
        "references": None,
        "body": "",
        "internal": False,
        "preferences": {},
        "updated_by_id": by,
        "created_by_id": by,
        "origin_by_id": None,
        "created_at": at,
        "updated_at": at,
        "attachments": [],
    }


def id_of(names: dict[int, str], name: Any) -> int | None:
    """The id that belongs to a name in one of the tables above."""
    return next((id for id, known in names.items() if known == name), None)
