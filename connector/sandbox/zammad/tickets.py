"""What can be done to tickets: made, saved, written on, merged, tagged, deleted; each as one request by a caller.

The HTTP routes and the persons of a story call the same methods. Answers are rows of `desk`; refusals raise `Refused`.
"""

from typing import Any

from . import rows
from .articles import add_article, add_mail, check_article
from .desk import Caller, Desk
from .rows import MERGED, NOBODY, Refused, Row

_LOOKUPS = ("state", "priority", "group", "owner", "customer", "organization")
_DUE = ("escalation_at", "first_response_escalation_at", "close_escalation_at")
_PLAIN = ("title", "note", "type", "time_unit")


class Tickets:
    """The operations on tickets."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def readable(self, caller: Caller, id: int, right: str = "read") -> Row:
        """The ticket, if the caller has this right on it. Raises Refused (404, 403)."""
        ticket = self.desk.ticket(id)
        if not self.desk.may(caller, ticket, right):
            raise Refused(403, "Not authorized")
        return ticket

    def create(self, caller: Caller, params: Row) -> Row:
        """A new ticket with its first article."""
        desk, article = self.desk, params.get("article")
        if article:
            check_article(article)
        with desk.request(caller.id):
            columns = {"state_id": 1, "priority_id": 2, "title": "", **self._columns(caller, params, {})}
            if not columns.get("group_id"):
                raise Refused(422, "Group can't be blank")
            if not caller.agent or "customer_id" not in columns:
                columns["customer_id"] = caller.id
            columns["organization_id"] = desk.users[columns["customer_id"]]["organization_id"]
            ticket = rows.ticket(0, caller.id, desk.stamp()) | desk.custom | columns
            if not desk.may(caller, ticket, "create"):
                raise Refused(403, "Not authorized")
            if not desk.can_own(ticket["owner_id"], ticket["group_id"]):
                ticket["owner_id"] = NOBODY
            ticket["id"] = desk.next_id("ticket")
            ticket["number"] = str(58000 + ticket["id"])
            desk.tickets[ticket["id"]] = ticket
            desk.event(ticket["id"]).kind = "create"
            desk.log(ticket["id"], "created", caller.id)
            if article:
                add_article(desk, caller, ticket, article)
            if tags := params.get("tags"):
                for tag in tags if isinstance(tags, list) else str(tags).split(","):
                    self._tag(ticket, str(tag).strip(), caller.id)
        return ticket

    def save(self, caller: Caller, id: int, params: Row) -> Row:
        """Changes columns, with an article in the same save if there is one."""
        desk = self.desk
        with desk.request(caller.id):
            ticket = self.readable(caller, id, "change")
            if params.get("article"):
                check_article(params["article"])
            self._set(ticket, self._columns(caller, params, ticket), caller.id)
            if params.get("article"):
                add_article(desk, caller, ticket, params["article"])
        return ticket

    def write(self, caller: Caller, params: Row) -> Row:
        """A new article on a ticket."""
        with self.desk.request(caller.id):
            ticket = self.readable(caller, int(params.get("ticket_id") or 0), "create")
            return add_article(self.desk, caller, ticket, params)

    def article(self, caller: Caller, id: int) -> Row:
        """One article. Raises Refused (404, 403)."""
        row = self.desk.articles.get(id)
        if row is None:
            raise Refused(404, f"Couldn't find Ticket::Article with 'id'={id}")
        self.readable(caller, row["ticket_id"])
        if row["internal"] and not caller.agent:
            raise Refused(403, "Not authorized")
        return row

    def show_article(self, caller: Caller, id: int, internal: Any) -> Row:
        """Makes an article internal or public, for agents; nothing else of it can be changed. No event."""
        with self.desk.lock:
            row = self.article(caller, id)
            if not caller.agent:
                raise Refused(403, "Not authorized")
            if internal is not None:
                row.update(internal=internal in (True, "true"), updated_by_id=caller.id, updated_at=self.desk.stamp())
            return row

    def delete_article(self, caller: Caller, id: int) -> None:
        """Deletes a note; only its author can."""
        with self.desk.lock:
            if self.article(caller, id)["created_by_id"] != caller.id:
                raise Refused(403, "Not authorized")
            del self.desk.articles[id]

    def mail(self, caller: Caller, id: int, body: str, *, auto_response: bool = False) -> Row:
        """A mail about the ticket comes in at the mail gateway; on a merged one it goes to the ticket that stayed."""
        with self.desk.request(caller.id):
            ticket = self.desk.ticket(id)
            while ticket["state_id"] == MERGED:
                went = [line for line in self.desk.history if line["ticket_id"] == ticket["id"]]
                ticket = self.desk.ticket(next(line["id_to"] for line in went if line["type"] == "merged_into"))
            return add_mail(self.desk, caller, ticket, body, auto_response=auto_response)

    def set_by_system(self, id: int, columns: Row) -> Row:
        """What Zammad does by itself, heard like any change; the author is user 1."""
        with self.desk.request(NOBODY):
            ticket = self.desk.ticket(id)
            self._set(ticket, columns, NOBODY)
        return ticket

    def set_silently(self, ticket: Row, columns: Row, by: int = NOBODY) -> None:
        """What a trigger does: no event of its own."""
        self._set(ticket, columns, by)

    def delete(self, caller: Caller, id: int) -> None:
        """Gone without a trace and without an event; for administrators."""
        with self.desk.lock:
            self.desk.ticket(id)
            if caller.lacks("admin"):
                raise Refused(403, "Not authorized (admin permission required)!")
            for article in self.desk.articles_of(id):
                del self.desk.articles[article["id"]]
            del self.desk.tickets[id]
            self.desk.tags.pop(id, None)
            self.desk.history = [line for line in self.desk.history if line["ticket_id"] != id]

    def merge(self, caller: Caller, source_id: int, target_number: str) -> Row:
        """Merges source into target; the answer says success or failed, with status 200 both times."""
        desk = self.desk
        source = desk.tickets.get(source_id)
        target = next((one for one in desk.tickets.values() if one["number"] == str(target_number)), None)
        if source is None or target is None:
            return {"result": "failed", "message": "The target or source ticket could not be found."}
        if source is target:
            return {"result": "failed", "message": "Can't merge ticket with itself!"}
        if MERGED in (source["state_id"], target["state_id"]):
            return {"result": "failed", "message": "It is not possible to merge into an already merged ticket."}
        with desk.request(caller.id):
            for ticket in (source, target):
                self.readable(caller, ticket["id"], "change")
            ids = {"id_to": target["id"], "id_from": source["id"]}
            desk.move_articles(source["id"], target["id"])
            came, went = (f"#{ticket['number']} {ticket['title']}" for ticket in (source, target))
            desk.log(source["id"], "merged_into", caller.id, value_from=None, value_to=went, **ids)
            desk.log(target["id"], "received_merge", caller.id, value_from=None, value_to=came, **ids)
            desk.event(source["id"]).kind = "update.merged_into"
            desk.event(target["id"]).kind = "update.received_merge"
            target["updated_at"] = desk.stamp()
            add_article(desk, caller, source, {"body": "merged", "type": "note", "sender": "Agent"}, counts=False)
            desk.change(source, caller.id, {"state_id": MERGED, "owner_id": NOBODY})
        return {"result": "success", "target_ticket": target, "source_ticket": source}

    # --- tags -----------------------------------------------------------------------------------------------------

    def tag(self, caller: Caller, id: int, item: str, *, remove: bool = False) -> bool:
        """Adds or removes a tag: history and updated_at, but no event. For agents."""
        with self.desk.lock:
            if not caller.agent:
                raise Refused(403, "Not authorized (user)!")
            ticket = self.readable(caller, id, "change")
            if remove:
                self._untag(ticket, item, caller.id)
            else:
                self._tag(ticket, item, caller.id)
        return True

    def _tag(self, ticket: Row, item: str, by: int) -> None:
        desk, tags = self.desk, self.desk.tags.setdefault(ticket["id"], [])
        if item and item not in tags:
            if item not in desk.tag_names.values():
                desk.tag_names[desk.next_id("tag")] = item
            tags.append(item)
            desk.log(ticket["id"], "added", by, attribute="tag", value_from=None, value_to=item)
            ticket["updated_at"] = desk.stamp()

    def _untag(self, ticket: Row, item: str, by: int) -> None:
        tags = self.desk.tags.get(ticket["id"], [])
        if item in tags:
            tags.remove(item)
            self.desk.log(ticket["id"], "removed", by, attribute="tag", value_from=None, value_to=item)
            ticket["updated_at"] = self.desk.stamp()

    # --- macros and triggers ----------------------------------------------------------------------------------------

    def run_macro(self, caller: Caller, macro_id: int, ids: list[int]) -> list[Row]:
        """A macro over several tickets: its note is by sender System in the caller's name. Customers may too."""
        macro = self.desk.tables["macros"].get(macro_id)
        if macro is None:
            raise Refused(404, f"Couldn't find Macro with 'id'={macro_id}")
        done = []
        for id in ids:
            with self.desk.request(caller.id):
                ticket = self.readable(caller, id, "change")
                self.perform(ticket, macro["perform"], caller, "macro", caller.id)
                done.append(ticket)
        return done

    def perform(self, ticket: Row, actions: Row, author: Caller, origin: str, current_user_id: int) -> None:
        """The actions of a macro or trigger on a ticket, except for sending webhooks."""
        columns: Row = {}
        for name, action in actions.items():
            column = name.removeprefix("ticket.")
            if name == "ticket.tags":
                for tag in str(action.get("value", "")).split(","):
                    change = self._untag if action.get("operator") == "remove" else self._tag
                    change(ticket, tag.strip(), author.id)
            elif column in ticket and column != name:
                mine = action.get("pre_condition") == "current_user.id"
                columns[column] = current_user_id if mine else _number(column, action.get("value"))
        if any(ticket[column] != value for column, value in columns.items()):
            self._set(ticket, columns, author.id)
        if note := actions.get("article.note"):
            preferences = {"perform_origin": origin, "notification": True}
            params = {**note, "type": "note", "content_type": "text/html", "preferences": preferences}
            add_article(self.desk, author, ticket, params, as_system=True)

    # --- rules ------------------------------------------------------------------------------------------------------

    def _columns(self, caller: Caller, params: Row, ticket: Row) -> Row:
        """The columns that the parameters set; names are looked up. Raises Refused (422)."""
        columns: Row = {}
        for name in _LOOKUPS:
            if name in params and isinstance(params[name], str):
                columns[f"{name}_id"] = self._lookup(name, params[name])
            elif f"{name}_id" in params:
                columns[f"{name}_id"] = _number(f"{name}_id", params[f"{name}_id"])
        columns |= {name: params[name] for name in (*_PLAIN, *self.desk.custom) if name in params}
        for name in ("pending_time", *self.desk.custom_times):
            if name in params:
                columns[name] = rows.stamp(rows.moment(params[name])) if params[name] else None
        columns.pop("organization_id", None)  # it follows the customer
        if not caller.agent:
            columns = {k: v for k, v in columns.items() if k not in ("owner_id", "customer_id")}
        state = columns.get("state_id", ticket.get("state_id"))
        if self._pending(state) and not columns.get("pending_time", ticket.get("pending_time")):
            raise Refused(422, "Missing required value for field 'pending_time'!")
        return columns

    def _lookup(self, name: str, value: str) -> int:
        desk = self.desk
        tables = {"state": desk.states, "priority": desk.priorities, "group": desk.groups}
        tables["organization"] = desk.organizations
        if name in tables:
            found = next((id for id, row in tables[name].items() if row["name"] == value), None)
        else:
            found = next((id for id, row in desk.users.items() if value in (row["login"], row["email"])), None)
        if found is None:
            raise Refused(422, f"No lookup value found for '{name}': \"{value}\"")
        return found

    def _pending(self, state_id: Any) -> bool:
        return str(self.desk.states.get(state_id, {}).get("state_type", "")).startswith("pending")

    def _set(self, ticket: Row, columns: Row, by: int) -> None:
        """Saves columns with what follows from them: an owner who can't own is dropped, times of owner and closing."""
        desk = self.desk
        after = {**ticket, **columns}
        if not desk.can_own(after["owner_id"], after["group_id"]):
            columns = {**columns, "owner_id": NOBODY}
        at = desk.stamp()
        if columns.get("owner_id", ticket["owner_id"]) != ticket["owner_id"]:
            columns = {**columns, "last_owner_update_at": None if columns["owner_id"] == NOBODY else at}
        state = after["state_id"]
        if state != ticket["state_id"]:
            if desk.states[state]["state_type"] == "closed":
                columns = {**columns, "close_at": ticket["close_at"] or at, "last_close_at": at}
            if not self._pending(state):
                columns = {**columns, "pending_time": None}
            if desk.states[state]["ignore_escalation"]:
                columns = {**columns, **dict.fromkeys(_DUE)}
        if "customer_id" in columns:
            columns = {**columns, "organization_id": desk.users[columns["customer_id"]]["organization_id"]}
        desk.change(ticket, by, columns)


def _number(column: str, value: Any) -> int | None:
    """An id as a number: browsers send it as text, and nobody as an empty one. Raises Refused (422)."""
    if value in (None, ""):
        return NOBODY if column == "owner_id" else None
    try:
        return int(value)
    except (TypeError, ValueError):
        raise Refused(422, f"Invalid value for '{column}'") from None
