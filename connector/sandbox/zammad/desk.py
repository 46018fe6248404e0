"""The world's state: tables, people and their rights, history, and what happens at the end of each request.

All changes of one request to one ticket are one event; triggers run on it after the request, in name order, and what
they change is no event of its own (facts: Zammad 6.0, `lib/transaction_dispatcher.rb`, `app/models/ticket.rb`).
"""

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from . import rows
from .conditions import Subject, UnknownCondition, matches, names_in
from .rows import NOBODY, Refused, Row

NO_EVENT = frozenset({"updated_at", "article_count", "create_article_type_id", "create_article_sender_id"})
_UNLOGGED = NO_EVENT | {"preferences", "updated_by_id"}
_KINDS = {"webhooks", "triggers", "macros", "overviews", "text_modules", "jobs", "calendars", "slas"}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a user, and what the token allows on top of what the user may."""

    user: Row
    allowed: frozenset[str] = frozenset({"admin", "ticket.agent", "ticket.customer", "user_preferences"})

    @property
    def id(self) -> int:
        """The user's id."""
        return int(self.user["id"])

    def lacks(self, permission: str) -> str | None:
        """None if this may be done, else who lacks the permission: "user" or "token"."""
        has = frozenset[str]().union(*(rows.PERMISSIONS[role] for role in self.user["role_ids"]))
        if not _covers(has, permission):
            return "user"
        return None if _covers(self.allowed, permission) else "token"

    @property
    def agent(self) -> bool:
        """Whether the tickets of groups are open to this caller."""
        return self.lacks("ticket.agent") is None


def _covers(granted: frozenset[str], permission: str) -> bool:
    return any(permission == one or permission.startswith(one + ".") for one in granted)


@dataclass(slots=True)
class Event:
    """What one request did to one ticket."""

    ticket_id: int
    actor_id: int
    kind: str = ""
    changed: set[str] = field(default_factory=set)
    article_id: int | None = None

    @property
    def heard(self) -> bool:
        """Whether triggers hear of it at all."""
        return bool(self.kind or self.article_id or self.changed - NO_EVENT)


@dataclass(frozen=True, slots=True)
class Hook:
    """A delivery that a trigger asked for; its body is made when it is sent."""

    trigger_id: int
    webhook_id: int
    ticket_id: int
    article_id: int | None


