"""Who is who in Zammad: agents by their permission, the system, robots, and ourselves.

Role names are free text and customers can run macros, so a person is whoever has the permission `ticket.agent` and
isn't the ticket's customer; the id compared is `created_by_id`, which nobody can choose.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from connector.core.ticket import Actor, Person, Role
from connector.helpdesks.zammad.client import Client

NOBODY = 1  # Zammad's user 1, login "-": the system itself, and the owner of a ticket that nobody owns
LIFETIME = 300.0  # seconds until the agents are asked for again
_PAGE = 100  # no version caps a page below this


@dataclass(frozen=True, slots=True)
class People:
    """The people of one moment. `names` are others that an answer told us of (customers, former and new agents)."""

    us: int
    agents: Mapping[int, Person]
    robots: frozenset[str] = frozenset()  # logins, lower case
    names: Mapping[int, Person] = field(default_factory=dict)
    new: frozenset[int] = frozenset()  # agents by their roles, whom the list of agents doesn't have yet

    def known(self, user_id: int) -> Person:
        """The person with this id, with an empty login and name where Zammad didn't tell."""
        return self.agents.get(user_id) or self.names.get(user_id) or Person(str(user_id), "", "")

    def is_robot(self, user_id: int) -> bool:
        return self.known(user_id).login.lower() in self.robots

    def owns(self, user_id: int | None) -> Person | None:
        """Who owns a ticket with this `owner_id`; None for nobody, robots and ourselves."""
        if user_id is None or user_id in (NOBODY, self.us) or self.is_robot(user_id):
            return None
        return self.known(user_id)

    def actor(self, user_id: int, customer_id: int | None) -> Actor:
        """Whose hand this was, on a ticket of this customer."""
        who = self.known(user_id)
        return Actor(self._role(user_id, customer_id), who.id, who.login, who.name)

    def _role(self, user_id: int, customer_id: int | None) -> Role:
        if user_id == NOBODY:
            return Role.SYSTEM
        if user_id == self.us:
            return Role.US
        if self.is_robot(user_id):
            return Role.ROBOT
        if user_id == customer_id or not (user_id in self.agents or user_id in self.new):
            return Role.CUSTOMER
        return Role.PERSON


def person(row: Mapping[str, Any]) -> Person:
    """A user's row as a person."""
    name = f"{row.get('firstname') or ''} {row.get('lastname') or ''}".strip()
    login = str(row.get("login") or "")
    return Person(str(row["id"]), login, name or login, str(row.get("email") or ""), str(row.get("mobile") or ""))


def _with_roles_of(agents: Iterable[Mapping[str, Any]], roles: Mapping[int, Collection[int]]) -> frozenset[int]:
    """Those who have all roles of some agent: permissions come by roles alone, and add up."""
    enough = {frozenset(row.get("role_ids") or ()) for row in agents} - {frozenset()}
    return frozenset(one for one, theirs in roles.items() if any(some.issubset(theirs) for some in enough))


class Directory:
    """The agents and ourselves as Zammad lists them, remembered for a while. Thread-safe.

    Asked anew when `lifetime` seconds have passed, and when somebody turns up who may have become an agent since. A
    storm of new customers isn't that: whoever only has roles that a customer has too is none.
    """

    def __init__(
        self,
        client: Client,
        robots: Iterable[str] = (),
        *,
        lifetime: float = LIFETIME,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._robots = frozenset(login.lower() for login in robots)
        self._lifetime = lifetime
        self._clock = clock
        self._lock = threading.Lock()
        self._us = 0
        self._rows: dict[int, Mapping[str, Any]] = {}
        self._others: dict[int, frozenset[int]] = {}  # looked for, and no agents then: by which roles
        self._plain_roles: set[int] = set()  # roles of such people: they don't make an agent
        self._asked_at: float | None = None

    def us(self) -> int:
        """Our own user id, which a token never changes."""
        if not self._us:
            self._us = int(self._client.get("/users/me")["id"])
        return self._us

    def people(
        self, mentioned: Collection[int] = (), roles: Mapping[int, Collection[int]] = MappingProxyType({})
    ) -> People:
        """Everybody, surely including those mentioned who are agents. Usually no call, else one per 100 agents.

        `roles` are the role ids of active people, as far as an answer told them.
        """
        us = self.us()
        with self._lock:
            others = set(mentioned) - self._rows.keys() - {us, NOBODY}
            unknown = {one for one in others if not self._was_looked_for(one, roles.get(one))}
            stale = self._asked_at is None or self._clock() - self._asked_at >= self._lifetime
            if stale or unknown:
                self._rows = self._agents()
                self._asked_at = self._clock()
                self._learn(others - self._rows.keys(), roles, afresh=stale)
            rows = self._rows
        new = _with_roles_of(rows.values(), {one: roles.get(one, ()) for one in others - rows.keys()})
        return People(us, {user_id: person(row) for user_id, row in rows.items()}, self._robots, new=new)

    def _was_looked_for(self, one: int, roles: Collection[int] | None) -> bool:
        """Whether this is no agent, as far as is known: with other roles somebody may have become one."""
        if roles:
            return self._plain_roles.issuperset(roles) or self._others.get(one) == frozenset(roles)
        return one in self._others

    def _learn(self, others: set[int], roles: Mapping[int, Collection[int]], *, afresh: bool) -> None:
        self._others |= {one: frozenset(roles.get(one, ())) for one in others}
        self._plain_roles = set() if afresh else self._plain_roles  # an admin may have changed what a role allows
        for one in others:
            self._plain_roles |= set(roles.get(one, ()))

    def active(self) -> list[Person]:
        """The agents who can log in today, ourselves among them, by login."""
        self.people()
        found = [person(row) for row in self._rows.values() if row.get("active", True)]
        return sorted(found, key=lambda one: one.login)

    def _agents(self) -> dict[int, Mapping[str, Any]]:
        """Users with the permission ticket.agent, inactive ones too: they did things while they were active."""
        found: dict[int, Mapping[str, Any]] = {}
        page = 1
        while True:
            asked = {"query": "*", "permissions[]": "ticket.agent", "expand": "true", "sort_by": "id"}
            rows = self._client.get(
                "/users/search", {**asked, "order_by": "asc", "page": page, "per_page": _PAGE, "limit": _PAGE}
            )
            new = {int(row["id"]): row for row in rows if int(row["id"]) not in found}
            found |= new
            if not new or len(rows) < _PAGE:
                return found
            page += 1
