"""Znuny as the `Helpdesk` port."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connector.core.lagging import up_to_date
from connector.core.ticket import Kind, Person, Phase, Reading, Role
from connector.errors import HelpdeskAway, HelpdeskRefused, PermissionLost, TicketGone
from connector.helpdesks.znuny.acts import Line, lines_of
from connector.helpdesks.znuny.agents import Agents
from connector.helpdesks.znuny.articles import not_shown
from connector.helpdesks.znuny.autumn import before_both, counted_late, latest
from connector.helpdesks.znuny.client import IDS_PER_CALL, Client
from connector.helpdesks.znuny.history import ACKNOWLEDGED, OUR_FIELDS, Scene, Told, states_named, told_by
from connector.helpdesks.znuny.merging import Articles, gone_into, merges, taken_along
from connector.helpdesks.znuny.notes import proof_in, written
from connector.helpdesks.znuny.states import States
from connector.helpdesks.znuny.ticket import Ahead, ahead, articles_in, mark, required_moment, ticket_of
from connector.helpdesks.znuny.values import PHASES, ident, in_zone, words
from connector.helpdesks.znuny.webhook import Proof, hint_of
from connector.ports import FoundProof, Hint, Live, Names, Note, Row

STATUS = "EscalationStatus"  # the dynamic field of the live state, and what it can say
STATUSES = ("running", "acknowledged", "snoozed", "exhausted")
READ_AT_MOST = 3  # times, while things go on happening to a ticket: what is missing then is waited for
SHOWN_WITHIN = timedelta(minutes=10)  # how long an article that the history names is waited for
PAGE = 500  # tickets a search brings at once; Znuny has no offset, so pages are windows of change time


class Znuny:
    """One Znuny. Thread-safe. Times without zone are read in `zone`, Znuny's OTRSTimeZone."""

    kind = "znuny"

    def __init__(self, client: Client, proof: Proof, agents: Agents, zone: ZoneInfo, robots: frozenset[str]) -> None:
        """`robots`: logins in lower case, or agents' ids."""
        self._client, self._proof, self._agents = client, proof, agents
        self._zone, self._robots = zone, robots
        self._states = States(client)
        self.request_limit = client.request_limit

    # --- webhooks ----------------------------------------------------------------------------------------------------

    def prove(self, headers: Mapping[str, str], raw: bytes) -> bool:  # noqa: ARG002 - Znuny signs no body
        return self._proof.holds(headers)

    def parse(self, body: Any) -> Hint:
        return hint_of(body, self._zone)

    # --- reading -----------------------------------------------------------------------------------------------------

    def read(self, ticket_id: str) -> Reading:
        """The ticket, its articles and its history. A missing ticket is PermissionLost: Znuny answers both alike."""
        ticket_id = _checked(ticket_id)
        read_at = datetime.now(UTC)
        row, history, lines = self._row_and_history(ticket_id)
        self._agents.seen(row, history)
        now = read_at + (self.clock_skew() or timedelta(0))
        lately = [line for line in lines if latest(line.at, self._zone, now) > now - SHOWN_WITHIN]
        came = any(one.target == ticket_id for one in merges(lately))  # with it articles of any age, and their lines
        awaited = not_shown(lines if came else lately, articles_in(row))
        moved, articles = self._taken_along(ticket_id, lines)
        told_here = sorted((*lines, *moved), key=lambda line: line.at) if moved else lines
        told, scene = self._told(ticket_id, row, told_here, {**articles, **articles_in(row)}, awaited)
        ticket = ticket_of(row, told, scene, self._client.url, mark(row, len(history) - len(awaited)))
        people = self._agents.named(scene.people)
        reading = Reading(ticket, told.changes, read_at, self.clock_skew(), people, whole=not awaited)
        return counted_late(reading, self._zone)

    def _row_and_history(
        self, ticket_id: str
    ) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]], tuple[Line, ...]]:
        """Both as of one moment, usually by one call each; the history as it came, and as lines.

        Always the row first: a close that only the row shows would be nobody's, for good. Where something happened
        between the two calls both are read again, unless that tells nothing new (Znuny's cache is behind).
        """
        torn = whole = Ahead()
        for _ in range(READ_AT_MOST):
            row, history = self._client.ticket(ticket_id, articles=True), self._client.history(ticket_id)
            lines = lines_of(history, self._zone)
            before, torn = torn, ahead(lines, row, self._zone)
            if torn in (whole, before):
                break
        return row, history, lines

    def _taken_along(self, ticket_id: str, lines: Sequence[Line]) -> tuple[Sequence[Line], Articles]:
        """What a merge has taken from this ticket, its lines and articles; nothing where that can't be seen."""
        gone = gone_into(lines, ticket_id)
        if gone is None:
            return (), {}
        try:
            row, _, there = self._row_and_history(gone.target)
        except PermissionLost:
            return (), {}
        return taken_along(gone, lines, there, articles_in(row), self._zone)

    def _told(
        self,
        ticket_id: str,
        row: Mapping[str, Any],
        lines: Sequence[Line],
        articles: Articles,
        awaited: frozenset[str],
    ) -> tuple[Told, Scene]:
        ids = {line.by for line in lines} | {line.new_owner for line in lines if line.type == "OwnerUpdate"}
        ids |= {ident(row.get("OwnerID")), *(line.owner_id for line in lines[:1])}
        me = self._client.me()
        scene = Scene(
            ticket_id=ticket_id,
            zone=self._zone,
            us=me.id,
            customer=words(row.get("CustomerUserID")),
            people={**self._agents.people(sorted(ids - {"", me.id})), me.id: Person(me.id, me.login, me.name)},
            robots=self._robots,
            state_types=self._states.types(row, states_named(lines)),
            awaited=awaited,
        )
        return told_by(lines, articles, scene), scene

    def find(self, number: str) -> str:
        """A number that our user may not see can't be told from one that doesn't exist."""
        # digits only: Znuny reads * as "anything"
        found = self._client.search(TicketNumber=number, Limit=1) if number.isascii() and number.isdigit() else []
        if not found:
            raise TicketGone("Znuny shows us no ticket with this number.")
        return found[0]

    def find_changed(self, since: datetime) -> Iterable[Row]:
        """By windows of change time; the same second is asked for again, since Znuny can't page within a second."""
        seen: set[str] = set()
        start, limit = before_both(since, self._zone), PAGE
        while True:
            found = self._client.search(
                TicketLastChangeTimeNewerDate=in_zone(start, self._zone), SortBy="Changed", OrderBy="Up", Limit=limit
            )
            rows = self.rows([one for one in found if one not in seen])
            seen.update(found)
            yield from sorted(rows, key=lambda row: row.updated_at)
            if len(found) < limit:
                return
            newest_row = max((row.updated_at for row in rows), default=start)
            # more tickets than a page in one second (a bulk change): only a larger page gets past it
            start, limit = (newest_row, PAGE) if newest_row > start else (start, limit * 2)

    def rows(self, ticket_ids: Sequence[str]) -> Sequence[Row]:
        return [self._row(raw, lines) for raw, lines in self._rows(ticket_ids)]

    def tagged(self, ticket_ids: Sequence[str], tag: str) -> frozenset[str]:  # noqa: ARG002 - Znuny has no tags
        return frozenset()

    def clock_skew(self) -> timedelta | None:
        return self._client.clock.least()

    def _row(self, raw: Mapping[str, Any], lines: int) -> Row:
        phase = PHASES.get(words(raw.get("StateType")), Phase.OPEN)
        changed, organization = required_moment(raw, "Changed", self._zone), words(raw.get("CustomerID"))
        return Row(ident(raw.get("TicketID")), changed, phase.ended, mark(raw, lines), organization)

    def _rows(self, ids: Sequence[str]) -> Iterator[tuple[Mapping[str, Any], int]]:
        """Tickets and how many lines their history has, by chunks.

        One that went away since the search would fail its whole chunk: then by halves.
        """
        for begin in range(0, len(ids), IDS_PER_CALL):
            chunk = ids[begin : begin + IDS_PER_CALL]
            try:
                found, histories = self._client.tickets(chunk), self._client.histories(chunk)
            except PermissionLost:
                if len(chunk) > 1:
                    yield from self._rows(chunk[: len(chunk) // 2])
                    yield from self._rows(chunk[len(chunk) // 2 :])
                continue
            yield from ((raw, len(histories.get(ident(raw.get("TicketID")), ()))) for raw in found)

    # --- writing -----------------------------------------------------------------------------------------------------

    def add_note(self, ticket_id: str, note: Note) -> str:
        """An internal article by sender type system: no first response, and `NoAgentNotify` keeps Znuny quiet."""
        answer = self._client.update(_checked(ticket_id), Article=written(note))
        article_id = ident(answer.get("ArticleID"))
        if not article_id:
            raise HelpdeskAway("Znuny did not say which article it made.", maybe_done=True)
        return article_id

    def find_note(self, ticket_id: str, proof: str) -> str | None:
        found = self._proofs(ticket_id)
        return next((article_id for article_id, one in found if one.ours and one.proof == proof), None)

    def proofs(self, ticket_id: str) -> Sequence[FoundProof]:
        return tuple(found for _, found in self._proofs(ticket_id))

    def _proofs(self, ticket_id: str) -> list[tuple[str, FoundProof]]:
        """Only what our own user made counts: anybody may write such a line."""
        us = self._client.me().id
        articles = self._client.ticket(_checked(ticket_id), articles=True).get("Article") or ()
        found = [(ident(one.get("ArticleID")), proof_in(one), ident(one.get("CreateBy")) == us) for one in articles]
        proofs = [(article_id, FoundProof(proof, ours)) for article_id, proof, ours in found if proof]
        return sorted(proofs, key=lambda pair: int(pair[0]))

    def find_shown(self) -> Iterable[str]:
        """By our own field, whatever it says; without an offset, a full page is asked for again, and larger."""
        limit = PAGE
        while True:
            wanted = {f"DynamicField_{STATUS}": {"Equals": list(STATUSES)}}
            found = self._client.search(**wanted, SortBy="Age", OrderBy="Up", Limit=limit)
            if len(found) < limit:
                return found if self._show_something(found[:IDS_PER_CALL]) else []
            limit *= 4

    def _show_something(self, ticket_ids: Sequence[str]) -> bool:
        """Whether any of these has our field filled: where it doesn't exist, Znuny may take no notice of it and find
        every ticket.
        """
        rows = self._client.tickets(ticket_ids) if ticket_ids else ()
        fields = (field for row in rows for field in row.get("DynamicField") or ())
        return any(words(one.get("Name")) == STATUS and words(one.get("Value")) in STATUSES for one in fields)

    def show(self, ticket_id: str, live: Live) -> None:
        """Writes the dynamic fields; a value that stands there already makes neither a line nor an event.

        While it runs the acknowledgement checkbox is cleared: 1 to 1 would send no event (Znuny 6.5).
        """
        fields = {STATUS: live.status, "EscalationPlan": live.plan, "EscalationStep": live.step}
        if live.status in ("running", "exhausted"):
            fields[ACKNOWLEDGED] = "0"
        values = [{"Name": name, "Value": value} for name, value in fields.items()]
        self._client.update(_checked(ticket_id), DynamicField=values)

    def assign(self, ticket_id: str, login: str) -> bool:
        """Owner and lock in one call.

        Znuny sets even an owner who may not see the queue, and its web service tells nobody's permissions: only a
        login that doesn't exist is refused. Whoever took the ticket between our look and our change gets it back.
        """
        before = up_to_date(self.read(ticket_id))
        owner = before.ticket.owner
        if owner is not None or before.ticket.phase.ended:
            return owner is not None and owner.login.lower() == login.lower()
        try:
            answer = self._client.update(_checked(ticket_id), Ticket={"Owner": login, "Lock": "lock"})
        except PermissionLost:
            raise
        except HelpdeskRefused:
            return False
        now = answer.get("Ticket")
        if isinstance(now, dict) and words(now.get("Owner")).lower() != login.lower():
            return False
        first = self._taken_since(before)
        if first is None or first.login.lower() == login.lower():
            return True
        if first.login:
            self._client.update(_checked(ticket_id), Ticket={"Owner": first.login, "Lock": "lock"})
        return False

    def _taken_since(self, before: Reading) -> Person | None:
        """The owner whom a person made between that reading and our own change, or None."""
        known = {change.id for change in before.changes}
        owner = None
        for change in self.read(before.ticket.id).changes:
            if change.id in known or change.kind is not Kind.OWNER:
                continue
            if change.by.role is Role.US:
                break
            owner = change.owner
        return owner

    # --- what is known of it -----------------------------------------------------------------------------------------

    def people(self) -> Sequence[Person]:
        """Znuny's web service lists no agents."""
        return ()

    def names(self) -> Names:
        """Nor priorities, nor queues; those seen on tickets would be a part only, and a check against it wrong."""
        return Names(ours=self._client.user)

    def about(self) -> str:
        """Who we are, whether tickets can be read, and which of our fields are missing."""
        me = self._client.me()
        found = self._client.search(StateType=["new", "open"], SortBy="Changed", OrderBy="Down", Limit=1)
        said = f"We are {me.login} ({me.name}, agent {me.id}) at {self._client.url}"
        if not found:
            return f"{said} and see no open ticket: check the permission rw on the groups of the queues."
        fields = {words(one.get("Name")) for one in self._client.ticket(found[0]).get("DynamicField") or ()}
        missing = sorted({*OUR_FIELDS, ACKNOWLEDGED} - fields)
        if missing:
            return f"{said} and can read tickets, but these dynamic fields are missing: {', '.join(missing)}."
        return f"{said} and can read tickets."


def _checked(ticket_id: str) -> str:
    if not ident(ticket_id):
        raise HelpdeskRefused("A Znuny ticket's id is a number.")
    return ident(ticket_id)
