"""Escalator's own user in Zammad, with the least rights that work, and that user's token."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from requests.auth import AuthBase, HTTPBasicAuth

from connector.errors import HelpdeskAway, HelpdeskError
from connector.helpdesks.zammad.client import Client
from connector.setting_up import Piece, Standing

from .admin import Admin

#: Enough for notes, tags and owners. With "full" Zammad would notify this user of every change of every free ticket.
RIGHTS = ("change", "create", "read")
PERMISSION = "ticket.agent"
MUCH = "The token may do more than it needs: make one with ticket.agent alone."


@dataclass(frozen=True)
class ApiUser:
    """`connect` makes a client that signs in differently. `token` is what the config holds."""

    admin: Admin
    login: str
    token: str
    connect: Callable[[str | AuthBase], Client]
    made: list[str] = field(default_factory=list)  # the new token, once

    @property
    def title(self) -> str:
        return f'user "{self.login}"'

    @property
    def token_title(self) -> str:
        return f'token of "{self.login}"'

    def id(self) -> int | None:
        row = self._row()
        return int(row["id"]) if row is not None else None

    def active(self) -> bool:
        row = self._row()
        return row is not None and bool(row.get("active"))

    def _row(self) -> Mapping[str, Any] | None:
        found = self.admin.get("/users/search", {"query": self.login, "limit": "50", "expand": "true"})
        wanted = self.login.casefold()
        return next((row for row in found if str(row.get("login", "")).casefold() == wanted), None)

    def _groups(self) -> dict[str, list[str]]:
        rows = self.admin.get("/groups")
        return {str(row["name"]): list(RIGHTS) for row in rows if row.get("active", True)}

    def look(self) -> Piece:
        row = self._row()
        if row is None:
            return Piece(self.title, Standing.MISSING)
        has = {name: sorted(rights) for name, rights in (row.get("groups") or {}).items()}
        changes = [
            f"group {name}: {', '.join(has.get(name, ())) or 'nothing'} -> {', '.join(rights)}"
            for name, rights in self._groups().items()
            if has.get(name) != rights
        ]
        roles = row.get("roles") or []
        if roles != ["Agent"]:
            changes.append(f"roles: {', '.join(roles) or 'none'} -> Agent")
        if not row.get("active"):
            changes.append("switched off -> active")
        return Piece(self.title, Standing.DIFFERENT if changes else Standing.RIGHT, tuple(changes))

    def make(self) -> None:
        body = {"roles": ["Agent"], "groups": self._groups(), "active": True}
        id = self.id()
        if id is not None:
            self.admin.write("PUT", f"/users/{id}", body)
            return
        email = {"email": self.login} if "@" in self.login else {}
        new = {"firstname": "Escalator", "lastname": "", "login": self.login, **email}
        self.admin.write("POST", "/users", {**new, "password": _password(), **body})

    def switch_off(self) -> bool:
        id = self.id()
        if id is None or not self.active():
            return False
        self.admin.write("PUT", f"/users/{id}", {"active": False})
        return True

    # --- the token ---------------------------------------------------------------------------------------------------

    def look_at_token(self) -> Piece:
        if not self.token:
            return Piece(self.token_title, Standing.MISSING)
        try:
            me = self.connect(self.token).get("/users/me")
        except HelpdeskAway:
            raise
        except HelpdeskError:
            return Piece(self.token_title, Standing.DIFFERENT, ("Zammad does not accept the one in the config",))
        if str(me.get("login", "")).casefold() != self.login.casefold():
            return Piece(self.token_title, Standing.DIFFERENT, (f"the one in the config is {me.get('login')}'s",))
        return Piece(self.token_title, Standing.RIGHT)

    def make_token(self) -> None:
        """Signs in once as the user itself, with a password that nobody will know afterwards."""
        password = _password()
        self.admin.write("PUT", f"/users/{self.id()}", {"password": password})
        signed_in = self.connect(HTTPBasicAuth(self.login, password))
        body = {"name": "Escalator", "permission": [PERMISSION], "expires_at": None}
        self.made[:] = [str(signed_in.write("POST", "/user_access_token", body)["token"])]
        self.admin.write("PUT", f"/users/{self.id()}", {"password": _password()})

    def findings(self) -> Sequence[str]:
        token = self.made[0] if self.made else self.token
        if not token:
            return []
        try:
            self.connect(token).get("/settings")
        except HelpdeskError:
            return []
        return [MUCH]


def _password() -> str:
    """Long, and of every kind that Zammad's password rules ask for."""
    return f"{secrets.token_urlsafe(30)}-aA1"
