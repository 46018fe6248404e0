"""What in a ticket's history is an acknowledgement, and what never is."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from connector.core.escalation import State
from connector.core.events import Entry, WriteNote
from connector.core.meaning import in_saves
from connector.core.plan import DEFAULT_WAYS, Plan, Policy, Way
from connector.core.ticket import Actor, Kind, Phase, Role

from .builders import (
    ANNA,
    BEN,
    BY_ANNA,
    BY_BEN,
    BY_DANA,
    CUSTOMER,
    MAJOR,
    POLICY,
    ROBOT,
    SYSTEM,
    US,
    Desk,
    Watch,
    at,
)

Act = Callable[[Desk], None]


def after(act: Act, plan: Plan = MAJOR) -> State:
    """The state once this was done in the window, two minutes after the first step had told Dana."""
    watch = Watch(policy=Policy({**POLICY.plans, "major": plan}, (), POLICY.priorities))
    watch.looks(at(1))
    watch.looks(at(10))
    watch.tells("dana", "push", at(10, 1))
    act(watch.desk)
    watch.looks(at(12, 30))
    return watch.escalation.state


ACKNOWLEDGES: dict[str, Act] = {
    "takes the ticket": lambda desk: desk.owned(at(12), BY_ANNA, ANNA),
    "locks it": lambda desk: desk.marks(at(12), BY_ANNA, Kind.LOCK),
    "replies to the customer": lambda desk: desk.reply(at(12), BY_ANNA),
    "sets it pending": lambda desk: desk.state(at(12), BY_ANNA, Phase.PENDING),
    "writes /ack, whoever it is": lambda desk: desk.article(at(12), BY_ANNA, "/ack on my way"),
    "writes a note, having been told": lambda desk: desk.article(at(12), BY_DANA, "looking"),
    "uses the helpdesk's own entry": lambda desk: desk.marks(at(12), BY_ANNA, Kind.ACKNOWLEDGED),
}


@pytest.mark.parametrize("what", ACKNOWLEDGES)
def test_a_person_acknowledges_who(what: str) -> None:
    assert after(ACKNOWLEDGES[what]).climbing is False


@pytest.mark.parametrize("what", ACKNOWLEDGES)
def test_a_plan_may_not_count_it(what: str) -> None:
    nothing = replace(MAJOR, acknowledged_by=frozenset({Way.OUTSIDE}))
    assert after(ACKNOWLEDGES[what], nothing) is State.RUNNING


def _owner_writes(desk: Desk) -> None:
    desk.owned(at(11, 50), BY_BEN, ANNA)
    desk.article(at(12), BY_ANNA, "looking")


def test_a_note_by_the_owner_acknowledges() -> None:
    assert after(_owner_writes) is State.ACKNOWLEDGED


def _hands_over_with_a_note(desk: Desk) -> None:
    desk.owned(at(12), BY_DANA, BEN)
    desk.article(at(12), BY_DANA, "Ben, please")


def _macro(desk: Desk) -> None:
    """A customer runs the agents' macro: an internal note "/ack", and the owner is taken away."""
    desk.article(at(12), CUSTOMER, "/ack")


NEVER: dict[str, Act] = {
    "a customer's reply": lambda desk: desk.article(at(12), CUSTOMER, public=True),
    "a customer's macro": _macro,
    "an agent's note that isn't /ack": lambda desk: desk.article(at(12), BY_BEN, "who has this?"),
    "a note of the helpdesk": lambda desk: desk.article(at(12), SYSTEM, "/ack"),
    "our own note": lambda desk: desk.article(at(12), US, "/ack"),
    "a robot's note": lambda desk: desk.article(at(12), ROBOT, "/ack"),
    "a robot that takes it": lambda desk: desk.owned(at(12), ROBOT, None),
    "an agent's article that came by mail": lambda desk: desk.article(
        at(12), BY_ANNA, public=True, reply=True, by_mail=True
    ),
    "an automatic reply": lambda desk: desk.article(at(12), BY_ANNA, public=True, reply=True, automatic=True),
    "what was set at creation": lambda desk: desk.article(at(12), BY_DANA, "/ack", at_creation=True),
    "assigning to somebody else": lambda desk: desk.owned(at(12), BY_ANNA, BEN),
    "assigning to somebody else with a note": _hands_over_with_a_note,
    "opening it": lambda desk: desk.state(at(12), BY_ANNA, Phase.OPEN),
    "a public note": lambda desk: desk.article(at(12), BY_DANA, public=True),
    "another title": lambda desk: desk.sets(at(12), BY_ANNA, Kind.TITLE, "Server is down"),
}


