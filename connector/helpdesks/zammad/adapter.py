"""Zammad as a helpdesk: what the engine asks, in Zammad's calls.

Calls: a read takes 4 (ticket, history, articles, tags: about 50 ms each; 2 more of a merged ticket), a note 1, the live
state 1 and one for each tag that differs (with our attributes 1 or 2 more), an assignment 2, a search 1 for each 200
rows. States and agents are remembered; the first call of a process asks for them and for who we are (3 more).
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from connector.core.ticket import Person, Reading
from connector.errors import HelpdeskAway, HelpdeskError, HelpdeskRefused, PermissionLost, TicketGone
from connector.helpdesks.zammad import about, attributes, notes, search, shown, webhook
from connector.helpdesks.zammad.client import Client
from connector.helpdesks.zammad.history import mentioned, states_in
from connector.helpdesks.zammad.merging import gone_into, taken_along
from connector.helpdesks.zammad.people import Directory
from connector.helpdesks.zammad.states import States
from connector.helpdesks.zammad.ticket import mark, reading, roles
from connector.helpdesks.zammad.values import required_moment
from connector.ports import FoundProof, Hint, Live, Names, Note, Row

#: The live state as tags: they aren't part of the form that an open screen writes back.
TAGS = {
    "running": "escalation-running",
    "acknowledged": "escalation-acknowledged",
    "snoozed": "escalation-snoozed",
    "exhausted": "escalation-nobody-came",
}


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def understood(*, maybe_done: bool = False) -> Iterator[None]:
    """An answer that isn't in Zammad's form is one of something else in between: worth another try."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as problem:
        details = f"unexpected form: {type(problem).__name__}"
        raise HelpdeskAway("Zammad's answer could not be understood.", details=details, maybe_done=maybe_done) from None