class Desk:
    """Tables and rules. Every change stands inside `with desk.request(actor_id):`; `lock` guards reading too.

    `now` gives the aware UTC time of stamps (a story may tell it faster than the wall clock does).
    """

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.lock = threading.RLock()
        self.on_hook: Callable[[Hook], None] = lambda _: None
        self.perform: Callable[[Row, Row, Event], None] = lambda *_: None
        self.apply_sla: Callable[[Row], None] = lambda _: None
        self._now, self._last = now, datetime.min.replace(tzinfo=UTC)
        at = self.stamp()
        self.states, self.priorities = rows.states(at), rows.priorities(at)
        self.groups = {id: rows.group(id, name, at) for id, name in ((1, "Users"), (2, "Network"), (3, "2nd Level"))}
        self.users: dict[int, Row] = {}
        self.passwords: dict[int, str] = {}
        self.tokens: dict[str, tuple[int, frozenset[str]]] = {}
        self.organizations: dict[int, Row] = {}
        self.tickets: dict[int, Row] = {}
        self.articles: dict[int, Row] = {}
        self.tags: dict[int, list[str]] = {}
        self.tag_names: dict[int, str] = {}
        self.history: list[Row] = []
        self.custom: dict[str, Any] = {}  # own ticket attributes and their default
        self.custom_times: set[str] = set()  # those of them that are times
        self.attributes: dict[int, Row] = {}
        self.tables: dict[str, dict[int, Row]] = {kind: {} for kind in _KINDS}
        self._moved: set[int] = set()
        self._ids: dict[str, itertools.count[int]] = {}
        self._events: dict[int, Event] | None = None
        self._actor = NOBODY
        self.users[NOBODY] = {**rows.user(NOBODY, "-", "-", "", [], NOBODY, at), "active": False}

    # --- time, ids, people --------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """The moment, always at least a millisecond after the one before, so that changes have an order."""
        with self.lock:
            self._last = max(self._now(), self._last + timedelta(milliseconds=1))
            return self._last

    def stamp(self) -> str:
        """Now, as the API writes it."""
        return rows.stamp(self.now())

    def next_id(self, table: str, first: int = 1) -> int:
        """A new id in this table."""
        return next(self._ids.setdefault(table, itertools.count(first)))

    def add_user(self, id: int, login: str, name: tuple[str, str], roles: list[int], by: int = NOBODY) -> Row:
        """A new person without groups."""
        self.users[id] = rows.user(id, login, *name, roles, by, self.stamp())
        return self.users[id]

    def name_of(self, user_id: int) -> str:
        """First and last name; "-" for nobody."""
        user = self.users[user_id]
        return f"{user['firstname']} {user['lastname']}".strip()

    def is_agent(self, user: Row) -> bool:
        """Whether this person works on tickets."""
        return rows.AGENT in user["role_ids"]

    def may(self, caller: Caller, ticket: Row, right: str) -> bool:
        """Whether the caller has this right (read, create, change, full) on the ticket; customers have theirs."""
        if caller.agent:
            rights = caller.user["group_ids"].get(str(ticket["group_id"]), [])
            if right in rights or "full" in rights:
                return True
        if ticket["customer_id"] == caller.id:
            return right != "full"
        shared = self.organizations.get(ticket["organization_id"] or 0, {}).get("shared")
        return bool(shared and caller.user["organization_id"] == ticket["organization_id"] and right != "full")

    def can_own(self, user_id: int, group_id: int) -> bool:
        """Whether this person can own tickets of the group: active, an agent, full access."""
        user = self.users.get(user_id)
        return bool(
            user and user["active"] and self.is_agent(user) and "full" in user["group_ids"].get(str(group_id), [])
        )

    def ticket(self, id: int) -> Row:
        """The row. Raises Refused (404)."""
        if id not in self.tickets:
            raise Refused(404, f"Couldn't find Ticket with 'id'={id}")
        return self.tickets[id]

    def articles_of(self, ticket_id: int) -> list[Row]:
        """The articles, those that a merge brought last."""
        found = [row for row in self.articles.values() if row["ticket_id"] == ticket_id]
        return sorted(found, key=lambda row: (row["id"] in self._moved, row["id"]))

    def move_articles(self, source_id: int, target_id: int) -> None:
        """What a merge does to the articles."""
        for row in self.articles_of(source_id):
            row["ticket_id"] = target_id
            self._moved.add(row["id"])

    # --- changes ------------------------------------------------------------------------------------------------

    @contextmanager
    def request(self, actor_id: int) -> Iterator[None]:
        """One request by this user: at its end its events are heard. Inside another one it is part of that."""
        with self.lock:
            if self._events is not None:
                yield
                return
            self._events, self._actor = {}, actor_id
            try:
                yield
                events = list(self._events.values())
            finally:
                self._events = None
            for event in events:
                self._hear(event)

    def event(self, ticket_id: int) -> Event:
        """This request's event about the ticket; one that nobody hears outside of a request."""
        if self._events is None:
            return Event(ticket_id, self._actor)
        return self._events.setdefault(ticket_id, Event(ticket_id, self._actor))

    def change(self, ticket: Row, by: int, columns: Row) -> None:
        """Saves the columns that differ, and who did it; without any difference nothing is saved."""
        changed = {k: v for k, v in {**columns, "updated_by_id": by}.items() if ticket.get(k) != v}
        if not changed:
            return
        at = self.stamp()  # one for all: the columns of one save share their time
        for column, value in changed.items():
            if column not in _UNLOGGED:
                self._log_change(ticket, column, value, by, at)
        ticket.update(changed, updated_at=at)
        self.event(ticket["id"]).changed |= changed.keys()

    def log(self, ticket_id: int, kind: str, by: int, **more: Any) -> None:
        """One line of the ticket's history."""
        row: Row = {"id": self.next_id("history"), "history_attribute_id": None, "o_id": ticket_id}
        row |= {"related_history_object_id": None, "object": "Ticket", "type": kind}
        row |= {"ticket_id": ticket_id, "created_by_id": by, "created_at": self.stamp(), **more}
        if "attribute" in row:
            del row["history_attribute_id"]
        self.history.append(row)

    def _log_change(self, ticket: Row, column: str, value: Any, by: int, at: str) -> None:
        old, name = ticket.get(column), column.removesuffix("_id")
        ids: Row = {"id_to": value, "id_from": old} if name != column else {}
        shown = {"value_from": self.shown(column, old), "value_to": self.shown(column, value)}
        self.log(ticket["id"], "updated", by, attribute=name, created_at=at, **ids, **shown)

    def shown(self, column: str, value: Any) -> str:
        """A column's value as people read it in the history."""
        tables = {"state_id": self.states, "priority_id": self.priorities, "group_id": self.groups}
        tables["organization_id"] = self.organizations
        if value is None:
            return ""
        if column in ("owner_id", "customer_id"):
            return self.name_of(value)
        if column in tables:
            return str(tables[column].get(value, {}).get("name", ""))
        if column.endswith("_at") or column == "pending_time" or column in self.custom_times:
            return rows.moment(value).strftime("%Y-%m-%d %H:%M:%S UTC")
        return str(value)

    # --- the end of a request -------------------------------------------------------------------------------------

    def _hear(self, event: Event) -> None:
        """Runs the triggers on an event, tells people, and sets the times of an SLA, which is an event of its own."""
        ticket = self.tickets.get(event.ticket_id)
        if ticket is None or not event.heard:
            return
        self._actor = event.actor_id
        for trigger in sorted(self.tables["triggers"].values(), key=lambda row: str(row["name"]).lower()):
            if trigger["active"] and trigger["activator"] == "action" and self._fires(trigger, ticket, event):
                self.perform(trigger, ticket, event)
        self._notify(ticket, event)
        if event.kind == "create":
            self._events = {}
            self.apply_sla(ticket)
            echoes, self._events = list(self._events.values()), None
            for echo in echoes:
                self._hear(echo)

    def _fires(self, trigger: Row, ticket: Row, event: Event) -> bool:
        if trigger["execution_condition_mode"] == "selective" and event.kind != "create" and not event.article_id:
            named = {name.removeprefix("ticket.") for name in names_in(trigger["condition"])}
            if not named & event.changed:
                return False
        try:
            return matches(trigger["condition"], self.subject(ticket, event))
        except UnknownCondition:
            return False

    def subject(self, ticket: Row, event: Event | None = None) -> Subject:
        """The ticket, and what happened to it, as conditions see it."""
        event = event or Event(ticket["id"], self._actor)
        article = self.articles.get(event.article_id or 0)
        tags = tuple(self.tags.get(ticket["id"], ()))
        action, changed = event.kind or "update", frozenset(event.changed)
        return Subject(ticket, self.now(), event.actor_id, tags, article, action, changed)

    def _notify(self, ticket: Row, event: Event) -> None:
        """Tells the owner, or all with full access if nobody owns it; never who did it, never of System notes."""
        article = self.articles.get(event.article_id or 0)
        if article and article["sender_id"] == 3 and "notification" not in article["preferences"]:
            return
        owner, group = ticket["owner_id"], ticket["group_id"]
        told = [owner] if owner != NOBODY else [id for id in self.users if self.can_own(id, group)]
        for id in told:
            if id != event.actor_id:
                text = f"{self.users[id]['email']}({event.kind or 'update'}:online,email)"
                self.log(ticket["id"], "notification", event.actor_id, value_from=None, value_to=text)
