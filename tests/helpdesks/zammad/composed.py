"""Captured deliveries with the Zammad around them: the API answers that a real one would have given at that moment.

composed("captured/agent_takes")   the delivery as it was sent, and the ticket, history, articles, people behind it
serve(mock, it)                    registers all calls about this ticket with a `responses` mock
said(change)                       a change in a few words, as the table in meanings.py writes them
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from connector.core.ticket import Change, Kind

from .meanings import MEANINGS, Act, Meaning, Merged, Set

HERE = Path(__file__).parent
URL = "https://desk.example.com"
SAVED_WITH_HISTORY = {2: "ticket_history_full", 5: "ticket_history_merged_source"}
NAMES = tuple(MEANINGS)

_ARTICLE = {"object": "Ticket::Article", "type": "created", "related_object": "Ticket"}
Row = dict[str, Any]


@dataclass(frozen=True)
class Composed:
    """One delivery and its ticket. Rows are in the API's form: ticket expanded, history with its assets' users."""

    name: str
    raw: bytes
    headers: dict[str, str]
    secret: str
    ticket: Row
    history: list[Row]
    assets: dict[str, dict[str, Row]]
    articles: list[Row]
    tags: list[str]
    people: list[Row]  # the agents, our own API user among them
    me: Row
    states: list[Row]
    event: frozenset[str]  # ids of the history rows that this delivery is about
    meaning: str

    @property
    def body(self) -> Row:
        return json.loads(self.raw)


@dataclass(frozen=True)
class _World:
    """The Zammad that a folder's deliveries come from: its people by their short names, states, groups."""

    agents: list[Row]
    me: Row
    states: list[Row]
    users: dict[str, Row]
    articles: dict[int, Row]  # articles that deliveries show; the constructed ones use an id for several

    def user(self, short: str) -> Row:
        return self.users[short]

    def column(self, attribute: str, shown: str) -> dict[str, Any]:
        """What the history writes for a value: its id beside its name, where it has one."""
        if attribute == "owner":
            user = self.user(shown)
            return {"id": user["id"], "value": f"{user['firstname']} {user['lastname']}".strip()}
        if attribute == "state":
            return {"id": next(row["id"] for row in self.states if row["name"] == shown), "value": shown}
        if attribute == "priority":
            return {"id": int(shown[0]), "value": shown}
        if attribute == "organization":
            return {"id": 2 if shown else None, "value": shown}
        return {"value": shown}


def captured(name: str) -> Row:
    """One request and its answer as captured: `captured/api/<name>.json`."""
    return json.loads((HERE / "captured" / "api" / f"{name}.json").read_text())


def answer(name: str) -> Any:
    """The body of that answer, a copy of one's own."""
    return captured(name)["response"]["body"]


def composed(name: str) -> Composed:
    """The delivery `captured/<file>` or `payloads/<file>` (no ending) with the Zammad around it."""
    folder, _, file = name.partition("/")
    index, sent = _index(folder), _listed(folder)[f"{file}.json"]
    raw = (_folder(folder) / f"{file}.json").read_bytes()
    world, meaning = _world(folder), MEANINGS[name]
    ticket = _expanded(json.loads(raw)["ticket"])
    story = _Story(world, ticket, json.loads(raw)["article"] or None)
    rows, event = (
        story.captured() if folder == "captured" and ticket["id"] in SAVED_WITH_HISTORY else story.told(meaning)
    )
    return Composed(
        name=name,
        raw=raw,
        headers={**index["headers_common"], **sent["headers"]},
        secret=index["signature_token"],
        ticket=ticket,
        history=rows,
        assets={"User": {str(row["id"]): row for row in world.users.values()}},
        articles=[story.articles[number] for number in sorted(story.articles) if number in ticket["article_ids"]],
        tags=[],
        people=world.agents,
        me=world.me,
        states=world.states,
        event=frozenset(event),
        meaning=sent["meaning"],
    )


