"""The routes about people, fixed lists, and what administrators set up."""

from collections.abc import Iterator

from . import render, search
from .calls import Answer, Call, Route
from .desk import Desk
from .rows import Refused, Row
from .setup import Setup
from .webhooks import Deliveries

VERSION = "6.0.0"
_ADMIN_TABLES = ("webhooks", "triggers", "overviews", "jobs", "calendars", "slas")
_SHARED_TABLES = ("macros", "text_modules")
_AUTO_ASSIGN = {"id": 1, "name": "ticket_auto_assignment", "state_current": {"value": False}}


class SetupRoutes:
    """What administrators do, and what everybody may look up."""

    def __init__(self, desk: Desk, setup: Setup, deliveries: Deliveries) -> None:
        self.desk, self.setup, self.deliveries = desk, setup, deliveries

    def routes(self) -> Iterator[Route]:
        """All of them."""
        yield from self._people_routes()
        yield from self._setup_routes()
        for kind in (*_ADMIN_TABLES, *_SHARED_TABLES):
            yield from self._table_routes(kind)

    def _people_routes(self) -> Iterator[Route]:
        desk = self.desk
        yield Route("GET", "/users/me", lambda call: (200, self._person(call, call.caller.user)))
        yield Route("GET", "/users/search", self._find_people, "ticket.agent")
        yield Route("GET", "/users/<int:id>", self._user, "ticket.agent")
        yield Route(
            "GET", "/users", lambda call: (200, [self._person(call, row) for row in desk.users.values()]), "admin"
        )
        yield Route("POST", "/users", lambda call: (201, dict(self.setup.create_user(call.caller, call.body))), "admin")
        yield Route("PUT", "/users/<int:id>", self._save_user, "admin")
        yield Route("POST", "/user_access_token", self._token, "user_preferences")
        yield Route("GET", "/organizations", lambda _: (200, [*desk.organizations.values()]), "ticket.agent")
        yield Route("POST", "/organizations", self._organization, "admin")
        yield Route("GET", "/ticket_priorities", lambda _: (200, [*desk.priorities.values()]))
        yield Route("GET", "/ticket_states", self._states)
        yield Route(
            "GET", "/groups", lambda _: (200, [render.group(desk, row) for row in desk.groups.values()]), "admin"
        )
        yield Route("GET", "/version", lambda _: (200, {"version": VERSION}), "admin")

    def _person(self, call: Call, row: Row) -> Row:
        return render.user(self.desk, row, expand=call.asks("expand"))

    def _find_people(self, call: Call) -> Answer:
        return 200, [self._person(call, row) for row in search.users(self.desk, call.query)]

    def _user(self, call: Call, id: int) -> Answer:
        if id not in self.desk.users:
            raise Refused(404, f"Couldn't find User with 'id'={id}")
        return 200, self._person(call, self.desk.users[id])

    def _save_user(self, call: Call, id: int) -> Answer:
        return 200, dict(self.setup.save_user(call.caller, id, call.body))

    def _token(self, call: Call) -> Answer:
        return 200, {"token": self.setup.create_token(call.caller, list(call.body.get("permission") or []))}

    def _organization(self, call: Call) -> Answer:
        return 201, render.organization(self.desk, self.setup.create_organization(call.caller, call.body))

    def _states(self, call: Call) -> Answer:
        names: Row = {"created_by": "-", "updated_by": "-"} if call.asks("expand") else {}
        hidden = () if names else ("state_type",)
        return 200, [
            {k: v for k, v in {**row, **names}.items() if k not in hidden} for row in self.desk.states.values()
        ]

    def _setup_routes(self) -> Iterator[Route]:
        path = "/object_manager_attributes"
        own = self.setup.attributes
        yield Route("GET", path, lambda _: (200, own.listed()), "admin.object")
        yield Route("POST", path, lambda call: (201, own.create(call.caller, call.body)), "admin.object")
        yield Route("GET", path + "/<int:id>", lambda _, id: (200, own.row(id)), "admin.object")
        yield Route(
            "PUT", path + "/<int:id>", lambda call, **_: (200, own.save(call.caller, call.body)), "admin.object"
        )
        yield Route("DELETE", path + "/<int:id>", self._drop_attribute, "admin.object")
        yield Route("POST", path + "_execute_migrations", self._migrate, "admin.object")
        yield Route("GET", "/tag_list", self._tag_list, "admin.tag")
        yield Route("DELETE", "/tag_list/<int:id>", self._drop_tag, "admin.tag")
        yield Route("GET", "/settings", lambda _: (200, [_AUTO_ASSIGN]), "admin")
        yield Route("GET", "/http_logs/webhook", lambda _: (200, [*self.deliveries.log]), "admin")
        yield Route("GET", "/monitoring/health_check", self._health, "admin")

    def _table_routes(self, kind: str) -> Iterator[Route]:
        admin = f"admin.{kind.removesuffix('s')}"
        setup, table = self.setup, self.desk.tables[kind]

        def delete(_: Call, id: int) -> Answer:
            setup.delete(kind, id)
            return 200, {}

        reads = "ticket.agent" if kind in _SHARED_TABLES else admin
        yield Route("GET", f"/{kind}", lambda _: (200, [*table.values()]), reads)
        yield Route("GET", f"/{kind}/<int:id>", lambda _, id: (200, setup.row(kind, id)), reads)
        yield Route("POST", f"/{kind}", lambda call: (201, setup.create(call.caller, kind, call.body)), admin)
        yield Route(
            "PUT", f"/{kind}/<int:id>", lambda call, id: (200, setup.save(call.caller, kind, id, call.body)), admin
        )
        yield Route("DELETE", f"/{kind}/<int:id>", delete, admin)

    def _drop_attribute(self, _: Call, id: int) -> Answer:
        self.setup.attributes.delete(id)
        return 200, {}

    def _migrate(self, _: Call) -> Answer:
        self.setup.attributes.migrate()
        return 200, {}

    def _tag_list(self, _: Call) -> Answer:
        used = [tag for tags in self.desk.tags.values() for tag in tags]
        names = self.desk.tag_names.items()
        return 200, [{"id": id, "name": name, "count": used.count(name)} for id, name in names]

    def _drop_tag(self, _: Call, id: int) -> Answer:
        name = self.desk.tag_names.pop(id, None)
        for tags in self.desk.tags.values():
            if name in tags:
                tags.remove(name)
        return 200, {}

    def _health(self, _: Call) -> Answer:
        failing = self.deliveries.failing
        issues = [f"{failing} failing background job(s)"] if failing else []
        message = issues[0] if issues else "success"
        return 200, {"healthy": not issues, "message": message, "issues": issues, "actions": []}
