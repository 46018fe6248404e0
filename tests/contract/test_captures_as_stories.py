"""Captured Zammad deliveries where more is to be said than a line of the manual: other plans, merges, any order."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from redis import Redis

from connector.core.escalation import Escalation

from ..helpdesks.zammad.composed import Composed, answer, composed
from .receiving import ANSWER, SHORT, Kept, stands
from .zammad_before import before, begin_of, moment_of
from .zammad_desk import MOMENT, SOON, Desk, Make, desks


@pytest.fixture
def make(redis: Redis) -> Iterator[Make]:
    with desks(redis) as make:
        yield make


def told(desk: Desk) -> str:
    """Before -> after of this delivery."""
    desk.read_before()
    was = desk.stands
    desk.deliver()
    return f"{was} -> {desk.stands}"


# --- a plan says what acknowledges -----------------------------------------------------------------------------------

ONLY: dict[tuple[str, str], str] = {
    ("take", "captured/agent_takes"): "waiting -> acknowledged by alice (take)",
    ("reply", "captured/agent_takes"): "waiting -> waiting, owner alice",
    # a note by the owner is a note, a public one isn't even that, a logged call is a reply
    ("note", "captured/agent_internal_note"): "waiting, owner alice -> acknowledged by alice (note)",
    ("reply", "captured/agent_internal_note"): "waiting, owner alice -> waiting, owner alice",
    ("reply", "captured/agent_public_note"): "waiting, owner alice -> waiting, owner alice",
    ("reply", "captured/agent_call_logged"): "waiting, owner alice -> acknowledged by alice (reply)",
    ("reply", "captured/agent_reply_by_mail"): "waiting, owner alice -> acknowledged by alice (reply)",
    ("reply", "captured/ui_reply_by_mail"): "waiting, owner alice -> acknowledged by alice (reply)",
    # the sender of a mail can be forged: it counts only where the plan says so
    ("reply", "captured/agent_mail_from_own_mail_program"): "waiting, owner alice -> waiting, owner alice",
    ("mail", "captured/agent_mail_from_own_mail_program"): "waiting, owner alice -> acknowledged by alice (mail)",
    # the macro is taking and a note at once
    ("note", "captured/macro_in_bulk"): "waiting -> acknowledged by alice (note)",
    ("note", "captured/ui_macro_in_the_ticket"): "waiting -> acknowledged by alice (note)",
    ("reply", "captured/macro_in_bulk"): "waiting -> waiting, owner alice",
    # pending while nobody had it
    ("pending", "captured/pending_close"): (
        "waiting, owner bob -> held until 2026-11-21 23:56, acknowledged by bob (pending)"
    ),
    # closed by the time alone: nobody has acknowledged
    ("reply", "captured/pending_close_reached"): "waiting, owner bob -> resolved, acknowledged by nobody",
    ("reply", "payloads/unassigned_by_timeout"): "waiting, owner jonas.weber -> waiting",
}


@pytest.mark.parametrize(("way", "name"), ONLY)
def test_a_plan_chooses_what_acknowledges(way: str, name: str, make: Make) -> None:
    assert told(make(name, acknowledged_by=[way])) == ONLY[way, name]


def test_a_lowered_priority_without_a_plan_cancels_and_says_so(make: Make) -> None:
    desk = make("captured/priority_lowered", SHORT, priorities={"3 high": "urgent"})
    assert told(desk) == "running -> cancelled, acknowledged by nobody"
    assert desk.words()[-1] == "cancelled: no plan applies any more, changed by Bob Agent"
    assert desk.receiving.notes(desk.ticket_id)[-1] == "Escalation E-2 cancelled"


def test_a_group_that_is_excluded_cancels(make: Make) -> None:
    rules = [{"when": {"group": ["2nd Level"]}, "plan": "none"}]
    assert told(make("captured/group_changed", SHORT, rules=rules)) == "running -> cancelled, acknowledged by nobody"


def test_an_organization_that_is_excluded_cancels_though_somebody_has_the_ticket(make: Make) -> None:
    rules = [{"when": {"organization": ["Example Corp"]}, "plan": "none"}]
    desk = make("captured/customer_moved_open_ticket", rules=rules)
    assert told(desk) == "acknowledged by alice (take) -> cancelled, acknowledged by alice (take)"


@pytest.mark.parametrize("name", ["captured/agent_takes", "captured/ui_internal_note_with_command"])
def test_a_robot_is_no_person(name: str, make: Make) -> None:
    assert told(make(name, helpdesk={"robots": ["Alice@example.com"]})) == "waiting -> waiting"


def test_after_an_automatic_reply_the_customers_own_mail_goes_on_where_it_stood(make: Make) -> None:
    desk, mail = make("captured/reopened_by_automatic_reply"), composed("captured/reopened_by_customer_mail")
    desk.read_before()
    desk.deliver()
    assert desk.stands == "resolved, acknowledged by alice (take), until somebody works on it"
    written = next({**row, "id": 7100} for row in mail.history if str(row["id"]) in mail.event)
    article = next(one for one in mail.articles if one["id"] == written["o_id"])
    desk.serve(replace(mail, history=[*desk.it.history, written], articles=[*desk.it.articles, article]))
    desk.receiving.take(mail.raw, mail.headers, moment_of(mail) + SOON)
    assert desk.stands == "acknowledged by alice (take)"
    assert desk.words()[-1] == "created: reopened by customer Cathy Customer soon after it was closed"


# --- nobody had come -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "becomes"),
    [
        ("captured/after_own_write_customer_article", "running"),  # the customer wrote again
        ("payloads/updated_by_plugin_api_user_note", "exhausted"),
        ("payloads/agent_reply_email", "acknowledged by jonas.weber (reply)"),
        ("captured/ui_closed_without_owner", "resolved, acknowledged by alice (close)"),
    ],
)
def test_when_nobody_had_come_a_customers_word_climbs_once_more(name: str, becomes: str, make: Make) -> None:
    one_step = [{"notify": "owner", "by": "sms"}]
    desk = make(name, "1s", steps=one_step, give_up_after="1s")
    earlier = before(desk.it)
    assert earlier is not None
    desk.serve(earlier)
    for seconds in (5, 1):
        desk.receiving.look(desk.ticket_id, begin_of(desk.it) - timedelta(seconds=seconds))
    assert desk.stands == "exhausted"
    desk.deliver()
    assert desk.stands == becomes


# --- merges ----------------------------------------------------------------------------------------------------------


def merged(make: Make, window: str, **options: object) -> tuple[Desk, Escalation | None]:
    """Ticket 5 is merged into ticket 6, which is known; nobody has acknowledged. The escalation at the target."""
    desk = make("captured/merged_source", window, acknowledged_by=["reply"], **options)
    target = composed("captured/merged_target")
    earlier = before(target)
    assert earlier is not None
    desk.serve(earlier)
    desk.receiving.look("6", begin_of(desk.it) - MOMENT - MOMENT)
    desk.read_before()
    desk.deliver()
    return desk, desk.receiving.escalation("6")


def test_merged_into_a_ticket_that_escalates_the_source_resolves(make: Make) -> None:
    desk, at_target = merged(make, SHORT)
    assert desk.stands == "resolved, acknowledged by nobody"
    assert at_target is not None
    assert (at_target.code, stands(at_target)) == ("E-6", "running, owner alice")


def test_merged_into_a_ticket_that_does_not_escalate_it_goes_on_there(make: Make) -> None:
    rules = [{"when": {"title": ["third"]}, "plan": "none"}]
    desk, at_target = merged(make, SHORT, rules=rules)
    assert desk.stands == "nothing"
    assert at_target is not None
    assert (at_target.code, at_target.ticket_id, stands(at_target)) == ("E-5", "6", "running, owner alice")
    assert desk.receiving.notes("5")[-1:] != ("Escalation E-5: it goes on",)
    assert desk.receiving.notes("6") == ("Escalation E-5: it goes on",)
    kept = desk.receiving.kept("6")
    desk.receiving.take(desk.it.raw, desk.it.headers, desk.at + SOON + SOON)
    assert desk.receiving.kept("6") == kept


# --- a customer runs the agents' macro -------------------------------------------------------------------------------


def by_the_customer() -> Composed:
    """Ticket 2 when its customer had run the macro: the owner is gone, and "/ack" stands there by sender System."""
    it, saved = composed("captured/customer_moved_open_ticket"), answer("ticket_history_full")
    at = "2026-11-21T23:47:16.022Z"
    rows = [row for row in saved["history"] if row["created_at"] <= at]
    note = {
        **saved["assets"]["TicketArticle"]["50"],
        "type": "note",
        "sender": "System",
        "created_by": "cathy@example.org",
    }
    ticket = {**it.ticket, "owner": "-", "owner_id": 1, "updated_at": at, "updated_by_id": 8}
    return replace(it, history=rows, articles=[*it.articles, note], ticket=ticket)


def test_a_customer_who_runs_the_macro_acknowledges_nothing_and_the_owner_is_set_again(make: Make) -> None:
    desk = make("captured/customer_moved_open_ticket")
    desk.read_before()
    desk.deliver()
    known = desk.words()
    later = by_the_customer()
    desk.serve(later)
    desk.receiving.look("2", moment_of(later) + SOON)
    assert desk.stands == "acknowledged by alice (take)"
    assert desk.words() == known
    assert desk.receiving.assigned("2") == ("alice@example.com",)


def test_a_customer_who_runs_the_macro_on_what_climbs_stops_nothing(make: Make) -> None:
    desk = make("captured/customer_moved_open_ticket", acknowledged_by=["mail"], reopened="ignore")
    later = by_the_customer()
    never_taken = [row for row in later.history if row.get("attribute") not in ("owner", "state")]
    desk.serve(replace(later, history=never_taken))
    desk.receiving.look("2", moment_of(later) + SOON)
    assert desk.stands == "waiting"


# --- a whole day in any order ----------------------------------------------------------------------------------------

DAY = (
    "created_by_customer agent_takes agent_internal_note agent_public_note agent_call_logged taken_over "
    "assigned_by_somebody_else given_back priority_lowered group_changed pending_reminder closed "
    "customer_web_answer_on_closed_ticket reopened_by_agent hidden_agent_change hidden_agent_take "
    "customer_moved_open_ticket"
)
STORY = tuple(f"captured/{name}" for name in DAY.split())  # ticket 2, whose history was captured


def heard(make: Make, order: list[int], looks: list[bool]) -> Kept:
    """The deliveries arrive in this order, none before it has happened; the ticket is read where `looks` says so.

    The helpdesk is always as far as the latest of them. At the end the ticket is read once more.
    """
    desk = make(STORY[0])
    deliveries = [composed(name) for name in STORY]
    desk.serve(deliveries[0])
    desk.receiving.services.helpdesk.about()  # as when Escalator starts
    now = -1
    for place, look in zip(order, looks, strict=True):
        if place > now:
            now = place
            desk.serve(deliveries[now])
            desk.receiving.clock.move_to(moment_of(deliveries[now]) + SOON)
        assert desk.receiving.post(deliveries[place].raw, deliveries[place].headers) == ANSWER
        if look and desk.receiving.hints():
            desk.receiving.look("2", moment_of(deliveries[now]) + SOON)
    for ticket_id in desk.receiving.hints():
        desk.receiving.look(ticket_id, moment_of(deliveries[-1]) + SOON)
    return desk.receiving.kept("2")


def test_a_whole_day_in_order(make: Make) -> None:
    kept = heard(make, list(range(len(STORY))), [True] * len(STORY))
    assert kept.case is not None
    assert stands(kept.case.escalation) == "acknowledged by alice (take)"
    assert [f"{entry.kind}: {entry.text}" for entry in kept.history] == [
        'created: plan urgent: priority is "3 high"',
        "acknowledged: by Alice Agent (take)",
        "acknowledged: taken over by Bob Agent (take)",
        "handed_over: to Alice Agent by Bob Agent",
        "plan_changed: plan normal instead of urgent, changed by Bob Agent",
        "acknowledged: by Bob Agent (pending)",
        "held: until 2026-11-22 01:27 UTC by Bob Agent",
        "resolved: closed by Bob Agent",
        "acknowledged: reopened and so taken by Bob Agent",
        "plan_changed: plan urgent instead of normal, changed by Alice Agent",
        "acknowledged: taken over by Alice Agent (take)",
    ]


def test_the_same_day_in_any_order_ends_in_the_same_state(make: Make) -> None:
    in_order = heard(make, list(range(len(STORY))), [True] * len(STORY))

    @given(order=st.permutations(range(len(STORY))), looks=st.lists(st.booleans(), min_size=17, max_size=17))
    @hypothesis_settings(max_examples=15, deadline=None, derandomize=True, database=None)
    def ends_the_same(order: list[int], looks: list[bool]) -> None:
        assert heard(make, order, looks) == in_order

    ends_the_same()