@pytest.mark.parametrize("what", NEVER)
def test_this_is_never_an_acknowledgement(what: str) -> None:
    assert after(NEVER[what]) is State.RUNNING


@pytest.mark.parametrize("what", NEVER)
def test_nor_where_a_reading_shows_only_the_beginning_of_a_save(what: str) -> None:
    """Znuny writes the entries of a form one after the other, and may show a note's line before the note."""
    watch = Watch()
    watch.looks(at(1))
    watch.looks(at(10))
    watch.tells("dana", "push", at(10, 1))
    row, known = watch.desk.ticket, len(watch.desk.changes)
    NEVER[what](watch.desk)
    for entries in range(known, len(watch.desk.changes)):
        watch.looks(at(12), replace(watch.desk.read(at(12), entries), ticket=row))
    watch.looks(at(12, 30))
    assert watch.escalation.state is State.RUNNING


def test_mail_counts_where_the_plan_says_so() -> None:
    by_mail = NEVER["an agent's article that came by mail"]
    assert after(by_mail, replace(MAJOR, acknowledged_by=DEFAULT_WAYS | {Way.MAIL})) is State.ACKNOWLEDGED


def test_a_customers_message_is_what_an_exhausted_one_waits_for_and_their_macro_isnt() -> None:
    watch = Watch()
    watch.looks(at(1))
    for minutes in (10, 15, 20, 35):
        watch.looks(at(minutes))
    assert watch.escalation.state is State.EXHAUSTED

    watch.desk.article(at(40), CUSTOMER, "/ack")
    watch.looks(at(40, 5))
    assert watch.escalation.state is State.EXHAUSTED

    watch.desk.article(at(41), CUSTOMER, public=True)
    watch.looks(at(41, 5))
    assert watch.escalation.state is State.RUNNING


def test_the_owner_from_the_start_hasnt_acknowledged_but_may_by_a_note() -> None:
    desk = Desk()
    desk.ticket = replace(desk.ticket, owner=ANNA)
    desk.article(at(5), BY_ANNA, "looking")
    desk.owned(at(8), BY_ANNA, BEN)
    watch = Watch(desk)
    watch.looks(at(5), replace(desk.read(at(5)), changes=(), ticket=replace(desk.ticket, owner=ANNA)))
    assert watch.escalation.state is State.WAITING

    watch.looks(at(9))
    kinds = [command.kind for command in watch.commands if isinstance(command, Entry | WriteNote)]
    assert kinds == ["created", "acknowledged", "handed_over", "handed-over"]


def test_who_was_told_is_known_by_their_login_in_any_case() -> None:
    shouting = Actor(Role.PERSON, "5", BY_DANA.login.upper(), "Dana")
    assert after(lambda desk: desk.article(at(12), shouting, "looking")) is State.ACKNOWLEDGED


@pytest.mark.parametrize("minutes", [-30, 30])
def test_what_one_hand_did_at_other_times_is_no_part_of_a_save(minutes: float) -> None:
    """A helpdesk that keeps local time shows what was done in an hour of autumn before what was done earlier."""
    desk = Desk()
    desk.article(at(0), BY_BEN)
    desk.owned(at(minutes), BY_BEN, ANNA)
    assert [len(save) for save in in_saves(desk.changes)] == [1, 1]


def test_taking_and_noting_in_one_save_is_one_acknowledgement() -> None:
    def macro(desk: Desk) -> None:
        desk.owned(at(12), BY_ANNA, ANNA)
        desk.article(at(12), BY_ANNA, "/ack")

    assert after(macro) is State.ACKNOWLEDGED