class _Story:
    """A ticket's history, written down act by act as Zammad would."""

    def __init__(self, world: _World, ticket: Row, article: Row | None) -> None:
        self.world, self.ticket = world, ticket
        self.shown = world.articles | ({article["id"]: article} if article else {})
        self.rows: list[Row] = []
        self.articles: dict[int, Row] = {}
        self.created = datetime.fromisoformat(ticket["created_at"])
        self.updated = datetime.fromisoformat(ticket["updated_at"])
        self.creator = next(u for u in world.users.values() if u["id"] == ticket["created_by_id"])

    def captured(self) -> tuple[list[Row], list[str]]:
        """The real history up to this delivery; its last second is what the delivery is about."""
        saved = answer(SAVED_WITH_HISTORY[self.ticket["id"]])
        known = {int(key): row for key, row in saved["assets"]["TicketArticle"].items()} | self.shown
        rows = [row for row in saved["history"] if datetime.fromisoformat(row["created_at"]) <= self.updated]
        rows += [_article_row(96, 14, 5, self.created, 8), _article_row(108, 16, 5, self.created, 4)][: self._moved()]
        last = self.updated - timedelta(seconds=1)
        for number in self.ticket["article_ids"]:
            self.articles[number] = _with_names(known.get(number) or self._web_article(number), self.world)
        event = [str(row["id"]) for row in rows if datetime.fromisoformat(row["created_at"]) > last]
        return rows, [*event, *(["108"] if self._moved() else [])]

    def _moved(self) -> int:
        """Ticket 5's own articles aren't in its captured history, since the merge moved them: until then they are."""
        return 2 if self.ticket["id"] == 5 and self.ticket["state"] != "merged" else 0

    def told(self, meaning: Meaning) -> tuple[list[Row], list[str]]:
        self._row(self.created, self.creator["id"], object="Ticket", type="created")
        first = min(self.ticket["article_ids"]) if self.ticket["article_ids"] else 0
        if self.ticket["state"] != "merged":
            known = self.shown.get(first)
            self._article(self.created, _with_names(known or self._web_article(first), self.world))
        event = [row["id"] for row in self.rows] if meaning.at_creation else []
        if meaning.at_creation:
            event += self._acts(meaning.acts, self.created + timedelta(milliseconds=300))
            self._acts(meaning.earlier, self.created + timedelta(milliseconds=500))
        else:
            moments = (self.updated - self.created) / (len(meaning.earlier) + 1)
            for place, act in enumerate(meaning.earlier):
                self._acts((act,), self.created + moments * (place + 0.5))
            event += self._acts(meaning.acts, self.updated)
        return self.rows, [str(number) for number in event]

    def _acts(self, acts: tuple[Act, ...], at: datetime) -> list[int]:
        before = len(self.rows)
        for act in acts:
            by = self.world.user(act.by)["id"]
            if isinstance(act, Set):
                self._set(act, at, by)
            elif isinstance(act, Merged):
                ends = {"id_from": self.ticket["id"], "id_to": act.into} if act.into else {"id_from": act.source}
                self._row(at, by, object="Ticket", type="merged_into" if act.into else "received_merge", **ends)
            else:
                composed_article = {
                    **self._web_article(act.article),
                    "type": act.type,
                    "sender": act.sender,
                    "internal": act.internal,
                    "body": act.body,
                    "created_by_id": by,
                    "created_at": _written(at),
                }
                shown = self.shown.get(act.article, composed_article)
                self._article(at, _with_names(shown, self.world), act.on)
        return [row["id"] for row in self.rows[before:]]

    def _set(self, act: Set, at: datetime, by: int) -> None:
        sides = (
            ("from", self.world.column(act.attribute, act.before)),
            ("to", self.world.column(act.attribute, act.after)),
        )
        values = {f"{what}_{side}": value for side, column in sides for what, value in column.items()}
        self._row(at, by, object="Ticket", type="updated", attribute=act.attribute, **values)

    def _article(self, at: datetime, article: Row, on: int = 0) -> None:
        self.articles[article["id"]] = article
        row = _article_row(0, article["id"], on or self.ticket["id"], at, article["created_by_id"])
        self._row(at, article["created_by_id"], **{key: row[key] for key in ("o_id", "related_o_id", *_ARTICLE)})

    def _row(self, at: datetime, by: int, **columns: Any) -> None:
        number = self.ticket["id"] * 1000 + len(self.rows) + 1
        row = {"id": number, "o_id": self.ticket["id"], "created_by_id": by, "created_at": _written(at)}
        self.rows.append({**row, "related_history_object_id": None, **columns})

    def _web_article(self, number: int) -> Row:
        """An article that no capture shows: the customer's own words, at the creation."""
        return {
            "id": number,
            "ticket_id": self.ticket["id"],
            "type": "web",
            "sender": "Customer",
            "internal": False,
            "content_type": "text/html",
            "body": "The <b>server</b> is down",
            "preferences": {},
            "created_by_id": self.creator["id"],
            "created_at": _written(self.created),
        }


