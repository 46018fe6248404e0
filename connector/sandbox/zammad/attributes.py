"""Own attributes of tickets: made, changed and deleted in two strokes, as administrators do.

What is asked for stands as pending until a migration carries out all that is pending, whoever asked for it. Facts:
Zammad 6.0, `object_manager_attributes_controller.rb`, `object_manager/attribute.rb`.
"""

import re
from collections.abc import Iterator
from typing import Any

from . import rows
from .desk import Caller, Desk
from .rows import Refused, Row

OBJECTS = {"Ticket": 1, "User": 2, "Organization": 3, "Group": 4}
_COLUMNS = ("name", "display", "data_type", "data_option", "active", "screens", "position")
_PENDING = ("to_create", "to_migrate", "to_delete", "to_config")
_TEXTS = ("input", "textarea", "select", "tree_select")
_TYPES = (*_TEXTS, "datetime", "date", "integer", "boolean")
_RESERVED = {"true", "false", "integer", "select", "url", "icon", "validate", "search", "type", "action", "id"}


class Attributes:
    """The table of attributes; those of tickets become columns."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def listed(self) -> list[Row]:
        """All of them, with the object's name instead of its id, by position."""
        with self.desk.lock:
            found = sorted(self.desk.attributes.values(), key=lambda row: (row["position"] or 0, row["name"]))
            return [self._listed(row) for row in found]

    def _listed(self, row: Row) -> Row:
        shown = {key: value for key, value in row.items() if key != "object_lookup_id"}
        users = self._users(row)
        if users:
            shown["not_deletable_reason"] = f"This attribute is referenced by {users} and thus cannot be deleted!"
        return {**shown, "object": _object(row), "deletable": not users}

    def row(self, id: int) -> Row:
        """One of them. Raises Refused (404)."""
        if id not in self.desk.attributes:
            raise Refused(404, f"Couldn't find ObjectManager::Attribute with 'id'={id}")
        return self.desk.attributes[id]

    def create(self, caller: Caller, params: Row) -> Row:
        """A new attribute, which exists after the migration. Raises Refused (422)."""
        desk = self.desk
        with desk.lock:
            if self._named(params):
                raise Refused(422, "already exists")
            columns = self._checked(params)
            table_id = OBJECTS.get(str(params.get("object")), 1)
            _check_name(columns["name"], desk, table_id)
            highest = max((row["position"] or 0 for row in desk.attributes.values()), default=0)
            columns["position"] = columns["position"] or highest + 1
            id = desk.next_id("attribute", 54)
            row: Row = {"id": id, "object_lookup_id": table_id, **columns, "data_option_new": {}, "editable": True}
            row |= {"to_create": True, "to_migrate": True, "to_delete": False, "to_config": False}
            return desk.attributes.setdefault(id, row | rows.stamps(caller.id, desk.stamp()))

    def save(self, caller: Caller, params: Row) -> Row:
        """Changes the one that is named in the body, whatever the path says; its options wait for the migration."""
        with self.desk.lock:
            row = self._named(params)
            if row is None:
                raise Refused(422, "does not exist")
            columns = self._checked(params)
            if columns["data_type"] != row["data_type"] and {columns["data_type"], row["data_type"]} - set(_TEXTS):
                raise Refused(422, "Data type can't be altered after creation")
            if not columns["active"] and (users := self._users(row)):
                raise Refused(422, f"Ticket.{row['name']} is referenced by {users} and thus cannot be set to inactive!")
            options, was = columns.pop("data_option"), row["data_option"]
            if any(row[key] != columns[key] for key in ("display", "data_type", "position", "active")):
                row |= {"to_config": True, "data_option_new": options}
            if options != was:
                longer = "maxlength" in was and str(was["maxlength"]) != str(options.get("maxlength"))
                row |= {"to_config": True, "data_option_new": options, "to_migrate": row["to_migrate"] or longer}
            row.update(columns, updated_by_id=caller.id, updated_at=self.desk.stamp())
            return row

    def delete(self, id: int) -> None:
        """Marks it, and the migration drops it with its values; one that isn't migrated yet goes at once."""
        with self.desk.lock:
            row = self.row(id)
            if users := self._users(row):
                raise Refused(422, f"Ticket.{row['name']} is referenced by {users} and thus cannot be deleted!")
            if row["to_create"]:
                del self.desk.attributes[id]
            else:
                row["to_delete"] = True

    def migrate(self) -> None:
        """Carries out everything that is pending."""
        desk = self.desk
        with desk.lock:
            for id, row in list(desk.attributes.items()):
                if row["to_delete"]:
                    del desk.attributes[id]
                    self._drop(row)
                    continue
                if row["to_config"]:
                    row |= {"data_option": row["data_option_new"], "data_option_new": {}, "to_config": False}
                if row["to_migrate"]:
                    row |= {"to_create": False, "to_migrate": False}
                    self._add(row)

    def _add(self, row: Row) -> None:
        if row["object_lookup_id"] != OBJECTS["Ticket"]:
            return
        desk, name, default = self.desk, row["name"], row["data_option"].get("default")
        desk.custom[name] = default
        if row["data_type"] == "datetime":
            desk.custom_times.add(name)
        for ticket in desk.tickets.values():  # texts have no default in the database itself
            ticket.setdefault(name, None if row["data_type"] in _TEXTS else default)

    def _drop(self, row: Row) -> None:
        if row["object_lookup_id"] == OBJECTS["Ticket"]:
            self.desk.custom.pop(row["name"], None)
            self.desk.custom_times.discard(row["name"])
            for ticket in self.desk.tickets.values():
                ticket.pop(row["name"], None)

    # --- rules --------------------------------------------------------------------------------------------------------

    def _named(self, params: Row) -> Row | None:
        table_id = OBJECTS.get(str(params.get("object")), 1)
        found = (row for row in self.desk.attributes.values() if row["object_lookup_id"] == table_id)
        return next((row for row in found if row["name"] == params.get("name")), None)

    def _checked(self, params: Row) -> Row:
        """The columns, completed as Zammad does. Raises Refused (422; 500 where it doesn't look before it reads)."""
        columns = {name: params.get(name) for name in _COLUMNS}
        kind = columns["data_type"]
        if kind is None:
            raise Refused(500, "undefined method `match?' for nil:NilClass")
        if kind not in _TYPES:
            raise Refused(422, f"Validation failed: Data type {kind} is not a valid data type")
        options: Row = {"null": True, **(params.get("data_option") or {})}
        options = {"default": "" if kind in _TEXTS else None, "options": {}, "relation": "", **options}
        for name, needed in (("type", "input"), ("maxlength", "input"), ("future", "datetime"), ("past", "datetime")):
            if kind == needed and options.get(name) is None:
                raise Refused(422, f"Validation failed: Data option must have a value for :{name}")
        return {**columns, "data_option": options, "screens": columns["screens"] or {}}

    def _users(self, row: Row) -> str:
        """What asks about this attribute in a condition: "Trigger: a,b; Overview: c"."""
        key, found = f"{_object(row).lower()}.{row['name']}", []
        for kind in ("triggers", "overviews", "jobs", "slas"):
            names = sorted(
                str(one["name"]) for one in self.desk.tables[kind].values() if key in set(_keys(one["condition"]))
            )
            found += [f"{kind.removesuffix('s').capitalize()}: {','.join(names)}"] if names else []
        return "; ".join(found)


def _keys(selector: Any) -> Iterator[str]:
    """Every attribute that a condition, however nested, names."""
    if isinstance(selector, dict):
        yield from (key for key in selector if "." in key)
        yield from ([selector["name"]] if isinstance(selector.get("name"), str) else [])
        for inner in selector.get("conditions") or ():
            yield from _keys(inner)


def _check_name(name: Any, desk: Desk, table_id: int) -> None:
    if not re.fullmatch(r"[a-z0-9_]*[a-z][a-z0-9_]*", str(name)):
        raise Refused(422, "Validation failed: Name only lowercase letters, numbers, and '_' are allowed")
    if re.search(r"_ids?$", name):
        raise Refused(422, "Validation failed: Name can't be used because *_id and *_ids are not allowed")
    if name in _RESERVED:
        raise Refused(422, f"Validation failed: Name {name} is a reserved word")
    if table_id == OBJECTS["Ticket"] and name in rows.ticket(0, 1, desk.stamp()):
        raise Refused(422, f"Validation failed: Name {name} already exists")


def _object(row: Row) -> str:
    return next(name for name, id in OBJECTS.items() if id == row["object_lookup_id"])
