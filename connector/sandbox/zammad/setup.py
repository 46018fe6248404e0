"""What an administrator sets up: webhooks, triggers, macros, overviews, people, tokens, own attributes.

A trigger or macro name is unique, a webhook name isn't; an overview's second link gets a number. A trigger with an
unknown condition is accepted and never works.
"""

import secrets
from typing import Any
from urllib.parse import urlsplit

from . import rows, sla
from .attributes import Attributes
from .desk import Caller, Desk, Event, Hook
from .rows import NOBODY, Refused, Row
from .tickets import Tickets

_COLUMNS: dict[str, Row] = {
    "webhooks": {
        "name": None,
        "endpoint": None,
        "signature_token": None,
        "ssl_verify": True,
        "basic_auth_username": None,
        "basic_auth_password": None,
        "note": None,
        "pre_defined_webhook_type": None,
        "customized_payload": False,
        "custom_payload": None,
        "preferences": {},
        "active": True,
    },
    "triggers": {
        "name": None,
        "condition": {},
        "perform": {},
        "disable_notification": True,
        "note": None,
        "activator": "action",
        "execution_condition_mode": "selective",
        "active": True,
    },
    "macros": {
        "name": None,
        "perform": {},
        "active": True,
        "ux_flow_next_up": "none",
        "note": None,
        "group_ids": [],
    },
    "overviews": {
        "name": None,
        "link": None,
        "prio": 0,
        "condition": {},
        "order": {},
        "group_by": None,
        "group_direction": None,
        "organization_shared": False,
        "out_of_office": False,
        "view": {},
        "active": True,
        "role_ids": [],
        "user_ids": [],
    },
    "text_modules": {"name": None, "keywords": None, "content": None, "note": None, "active": True, "group_ids": []},
    "jobs": {"name": None, "condition": {}, "perform": {}, "timeplan": {}, "note": None, "active": True},
    "calendars": {"name": None, "timezone": "UTC", "business_hours": {}, "default": False, "public_holidays": {}},
    "slas": {
        "name": None,
        "calendar_id": 1,
        "first_response_time": None,
        "response_time": None,
        "update_time": None,
        "solution_time": None,
        "condition": {},
    },
}
_UNIQUE = ("triggers", "macros", "jobs", "calendars", "slas")
_ABSENCE = ("out_of_office", "out_of_office_start_at", "out_of_office_end_at", "out_of_office_replacement_id")
_PERSON = ("firstname", "lastname", "email", "phone", "mobile", "note", "active")