class Zammad:
    """One Zammad, 6.0 or newer, spoken to with an agent's API token. Implements ports.Helpdesk."""

    kind = "zammad"

    def __init__(
        self,
        url: str,
        client: Client,
        *,
        secrets: Sequence[str],
        robots: Iterable[str] = (),
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._url = url.rstrip("/")
        self._client = client
        self._secrets = tuple(secrets)
        self._now = now
        self.request_limit = client.request_limit
        self._directory = Directory(client, robots)
        self._states = States(client)
        self._forgets_preferences = threading.Event()
        self._attributes_there: bool | None = None  # as the ticket read last said; None: none was read yet

    # --- webhooks ----------------------------------------------------------------------------------------------------

    def prove(self, headers: Mapping[str, str], raw: bytes) -> bool:
        return webhook.proven(headers, raw, self._secrets)

    def parse(self, body: Any) -> Hint:
        """No call is made here, so `closed` is said only once the states are known: after any read, search or about."""
        return webhook.hint(body, self._states.named())

    # --- reading -----------------------------------------------------------------------------------------------------

    def read(self, ticket_id: str) -> Reading:
        """The row is read first: what happens meanwhile shows in the history and moves `updated_at` past this one."""
        read_at = self._now()
        with understood():
            row = self._client.get(f"/tickets/{int(ticket_id)}", {"expand": "true"}, first=True)
            self._attributes_there = attributes.there(row)
            history = self._client.get(f"/ticket_history/{row['id']}", first=True)
            entries = _rows(history["history"])
            articles = self._articles(ticket_id, first=True)
            moved, theirs = self._taken_along(row["id"], entries)
            entries, articles = [*entries, *moved], [*articles, *theirs]
            tags = self._tags(ticket_id, first=True)
            people = self._directory.people(mentioned(row, entries), roles(history))
            phases = self._states.by_id(states_in(row, entries))
            skew = self._client.clock.least()
            whole = {**history, "history": entries}
            return reading(row, whole, articles, tags, people, phases, self._url, read_at, skew)

    def _taken_along(
        self, ticket_id: int, history: Sequence[Mapping[str, Any]]
    ) -> tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]]:
        """What a merge has taken from this ticket, rows and articles; nothing where that can't be seen."""
        target = gone_into(history)
        if target is None:
            return (), ()
        try:
            there = _rows(self._client.get(f"/ticket_history/{target}", first=True)["history"])
            articles = self._articles(str(target), first=True)
        except (PermissionLost, TicketGone):
            return (), ()
        return taken_along(ticket_id, history, there, articles)

    def find(self, number: str) -> str:
        condition = {"ticket.number": {"operator": "is", "value": number}}
        with understood():
            rows = self._search({"query": "", "condition": condition, "page": 1, "per_page": 2, "expand": True})
            found = [str(row["id"]) for row in rows if str(row["number"]) == number]
        if not found:
            raise TicketGone(f"There is no ticket with the number {number}.")
        return found[0]

    def find_changed(self, since: datetime) -> Iterator[Row]:
        with understood():
            for row in search.changed(self._search, since):
                yield self._row(row)

    def rows(self, ticket_ids: Sequence[str]) -> Sequence[Row]:
        with understood():
            return [self._row(row) for row in self._search(search.these(ticket_ids))]

    def tagged(self, ticket_ids: Sequence[str], tag: str) -> frozenset[str]:
        with understood():
            return frozenset(str(row["id"]) for row in self._search(search.these(ticket_ids, tag)))

    def _row(self, row: Mapping[str, Any]) -> Row:
        phase = self._states.by_id([row["state_id"]]).get(row["state_id"])
        closed = phase is not None and phase.ended
        moment, organization = required_moment(row["updated_at"]), str(row.get("organization") or "")
        return Row(str(row["id"]), moment, closed, mark(row), organization)

    def clock_skew(self) -> timedelta | None:
        return self._client.clock.least()

    # --- notes -------------------------------------------------------------------------------------------------------

    def add_note(self, ticket_id: str, note: Note) -> str:
        written = notes.article(ticket_id, note, proof_seen=self._forgets_preferences.is_set())
        row = self._client.write("POST", "/ticket_articles", written)
        with understood(maybe_done=True):
            if note.proof and notes.proof_kept(row) != note.proof:
                self._forgets_preferences.set()
            return str(row["id"])

    def find_note(self, ticket_id: str, proof: str) -> str | None:
        found = self._proofs(ticket_id)
        return next((article_id for article_id, one in found if one.ours and one.proof == proof), None)

    def proofs(self, ticket_id: str) -> Sequence[FoundProof]:
        return [found for _, found in self._proofs(ticket_id)]

    def _proofs(self, ticket_id: str) -> list[tuple[str, FoundProof]]:
        us = self._directory.us()
        with understood():
            rows = sorted(self._articles(ticket_id), key=lambda row: int(row["id"]))
            found = [(str(row["id"]), notes.proof_in(row), row.get("created_by_id") == us) for row in rows]
        return [(article_id, FoundProof(proof, ours)) for article_id, proof, ours in found if proof]

    def find_shown(self) -> Iterator[str]:
        with understood():
            yield from shown.tagged(self._search, TAGS.values())

    # --- changing ----------------------------------------------------------------------------------------------------

    def show(self, ticket_id: str, live: Live) -> None:
        """The wanted tag comes before the others go, so that no list misses the ticket in between."""
        wanted = {TAGS[live.status]} if live.status else set()
        present = self._tags(ticket_id) & set(TAGS.values())
        for method, path, tags in (("POST", "add", wanted - present), ("DELETE", "remove", present - wanted)):
            for tag in sorted(tags):
                self._tag(method, path, ticket_id, tag)
        if self._attributes_there is not False:
            self._show_attributes(ticket_id, live)

    def _show_attributes(self, ticket_id: str, live: Live) -> None:
        """Both in one save, and none where they are right already: Zammad tells people of each."""
        path = f"/tickets/{int(ticket_id)}"
        with understood():
            row = self._client.get(path)
            self._attributes_there = attributes.there(row)
            changes = attributes.changes(row, live)
        if not changes:
            return
        answer = self._client.write("PUT", path, changes)
        with understood(maybe_done=True):
            lost = [name for name in changes if name not in answer]
        if lost:
            names = " and ".join(lost)
            raise HelpdeskRefused(f"Zammad doesn't keep {names}: after attributes were made it has to be restarted.")

    def _tag(self, method: str, path: str, ticket_id: str, tag: str) -> None:
        try:
            self._client.write(method, f"/tags/{path}", {"object": "Ticket", "o_id": int(ticket_id), "item": tag})
        except PermissionLost as refused:
            sentence = f"Zammad doesn't let the API user set the tag {tag}: an admin must create that tag once."
            raise PermissionLost(sentence, details=refused.details) from None

    def assign(self, ticket_id: str, login: str) -> bool:
        """Two calls; nothing is sent for a login that is no active agent, since Zammad would drop the owner for it."""
        with understood():
            row = self._client.get(f"/tickets/{int(ticket_id)}", first=True)
            people = self._directory.people([row["owner_id"]])
            owner = people.owns(row["owner_id"])
            agent = next((one for one in self.people() if one.login.lower() == login.lower()), None)
            if owner is not None or agent is None:
                return owner is not None and agent is not None and owner.id == agent.id
        row = self._client.write("PUT", f"/tickets/{int(ticket_id)}", {"owner": agent.login})
        with understood(maybe_done=True):
            return str(row["owner_id"]) == agent.id

    # --- who and what there is ---------------------------------------------------------------------------------------

    def people(self) -> Sequence[Person]:
        """Active agents, ourselves left out."""
        with understood():
            us = str(self._directory.us())
            return [person for person in self._directory.active() if person.id != us]

    def names(self) -> Names:
        with understood():
            priorities = self._client.get("/ticket_priorities")
            me = self._client.get("/users/me", {"expand": "true"})
            return Names(
                priorities=frozenset(str(row["name"]) for row in priorities if row.get("active", True)),
                groups=frozenset(me["groups"]),
                logins=frozenset(person.login for person in self._directory.active()),
                ours=str(me["login"]),
            )

    def about(self) -> str:
        with understood():
            me = self._client.get("/users/me", {"expand": "true"})
            self._states.by_id()
            self._directory.people()
            return about.sentence(me, is_admin=self._is_admin())

    def _is_admin(self) -> bool:
        try:
            self._client.get("/webhooks")
        except HelpdeskError:  # refused by Zammad, or by a proxy that hides what admins use
            return False
        return True

    # --- shared ------------------------------------------------------------------------------------------------------

    def _articles(self, ticket_id: str, *, first: bool = False) -> list[Mapping[str, Any]]:
        rows = self._client.get(f"/ticket_articles/by_ticket/{int(ticket_id)}", first=first)
        return _rows(rows)

    def _tags(self, ticket_id: str, *, first: bool = False) -> set[str]:
        with understood():
            answer = self._client.get("/tags", {"object": "Ticket", "o_id": int(ticket_id)}, first=first)
            return set(answer["tags"])

    def _search(self, asked: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        return _rows(self._client.search("/tickets/search", asked))


def _rows(answer: Any) -> list[Mapping[str, Any]]:
    if not isinstance(answer, list):
        raise TypeError("a list was expected")
    return answer
