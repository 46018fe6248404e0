"""The routes about tickets, articles, tags and history."""

from collections.abc import Iterator

from . import render, search
from .calls import Answer, Call, Route
from .desk import Desk
from .rows import Row
from .tickets import Tickets


class TicketRoutes:
    """What people and plugins do with tickets."""

    def __init__(self, desk: Desk, tickets: Tickets) -> None:
        self.desk, self.tickets = desk, tickets

    def routes(self) -> Iterator[Route]:
        """All of them."""
        yield Route("GET", "/tickets", self._list)
        yield Route(
            "POST", "/tickets", lambda call: (201, self._shown(call, self.tickets.create(call.caller, call.body)))
        )
        yield Route("GET|POST", "/tickets/search", self._search)
        yield Route("POST", "/tickets/mass_macro", self._mass_macro)
        yield Route("POST", "/tickets/mass_update", self._mass_update)
        yield Route("GET", "/tickets/<int:id>", lambda call, id: (200, self._one(call, id)))
        yield Route("PUT", "/tickets/<int:id>", self._save)
        yield Route("DELETE", "/tickets/<int:id>", self._delete)
        yield Route("PUT", "/ticket_merge/<int:id>/<number>", self._merge)
        yield Route("GET", "/ticket_history/<int:id>", self._history, "ticket.agent")
        yield Route("POST", "/ticket_articles", self._write)
        yield Route("GET", "/ticket_articles/by_ticket/<int:id>", self._articles)
        yield Route("GET", "/ticket_articles/<int:id>", self._article)
        yield Route("PUT", "/ticket_articles/<int:id>", self._show_article)
        yield Route("DELETE", "/ticket_articles/<int:id>", self._delete_article)
        yield Route("GET", "/tags", self._tags)
        yield Route("POST", "/tags/add", lambda call: (201, self._tag(call)))
        yield Route("DELETE|POST", "/tags/remove", lambda call: (200, self._tag(call, remove=True)))

    def _shown(self, call: Call, row: Row) -> Row:
        if call.asks("all"):
            articles = self.desk.articles_of(row["id"])
            ids = [article["id"] for article in articles]
            shown = {"ticket_id": row["id"], "ticket_article_ids": ids, "links": [], "mentions": []}
            shown |= {"tags": list(self.desk.tags.get(row["id"], []))}
            return {**shown, "assets": render.assets(self.desk, [row], articles)}
        return render.expanded_ticket(self.desk, row) if call.asks("expand") else render.plain_ticket(self.desk, row)

    def _one(self, call: Call, id: int) -> Row:
        row = self.tickets.readable(call.caller, id)
        bare = not (call.asks("all") or call.asks("expand"))
        return render.plain_ticket(self.desk, row, bare=True) if bare else self._shown(call, row)

    def _save(self, call: Call, id: int) -> Answer:
        return 200, self._shown(call, self.tickets.save(call.caller, id, call.body))

    def _delete(self, call: Call, id: int) -> Answer:
        self.tickets.delete(call.caller, id)
        return 200, None

    def _list(self, call: Call) -> Answer:
        found = [row for row in self.desk.tickets.values() if self.desk.may(call.caller, row, "read")]
        return 200, [self._shown(call, row) for row in search.page(found, call.query, 50, 100)]

    def _search(self, call: Call) -> Answer:
        found = search.tickets(self.desk, call.caller, {**call.query, **call.body})
        if call.asks("expand"):
            return 200, [render.expanded_ticket(self.desk, row) for row in found]
        ids = [row["id"] for row in found]
        return 200, {"tickets": ids, "tickets_count": len(ids), "assets": render.assets(self.desk, found)}

    def _mass_macro(self, call: Call) -> Answer:
        ids = [int(id) for id in call.body.get("ticket_ids", [])]
        done = self.tickets.run_macro(call.caller, int(call.body.get("macro_id") or 0), ids)
        return 200, {"ticket_ids": ids, "assets": render.assets(self.desk, done)}

    def _mass_update(self, call: Call) -> Answer:
        ids = [int(id) for id in call.body.get("ticket_ids", [])]
        changes = {**call.body.get("attributes", {}), "article": call.body.get("article")}
        done = [self.tickets.save(call.caller, id, changes) for id in ids]
        return 200, {"ticket_ids": ids, "assets": render.assets(self.desk, done)}

    def _merge(self, call: Call, id: int, number: str) -> Answer:
        return 200, self.tickets.merge(call.caller, id, number)

    def _history(self, call: Call, id: int) -> Answer:
        return 200, render.history(self.desk, self.tickets.readable(call.caller, id))

    def _write(self, call: Call) -> Answer:
        return 201, render.article(self.desk, self.tickets.write(call.caller, call.body))

    def _articles(self, call: Call, id: int) -> Answer:
        self.tickets.readable(call.caller, id)
        seen = [row for row in self.desk.articles_of(id) if call.caller.agent or not row["internal"]]
        return 200, [render.article(self.desk, row) for row in seen]

    def _article(self, call: Call, id: int) -> Answer:
        return 200, render.article(self.desk, self.tickets.article(call.caller, id))

    def _show_article(self, call: Call, id: int) -> Answer:
        return 200, render.article(self.desk, self.tickets.show_article(call.caller, id, call.body.get("internal")))

    def _delete_article(self, call: Call, id: int) -> Answer:
        self.tickets.delete_article(call.caller, id)
        return 200, {}

    def _tags(self, call: Call) -> Answer:
        id = int(call.query.get("o_id") or 0)
        self.tickets.readable(call.caller, id)
        return 200, {"tags": list(self.desk.tags.get(id, []))}

    def _tag(self, call: Call, *, remove: bool = False) -> bool:
        params = {**call.query, **call.body}
        return self.tickets.tag(call.caller, int(params.get("o_id") or 0), str(params.get("item")), remove=remove)