def said(change: Change) -> str:
    """A change in a few words."""
    who = f"{change.by.login.split('@')[0]} ({change.by.role.value}): "
    before, after = (value.split("@")[0] for value in (change.before, change.after))
    if change.article is not None:
        written = change.article
        words = [f"{'public' if written.public else 'internal'} {'reply' if written.reply else 'article'}"]
        words[0] += f" {written.first_line!r}" if written.first_line else ""
        words += ["by mail"] * written.by_mail + ["automatic"] * written.automatic
        return who + ", ".join(words + ["at creation"] * change.at_creation)
    if change.kind is Kind.OWNER:
        return f"{who}owner {before or 'nobody'} -> {after or 'nobody'}"
    if change.kind is Kind.MERGED:
        return f"{who}merged into {change.target}"
    if change.kind is Kind.STATE:
        until = f" until {change.until:%Y-%m-%d %H:%M}" if change.until else ""
        return f"{who}state {before} ({change.phase_before}) -> {after} ({change.phase}){until}"
    what = f"field {change.field}" if change.kind is Kind.FIELD else change.kind.value
    return f"{who}{what} {before or 'nothing'} -> {after or 'nothing'}" + ", raised" * change.raised


def _folder(folder: str) -> Path:
    return HERE / ("captured/outgoing" if folder == "captured" else "payloads")


@cache
def _index(folder: str) -> Row:
    return json.loads((_folder(folder) / "index.json").read_text())


@cache
def _listed(folder: str) -> dict[str, Row]:
    return {row["file"]: row for row in _index(folder)["files"]}


@cache
def _world(folder: str) -> _World:
    bodies = [json.loads((_folder(folder) / name).read_text()) for name in _listed(folder)]
    users = {user["id"]: user for body in bodies for user in _users(body)}
    articles: dict[int, Row] = {}
    if folder == "captured":
        articles = {body["article"]["id"]: body["article"] for body in bodies if body["article"]}
        agents, me, states = answer("users_search_groups"), answer("users_me_expand"), answer("ticket_states_expand")
    else:
        states = json.loads((HERE / "api" / "ticket_states.json").read_text())["response"]["body"]
        agents = [user for user in users.values() if "Agent" in user["roles"]]
        me = next(user for user in agents if "plugin" in user["login"]) | {"groups": {"IT::Service Desk": ["full"]}}
    everybody = users | {agent["id"]: agent for agent in agents}
    return _World(agents, me, states, {user["login"].split("@")[0]: user for user in everybody.values()}, articles)


def _users(body: Row) -> Iterator[Row]:
    for part in (body["ticket"], body["article"] or {}):
        yield from (value for value in part.values() if isinstance(value, dict) and "login" in value)


def _expanded(ticket: Row) -> Row:
    """The webhook's ticket as `?expand=true` writes it: names instead of objects, no key without an organization."""
    row = dict(ticket)
    for name, value in ticket.items():
        if isinstance(value, dict) and ("login" in value or "name" in value):
            row[name] = value.get("login") or value["name"]
        elif name == "organization":
            del row[name]
    return row


def _with_names(article: Row, world: _World) -> Row:
    """An article as `/ticket_articles/by_ticket` writes it, from a delivery's or the history's form."""
    types, senders = {1: "email", 5: "phone", 10: "note", 11: "web"}, {1: "Agent", 2: "Customer", 3: "System"}
    login = next(user["login"] for user in world.users.values() if user["id"] == article["created_by_id"])
    names = {"type": types.get(article.get("type_id", 0)), "sender": senders.get(article.get("sender_id", 0))}
    return {**names, **article, "created_by": login}


def _article_row(number: int, article: int, ticket: int, at: datetime, by: int) -> Row:
    row = {"id": number, "o_id": article, "related_o_id": ticket, "created_by_id": by, "created_at": _written(at)}
    return {**row, **_ARTICLE}


def _written(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
