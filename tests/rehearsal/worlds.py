"""The engine's world on a clock that stands still, live or as a rehearsal: the two have the same tickets and plans."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from redis import Redis

from connector.core.audience import Directory
from connector.core.contact import Contact
from connector.core.plan import Plan, Policy, Step, WhenExhausted
from connector.engine.epoch import Holds, new_epoch
from connector.engine.keys import EPOCH, SINCE
from connector.engine.store import Store
from connector.rehearsing import read_only, silenced

from ..engine.conftest import DANA, LEE, MINUTE
from ..engine.fakes import Channel
from ..rebuild.worlds import Losing, StandingClock

MAX = Contact("max", "Max Moritz", "max@example.com", "max@example.com")  # no mobile
TOLD = WhenExhausted(("lee",), ("email",), every=10 * MINUTE)


def plan(name: str, *steps: Step, **more: Any) -> Plan:
    usual: dict[str, Any] = {"respond_within": 2 * MINUTE, "unassigned": ("dana",), "when_exhausted": TOLD}
    return Plan(name, steps=steps, **(usual | more))


PLANS = {
    one.name: one
    for one in (
        plan("ladder", Step(("owner",), ("push",), otherwise=("sms",)), Step(("lee",), ("sms",), after=3 * MINUTE)),
        plan("rounds", Step(("owner",), ("sms",)), Step(("lee",), ("email",), after=MINUTE), rounds=2),
        plan("rings", Step(("owner",), ("phone",), otherwise=("email",)), Step(("lee",), ("sms",), after=5 * MINUTE)),
        plan("gaps", Step(("max",), ("sms", "phone"), otherwise=("email",)), Step(("lee",), ("sms",), after=MINUTE)),
        plan("nobody", Step(("max",), ("sms",)), Step(("lee",), ("email",), after=5 * MINUTE)),
        plan("crowd", Step(("owner", "lee", "max"), ("sms", "pager")), when_exhausted=None),
    )
}
POLICY = Policy(PLANS, (), {name: name for name in PLANS})
WAYS = ("push", "sms", "phone", "email", "pager")


class Played(Losing):
    """Tickets whose priority names their plan."""

    def __init__(
        self,
        redis: Redis,
        *,
        rehearsal: bool = False,
        to: Contact | None = None,
        clock: StandingClock | None = None,
    ) -> None:
        super().__init__(redis, clock or StandingClock(), POLICY)
        self.rehearsal = rehearsal
        people = {"dana": DANA, "lee": LEE, "max": MAX}
        self.real = {name: ByMobile(name, personal=name != "pager") for name in WAYS}
        directory = Directory(
            people, shared=frozenset({"pager"}), quiet=frozenset({"push"}), calls=frozenset({"phone"})
        )
        object.__setattr__(self.engine, "people", directory)
        object.__setattr__(self.delivery, "channels", self.real)
        if rehearsal:
            self._rehearse(to)
        object.__setattr__(self.observer, "since", lambda: self.store.since() or self.clock.now())  # as `services` says

    def with_mode(self, *, rehearsal: bool) -> "Played":
        """The same Redis, helpdesk and time with another config; nobody was told before."""
        kept = {key: self.redis.get(key) for key in (EPOCH, SINCE)}
        other = Played(self.redis, rehearsal=rehearsal, clock=self.clock)  # type: ignore[arg-type]
        for key, value in kept.items():
            self.redis.set(key, value) if value is not None else self.redis.delete(key)
        other.since_in_config = self.since_in_config
        for name in ("tickets", "changes", "notes", "shown", "trouble"):
            setattr(other.helpdesk, name, getattr(self.helpdesk, name))
        return other

    def _rehearse(self, to: Contact | None) -> None:
        self.redis.set(EPOCH, new_epoch(Holds.REHEARSAL))
        self.store = Store(self.redis, self.keep, rehearsal=True)
        helpdesk = read_only(self.helpdesk, self.store, self.signatures, self.clock)
        for part in (self.engine, self.observer, self.desk, self.delivery, self.sweep, self.delivery.messages):
            object.__setattr__(part, "store", self.store)
        for part in (self.observer, self.desk, self.sweep):
            object.__setattr__(part, "helpdesk", helpdesk)
        ways = silenced(self.real, frozenset({"phone"}), to, "en", self.store)  # type: ignore[arg-type]
        object.__setattr__(self.delivery, "channels", ways)

    def opens(self, id: str, plan: str) -> str:
        """A ticket comes in, and is read."""
        self.helpdesk.ticket(id, plan)
        self.hint(id)
        return id

    def settles(self) -> None:
        """Redis keeps a line for as long as a call lasts by its own clock, which knows nothing of ours."""
        for line in self.redis.scan_iter("escalator:line:*"):
            self.redis.delete(line)
        super().settles()

    def written(self) -> int:
        """What the helpdesk was asked to do."""
        return sum(self.helpdesk.calls[act] for act in ("add_note", "show", "assign"))

    def delivered(self) -> list[Any]:
        return [message for channel in self.real.values() for message in channel.sent]

    def timetable(self, id: str) -> list[tuple[str, ...]]:
        """What happened and when, in seconds after the ticket came in: steps, who was told by which way, the end."""
        code = self.escalation(id).code
        begun = self.escalation(id).created_at
        return [
            (f"{(entry.at - begun) / timedelta(seconds=1):.0f}", entry.kind, *words(entry))
            for entry in self.store.history(code)
            if entry.kind != "note"
        ]


def words(entry: Any) -> tuple[str, ...]:
    """Who was told how, and what came of it where that isn't for a provider to say."""
    if entry.kind != "notification":
        return (str(entry.text),)
    failed = str(entry.outcome) if str(entry.outcome).startswith("no address") else ""
    return entry.contact, entry.channel, failed


class ByMobile(Channel):
    """A channel that, like the real ones, needs its own field of a contact. Nobody answers the phone."""

    def address(self, contact: Contact) -> str:
        return {"email": contact.email, "push": "a device" if contact.mobile else "", "pager": "pager"}.get(
            self.name, contact.mobile
        )

    def deliver(self, message: Any) -> Any:
        receipt = super().deliver(message)
        return replace(receipt, final=False, wait=25.0) if self.name == "phone" else receipt