class Setup:
    """The administrator's side of the desk; also lets triggers act."""

    def __init__(self, desk: Desk, tickets: Tickets) -> None:
        self.desk, self._tickets = desk, tickets
        self.attributes = Attributes(desk)
        desk.perform = self._perform
        desk.apply_sla = lambda ticket: sla.apply_sla(desk, ticket)

    # --- webhooks, triggers, macros and the like ----------------------------------------------------------------------

    def row(self, kind: str, id: int) -> Row:
        """One row. Raises Refused (404)."""
        if id not in self.desk.tables[kind]:
            name = "".join(part.capitalize() for part in kind.removesuffix("s").split("_"))
            raise Refused(404, f"Couldn't find {name} with 'id'={id}")
        return self.desk.tables[kind][id]

    def create(self, caller: Caller, kind: str, params: Row) -> Row:
        """A new webhook, trigger ... Raises Refused (422)."""
        desk = self.desk
        with desk.lock:
            columns = _COLUMNS[kind]
            row = {**columns, **{k: v for k, v in params.items() if k in columns}}
            self._check(kind, row, None)
            if kind == "overviews":
                row["link"] = self._free_link(row["link"] or str(row["name"]).lower().replace(" ", "_"))
            id = desk.next_id(kind)
            desk.tables[kind][id] = {"id": id, **row, **rows.stamps(caller.id, desk.stamp())}
            if kind == "slas":
                sla.touch_all(desk)
            return desk.tables[kind][id]

    def save(self, caller: Caller, kind: str, id: int, params: Row) -> Row:
        """Changes the columns that are given."""
        with self.desk.lock:
            row = self.row(kind, id)
            changes = {k: v for k, v in params.items() if k in _COLUMNS[kind]}
            self._check(kind, {**row, **changes}, id)
            row.update(changes, updated_by_id=caller.id, updated_at=self.desk.stamp())
            if kind == "slas":
                sla.touch_all(self.desk)
            return row

    def delete(self, kind: str, id: int) -> None:
        """Deletes the row; a webhook that a trigger uses stays (422)."""
        with self.desk.lock:
            self.row(kind, id)
            users = [
                f"{trigger['name']} (#{trigger['id']})"
                for trigger in self.desk.tables["triggers"].values()
                if _webhook_of(trigger) == id
            ]
            if kind == "webhooks" and users:
                raise Refused(422, f"Cannot delete! This webhook is referenced by Trigger: {', '.join(users)}")
            del self.desk.tables[kind][id]

    def _check(self, kind: str, row: Row, id: int | None) -> None:
        if not row["name"]:
            raise Refused(422, "Name can't be blank")
        names = {other["name"] for other in self.desk.tables[kind].values() if other["id"] != id}
        if kind in _UNIQUE and row["name"] in names:
            raise Refused(422, "This object already exists.")
        if kind == "webhooks" and urlsplit(row["endpoint"] or "").scheme not in ("http", "https"):
            text = "Endpoint The provided endpoint is invalid, no http or https protocol was specified."
            raise Refused(422, text)

    def _free_link(self, link: str) -> str:
        taken = {row["link"] for row in self.desk.tables["overviews"].values()}
        number, free = 0, link
        while free in taken:
            number += 1
            free = f"{link}_{number}"
        return free

    def _perform(self, trigger: Row, ticket: Row, event: Event) -> None:
        """What a trigger does to a ticket, as user 1; "current user" is the person of the event."""
        system = Caller({**self.desk.users[NOBODY], "role_ids": [rows.ADMIN, rows.AGENT]})
        self._tickets.perform(ticket, trigger["perform"], system, "trigger", event.actor_id)
        webhook_id = _webhook_of(trigger)
        if webhook_id in self.desk.tables["webhooks"]:
            self.desk.on_hook(Hook(trigger["id"], webhook_id, ticket["id"], event.article_id))

    # --- people -------------------------------------------------------------------------------------------------------

    def create_user(self, caller: Caller, params: Row) -> Row:
        """A new person with roles, groups and perhaps a password. Raises Refused (422)."""
        desk = self.desk
        with desk.lock:
            login = str(params.get("login") or params.get("email") or "").lower()
            if login in {row["login"] for row in desk.users.values()}:
                raise Refused(422, f"Email address '{login}' is already used for another user.")
            roles = [rows.id_of(rows.ROLES, name) for name in params.get("roles", ["Customer"])]
            if not login or None in roles:
                raise Refused(
                    422, "At least one identifier (firstname, lastname, phone or email) for user is required."
                )
            name = (params.get("firstname") or "", params.get("lastname") or "")
            id = desk.next_id("user", max(desk.users) + 1)
            user = desk.add_user(id, login, name, [role for role in roles if role], caller.id)
        self.save_user(caller, user["id"], params)
        return user

    def save_user(self, caller: Caller, id: int, params: Row) -> Row:
        """Changes a person; another organization saves all of that customer's tickets, each an event by user 1."""
        desk = self.desk
        with desk.request(NOBODY):
            if id not in desk.users:
                raise Refused(404, f"Couldn't find User with 'id'={id}")
            user = desk.users[id]
            user.update({k: v for k, v in params.items() if k in _PERSON + _ABSENCE})
            if params.get("password"):
                desk.passwords[id] = str(params["password"])
            groups = {self._id(desk.groups, name): rights for name, rights in (params.get("groups") or {}).items()}
            user["group_ids"] |= {str(group): sorted(rights) for group, rights in groups.items()}
            user.update(updated_by_id=caller.id, updated_at=desk.stamp())
            if "organization" in params or "organization_id" in params:
                self._move(user, params)
            return user

    def create_organization(self, caller: Caller, params: Row) -> Row:
        """A new organization."""
        with self.desk.lock:
            id = self.desk.next_id("organization", 2)
            row = rows.organization(id, str(params.get("name") or ""), caller.id, self.desk.stamp())
            return self.desk.organizations.setdefault(id, row)

    def _move(self, user: Row, params: Row) -> None:
        name = params.get("organization")
        user["organization_id"] = self._id(self.desk.organizations, name) if name else params.get("organization_id")
        for ticket in self.desk.tickets.values():
            if ticket["customer_id"] == user["id"]:
                self.desk.change(ticket, NOBODY, {"organization_id": user["organization_id"]})

    def _id(self, table: dict[int, Row], name: str) -> int:
        found = next((id for id, row in table.items() if row["name"] == name), None)
        if found is None:
            raise Refused(422, f"No such name: {name}")
        return found

    def create_token(self, caller: Caller, permissions: list[str]) -> str:
        """A token for the caller with these permissions."""
        token = secrets.token_urlsafe(32)
        with self.desk.lock:
            self.desk.tokens[token] = (caller.id, frozenset(permissions))
        return token


def _webhook_of(trigger: Row) -> Any:
    id = trigger["perform"].get("notification.webhook", {}).get("webhook_id")
    return int(id) if id else None
