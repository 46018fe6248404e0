"""What holds whatever happens, in any order: found by letting chance tell the stories."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from connector.core.case import Case, Seen
from connector.core.escalation import Escalation, Stage, State
from connector.core.events import (
    Acknowledge,
    Claim,
    Closed,
    Command,
    CustomerWrote,
    Entry,
    Escalate,
    Event,
    GroupSet,
    Outcome,
    OwnerSet,
    PlanApplies,
    Raised,
    Receipt,
    Reopened,
    Stop,
    Tick,
    Unlocked,
    Worked,
)
from connector.core.lives import begin
from connector.core.sending import ASKING
from connector.core.ticket import Kind, Reading
from connector.core.ticket import Phase as TicketPhase
from connector.core.transition import transition
from connector.engine.records import encode, to_case, to_entry

from .builders import ANNA, BEN, BY_ANNA, BY_BEN, CUSTOMER, MAJOR, MINOR, PEOPLE, SYSTEM, T0, Desk, Watch, at

#: The same examples on every machine, so that a red run can be told again.
QUICK = settings(
    max_examples=80,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

#: What Redis keeps of a ticket, but for its escalation.
NOTHING_ELSE = Case(Desk().ticket, Seen(), Desk().ticket.facts, None, T0)
PLANS = st.sampled_from([MAJOR, MINOR, None])
AGENTS = st.sampled_from([BY_ANNA, BY_BEN])
HANDS = st.sampled_from([BY_ANNA, BY_BEN, CUSTOMER, SYSTEM])
OWNERS = st.sampled_from([ANNA, BEN, None])
PAUSES = st.sampled_from([0.0, 1.0, 5.0, 30.0, 61.0, 200.0, 600.0, 1900.0])


class Escalating(RuleBasedStateMachine):
    """One escalation, everything that can happen to it, and what must never be."""

    @initialize(plan=st.sampled_from([MAJOR, MINOR, replace(MAJOR, rounds=2)]))
    def starts(self, plan: object) -> None:
        self.now: datetime = T0
        self.escalation: Escalation = begin("42", plan, T0)[0]  # type: ignore[arg-type]
        self.last: Event | None = None
        self.history: list[Entry] = []
        self.fired: set[tuple[str, int, int, datetime]] = set()
        self.ids: set[str] = set()

    def happens(self, event: Event) -> tuple[Command, ...]:
        before = self.escalation
        self.now += timedelta(milliseconds=1)
        self.escalation, commands = transition(before, event, self.now)
        self.history += [command for command in commands if isinstance(command, Entry)]
        if not isinstance(event, Tick | Escalate):  # who asks twice for the next step wants two
            self.last = event
        self._no_step_twice_and_none_early(before)
        return commands

    def _no_step_twice_and_none_early(self, before: Escalation) -> None:
        known = {n.id for n in before.notifications}
        new = [n for n in self.escalation.notifications if n.id not in known]
        for notification in new:
            assert notification.id not in self.ids, "a notification was planned a second time"
            self.ids.add(notification.id)
            assert notification.due_at <= self.now
            if notification.purpose in ASKING:
                assert self.escalation.state.climbing, "somebody is asked to come although a person has it"

    # --- time and delivery -------------------------------------------------------------------------------------------

    @rule(pause=PAUSES, unread=st.sampled_from([0.0, 0.0, 60.0]))
    def time_passes(self, pause: float, unread: float) -> None:
        self.now += timedelta(seconds=pause)
        self.happens(Tick(PEOPLE, self.now - timedelta(seconds=unread)))

    @rule(back=PAUSES)
    def a_clock_that_is_behind_changes_nothing(self, back: float) -> None:
        self.happens(Tick(PEOPLE, self.now))
        earlier = self.now - timedelta(seconds=back)
        once = self.escalation
        again, commands = transition(once, Tick(PEOPLE, earlier), earlier)
        assert (again.state, again.step, again.round) == (once.state, once.step, once.round)
        assert not [command for command in commands if isinstance(command, Entry)]

    def _begun(self, data: st.DataObject, *stages: Stage) -> str | None:
        found = [n.id for n in self.escalation.notifications if n.stage in stages]
        return data.draw(st.sampled_from(found)) if found else None

    @rule(data=st.data())
    def somebody_claims(self, data: st.DataObject) -> None:
        id = self._begun(data, *Stage)
        if id is None:
            return
        before = self.escalation
        was = next(n for n in before.notifications if n.id == id)
        self.happens(Claim(id, self.now + timedelta(seconds=30)))
        if self.escalation is before:
            return
        assert was.purpose not in ASKING or before.state.climbing, "begun after an acknowledgement"
        assert was.at <= self.now
        mine = self.escalation
        self.happens(Claim(id, self.now + timedelta(seconds=60)))
        assert self.escalation is mine, "two have claimed it"

    @rule(data=st.data(), sent=st.booleans(), permanent=st.booleans(), wait=st.sampled_from([0.0, 60.0]))
    def a_try_ends(self, data: st.DataObject, sent: bool, permanent: bool, wait: float) -> None:
        if id := self._begun(data, Stage.CLAIMED):
            self.happens(Outcome(id, "so it ended", sent, arrived=sent, permanent=permanent, wait=wait if sent else 0))
            self.happens(Tick(PEOPLE, self.now))

    @rule(data=st.data(), sent=st.booleans(), attempt=st.integers(1, 3), provider_id=st.sampled_from(["", "A", "B"]))
    def a_try_that_was_taken_over_ends(self, data: st.DataObject, sent: bool, attempt: int, provider_id: str) -> None:
        id = self._begun(data, *Stage)
        if id is None:
            return
        before = self.escalation
        was = next(n for n in before.notifications if n.id == id)
        if attempt >= was.attempts:
            return
        self.happens(Outcome(id, "so it ended", sent, arrived=sent, provider_id=provider_id, attempt=attempt))
        if not sent:
            assert self.escalation is before, "a failure of an older try says nothing"
        elif was.stage is Stage.CLAIMED:
            assert next(n for n in self.escalation.notifications if n.id == id).stage is Stage.ENDED

    @rule(data=st.data(), arrived=st.booleans(), unanswered=st.booleans())
    def a_receipt_comes(self, data: st.DataObject, arrived: bool, unanswered: bool) -> None:
        if id := self._begun(data, *Stage):
            self.happens(Receipt(id, "receipt", arrived, unanswered=unanswered and not arrived))

    # --- people ------------------------------------------------------------------------------------------------------

    @rule(by=AGENTS, via=st.sampled_from(["take", "reply", "lock", "link"]), held=st.booleans())
    def somebody_acknowledges(self, by: object, via: str, held: bool) -> None:
        until = self.now + timedelta(minutes=20) if held else None
        lock, outside = via == "lock", via == "link"
        self.happens(Acknowledge(by, self.now, via, provisional=lock, until=until, outside=outside))  # type: ignore[arg-type]
        if self.escalation.state.live:
            assert not self.escalation.state.climbing

    @rule(by=AGENTS, what=st.sampled_from([Unlocked, Worked, Escalate, Stop]))
    def somebody_does(self, by: object, what: type) -> None:
        self.happens(what(by, self.now))

    @rule(by=HANDS, what=st.sampled_from([Closed, Raised]))
    def something_changes(self, by: object, what: type) -> None:
        self.happens(what(self.now, by))

    @rule(by=HANDS, owner=OWNERS, alone=st.booleans())
    def the_owner_changes(self, by: object, owner: object, alone: bool) -> None:
        self.happens(OwnerSet(owner, self.now, by, alone))  # type: ignore[arg-type]

    @rule(by=HANDS)
    def the_group_changes(self, by: object) -> None:
        self.happens(GroupSet("2nd Level", self.now, by))  # type: ignore[arg-type]

    @rule(by=HANDS, plan=PLANS)
    def the_plan_changes(self, by: object, plan: object) -> None:
        self.happens(PlanApplies(plan, self.now, by))  # type: ignore[arg-type]

    @rule(by=HANDS, plan=PLANS, automatic=st.booleans())
    def it_reopens(self, by: object, plan: object, automatic: bool) -> None:
        self.happens(Reopened(self.now, by, plan, automatic))  # type: ignore[arg-type]

    @rule(plan=PLANS)
    def the_customer_writes(self, plan: object) -> None:
        self.happens(CustomerWrote(self.now, CUSTOMER, plan))  # type: ignore[arg-type]

    @precondition(lambda self: self.last is not None)
    @rule()
    def the_same_comes_once_more(self) -> None:
        assert self.last is not None
        self.happens(self.last)
        once = self.escalation
        self.happens(self.last)
        again = self.escalation
        assert (again.state, again.step, again.round, again.owner) == (once.state, once.step, once.round, once.owner)
        assert (again.due_at, again.acknowledged) == (once.due_at, once.acknowledged)

    # --- always ------------------------------------------------------------------------------------------------------

    @invariant()
    def whoever_has_it_is_known_and_nobody_else_is_said_to(self) -> None:
        taken = self.escalation.state in (State.ACKNOWLEDGED, State.HELD)
        assert not taken or self.escalation.acknowledged is not None
        assert not self.escalation.state.climbing or self.escalation.acknowledged is None
        assert (self.escalation.state is State.HELD) <= (self.escalation.due_at is not None)

    @invariant()
    def what_climbs_has_its_next_moment(self) -> None:
        if self.escalation.state in (State.WAITING, State.RUNNING):
            assert self.escalation.due_at is not None

    @invariant()
    def the_record_stays_small(self) -> None:
        assert len(self.escalation.parked) <= 3
        assert len(self.escalation.told) <= 20
        assert len(self.escalation.notifications) <= 60

    @invariant()
    def redis_gives_back_what_it_was_given(self) -> None:
        kept = to_case(encode(replace(NOTHING_ELSE, escalation=self.escalation)))
        assert kept == replace(NOTHING_ELSE, escalation=self.escalation)
        assert [to_entry(encode(entry)) for entry in self.history[-3:]] == self.history[-3:]


Escalating.TestCase.settings = QUICK
TestAnEscalation = Escalating.TestCase


# --- a history, read in pieces ---------------------------------------------------------------------------------------

#: One save by somebody, at a moment.
ACTS: dict[str, Callable[[Desk, datetime], None]] = {
    "take": lambda desk, moment: desk.owned(moment, BY_ANNA, ANNA),
    "assign": lambda desk, moment: desk.owned(moment, BY_ANNA, BEN),
    "release": lambda desk, moment: desk.owned(moment, BY_BEN, None),
    "lock": lambda desk, moment: desk.marks(moment, BY_BEN, Kind.LOCK),
    "unlock": lambda desk, moment: desk.marks(moment, BY_BEN, Kind.UNLOCK),
    "reply": lambda desk, moment: desk.reply(moment, BY_BEN),
    "note": lambda desk, moment: desk.article(moment, BY_ANNA, "/ack"),
    "word": lambda desk, moment: desk.article(moment, BY_BEN, "looking"),  # which counts if he owns it
    "customer": lambda desk, moment: desk.article(moment, CUSTOMER, public=True),
    "raise": lambda desk, moment: desk.sets(moment, BY_ANNA, Kind.PRIORITY, "3 high", raised=True),
    "lower": lambda desk, moment: desk.sets(moment, CUSTOMER, Kind.PRIORITY, "2 normal"),
    "exclude": lambda desk, moment: desk.sets(moment, CUSTOMER, Kind.PRIORITY, "1 low"),
    "move": lambda desk, moment: desk.sets(moment, BY_BEN, Kind.GROUP, "2nd Level"),
    "close": lambda desk, moment: desk.state(moment, CUSTOMER, TicketPhase.CLOSED),
    "solve": lambda desk, moment: desk.state(moment, BY_BEN, TicketPhase.CLOSED),
    "reopen": lambda desk, moment: desk.state(moment, CUSTOMER, TicketPhase.OPEN),
    "pending": lambda desk, moment: desk.state(moment, BY_ANNA, TicketPhase.PENDING, until=moment + timedelta(days=2)),
}


def essence(escalation: Escalation | None) -> object:
    if escalation is None:
        return None
    one = escalation
    return (one.code, one.state, one.plan.name, one.step, one.due_at, one.owner, one.acknowledged, one.ended_at)


def torn(reading: Reading, before: Reading, same_second: bool) -> Reading:
    """The history as in `reading`, with the row as it was before, maybe in the second of the last change."""
    updated_at = reading.ticket.updated_at if same_second else before.ticket.updated_at
    return replace(reading, ticket=replace(before.ticket, updated_at=updated_at))


@settings(QUICK, max_examples=400)
@given(
    acts=st.lists(st.tuples(st.sampled_from(sorted(ACTS)), st.integers(3, 400)), max_size=12),
    order=st.lists(st.integers(0, 38), max_size=10),
    new=st.booleans(),
)
def test_readings_in_any_order_and_number_end_in_the_same_state(
    acts: Sequence[tuple[str, int]], order: Sequence[int], new: bool
) -> None:
    desk = Desk()
    readings: list[Reading] = [desk.read(at(0, 1))]
    moment = T0
    for what, seconds in acts:
        moment += timedelta(seconds=seconds)
        before = desk.read(moment)
        ACTS[what](desk, moment)
        whole = desk.read(moment + timedelta(seconds=1))
        readings += [torn(whole, before, same_second=False), torn(whole, before, same_second=True), whole]
    long = replace(MAJOR, respond_within=timedelta(days=1))
    policy = replace(Watch().policy, plans={"major": long, "minor": replace(MINOR, respond_within=timedelta(days=1))})
    now = moment + timedelta(minutes=1)
    since = T0 - timedelta(days=1) if new else T0 + timedelta(seconds=2)

    at_once = Watch(desk, policy, since)
    at_once.looks(now, readings[-1])
    in_pieces = Watch(desk, policy, since)
    for one in [*order, len(readings) - 1]:
        in_pieces.looks(now, readings[min(one, len(readings) - 1)])

    assert at_once.case is not None
    assert in_pieces.case is not None
    assert essence(at_once.case.escalation) == essence(in_pieces.case.escalation)
    assert (at_once.case.plan, at_once.case.facts) == (in_pieces.case.plan, in_pieces.case.facts)

    in_pieces.commands.clear()
    for one in (readings[min(order[0], len(readings) - 1)] if order else readings[0], readings[-1]):
        in_pieces.looks(now, one)
    assert in_pieces.commands == [], "what has been taken in was taken in again"
