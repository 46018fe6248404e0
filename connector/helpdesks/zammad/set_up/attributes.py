"""The two attributes of tickets that `--with-fields` asks for, made with an administrator's rights.

Zammad keeps a change of attributes as pending until a migration carries out all that is pending, whoever left it. A
change names its attribute in the body, whole; one that is pending deletion can only be migrated away. The manual asks
for a restart after a migration; a running Zammad 6.0 knew a new attribute at once.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connector.errors import HelpdeskAway, HelpdeskRefused, PermissionLost
from connector.helpdesks.zammad.values import OURS
from connector.setting_up import Piece, Standing

from .admin import Admin

PATH = "/object_manager_attributes"
PENDING = {"to_create": "new", "to_delete": "to be deleted", "to_migrate": "changed", "to_config": "changed"}
COMPARED = ("data_type", "active", "screens")  # name on the screen, place and length may be an administrator's own
TITLE = f"attributes {' and '.join(OURS)}"
OFF, GONE = f"{TITLE}, from the screens", f"{TITLE}, with their values"
RESTART = (
    "Zammad's manual asks for a restart of Zammad after a change of attributes: plan for one, though a running 6.0 "
    "took them at once. Agents' browsers ask to be loaded anew."
)
RESTARTS = "They are made, and Zammad is away: it may be restarting by itself. Run this again to see them."
NOT_ALLOWED = "Zammad doesn't let this administrator see attributes: the right admin.object is needed."
OPEN_SCREENS = (
    "Agents' screens that stand open write old values of attributes back. So Escalator only writes them, and reads "
    "nothing from them; the tags are what lists should go by."
)
NOTIFIES = (
    "Zammad tells agents of each change of an attribute, online and by mail as they chose: the owner, or everybody "
    "with full access while nobody owns the ticket. That is one at each step, and one at the end. Triggers of your own "
    "for updated tickets run then, too."
)
BY_API = "Screens hide them from customers; Zammad's API doesn't."


@dataclass(frozen=True)
class Attributes:
    """Both of them, as one piece: they share the migration."""

    admin: Admin

    def look(self) -> Piece:
        rows, changes, there = self._rows(), [], 0
        for wanted in _wanted():
            row = rows.get(wanted["name"])
            there += row is not None
            changes += _changes(wanted, row) if row is not None else [f"{wanted['name']}: missing"]
        if not there:
            return Piece(TITLE, Standing.MISSING)
        return Piece(TITLE, Standing.DIFFERENT if changes else Standing.RIGHT, tuple(changes))

    def make(self) -> None:
        if any(row.get("to_delete") for row in self._rows().values()):
            self._migrate()  # nothing takes that back for one attribute alone
        for wanted in _wanted():
            row = self._rows().get(wanted["name"])
            if row is None:
                self.admin.write("POST", PATH, wanted)
            elif _changes(wanted, row):
                self.admin.write("PUT", f"{PATH}/{row['id']}", _completed(wanted, row))
        self._migrate()
        try:
            stands = self.look().standing
        except HelpdeskAway as away:
            raise HelpdeskAway(RESTARTS, details=away.details) from None
        if stands is not Standing.RIGHT:
            raise HelpdeskRefused("Zammad took them, and does not give them back as they were sent.")

    def removable(self, *, purge: bool) -> Sequence[str]:
        """Switched off they keep their values; deleted they don't."""
        rows = self._visible()
        if purge:
            return [GONE] if rows else []
        return [OFF] if any(row.get("active") for row in rows) else []

    def remove(self, name: str) -> bool:
        rows = list(self._rows().values())
        for row in rows:
            if name == GONE:
                self.admin.write("DELETE", f"{PATH}/{row['id']}", {})
            elif row.get("active"):
                self.admin.write("PUT", f"{PATH}/{row['id']}", {**_body(row), "active": False})
        if rows:
            self._migrate()
        return bool(rows)

    def left_behind(self) -> Sequence[str]:
        left = f"the {TITLE}, switched off, with what stands in them (--purge deletes them)"
        return [left] if self._visible() else []

    def cautions(self, names: Sequence[str]) -> Sequence[str]:
        if not {TITLE, OFF, GONE} & set(names):
            return []
        foreign = [f"{row.get('object')}.{row.get('name')} ({word})" for row, word in self._pending_of_others()]
        others = f"Zammad then also carries out what others left pending: {', '.join(foreign)}."
        made = [OPEN_SCREENS, NOTIFIES, BY_API] if TITLE in names else []
        return [RESTART, *([others] if foreign else []), *made]

    # --- rows --------------------------------------------------------------------------------------------------------

    def _all(self) -> list[Mapping[str, Any]]:
        try:
            return list(self.admin.get(PATH))
        except PermissionLost as refused:
            raise PermissionLost(NOT_ALLOWED, details=refused.details) from None

    def _rows(self) -> Mapping[str, Mapping[str, Any]]:
        return {str(row["name"]): row for row in self._all() if _ours(row)}

    def _visible(self) -> list[Mapping[str, Any]]:
        """None for an administrator who may do all but this: attributes aren't part of every set-up."""
        try:
            return list(self._rows().values())
        except PermissionLost:
            return []

    def _pending_of_others(self) -> list[tuple[Mapping[str, Any], str]]:
        found = [(row, _pending(row)) for row in self._all() if not _ours(row)]
        return [(row, word) for row, word in found if word]

    def _migrate(self) -> None:
        self.admin.write("POST", f"{PATH}_execute_migrations", {})


def _wanted() -> list[dict[str, Any]]:
    return list(json.loads((Path(__file__).parent / "attributes.json").read_text("utf-8")))


def _ours(row: Mapping[str, Any]) -> bool:
    return row.get("object") == "Ticket" and row.get("name") in OURS


def _pending(row: Mapping[str, Any]) -> str:
    return next((word for flag, word in PENDING.items() if row.get(flag)), "")


def _changes(wanted: Mapping[str, Any], row: Mapping[str, Any]) -> list[str]:
    name, pending = wanted["name"], _pending(row)
    different = [key for key in COMPARED if not _within(wanted[key], row.get(key))]
    return [*(f"{name}: {key}" for key in different), *([f"{name}: pending, {pending}"] if pending else [])]


def _within(wanted: Any, has: Any) -> bool:
    """Whether all that is wanted is so; more may be there."""
    if isinstance(wanted, dict):
        return isinstance(has, dict) and all(_within(value, has.get(key)) for key, value in wanted.items())
    return bool(wanted == has)


def _body(row: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("object", "name", "display", "data_type", "data_option", "active", "screens", "position")
    return {key: row.get(key) for key in keys}


def _completed(wanted: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """The whole attribute as it is to be, with what an administrator made their own."""
    has = _body(row)
    screens = {**(has["screens"] or {}), **wanted["screens"]}
    options = {**wanted["data_option"], **(has["data_option"] or {})}
    theirs = {"display": has["display"], "position": has["position"]}
    return {**wanted, **theirs, "data_option": options, "screens": screens}
