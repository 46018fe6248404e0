"""Zammad's history of a ticket as changes: who did what, joined with what was written.

Pure. Facts of `/ticket_history/{id}` (captured from 6.0, newer by source): one row per changed column, ascending ids,
times in milliseconds, `created_by_id` is who saved; values are names of that time with `id_from` and `id_to` beside
them. What the creation itself set is not in it. Rows of one save carry the same time and author.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from connector.core.ticket import Article, Change, Kind, Phase
from connector.helpdesks.zammad.merging import Merge, came_by_merge, merges, written
from connector.helpdesks.zammad.people import NOBODY, People
from connector.helpdesks.zammad.text import first_line
from connector.helpdesks.zammad.values import is_custom, moment, required_moment, shown_in_history

Row = Mapping[str, Any]

_NAMED = {"group": Kind.GROUP, "title": Kind.TITLE, "organization": Kind.ORGANIZATION}
_CREATION = timedelta(seconds=5)  # a ticket's own first article is written within its transaction
_PENDING = (Phase.PENDING, Phase.PENDING_CLOSE)


def mentioned(ticket: Row, history: Iterable[Row]) -> set[int]:
    """Ids of everybody who changed or owned this ticket."""
    found = {ticket.get("owner_id"), ticket.get("created_by_id")}
    for row in history:
        found.add(row.get("created_by_id"))
        if row.get("attribute") == "owner":
            found |= {row.get("id_from"), row.get("id_to")}
    return {user_id for user_id in found if isinstance(user_id, int)}


def states_in(ticket: Row, history: Iterable[Row]) -> set[int]:
    """Ids of all states that this ticket has been in."""
    found = {ticket.get("state_id")}
    for row in history:
        if row.get("attribute") == "state":
            found |= {row.get("id_from"), row.get("id_to")}
    return {state_id for state_id in found if isinstance(state_id, int)}


def changes(
    ticket: Row, history: Iterable[Row], articles: Iterable[Row], people: People, phases: Mapping[int, Phase]
) -> tuple[Change, ...]:
    """Everything in a ticket's history that the core has a word for, oldest first.

    `articles` are those of `/ticket_articles/by_ticket/{id}`; what is said about an article that was deleted since is
    left out, and so are articles that a merge brought here: they were written on another ticket.
    """
    rows = sorted(history, key=lambda row: int(row["id"]))
    walk = _Walk.start(ticket, rows, articles, people, phases)
    return tuple(change for row in rows if (change := walk.step(row)) is not None)


@dataclass(slots=True)
class _Walk:
    """What has to be remembered between the rows: the customer, the state, the time waited for."""

    ticket: Row
    articles: Mapping[int, Row]
    people: People
    phases: Mapping[int, Phase]
    born: int  # id of the row that tells of the creation
    first_article: int | None  # id of the row of the article that the ticket was made with
    saves: Mapping[tuple[str, int], Row]  # pending_time rows by the save they belong to
    with_state: frozenset[tuple[str, int]]  # saves that also changed the state
    merges: tuple[Merge, ...]  # tickets that came in
    merged: tuple[Row, ...]  # rows of the state that merges of this ticket set
    customer: int | None
    state: tuple[int, str]
    until: datetime | None = None

    @classmethod
    def start(
        cls, ticket: Row, rows: list[Row], articles: Iterable[Row], people: People, phases: Mapping[int, Phase]
    ) -> "_Walk":
        by_attribute: dict[str, list[Row]] = {}
        for row in rows:
            by_attribute.setdefault(str(row.get("attribute")), []).append(row)
        states, customers = by_attribute.get("state", []), by_attribute.get("customer", [])
        first = next(iter(written(rows)), None)
        return cls(
            ticket=ticket,
            articles={int(row["id"]): row for row in articles},
            people=people,
            phases=phases,
            born=next((int(r["id"]) for r in rows if r["object"] == "Ticket" and r["type"] == "created"), 0),
            first_article=int(first["id"]) if first and _made_with(ticket, first) else None,
            saves={_save(row): row for row in by_attribute.get("pending_time", [])},
            with_state=frozenset(_save(row) for row in states),
            merges=merges(rows),
            merged=tuple(row for row in states if phases.get(row.get("id_to") or 0) is Phase.MERGED),
            customer=customers[0].get("id_from") if customers else ticket.get("customer_id"),
            state=_before(states[0]) if states else (ticket["state_id"], str(ticket.get("state") or "")),
        )

    def step(self, row: Row) -> Change | None:
        made = partial(
            Change,
            id=str(row["id"]),
            at=required_moment(row["created_at"]),
            by=self.people.actor(_author(row), self.customer),
        )
        what, attribute = (row["object"], row["type"]), row.get("attribute")
        if what == ("Ticket::Article", "created"):
            return self._article(row, made)
        if what == ("Ticket", "merged_into"):
            into = str(row["id_to"])
            return made(kind=Kind.MERGED, at=self._merged_at(row), after=str(row.get("value_to") or ""), target=into)
        if attribute == "tag" and what in (("Ticket", "added"), ("Ticket", "removed")):
            tag = str(row.get("value_to") or row.get("value_from") or "")
            added = row["type"] == "added"
            return made(kind=Kind.TAG, before="" if added else tag, after=tag if added else "")
        if what == ("Ticket", "updated") and isinstance(attribute, str):
            return self._updated(row, attribute, made)
        return None

    def _merged_at(self, row: Row) -> datetime:
        """A merge logs itself with the time of the save before it (`Ticket#merge_to`), and then saves the state."""
        after = (one for one in self.merged if int(one["id"]) > int(row["id"]) and _author(one) == _author(row))
        return required_moment(next(after, row)["created_at"])

    def _updated(self, row: Row, attribute: str, made: "partial[Change]") -> Change | None:
        before, after = str(row.get("value_from") or ""), str(row.get("value_to") or "")
        if attribute == "customer":
            self.customer = row.get("id_to")
        elif attribute == "owner":
            return self._owner(row, made)
        elif attribute == "state":
            return self._state(row, made)
        elif attribute == "pending_time":
            return self._pending_time(row, made)
        elif attribute == "priority":
            raised = (row.get("id_to") or 0) > (row.get("id_from") or 0)
            return made(kind=Kind.PRIORITY, before=before, after=after, raised=raised)
        elif attribute in _NAMED:
            return made(kind=_NAMED[attribute], before=before, after=after)
        elif is_custom(attribute):
            values = shown_in_history(before), shown_in_history(after)
            return made(kind=Kind.FIELD, field=attribute, before=values[0], after=values[1])
        return None

    def _owner(self, row: Row, made: "partial[Change]") -> Change:
        return made(
            kind=Kind.OWNER,
            before=self._login(row.get("id_from"), row.get("value_from")),
            after=self._login(row.get("id_to"), row.get("value_to")),
            owner=self.people.owns(row.get("id_to")),
        )

    def _login(self, user_id: int | None, name: Any) -> str:
        if user_id is None or self.people.owns(user_id) is None:
            return ""
        return self.people.known(user_id).login or str(name or "")

    def _state(self, row: Row, made: "partial[Change]") -> Change:
        before = self._phase(row.get("id_from"))
        after = self._phase(row.get("id_to"))
        self.state = (row.get("id_to") or 0, str(row.get("value_to") or ""))
        together = self.saves.get(_save(row))
        if together is not None:
            self.until = moment(together.get("value_to"))
        return made(
            kind=Kind.STATE,
            before=str(row.get("value_from") or ""),
            after=self.state[1],
            phase_before=before,
            phase=after,
            until=self.until if after in _PENDING else None,
        )

    def _pending_time(self, row: Row, made: "partial[Change]") -> Change | None:
        """Only the time moved: the ticket waits on, until another moment."""
        if _save(row) in self.with_state:
            return None
        self.until = moment(row.get("value_to"))
        phase = self._phase(self.state[0])
        if self.until is None or phase not in _PENDING:
            return None
        name = self.state[1]
        return made(kind=Kind.STATE, before=name, after=name, phase_before=phase, phase=phase, until=self.until)

    def _phase(self, state_id: int | None) -> Phase:
        return self.phases.get(state_id or 0, Phase.OPEN)

    def _article(self, row: Row, made: "partial[Change]") -> Change | None:
        article = self.articles.get(int(row["o_id"]))
        if article is None or self._from_elsewhere(row, article):
            return None
        return made(
            by=self.people.actor(_author(article), self.customer),
            kind=Kind.ARTICLE,
            at_creation=int(row["id"]) == self.first_article,
            article=what_was_written(article),
        )

    def _from_elsewhere(self, row: Row, article: Row) -> bool:
        """Whether a merge brought this article: then nobody did it on this ticket."""
        if row.get("related_o_id") not in (None, self.ticket["id"]) or int(row["id"]) < self.born:
            return True
        return came_by_merge(row, article, self.merges)


def what_was_written(row: Row) -> Article:
    """An article's row as facts. A reply is what an agent sends by anything but a note, public to the customer."""
    public = not row.get("internal")
    preferences = row.get("preferences")
    preferences = preferences if isinstance(preferences, dict) else {}
    body, content_type = str(row.get("body") or ""), str(row.get("content_type") or "")
    return Article(
        id=str(row["id"]),
        public=public,
        reply=public and row.get("type") != "note" and row.get("sender") == "Agent",
        by_mail="is-auto-response" in preferences,
        automatic=preferences.get("is-auto-response") is True,
        first_line=first_line(body, content_type) if row.get("type") == "note" and not public else "",
    )


def _made_with(ticket: Row, row: Row) -> bool:
    soon = required_moment(row["created_at"]) - required_moment(ticket["created_at"]) <= _CREATION
    return soon and row.get("created_by_id") == ticket.get("created_by_id")


def _author(row: Row) -> int:
    return int(row.get("created_by_id") or NOBODY)  # without an author it is the system's


def _save(row: Row) -> tuple[str, int]:
    return str(row["created_at"]), _author(row)


def _before(row: Row) -> tuple[int, str]:
    return row.get("id_from") or 0, str(row.get("value_from") or "")
