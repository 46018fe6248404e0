"""Worlds whose Redis can be lost: the engine's, on a clock that stands still until it is told to go on."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from redis import Redis

from connector.core.escalation import Escalation
from connector.core.plan import Plan, Policy, Step, WhenExhausted
from connector.core.rebuilding import Rebuilt
from connector.core.ticket import Actor, Article, Change, Kind, Person, Phase, Role
from connector.engine.keys import DUE, EPOCH, HINTS, OUT
from connector.ports import Live, Note
from connector.rebuild import Found, Rebuild

from ..engine.conftest import MAJOR, MINUTE, World
from ..engine.fakes import ALICE, BY_ALICE, Clock, Desk

BOB = Person("4", "bob@example.com", "Bob Builder")
CATHY = Actor(Role.CUSTOMER, "8", "cathy@example.org", "Cathy")
US = Actor(Role.US, "6", "escalator@example.com", "Escalator")
TWICE = Plan(
    "twice",
    respond_within=2 * MINUTE,
    unassigned=("dana",),
    steps=(Step(("owner",), ("sms",), after=MINUTE), Step(("lee",), ("email",), after=3 * MINUTE)),
    rounds=2,
    again_after=4 * MINUTE,
    give_up_after=6 * MINUTE,
    when_exhausted=WhenExhausted(("lee",), ("email",), every=10 * MINUTE),
)
POLICY = Policy({"major": MAJOR, "twice": TWICE}, (), {"3 high": "major", "2 normal": "twice"})


class StandingClock(Clock):
    """Moves only when told to. An hour ahead of the real time, by which the shell marks what is to be done at once."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)

    def now(self) -> datetime:
        return self.moment

    def passes(self, **span: float) -> None:
        self.moment += timedelta(**span)


class KeepingDesk(Desk):
    """A helpdesk that keeps our notes in the ticket's history, and has them go along with a merge."""

    def did(self, id: str, by: Actor, kind: Kind, now: dict[str, Any] | None = None, **said: Any) -> None:
        """What anybody does to a ticket; `now`: its columns afterwards."""
        at = self.clock.now()
        self.changes[id].append(Change(str(next(self.ids)), at, by, kind, **said))
        self.tickets[id] = replace(self.tickets[id], updated_at=at, **(now or {}))

    def add_note(self, ticket_id: str, note: Note) -> str:
        article_id = super().add_note(ticket_id, note)
        self.did(ticket_id, US, Kind.ARTICLE, article=Article(article_id, public=False))
        return article_id

    def show(self, ticket_id: str, live: Live) -> None:
        super().show(ticket_id, live)
        self.did(ticket_id, US, Kind.TAG, after=live.status)

    def gives(self, id: str, to: Person) -> None:
        """Alice gives it to somebody else."""
        self.did(id, BY_ALICE, Kind.OWNER, {"owner": to}, before=ALICE.login, after=to.login, owner=to)

    def puts_off(self, id: str, until: datetime) -> None:
        now = {"phase": Phase.PENDING, "pending_until": until}
        self.did(id, BY_ALICE, Kind.STATE, now, phase_before=Phase.OPEN, phase=Phase.PENDING, until=until)

    def reopens(self, id: str) -> None:
        """The customer writes to a closed ticket."""
        self.did(id, CATHY, Kind.STATE, {"phase": Phase.OPEN}, phase_before=Phase.CLOSED, phase=Phase.OPEN)

    def changes_priority(self, id: str, to: str) -> None:
        facts = self.tickets[id].facts
        self.did(id, BY_ALICE, Kind.PRIORITY, {"facts": replace(facts, priority=to)}, before=facts.priority, after=to)

    def merges(self, id: str, into: str) -> None:
        super().merges(id, into)
        self.notes[into] += self.notes.pop(id, [])


