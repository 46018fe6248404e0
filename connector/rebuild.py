"""Redis lost for good: the helpdesk has all that is needed to go on. (What a ticket tells: core/rebuilding.py.)

First the tickets that show our live state, by the signed data of their notes; then what else is open and has changed
since Escalator was switched on, by its history. Looking writes nothing; carrying out sends nothing: what is due fires
by itself once there is an epoch again, and what happened since the look is found by the sweep.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from .core.case import Case
from .core.events import Entry
from .core.rebuilding import Rebuilt, Standing, Verdict, left_alone, moved_away, newest_of, origin, rebuilt
from .core.ticket import Phase, Reading, Role
from .core.words import Words
from .engine.clocks import no_later
from .engine.names import with_names
from .engine.standing import Unreadable, standing_of
from .engine.writing import live_state
from .errors import HelpdeskAway, HelpdeskRefused, TicketGone
from .ports import FoundProof
from .services import Services

T = TypeVar("T")

CALLS_AT_ONCE = 4
TRIES_AFTER = (1.0, 3.0)  # seconds; a helpdesk that fails now and then doesn't have all begin anew
MERGES_AT_MOST = 10
CLOCKS_APART = timedelta(minutes=10)  # what has changed is asked for by the helpdesk's clock

FORGED = "the data of a note of ours is forged or was edited"
FOREIGN = "somebody else's article holds data like that of our notes"
OTHER_VERSION = "the data of a note can't be understood: it was written by another version"
NO_NOTES = "it shows our state, and has no note of ours"
TOLD = Words("told")

Progress = Callable[[int, int], None]
"""Called with how many tickets have been read, and of how many."""


@dataclass(frozen=True, slots=True)
class Look:
    """One ticket as it was read: what its notes prove, oldest first, and what is wrong with the others."""

    reading: Reading
    standings: tuple[Standing, ...] = ()
    flaws: tuple[str, ...] = ()
    spoiled: bool = False  # there are notes of ours whose data can't be used
    moved_to: str = ""  # its escalation goes on at that ticket already
    came: frozenset[str] = frozenset()  # tickets that were merged into this one, with notes of ours


@dataclass(frozen=True)
class Found:
    """What is to be rebuilt. `moved` are tickets whose escalation is found at another one; nothing is written yet."""

    since: datetime
    tickets: Sequence[Rebuilt] = ()
    moved: Sequence[Case] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)  # id of a ticket -> why

    def of(self, verdict: Verdict) -> list[Rebuilt]:
        """Those with this verdict, what is due first coming first."""
        return sorted((one for one in self.tickets if one.verdict is verdict), key=_due)


class Rebuild:
    """Reads from the helpdesk what Redis has lost, and writes it there."""

    def __init__(self, services: Services, progress: Progress = lambda done, of: None) -> None:  # noqa: ARG005
        self._services = services
        self._helpdesk, self._store, self._engine = services.helpdesk, services.store, services.engine
        self._policy = services.settings.policy
        self._progress = progress

    # --- looking -----------------------------------------------------------------------------------------------

    def look(self, recorded: datetime | None) -> Found:
        """What the helpdesk tells of tickets that aren't known here. `recorded`: service.since, where that is known.

        Raises HelpdeskAway, or HelpdeskRefused where nothing at all can be asked.
        """
        now, written = self._engine.clock.now(), self._services.settings.service.since
        looks, unreadable = self._read(self._unknown(self._helpdesk.find_shown()), shown=True)
        proven = max((one.since for look in looks for one in look.standings if one.since is not None), default=None)
        since = recorded or proven or written or now
        known = {look.reading.ticket.id for look in looks} | unreadable.keys()
        rows = [row.ticket_id for row in self._helpdesk.find_changed(since - CLOCKS_APART) if not row.closed]
        others, more = self._read(self._unknown(id for id in rows if id not in known), shown=False)
        looks += others
        counts = max(since, written) if written is not None else since
        return Found(
            since=since,
            tickets=[self._judge(look, counts, now) for look in looks if not look.moved_to],
            moved=[moved_away(look.reading, self._policy, look.moved_to) for look in looks if look.moved_to],
            unreadable=unreadable | more,
        )

    def _unknown(self, ticket_ids: Iterable[str]) -> list[str]:
        wanted = list(dict.fromkeys(ticket_ids))
        known = self._store.cases(wanted)
        return [id for id in wanted if id not in known]

    def _read(self, ticket_ids: Sequence[str], *, shown: bool) -> tuple[list[Look], dict[str, str]]:
        """These tickets, and those that were merged into them."""
        looks: dict[str, Look] = {}
        unreadable: dict[str, str] = {}
        wanted = list(ticket_ids)
        with ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="rebuild") as pool:
            while wanted:
                read = pool.map(lambda id: self._patiently(lambda: self._look_at(id, shown)), wanted)
                for ticket_id, found in zip(wanted, read, strict=True):
                    if isinstance(found, Look):
                        looks[ticket_id] = found
                    elif found:
                        unreadable[ticket_id] = found
                    self._progress(len(looks) + len(unreadable), len(looks) + len(wanted))
                came = {id for look in looks.values() for id in look.came}
                wanted = self._unknown(sorted(came - looks.keys() - unreadable.keys()))
        return list(looks.values()), unreadable

    def _patiently(self, ask: Callable[[], T]) -> T:
        for seconds in TRIES_AFTER:
            try:
                return ask()
            except HelpdeskAway:
                threading.Event().wait(seconds)
        return ask()

    def _look_at(self, ticket_id: str, shown: bool) -> Look | str:
        """One ticket, or why it can't be read ("": it is gone)."""
        try:
            reading = self._reading(ticket_id)
            if reading.ticket.phase is Phase.MERGED:
                return self._look_at_merged(reading)
            if not shown and not any(change.by.role is Role.US for change in reading.changes):
                return Look(reading)
            return self._look_at_notes(reading, self._helpdesk.proofs(ticket_id), shown)
        except TicketGone:
            return ""
        except HelpdeskRefused as refused:
            return str(refused)

    def _reading(self, ticket_id: str) -> Reading:
        reading = no_later(self._helpdesk.read(ticket_id), self._engine.clock.now())
        return with_names(reading, self._engine.people)

    def _look_at_notes(self, reading: Reading, proofs: Sequence[FoundProof], shown: bool) -> Look:
        standings, flaws = self._understand(proofs)
        mine, theirs = _apart(standings, reading.ticket.id)
        came = {id for id in {one.ticket_id for one in theirs} if self._goal(self._reading(id)) == reading.ticket.id}
        wrong = {one.ticket_id for one in theirs} - came
        flaws += [f"a note holds the data of another ticket (id {id})" for id in sorted(wrong)]
        if shown and not mine and not flaws:
            flaws.append(NO_NOTES)
        spoiled = not mine and (FORGED in flaws or OTHER_VERSION in flaws)
        return Look(reading, mine, tuple(flaws), spoiled, came=frozenset(came))

    def _look_at_merged(self, reading: Reading) -> Look:
        """Its notes stand where it was merged into; so does its escalation, if it was moved there in time."""
        goal = self._goal(reading)
        standings, flaws = self._understand(self._helpdesk.proofs(goal))
        mine, theirs = _apart(standings, reading.ticket.id)
        newest = newest_of(mine)
        code = newest.code if newest is not None else ""
        moved = any(one.ticket_id == goal and (one.code == code or origin(one) == reading.ticket.id) for one in theirs)
        return Look(reading, mine, tuple(flaws), not mine and bool(flaws), goal if moved else "")

    def _goal(self, reading: Reading) -> str:
        """Id of the ticket that this one was merged into in the end; its own, if it wasn't."""
        for _ in range(MERGES_AT_MOST):
            further = reading.ticket.merged_into
            if not further:
                break
            reading = self._helpdesk.read(further)
        return reading.ticket.id

    def _understand(self, proofs: Sequence[FoundProof]) -> tuple[list[Standing], list[str]]:
        """What these say for certain, and what is wrong with the others."""
        standings: list[Standing] = []
        flaws: list[str] = []
        for found in proofs:
            data = self._services.signatures.read_proof(found.proof)
            if not found.ours:
                flaws.append(FOREIGN)
            elif data is None:
                flaws.append(FORGED)
            elif "c" in data:  # else it marks a note that tells nothing of an escalation
                try:
                    standings.append(standing_of(data, found.proof, self._policy.plans, self._engine.people))
                except Unreadable:
                    flaws.append(OTHER_VERSION)
        return standings, list(dict.fromkeys(flaws))

    def _judge(self, look: Look, since: datetime, now: datetime) -> Rebuilt:
        if look.spoiled:
            return Rebuilt(Verdict.LEFT, left_alone(look.reading, self._policy, 1), remarks=look.flaws)
        if look.reading.ticket.phase is Phase.MERGED and not look.standings:
            return Rebuilt(Verdict.NOTHING, left_alone(look.reading, self._policy, 1), remarks=look.flaws)
        return rebuilt(look.reading, look.standings, look.flaws, self._policy, since, now)

    # --- carrying out ------------------------------------------------------------------------------------------

    def carry_out(self, found: Found) -> None:
        """Writes it all, without an epoch; what is known by now is left as it is."""
        self._store.remember_since(found.since)
        for number, one in enumerate(found.tickets, 1):
            self._restore(one)
            self._progress(number, len(found.tickets))
        for case in found.moved:
            self._store.restore(self._engine.writes(None, case, ()))
        merged = [one.case.ticket.id for one in found.of(Verdict.REBUILT) if one.case.ticket.phase is Phase.MERGED]
        if merged:  # read again, each of them goes on where it was merged into
            self._store.hints.add(merged)

    def _restore(self, one: Rebuilt) -> None:
        """Notes that people's work since has brought about are chained to the last one that was written."""
        stood = (one.before or one.case).escalation
        if self._store.case(one.case.ticket.id) is not None:
            return
        self._store.remember_proof(stood.code if stood is not None else "", one.proof)
        writes = self._engine.writes(one.before, one.case, one.commands)
        show = live_state(one.case.escalation) if one.before is not None else writes.show
        self._store.restore(replace(writes, old=None, show=show, entries=(*_entries(one), *writes.entries)))


def _apart(standings: Sequence[Standing], ticket_id: str) -> tuple[tuple[Standing, ...], tuple[Standing, ...]]:
    """Those written to this ticket, and those written to others."""
    return (
        tuple(one for one in standings if one.ticket_id == ticket_id),
        tuple(one for one in standings if one.ticket_id != ticket_id),
    )


def _entries(one: Rebuilt) -> Iterator[tuple[str, Entry]]:
    """A history in place of the lost one."""
    before = one.before.escalation if one.before is not None else None
    if before is None:
        return
    began = Words("plan {plan}; rebuilt from the ticket's notes", plan=before.plan.name)
    yield before.code, Entry(before.created_at, "created", began)
    for told in sorted(before.told, key=lambda told: told.at):
        words = Words("{channel} to {name}: {outcome}", channel=told.channel, name=told.key, outcome=TOLD)
        yield before.code, Entry(told.at, "notification", words, told.key, told.channel, TOLD)


def _due(one: Rebuilt) -> tuple[bool, float, str]:
    escalation = one.case.escalation
    due = escalation.due_at if escalation is not None else None
    return due is None, due.timestamp() if due is not None else 0.0, one.case.ticket.id.zfill(20)
