"""What Escalator needs in Zammad, made and compared over Zammad's own API with an administrator's rights.

The bodies beside this file are those that a Zammad 6.0 took as they stand. Trigger and macro names are unique there,
webhook names aren't; a trigger whose webhook doesn't exist is taken and never works, so everything is looked up by
name and compared after it was made.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from requests.auth import AuthBase

from connector.errors import HelpdeskRefused
from connector.helpdesks.zammad.client import Client
from connector.setting_up import Piece, Standing, Wanted

from .admin import Admin
from .attributes import TITLE as ATTRIBUTES
from .attributes import Attributes
from .people import ApiUser
from .tables import Table, difference, tables

AUTO_ASSIGN = "ticket_auto_assignment"
OPEN_TAKES = (
    'The setting "auto assignment" is on: who opens a ticket becomes its owner, so reading it acknowledges. '
    "Switch it off for groups that escalate."
)
CANT_BE_TAKEN_AWAY = ("notes, tags and history on tickets", "the API user, who is only switched off by --purge")


@dataclass(frozen=True)
class ZammadSetUp:
    """See connector.setting_up.SetUp. `admin` signs in as somebody who may do all this."""

    admin: Admin
    user: ApiUser
    attributes: Attributes
    wanted: Wanted

    def look(self) -> Sequence[Piece]:
        """The attributes come last: where Zammad is set up so, it restarts by itself after them."""
        pieces = [self.user.look(), self.user.look_at_token(), *(self._look(table) for table in self._tables())]
        return [*pieces, *([self.attributes.look()] if self.wanted.fields else [])]

    def make(self, name: str) -> None:
        if name in self._made_elsewhere():
            self._made_elsewhere()[name]()
            return
        table = next(table for table in self._tables() if table.title == name)
        row = self._find(table)
        if row is None:
            self.admin.write("POST", f"/{table.kind}", table.body)
        elif difference(table, row):
            self.admin.write("PUT", f"/{table.kind}/{row['id']}", table.body)
        left = self._look(table)
        if left.standing is not Standing.RIGHT:
            raise HelpdeskRefused(f"Zammad took {name} and does not give it back as it was sent.")

    def remove(self, name: str) -> bool:
        if name == self.user.title:
            return self.user.switch_off()
        if name.startswith(ATTRIBUTES):
            return self.attributes.remove(name)
        table = next((table for table in self._tables() if table.title == name), None)
        row = self._find(table) if table is not None else None
        if table is None or row is None:
            return False
        self.admin.write("DELETE", f"/{table.kind}/{row['id']}", {})
        return True

    def removable(self, *, purge: bool) -> Sequence[str]:
        """In the order in which Zammad lets them go: a webhook only after its triggers."""
        names = [table.title for table in reversed(self._tables()) if self._find(table) is not None]
        user = [self.user.title] if purge and self.user.active() else []
        return [*names, *user, *self.attributes.removable(purge=purge)]

    def cautions(self, names: Sequence[str]) -> Sequence[str]:
        return self.attributes.cautions(names)

    def left_behind(self) -> Sequence[str]:
        return [*CANT_BE_TAKEN_AWAY, *self.attributes.left_behind()]

    def new_token(self) -> str:
        return self.user.made[0] if self.user.made else ""

    def findings(self) -> Sequence[str]:
        settings = self.admin.get("/settings")
        found = [one for one in settings if one.get("name") == AUTO_ASSIGN]
        takes = any(bool((one.get("state_current") or {}).get("value")) for one in found)
        return [*self.user.findings(), *([OPEN_TAKES] if takes else [])]

    # --- rows --------------------------------------------------------------------------------------------------------

    def _made_elsewhere(self) -> Mapping[str, Callable[[], None]]:
        user = {self.user.title: self.user.make, self.user.token_title: self.user.make_token}
        return {**user, ATTRIBUTES: self.attributes.make}

    def _tables(self) -> list[Table]:
        return tables(self.wanted, self.user.id(), self._webhook_id())

    def _webhook_id(self) -> int | None:
        row = self._find(tables(self.wanted, None, None)[0])
        return int(row["id"]) if row is not None else None

    def _find(self, table: Table) -> Mapping[str, Any] | None:
        rows = [row for row in self.admin.get(f"/{table.kind}") if row.get("name") == table.body["name"]]
        return min(rows, key=lambda row: (len(difference(table, row)), row["id"]), default=None)

    def _look(self, table: Table) -> Piece:
        row = self._find(table)
        if row is None:
            return Piece(table.title, Standing.MISSING)
        changes = difference(table, row)
        return Piece(table.title, Standing.DIFFERENT if changes else Standing.RIGHT, changes)


def build(wanted: Wanted, administrator: Callable[[], str | AuthBase]) -> ZammadSetUp:
    """The set-up of one Zammad; makes no call. `administrator` gives a token, or a way to sign in with a password."""

    def connect(auth: str | AuthBase) -> Client:
        return Client(wanted.url, auth, ca_file=wanted.ca_file)

    admin = Admin(connect(administrator()))
    user = ApiUser(admin, wanted.login, wanted.token, connect)
    return ZammadSetUp(admin, user, Attributes(admin), wanted)