class Losing(World):
    """A world that can be copied, wiped, rebuilt, and go on."""

    since_in_config: datetime | None = None
    rehearsal = False

    def __init__(self, redis: Redis, clock: StandingClock | None = None, policy: Policy = POLICY) -> None:
        super().__init__(redis, policy=policy, clock=clock or StandingClock())
        self.helpdesk = KeepingDesk(self.clock)
        for part in (self.observer, self.desk, self.sweep):
            object.__setattr__(part, "helpdesk", self.helpdesk)

    # --- time ----------------------------------------------------------------------------------------------------

    def goes_on(self, **span: float) -> None:
        """Everything that happens by itself in this time happens when it is due, to the microsecond."""
        until = self.clock.now() + timedelta(**span)
        while (at := self._next()) is not None and at <= until.timestamp():
            self.clock.moment = max(self.clock.now(), datetime.fromtimestamp(at, UTC))  # type: ignore[attr-defined]
            self.settles()
        self.clock.moment = until  # type: ignore[attr-defined]
        self.settles()

    def settles(self) -> None:
        """Reads, wakes, sends and writes what is due now."""
        for _ in range(50):
            now = self.clock.now().timestamp()
            hints = self.store.tickets_due(HINTS, now, 1000)
            due = self.store.tickets_due(DUE, now, 1000)
            for ticket_id, _ in hints:
                self.observer.look(ticket_id)
            for ticket_id, _ in due:
                self.engine.wake(ticket_id)
            self.sends()
            self.writes()
            if not hints and not self.redis.zcount(DUE, "-inf", now) and not self.redis.zcount(OUT, "-inf", now):
                return
        raise AssertionError("it never comes to rest")

    @contextmanager
    def notes_wait(self) -> Iterator[None]:
        """The helpdesk takes no note in this time; what is read is as it was."""
        written, self.writes = self.writes, lambda: None  # type: ignore[method-assign]
        yield
        self.writes = written  # type: ignore[method-assign]

    def _next(self) -> float | None:
        firsts: list[Any] = [self.redis.zrange(key, 0, 0, withscores=True) for key in (DUE, OUT, HINTS)]
        return min((found[0][1] for found in firsts if found), default=None)

    def hint(self, *ids: str) -> None:
        """Something happened to these tickets, and they are read."""
        for id in ids:
            self.observer.look(id)
        self.settles()

    # --- loss ----------------------------------------------------------------------------------------------------

    @property
    def services(self) -> Any:
        """What a rebuild asks for."""
        service = SimpleNamespace(since=self.since_in_config, rehearsal=self.rehearsal)
        settings = SimpleNamespace(policy=self.policy, service=service)
        return SimpleNamespace(
            settings=settings,
            helpdesk=self.helpdesk,
            store=self.store,
            engine=self.engine,
            signatures=self.signatures,
            operator=self.operator,
            channels=self.channels,
        )

    def twin(self, redis: Redis) -> "Losing":
        """The same world on another Redis, with a helpdesk of its own, on the same clock."""
        redis.flushdb()
        for key in self.redis.scan_iter():
            ttl: Any = self.redis.pttl(key)
            redis.restore(key, max(ttl, 0), self.redis.dump(key))  # type: ignore[arg-type]
        other = Losing(redis, self.clock, self.policy)  # type: ignore[arg-type]
        other.since = self.since
        for name in ("tickets", "changes", "notes", "shown"):
            setattr(other.helpdesk, name, copy.deepcopy(getattr(self.helpdesk, name)))
        return other

    def look(self) -> Found:
        """What a rebuild would do."""
        return Rebuild(self.services).look(self.since)

    def rebuild(self) -> Found:
        found = self.look()
        Rebuild(self.services).carry_out(found)
        self.store.begin(found.since)
        return found

    def loses_redis(self) -> None:
        self.redis.flushdb()
        assert not self.redis.exists(EPOCH)

    # --- seen ----------------------------------------------------------------------------------------------------

    def sent(self) -> list[tuple[str, str, str, str, int, int]]:
        """Of which escalation who was told, by which way, what for, and in which round and step."""
        return sorted(
            (message.code, message.contacts[0].key, name, message.purpose.value, message.round, message.step)
            for name, channel in self.channels.items()
            for message in channel.sent
        )

    def id_of(self, code: str) -> str:
        """The ticket that has this escalation."""
        found = self.engine.find(code)
        assert found is not None, code
        return found[0]

    def forget_sent(self) -> None:
        for channel in self.channels.values():
            channel.sent.clear()


def stands(escalation: Escalation) -> dict[str, Any]:
    """What has to be the same after a rebuild; times to the second, since notes hold milliseconds."""
    current = escalation.acknowledged
    return {
        "code": escalation.code,
        "ticket": escalation.ticket_id,
        "plan": escalation.plan.name,
        "state": escalation.state.value,
        "round": escalation.round,
        "step": escalation.step,
        "due": _second(escalation.due_at),
        "held until": _second(escalation.held_until),
        "began": _second(escalation.created_at),
        "acknowledged": (current.by.login, _second(current.at), current.via, current.provisional) if current else None,
        "owner": escalation.owner.login if escalation.owner else "",
        "told": sorted({(told.key, told.login, told.channel) for told in escalation.told}),
        "notes": escalation.sequence,
        "shown": escalation.shown,
    }


def _second(at: datetime | None) -> datetime | None:
    return at.replace(microsecond=0) if at is not None else None


def by_ticket(found: Found) -> dict[str, Rebuilt]:
    return {one.case.ticket.id: one for one in found.tickets}
