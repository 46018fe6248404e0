"""Every cell of the table: what each event does in each state, or that it is ignored.

Ignored means: the same object comes back, and no command. A new event or state without a cell here fails.
"""

from dataclasses import replace
from typing import get_args

import pytest

from connector.core.escalation import Acknowledgement, Escalation, Stage, State
from connector.core.events import (
    Acknowledge,
    Claim,
    Closed,
    CustomerWrote,
    Escalate,
    Event,
    GroupSet,
    MovedHere,
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
from connector.core.transition import transition

from .builders import ANNA, BEN, BY_ANNA, BY_BEN, CUSTOMER, MAJOR, MINOR, PEOPLE, SYSTEM, at, running, waiting

S = State
NOW = at(12)
IGNORED = "ignored"


def in_state(state: State) -> Escalation:
    """An escalation of each state, with one notification planned, one claimed and one that waits for its receipt."""
    if state is S.WAITING:
        return replace(waiting().escalation, due_at=at(22))
    story = running()
    planned = replace(story.one("dana", "push"), at=NOW)
    ways = (
        replace(planned, id="planned"),
        replace(planned, id="claimed", stage=Stage.CLAIMED, at=at(13)),
        replace(planned, id="sent", stage=Stage.SENT, at=at(14)),
    )
    begun = replace(story.escalation, notifications=ways, report=None)
    if state is S.RUNNING:
        return begun
    if state is S.EXHAUSTED:
        return replace(begun, state=state, step=3, due_at=at(60))
    if state in (S.ACKNOWLEDGED, S.HELD):
        until = at(30) if state is S.HELD else None
        return transition(begun, Acknowledge(BY_ANNA, at(11), "lock", provisional=True, until=until), at(11))[0]
    if state is S.RESOLVED:
        return transition(begun, Closed(at(11), CUSTOMER), at(11))[0]
    return transition(begun, PlanApplies(None, at(11), BY_ANNA), at(11))[0]


EVENTS: dict[type, Event] = {
    PlanApplies: PlanApplies(MINOR, NOW, BY_ANNA),
    Acknowledge: Acknowledge(BY_BEN, NOW, "take"),
    Unlocked: Unlocked(BY_ANNA, NOW),
    Worked: Worked(BY_ANNA, NOW),
    OwnerSet: OwnerSet(BEN, NOW, SYSTEM),
    GroupSet: GroupSet("2nd Level", NOW, BY_BEN),
    Closed: Closed(NOW, BY_ANNA),
    Reopened: Reopened(NOW, CUSTOMER, MAJOR),
    CustomerWrote: CustomerWrote(NOW, CUSTOMER, MAJOR),
    Raised: Raised(NOW, BY_ANNA),
    MovedHere: MovedHere("77", NOW, BY_ANNA, ANNA),
    Escalate: Escalate(BY_BEN, NOW),
    Stop: Stop(BY_BEN, NOW),
    Tick: Tick(PEOPLE, NOW),
    Claim: Claim("planned", at(13)),
    Outcome: Outcome("claimed", "accepted", sent=True, arrived=True),
    Receipt: Receipt("sent", "delivered", arrived=True),
}

# What the escalation is afterwards: a state, or what else becomes of it in words that `became` understands.
ROW = dict[type, State | str]
CLIMBING: ROW = {
    PlanApplies: S.WAITING,
    Acknowledge: S.ACKNOWLEDGED,
    Unlocked: IGNORED,
    Worked: IGNORED,
    OwnerSet: "owner",
    GroupSet: IGNORED,
    Closed: S.RESOLVED,
    Reopened: IGNORED,
    CustomerWrote: IGNORED,
    Raised: IGNORED,
    MovedHere: "moved",
    Escalate: S.RUNNING,
    Stop: S.CANCELLED,
    Tick: IGNORED,
    Claim: Stage.CLAIMED,
    Outcome: "told",
    Receipt: "arrived",
}
TAKEN: ROW = {
    **CLIMBING,
    PlanApplies: "plan",
    Acknowledge: "taken over",
    Unlocked: S.RUNNING,
    Worked: "firm",
    OwnerSet: S.WAITING,
    GroupSet: S.WAITING,
    Tick: IGNORED,
    Claim: IGNORED,
}
ENDED: ROW = {
    **CLIMBING,
    Acknowledge: IGNORED,
    Closed: IGNORED,
    MovedHere: IGNORED,
    Stop: IGNORED,
    Claim: IGNORED,
}
CELLS: dict[State, ROW] = {
    S.WAITING: {**CLIMBING, Claim: IGNORED, Outcome: IGNORED, Receipt: IGNORED},
    S.RUNNING: CLIMBING,
    S.EXHAUSTED: {**CLIMBING, CustomerWrote: S.RUNNING, Raised: S.RUNNING},
    S.ACKNOWLEDGED: TAKEN,
    S.HELD: TAKEN,
    S.RESOLVED: {**ENDED, PlanApplies: "next life", Reopened: S.RUNNING, Escalate: IGNORED},
    S.CANCELLED: {**ENDED, PlanApplies: S.WAITING, Reopened: "next life"},
}


def became(before: Escalation, after: Escalation, event: Event) -> set[State | Stage | str]:
    """Everything that can be said of the change."""
    acknowledged = after.acknowledged or Acknowledgement(SYSTEM, NOW, "")
    said: set[State | Stage | str] = {after.state}
    said |= {"owner"} if after.owner == BEN and before.owner != BEN else set()
    said |= {"moved"} if after.ticket_id == "77" else set()
    said |= {"plan"} if (after.plan, after.state) == (MINOR, before.state) else set()
    said |= {"taken over"} if (acknowledged.by, after.state) == (BY_BEN, before.state) else set()
    said |= {"firm"} if acknowledged.by == BY_ANNA and not acknowledged.provisional else set()
    said |= {"told"} if len(after.told) > len(before.told) else set()
    said |= {"next life"} if (after.life, after.state) == (before.life + 1, S.WAITING) else set()
    for notification in after.notifications:
        said |= {Stage.CLAIMED} if (notification.id, notification.stage) == ("planned", Stage.CLAIMED) else set()
        said |= {"arrived"} if notification.id == "sent" and notification.arrived else set()
    return said


@pytest.mark.parametrize("event", get_args(Event), ids=lambda event: event.__name__)
@pytest.mark.parametrize("state", State)
def test_each_event_does_in_each_state_what_its_cell_says(state: State, event: type) -> None:
    before = in_state(state)
    if event is Tick:  # all that can be done has been done: another look at the clock changes nothing
        before = transition(before, EVENTS[Tick], NOW)[0]
    assert before.state is state

    after, commands = transition(before, EVENTS[event], NOW)

    expected = CELLS[state][event]
    if expected == IGNORED:
        assert (before, ()) == (after, commands)
        assert before is after
    else:
        assert after is not before
        assert expected in became(before, after, EVENTS[event])


@pytest.mark.parametrize("event", get_args(Event), ids=lambda event: event.__name__)
@pytest.mark.parametrize("state", State)
def test_the_same_event_once_more_changes_nothing_about_the_state(state: State, event: type) -> None:
    once, _ = transition(in_state(state), EVENTS[event], NOW)
    twice, _ = transition(once, EVENTS[event], NOW)

    assert (once.state, once.step, once.round, once.due_at) == (twice.state, twice.step, twice.round, twice.due_at)


def test_the_cells_name_every_state_and_event() -> None:
    assert set(State) == set(CELLS)
    assert all(set(get_args(Event)) == set(row) for row in CELLS.values())
