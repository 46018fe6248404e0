"""The REST API (`/api/v1`) as a WSGI application: who asks, which route, how the answer is shown.

Refusals have Zammad's texts: 401 wrong token or password, 403 none or not allowed, 404 not there, 422 nonsense.
"""

import json
import re
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from .calls import Answer, Call, query_of
from .desk import Caller, Desk
from .rows import Refused
from .setup import Setup
from .setup_routes import SetupRoutes
from .ticket_routes import TicketRoutes
from .tickets import Tickets
from .webhooks import Deliveries


class Api:
    """Routes to the operations."""

    def __init__(self, desk: Desk, tickets: Tickets, setup: Setup, deliveries: Deliveries) -> None:
        self.desk = desk
        routes = [*TicketRoutes(desk, tickets).routes(), *SetupRoutes(desk, setup, deliveries).routes()]
        self._views = {f"{route.methods} {route.path}": route for route in routes}
        rules = [
            Rule("/api/v1" + route.path, methods=route.methods.split("|"), endpoint=endpoint)
            for endpoint, route in self._views.items()
        ]
        self._map = Map(rules, strict_slashes=False)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """The WSGI entry."""
        request = Request(environ)
        try:
            status, content = self._answer(request)
        except Refused as no:
            status, content = no.status, {"error": no.error, "error_human": no.error}
        except (ValueError, TypeError):
            status, content = 422, {"error": "Invalid value", "error_human": "Invalid value"}
        except HTTPException as no:
            status, content = no.code or 500, {"error": no.description, "error_human": no.description}
        text = "" if content is None else json.dumps(content, ensure_ascii=False)
        response = Response(text, status, content_type="application/json; charset=utf-8")
        return response(environ, start_response)

    def who(self, request: Request) -> Caller:
        """The caller by token or password. Raises Refused (401, 403)."""
        desk, header = self.desk, request.headers.get("Authorization", "")
        token = re.fullmatch(r"(?:Token token=|Token |Bearer )\"?([^\"]+)\"?", header)
        if token:
            user_id, allowed = desk.tokens.get(token[1], (0, frozenset()))
            if not desk.users.get(user_id, {}).get("active"):
                raise Refused(401, "Can't find User for Token")
            return Caller(desk.users[user_id], allowed)
        if request.authorization and request.authorization.type == "basic":
            name, password = request.authorization.username, request.authorization.password
            for id, user in desk.users.items():
                if name in (user["login"], user["email"]) and user["active"] and desk.passwords.get(id) == password:
                    return Caller(user)
            raise Refused(401, "Invalid BasicAuth credentials")
        raise Refused(403, "Authentication required")

    def _answer(self, request: Request) -> Answer:
        endpoint, values = self._map.bind_to_environ(request.environ).match()
        route = self._views[endpoint]
        body = request.get_json(silent=True) if request.content_length else {}
        with self.desk.lock:
            caller = self.who(request)
            if route.needs and (lacking := caller.lacks(route.needs)):
                raise Refused(403, f"Not authorized ({lacking})!")
            call = Call(caller, query_of(request), body if isinstance(body, dict) else {})
            return route.view(call, **values)
