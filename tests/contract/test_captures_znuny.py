"""Every captured Znuny event, from its bytes to what becomes of an escalation.

Each one is posted to the real receiver as Znuny sent it; the observer then reads the ticket from a Znuny that answers
as it did at that moment. The escalation stood as the same history left it a moment before.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from redis import Redis

from connector.core.escalation import State

from ..helpdesks.znuny.composed import BASIC, NAMES, SECRET, Composed, captured, composed
from .expected_znuny import EXPECTED
from .receiving import ANSWER, LONG, SHORT
from .znuny_before import before, moment_of
from .znuny_desk import PRIORITIES, SOON, Make, desks, renumbered

DELETED = "ticket-deleted.1-TicketDelete"
TOLD = [name for name in NAMES if name != DELETED]


def case_of(name: str) -> str:
    return name.partition(".")[0]


CREATED = [name for name in TOLD if EXPECTED[case_of(name)][0].startswith("nothing ->")]
ENDED = [name for name in TOLD if "-> resolved" in EXPECTED[case_of(name)][0]]


@pytest.fixture
def make(redis: Redis) -> Iterator[Make]:
    with desks(redis) as make:
        yield make


def test_there_is_a_line_in_the_manual_for_every_event() -> None:
    assert {case_of(name) for name in TOLD} == set(EXPECTED)


@pytest.mark.parametrize(("window", "climbing"), [(LONG, "waiting"), (SHORT, "running")])
@pytest.mark.parametrize("name", TOLD)
def test_an_event_means_what_the_manual_says(name: str, window: str, climbing: str, make: Make) -> None:
    desk = make(name, window)
    steps, entries = EXPECTED[case_of(name)]
    was, becomes = steps.replace("climbing", climbing).split(" -> ")
    desk.read_before()
    assert desk.stands == was
    known = desk.kinds()
    desk.deliver()
    assert desk.stands == becomes
    assert desk.kinds()[len(known) :] == entries.split()


@pytest.mark.parametrize("name", TOLD)
def test_the_same_event_twice_or_late_changes_nothing(name: str, make: Make) -> None:
    desk = make(name)
    desk.read_before()
    earlier = desk.receiving.services.helpdesk.read(desk.ticket_id) if before(desk.it) else None
    desk.deliver()
    kept = desk.receiving.kept(desk.ticket_id)
    desk.receiving.take(desk.it.raw, desk.it.headers, moment_of(desk.it) + SOON + SOON)
    assert desk.receiving.kept(desk.ticket_id) == kept
    assert desk.receiving.hints() == []
    if earlier is not None:  # a reading that was begun before and is taken in after
        desk.receiving.services.observer.take_in(earlier)
        assert desk.receiving.kept(desk.ticket_id) == kept


@pytest.mark.parametrize("name", [name for name in TOLD if name not in CREATED + ENDED])
def test_what_is_heard_of_only_now_ends_the_same(name: str, make: Make) -> None:
    desk = make(name)
    desk.deliver()
    assert desk.stands == EXPECTED[case_of(name)][0].replace("climbing", "waiting").split(" -> ")[1]
    assert desk.escalation is not None
    assert desk.escalation.plan.name == PRIORITIES[desk.it.ticket["Ticket"][0]["Priority"]]


@pytest.mark.parametrize("name", ENDED)
def test_a_closed_ticket_that_is_not_known_is_not_even_read(name: str, make: Make) -> None:
    desk = make(name)
    desk.serve(desk.it)
    assert desk.receiving.post(desk.it.raw, desk.it.headers) == ANSWER
    assert (desk.receiving.hints(), desk.receiving.count("hints_dropped")) == ([], 1)
    assert len(desk.mock.calls) == 0


@pytest.mark.parametrize("name", NAMES)
def test_without_the_secret_nothing_is_stored(name: str, make: Make) -> None:
    desk = make(name)
    wrong = {**desk.it.headers, "X-Webhook-Secret": SECRET[:-1] + "x"}
    missing = {key: value for key, value in desk.it.headers.items() if key != "X-Webhook-Secret"}
    assert [desk.receiving.post(desk.it.raw, headers)[0] for headers in (wrong, missing)] == [401, 401]
    assert desk.receiving.hints() == []
    assert desk.receiving.count("webhooks_refused") == 2
    assert desk.receiving.post(desk.it.raw, desk.it.headers) == ANSWER
    assert desk.receiving.hints() == ([] if name in ENDED else [desk.ticket_id])


@pytest.mark.parametrize("name", ["lock-by-ben.1-TicketLockUpdate", "xslt-slim-payload"])
def test_a_body_is_only_a_hint_whatever_else_it_claims(name: str, make: Make) -> None:
    desk = make(name)
    desk.read_before()
    claims = {"Lock": "unlock", "StateType": "open", "OwnerID": 1, "ChangeBy": 2}
    raw = json.dumps({"Event": {"Event": "TicketTitleUpdate", "TicketID": desk.ticket_id}, "Ticket": claims}).encode()
    desk.serve(desk.it)
    desk.receiving.take(raw, desk.it.headers, moment_of(desk.it) + SOON)
    assert desk.stands == EXPECTED[case_of(name)][0].split(" -> ")[1]


def test_basic_auth_counts_where_it_is_asked_for_and_a_token_that_signs_no_body_does_not(make: Make) -> None:
    asked = {"webhook_user": BASIC[0], "webhook_password": BASIC[1]}
    with_basic = make("lock-by-ben.1-TicketLockUpdate", helpdesk=asked)
    assert with_basic.receiving.post(with_basic.it.raw, with_basic.it.headers) == ANSWER
    with_token = make("auth-jwt-bearer", helpdesk=asked)
    assert with_token.receiving.post(with_token.it.raw, with_token.it.headers)[0] == 401
    assert with_token.receiving.hints() == []


@pytest.mark.parametrize("name", CREATED)
def test_a_new_tickets_window_starts_at_its_creation_and_nobody_owns_it(name: str, make: Make) -> None:
    desk = make(name)
    desk.deliver()
    escalation = desk.escalation
    assert escalation is not None
    created = datetime.strptime(desk.it.ticket["Ticket"][0]["Created"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    assert (escalation.created_at, escalation.due_at) == (created, created + timedelta(days=30))
    assert escalation.owner is None
    assert escalation.acknowledged is None


@pytest.mark.parametrize("name", [name for name in NAMES if case_of(name) == "ui-note-with-acknowledge-checkbox"])
def test_the_acknowledge_checkbox_acknowledges_what_was_started_by_hand(name: str, make: Make) -> None:
    desk = make(name, SHORT)
    earlier = before(desk.it)
    assert earlier is not None
    desk.serve(earlier)
    desk.receiving.clock.move_to(moment_of(desk.it) - timedelta(minutes=5))
    services = desk.receiving.services
    services.engine.start(services.helpdesk.read("6"), services.settings.policy.plans["urgent"], "dana")
    assert desk.stands == "waiting, owner ben"
    desk.deliver()
    assert desk.stands == "acknowledged by ben (Acknowledge escalation)"


def test_who_takes_a_ticket_is_called_by_the_full_name_that_the_event_told(make: Make) -> None:
    desk = make("lock-by-ben.1-TicketLockUpdate", SHORT)
    desk.read_before()
    desk.deliver()
    assert desk.escalation is not None
    taken = desk.escalation.acknowledged
    assert taken is not None
    assert (taken.by.login, taken.by.name) == ("ben", "Ben Beispiel"), "the ticket itself tells the login alone"
    assert any("Ben Beispiel" in line for line in desk.receiving.notes(desk.ticket_id))


def test_only_the_delete_event_tells_that_a_ticket_is_gone(make: Make) -> None:
    desk = make(DELETED, SHORT)
    alive = renumbered(composed("create-by-customer-api.2-TicketCreate"), desk.ticket_id)
    at = moment_of(alive) + timedelta(seconds=5)
    desk.serve(alive)
    desk.receiving.look(desk.ticket_id, at)
    assert desk.stands == "running"
    desk.serve(desk.it)  # no permission any more, or no ticket: Znuny answers alike
    desk.receiving.look(desk.ticket_id, at + SOON)
    assert desk.stands == "running"
    desk.receiving.take(desk.it.raw, desk.it.headers, at + SOON)
    assert desk.stands == "resolved, acknowledged by nobody"
    assert desk.receiving.history(desk.ticket_id)[-1].text == "deleted by the helpdesk"
    assert not any("closed" in line for line in desk.receiving.notes(desk.ticket_id))
    desk.receiving.take(desk.it.raw, desk.it.headers, at + SOON)
    assert desk.stands == "resolved, acknowledged by nobody"


def test_a_ticket_that_was_never_known_and_is_deleted_leaves_nothing(make: Make) -> None:
    desk = make(DELETED)
    desk.serve(desk.it)
    desk.receiving.take(desk.it.raw, desk.it.headers, datetime(2026, 11, 22, tzinfo=UTC))
    assert desk.stands == "nothing"
    assert captured("error-unknown-ticket-get")["response"]["body"] == desk.it.ticket


def test_merged_into_a_ticket_without_an_escalation_it_goes_on_there_under_its_own_code(make: Make) -> None:
    desk = make("ui-merge-by-anna.2-TicketMerge", SHORT)
    closed = composed("ui-close-by-anna.1-TicketLockUpdate")
    desk.serve(closed)
    desk.receiving.look("7", moment_of(closed) + SOON)
    known = desk.receiving.escalation("7")
    assert known is not None
    assert known.state is State.RESOLVED
    desk.read_before()
    desk.serve(desk.it, closed)
    desk.receiving.take(desk.it.raw, desk.it.headers, moment_of(desk.it) + SOON)
    moved = desk.receiving.escalation("7")
    assert desk.escalation is None
    assert moved is not None
    assert (moved.code, moved.ticket_id, moved.acknowledged) == ("E-9", "7", None)


#: Tickets 6 and 7 from the first event to the last, as far as their real history was captured.
DAYS = {
    "6": (
        "priority-by-agent owner-to-ben-by-anna lock-by-ben unlock-by-ben queue-move-by-agent state-open-by-agent "
        "note-internal-by-agent reply-to-customer-by-agent followup-by-customer-email followup-by-customer-api "
        "close-by-agent reopen-by-agent reopen-by-customer-email pending-by-agent plugin-note plugin-dynamic-field "
        "plugin-note-and-field two-changes-at-once-by-agent"
    ),
    "7": (
        "ui-lock-button-by-ben ui-note-by-ben ui-owner-to-anna-by-anna ui-priority-by-anna ui-move-queue-by-anna "
        "ui-compose-reply-by-anna ui-customer-followup ui-close-by-anna"
    ),
}


def heard(make: Make, events: list[Composed], order: list[int], looks: list[bool]) -> tuple[object, ...]:
    """The events arrive in this order, none before it has happened; the ticket is read where `looks` says so.

    How it stands in the end, and what its history says; not in which words, since agents' names are learned by and by.
    """
    desk = make(events[0].name)
    now = -1
    for place, look in zip(order, looks, strict=True):
        if place > now:
            now = place
            desk.serve(events[now])
            desk.receiving.clock.move_to(moment_of(events[now]) + SOON)
        desk.receiving.post(events[place].raw, events[place].headers)
        if look and desk.receiving.hints():
            desk.receiving.look(desk.ticket_id, moment_of(events[now]) + SOON)
    for ticket_id in desk.receiving.hints():
        desk.receiving.look(ticket_id, moment_of(events[-1]) + SOON)
    escalation = desk.escalation
    assert escalation is not None
    history = [(entry.kind, entry.at) for entry in desk.receiving.history(desk.ticket_id)]
    return desk.stands, escalation.plan, escalation.due_at, escalation.back, escalation.left, history


@pytest.mark.parametrize(
    ("ticket_id", "ends"), [("6", "acknowledged by anna (lock)"), ("7", "resolved, acknowledged by anna (lock)")]
)
def test_a_whole_days_events_in_any_order_end_in_the_same_state(ticket_id: str, ends: str, make: Make) -> None:
    cases = DAYS[ticket_id].split()
    events = [composed(next(name for name in TOLD if case_of(name) == case)) for case in cases]
    count = len(events)
    in_order = heard(make, events, list(range(count)), [True] * count)
    assert in_order[0] == ends

    @given(order=st.permutations(range(count)), looks=st.lists(st.booleans(), min_size=count, max_size=count))
    @hypothesis_settings(max_examples=8, deadline=None, derandomize=True, database=None)
    def ends_the_same(order: list[int], looks: list[bool]) -> None:
        if any(looks[: order.index(count - 1)]):  # one that is closed when it is first heard of is left alone
            assert heard(make, events, order, looks) == in_order

    ends_the_same()
