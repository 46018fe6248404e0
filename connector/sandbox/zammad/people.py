"""What people and Zammad itself do, for stories and the demo: the same operations that the API's routes call.

Tickets are named by id (number or text). Every change answers the ticket as `expand=true` shows it, every article the
article; the texts of refusals are those of the API (`Refused`).
"""

from dataclasses import dataclass
from typing import Any

from . import render
from .articles import add_mail
from .desk import Caller, Desk
from .rows import NOBODY, PENDING_CLOSE, Row
from .setup import Setup
from .tickets import Tickets

Id = int | str
_FORM = ("title", "group_id", "owner_id", "customer_id", "state_id", "priority_id", "pending_time")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a login and an API token."""

    id: int
    login: str
    name: str
    token: str

    def shown(self) -> Row:
        """As WORLD.json has it."""
        return {"id": self.id, "login": self.login, "token": self.token}


class People:
    """The acts; `SandboxZammad` brings the desk and the persons."""

    desk: Desk
    operations: Tickets
    setup: Setup
    macro_id: int
    admin: Person
    alice: Person
    bob: Person
    escalator: Person
    cathy: Person

    def caller(self, person: Person) -> Caller:
        """This person as the operations know callers."""
        return Caller(self.desk.users[person.id])

    # --- tickets ------------------------------------------------------------------------------------------------------

    def create_ticket(
        self,
        title: str = "Server outage",
        *,
        by: Person | None = None,
        priority: str = "2 normal",
        group: str = "Network",
        body: str = "The server is down",
        owner: Person | None = None,
        tags: str = "",
    ) -> Row:
        """A new ticket of Cathy's: by herself on the web, or by an agent who took her call."""
        by = by or self.cathy
        params: Row = {"title": title, "group": group, "priority": priority, "customer_id": self.cathy.id, "tags": tags}
        params["article"] = {"subject": title, "body": body, "type": "web"}
        if by is not self.cathy:
            params["article"] |= {"type": "phone", "sender": "Customer"}
        if owner:
            params["owner_id"] = owner.id
        return self._shown(self.operations.create(self.caller(by), params))

    def create_by_mail(
        self, title: str = "Server outage", body: str = "The server is down", group: str = "Network"
    ) -> Row:
        """A new ticket by a mail of Cathy's."""
        caller = self.caller(self.cathy)
        with self.desk.request(caller.id):
            ticket = self.operations.create(caller, {"title": title, "group": group})
            add_mail(self.desk, caller, ticket, body)
        return self._shown(ticket)

    def change(self, ticket: Id, by: Person, **columns: Any) -> Row:
        """Any save: state, priority, group, pending_time, owner (a login), owner_id, title, article ..."""
        return self._shown(self.operations.save(self.caller(by), int(ticket), columns))

    def open_screen(self, ticket: Id) -> Row:
        """The form as a browser that opens the ticket now knows it, for `save_screen`."""
        with self.desk.lock:
            row = self.desk.ticket(int(ticket))
            own = (one["name"] for one in self.desk.attributes.values() if one["active"] and one["name"] in row)
            return {column: row[column] for column in ("id", *_FORM, *own)}

    def save_screen(self, screen: Row, by: Person, **columns: Any) -> Row:
        """What the desktop UI saves: the whole form, stale or not, with these columns changed."""
        return self.change(screen["id"], by, **{**{k: v for k, v in screen.items() if k != "id"}, **columns})

    def take(self, ticket: Id, by: Person) -> Row:
        """Makes oneself the owner."""
        return self.change(ticket, by, owner_id=by.id)

    def assign(self, ticket: Id, to: Person, by: Person) -> Row:
        """Makes somebody else the owner."""
        return self.change(ticket, by, owner_id=to.id)

    def give_back(self, ticket: Id, by: Person) -> Row:
        """Nobody owns it any more."""
        return self.change(ticket, by, owner_id=NOBODY)

    def close(self, ticket: Id, by: Person) -> Row:
        """State closed."""
        return self.change(ticket, by, state="closed")

    def merge(self, source: Id, target: Id, by: Person) -> Row:
        """Merges `source` into `target`; the answer's `result` says success or failed."""
        number = self.desk.ticket(int(target))["number"]
        return self.operations.merge(self.caller(by), int(source), number)

    def delete(self, ticket: Id) -> None:
        """The administrator deletes it."""
        self.operations.delete(self.caller(self.admin), int(ticket))

    def add_tag(self, ticket: Id, tag: str, by: Person) -> None:
        """Adds a tag; nobody hears of it."""
        self.operations.tag(self.caller(by), int(ticket), tag)

    def remove_tag(self, ticket: Id, tag: str, by: Person) -> None:
        """Removes a tag; nobody hears of it."""
        self.operations.tag(self.caller(by), int(ticket), tag, remove=True)

    def run_macro(self, tickets: list[Id], by: Person, macro_id: int = 0) -> None:
        """A macro in bulk, "Acknowledge escalation" unless another is named."""
        self.operations.run_macro(self.caller(by), macro_id or self.macro_id, [int(id) for id in tickets])

    def run_macro_in_ticket(self, ticket: Id, by: Person) -> Row:
        """The same macro from the ticket's menu: the browser saves owner and note in the agent's name, sender Agent."""
        note = {
            "subject": "Escalation",
            "body": "/ack",
            "content_type": "text/html",
            "type": "note",
            "internal": "true",
        }
        return self.save_screen(self.open_screen(ticket), by, owner_id=by.id, article=note)

    # --- articles -----------------------------------------------------------------------------------------------------

    def write(self, ticket: Id, by: Person, body: str, **more: Any) -> Row:
        """Any article: type, sender, internal, subject, content_type, preferences ..."""
        row = self.operations.write(self.caller(by), {"ticket_id": int(ticket), "body": body, **more})
        return render.article(self.desk, row)

    def reply(self, ticket: Id, by: Person, body: str = "We are on it.") -> Row:
        """A public mail to the customer."""
        to = self.desk.users[self.desk.ticket(int(ticket))["customer_id"]]["email"]
        return self.write(ticket, by, body, type="email", to=to, content_type="text/html", internal=False)

    def log_call(self, ticket: Id, by: Person, body: str = "Called back.") -> Row:
        """A call to the customer, logged."""
        return self.write(ticket, by, body, type="phone", sender="Agent", internal=False)

    def internal_note(self, ticket: Id, by: Person, body: str) -> Row:
        """A note that customers don't see (a customer's is public all the same)."""
        return self.write(ticket, by, body, type="note", internal=True)

    def public_note(self, ticket: Id, by: Person, body: str) -> Row:
        """A note that the customer sees; not a reply."""
        return self.write(ticket, by, body, type="note", internal=False)

    def answer_on_web(self, ticket: Id, body: str = "Still down.") -> Row:
        """The customer writes on the web: the state stays as it is."""
        return self.write(ticket, self.cathy, body, type="web", internal=False)

    def mail_from(self, person: Person, ticket: Id, body: str, *, auto_response: bool = False) -> Row:
        """A mail by a customer or from an agent's mail program: it reopens; so does an out-of-office mail."""
        row = self.operations.mail(self.caller(person), int(ticket), body, auto_response=auto_response)
        return render.article(self.desk, row)

    # --- what Zammad and its administrator do -----------------------------------------------------------------------

    def unassign(self, ticket: Id) -> Row:
        """Auto-unassign: user 1 takes the owner away."""
        return self._shown(self.operations.set_by_system(int(ticket), {"owner_id": NOBODY}))

    def reach_pending_close(self, ticket: Id) -> Row:
        """The time of a pending close came: user 1 closes. Raises ValueError in any other state."""
        row = self.desk.ticket(int(ticket))
        if row["state_id"] != PENDING_CLOSE:
            raise ValueError("the ticket isn't pending close")
        next_state = self.desk.states[PENDING_CLOSE]["next_state_id"]
        return self._shown(self.operations.set_by_system(int(ticket), {"state_id": next_state}))

    def change_by_trigger(self, ticket: Id, **columns: Any) -> Row:
        """What another trigger does: changes ids and columns (`priority_id=3`) as user 1, and sends nothing."""
        with self.desk.lock:
            row = self.desk.ticket(int(ticket))
            self.operations.set_silently(row, columns)
            return self._shown(row)

    def move_customer(self, customer: Person, organization: str) -> None:
        """Another organization for a customer: each of their tickets is saved by user 1, closed ones too."""
        admin = self.caller(self.admin)
        if organization not in {row["name"] for row in self.desk.organizations.values()}:
            self.setup.create_organization(admin, {"name": organization})
        self.setup.save_user(admin, customer.id, {"organization": organization})

    def change_person(self, person: Person, **columns: Any) -> None:
        """Deactivates (`active=False`), changes a number (`mobile`) or an absence (`out_of_office` and its dates)."""
        self.setup.save_user(self.caller(self.admin), person.id, columns)

    def save_sla(self, name: str = "Contract", *, minutes: int = 30, priority: str | None = None) -> None:
        """Makes or saves an SLA with a first response time, for one priority or all tickets.

        From then on a new ticket that it covers sends a second delivery; saving moves `updated_at` of what it covers.
        """
        with self.desk.lock:
            ids = [str(row["id"]) for row in self.desk.priorities.values() if priority in (None, row["name"])]
            condition = {"ticket.priority_id": {"operator": "is", "value": ids}}
            params = {"name": name, "first_response_time": minutes, "condition": condition}
            known = [row["id"] for row in self.desk.tables["slas"].values() if row["name"] == name]
            if known:
                self.setup.save(self.caller(self.admin), "slas", known[0], params)
            else:
                self.setup.create(self.caller(self.admin), "slas", params)

    # --- reading ------------------------------------------------------------------------------------------------------

    def ticket(self, ticket: Id) -> Row:
        """The ticket with names. Raises Refused (404)."""
        with self.desk.lock:
            return self._shown(self.desk.ticket(int(ticket)))

    def articles(self, ticket: Id) -> list[Row]:
        """Its articles, with names."""
        with self.desk.lock:
            return [render.article(self.desk, row) for row in self.desk.articles_of(int(ticket))]

    def notes(self, ticket: Id) -> list[Row]:
        """The articles that the API user wrote."""
        return [row for row in self.articles(ticket) if row["created_by_id"] == self.escalator.id]

    def tags(self, ticket: Id) -> list[str]:
        """Its tags."""
        with self.desk.lock:
            return list(self.desk.tags.get(int(ticket), []))

    def history(self, ticket: Id) -> list[Row]:
        """Its history, oldest first."""
        with self.desk.lock:
            lines: list[Row] = render.history(self.desk, self.desk.ticket(int(ticket)))["history"]
            return lines

    def _shown(self, row: Row) -> Row:
        with self.desk.lock:
            return render.expanded_ticket(self.desk, row)


def everything_but(user_id: int) -> Row:
    """The condition of the trigger "updated": what this user didn't do. An article's author decides, else who saved."""
    article_made = {"name": "article.action", "operator": "is", "value": "create"}

    def somebody_else(name: str) -> Row:
        return {"name": name, "operator": "is not", "pre_condition": "specific", "value": [str(user_id)]}

    by_article = [article_made, somebody_else("article.created_by_id")]
    by_ticket = [{"operator": "NOT", "conditions": [article_made]}, somebody_else("ticket.updated_by_id")]
    either = [{"operator": "AND", "conditions": by_article}, {"operator": "AND", "conditions": by_ticket}]
    not_created = {"name": "ticket.action", "operator": "is not", "value": "create"}
    return {"operator": "AND", "conditions": [not_created, {"operator": "OR", "conditions": either}]}
