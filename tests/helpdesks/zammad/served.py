"""The Zammad around one composed delivery, behind the `responses` library: it answers, and takes notes and tags.

with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
    desk = serve(mock, composed("captured/agent_takes"))
    desk.helpdesk.read("2")
"""

import copy
import json
import re
from dataclasses import dataclass, field
from typing import Any

import requests
import responses

from connector.helpdesks.zammad import build
from connector.ports import Helpdesk

from .composed import URL, Composed, Row, answer

API = f"{URL}/api/v1"
OPTIONS = {"url": URL, "token": "EXAMPLE-TOKEN", "webhook_secret": "EXAMPLE-SECRET"}
Answer = tuple[int, dict[str, str], str]


@dataclass
class Served:
    """One ticket as it stands now; what is written to it changes it, as in Zammad."""

    it: Composed
    ticket: Row
    articles: list[Row]
    tags: list[str]
    helpdesk: Helpdesk
    notes: list[Row] = field(default_factory=list)  # as they were sent

    def note(self, request: requests.PreparedRequest) -> Answer:
        sent = _body(request)
        self.notes.append(sent)
        author = {"created_by_id": self.it.me["id"], "created_by": self.it.me["login"]}
        row = {**sent, **author, "id": max(row["id"] for row in self.articles) + 1}
        row = {"preferences": {}, "created_at": self.ticket["updated_at"], **row}
        self.articles.append(row)
        return _json(201, row)

    def tag(self, request: requests.PreparedRequest) -> Answer:
        item = _body(request)["item"]
        self.tags[:] = [tag for tag in self.tags if tag != item] + [item] * (request.method == "POST")
        return _json(201 if request.method == "POST" else 200, True)

    def change(self, request: requests.PreparedRequest) -> Answer:
        login = _body(request)["owner"]
        person = next((row for row in self.it.people if row["login"] == login), None)
        self.ticket["owner_id"] = person["id"] if person else 1
        return _json(200, self.ticket)


def serve(mock: responses.RequestsMock, it: Composed, **options: Any) -> Served:
    """Registers every call about this ticket; `options` go to the adapter beside its address and secret."""
    helpdesk = build({**OPTIONS, "webhook_secret": it.secret, **options})
    desk = Served(it, copy.deepcopy(it.ticket), list(it.articles), list(it.tags), helpdesk)
    number = it.ticket["id"]

    def get(path: str, body: Any) -> None:
        mock.add_callback("GET", f"{API}/{path}", callback=lambda _: _json(200, body() if callable(body) else body))

    get(f"tickets/{number}", lambda: desk.ticket)
    get(f"ticket_history/{number}", {"history": it.history, "assets": it.assets})
    get(f"ticket_articles/by_ticket/{number}", lambda: desk.articles)
    get("tags", lambda: {"tags": desk.tags})
    get("users/me", it.me)
    get("users/search", it.people)
    get("ticket_states", it.states)
    for merged in (row for row in it.history if row["type"] == "merged_into"):
        get(f"ticket_history/{merged['id_to']}", {"history": [], "assets": {}})
        get(f"ticket_articles/by_ticket/{merged['id_to']}", [])
    get("ticket_priorities", answer("ticket_priorities"))
    mock.add_callback("POST", f"{API}/ticket_articles", callback=desk.note)
    mock.add_callback("POST", f"{API}/tickets/search", callback=lambda _: _json(200, [desk.ticket]))
    mock.add_callback("POST", f"{API}/tags/add", callback=desk.tag)
    mock.add_callback("DELETE", f"{API}/tags/remove", callback=desk.tag)
    mock.add_callback("PUT", re.compile(rf"{re.escape(API)}/tickets/{number}$"), callback=desk.change)
    return desk


def _body(request: requests.PreparedRequest) -> Row:
    return json.loads(request.body or b"{}")


def _json(status: int, body: Any) -> Answer:
    return status, {"Content-Type": "application/json; charset=utf-8"}, json.dumps(body)
