"""Zammad's history as changes: the captured one as a whole, then rule by rule."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from connector.core.lagging import up_to_date
from connector.core.meaning import in_saves
from connector.core.ticket import Facts, Kind, Person, Phase, Role, facts_at_creation
from connector.helpdesks.zammad.history import changes, mentioned, what_was_written
from connector.helpdesks.zammad.people import People, person
from connector.helpdesks.zammad.states import phases
from connector.helpdesks.zammad.ticket import reading

from .composed import URL, Row, answer, said

READ_AT = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
AGENTS = {row["id"]: person(row) for row in answer("users_search_groups")}
CATHY = Person("8", "cathy@example.org", "Cathy Customer")
PEOPLE = People(us=6, agents=AGENTS, robots=frozenset(), names={8: CATHY})
PHASES, _ = phases(answer("ticket_states_expand"))
TICKET: Row = {
    "id": 2,
    "number": "58002",
    "title": "Server outage",
    "state_id": 2,
    "state": "open",
    "owner_id": 1,
    "customer_id": 8,
    "created_by_id": 8,
    "priority": "3 high",
    "group": "Network",
    "created_at": "2026-11-21T23:25:12.791Z",
    "updated_at": "2026-11-21T23:30:00.000Z",
}


def article(**columns: Any) -> Row:
    """An internal note by alice, unless said otherwise."""
    made = {"id": 3, "type": "note", "sender": "Agent", "internal": True, "created_by_id": 4, "preferences": {}}
    return {**made, "content_type": "text/html", "body": "a note", **columns}


def row(number: int = 100, **columns: Any) -> Row:
    """A history row by alice, well after the creation."""
    made = {"id": number, "o_id": 2, "object": "Ticket", "type": "updated", "created_by_id": 4}
    return {**made, "created_at": "2026-11-21T23:28:00.123Z", **columns}


def written(number: int = 100, **columns: Any) -> Row:
    made = {"object": "Ticket::Article", "type": "created", "o_id": 3, "related_o_id": 2}
    return row(number, **{**made, **columns})


def found(*rows: Row, articles: tuple[Row, ...] = (), people: People = PEOPLE, **columns: Any) -> Any:
    return changes({**TICKET, **columns}, rows, articles, people, PHASES)


def test_the_whole_captured_history_reads_as_what_people_did():
    saved = answer("ticket_history_full")
    articles = [
        {"type": {5: "phone", 10: "note", 11: "web"}[one["type_id"]], "sender": SENDERS[one["sender_id"]], **one}
        for one in saved["assets"]["TicketArticle"].values()
    ]
    assert tuple(said(one) for one in found(*saved["history"], articles=tuple(articles))) == WHOLE_HISTORY


SENDERS = {1: "Agent", 2: "Customer", 3: "System"}
WHOLE_HISTORY = (
    "cathy (customer): public article, at creation",
    "alice (person): owner nobody -> alice",
    "alice (person): internal article 'looking'",
    "alice (person): public article",
    "alice (person): public reply",
    "alice (person): state new (open) -> open (open)",
    "bob (person): owner alice -> bob",
    "bob (person): owner bob -> alice",
    "alice (person): owner alice -> nobody",
    "bob (person): priority 3 high -> 2 normal",
    "bob (person): group Network -> 2nd Level",
    "bob (person): state open (open) -> pending reminder (pending) until 2026-11-22 01:27",
    "bob (person): state pending reminder (pending) -> closed (closed)",
    "cathy (customer): public article",
    "bob (person): state closed (closed) -> open (open)",
    "escalator (us): tag nothing -> escalation-running",
    "escalator (us): internal article 'Escalation E-1, step 1 of 4'",
    "escalator (us): internal article 'Escalation E-1, step 2 of 4'",
    "escalator (us): owner nobody -> alice",
    "alice (person): priority 2 normal -> 3 high, raised",
    "escalator (us): owner alice -> nobody",
    "alice (person): owner nobody -> alice",
    "escalator (us): internal article 'x'",
    " (system): organization nothing -> Example Corp",
    "escalator (us): tag nothing -> escalation-brand-new",
    "cathy (customer): owner alice -> nobody",
    "cathy (customer): internal article '/ack'",
    "escalator (us): public article",
    "cathy (customer): public article",
    "admin (person): tag escalation-brand-new -> nothing",
    " (system): organization Example Corp -> Org 1795308784",
    " (system): organization Org 1795308784 -> Org 1795309206",
)


def test_a_change_is_named_by_its_history_row_and_dated_to_the_millisecond():
    (change,) = found(row(4711, attribute="title", value_from="a", value_to="b"))
    assert (change.id, change.at) == ("4711", datetime(2026, 11, 21, 23, 28, 0, 123000, UTC))
    assert (change.kind, change.before, change.after) == (Kind.TITLE, "a", "b")


def test_changes_come_in_the_order_of_their_ids():
    rows = [row(number, attribute="title", value_from="", value_to=str(number)) for number in (9, 100, 20)]
    assert [change.id for change in found(*rows)] == ["9", "20", "100"]


def test_taking_back_every_change_gives_the_ticket_as_it_was_made():
    saved = answer("ticket_history_full")
    tags: list[str] = ["escalation-running"]
    now = {**TICKET, "group": "2nd Level", "organization": "Org 1795309206"}
    read = reading(now, saved, (), tags, PEOPLE, PHASES, URL, READ_AT)
    assert facts_at_creation(read) == Facts(priority="3 high", group="Network", title="Server outage")


# --- whose hand ---


def by(user_id: int, **columns: Any) -> Role:
    people = columns.pop("people", PEOPLE)
    (change,) = found(row(attribute="title", created_by_id=user_id), people=people, **columns)
    return change.by.role


def test_an_agent_is_a_person_by_the_permission():
    assert by(4) is Role.PERSON


def test_whoever_lacks_the_permission_is_a_customer_whatever_the_role_is_called():
    assert by(8) is Role.CUSTOMER
    assert by(999) is Role.CUSTOMER


def test_an_agent_is_a_customer_on_a_ticket_of_their_own():
    assert by(4, customer_id=4) is Role.CUSTOMER


def test_user_1_is_the_system_and_our_token_is_us():
    assert by(1) is Role.SYSTEM
    assert by(6) is Role.US


def test_a_listed_login_is_a_robot_in_any_case_even_as_the_customer():
    robots = replace(PEOPLE, robots=frozenset({"bob@example.com", "cathy@example.org"}))
    assert by(5, people=robots) is Role.ROBOT
    assert by(8, people=robots) is Role.ROBOT


def test_who_was_the_customer_then_decides():
    moved = row(101, attribute="customer", id_from=4, id_to=8, value_from="Alice Agent", value_to="Cathy Customer")
    before, after = found(row(100, attribute="title"), moved, row(102, attribute="title"), customer_id=8)
    assert (before.by.role, after.by.role) == (Role.CUSTOMER, Role.PERSON)


def test_an_article_is_its_creators_whatever_sender_or_origin_say():
    forged = article(created_by_id=8, origin_by_id=4, sender="System", **{"from": "Alice Agent"})
    (change,) = found(written(), articles=(forged,))
    assert (change.by.role, change.by.login) == (Role.CUSTOMER, "cathy@example.org")


# --- owners ---


def test_nobody_a_robot_and_we_ourselves_are_no_owner():
    robots = replace(PEOPLE, robots=frozenset({"bob@example.com"}))
    steps = [row(n, attribute="owner", id_from=1, id_to=to, value_to="x") for n, to in ((1, 1), (2, 5), (3, 6), (4, 4))]
    assert [one.owner.login if one.owner else None for one in found(*steps, people=robots)] == [None] * 3 + [
        "alice@example.com"
    ]


def test_who_is_no_owner_was_none_before_either():
    """So that a row from before Alice got it from a robot, or from us, is known to be older."""
    robots = replace(PEOPLE, robots=frozenset({"bob@example.com"}))
    for number in (1, 5, 6):
        given = row(attribute="owner", id_from=number, id_to=4, value_from="x", value_to="Alice Agent")
        at_once = {**TICKET, "owner_id": number, "updated_at": given["created_at"]}
        read = reading(at_once, {"history": [given]}, (), (), robots, PHASES, URL, READ_AT)
        assert up_to_date(read).ticket.owner == AGENTS[4]


def test_owners_are_named_by_login_even_when_they_have_left():
    (change,) = found(row(attribute="owner", id_from=77, id_to=4, value_from="Gone Agent", value_to="Alice Agent"))
    assert (change.before, change.after) == ("Gone Agent", "alice@example.com")


def test_everybody_who_changed_or_owned_the_ticket_is_looked_up():
    rows = [row(attribute="owner", id_from=1, id_to=5, created_by_id=3), row(attribute="state", id_from=1, id_to=2)]
    assert mentioned(TICKET, rows) == {1, 3, 4, 5, 8}


# --- articles ---


def test_an_agents_mail_is_a_reply():
    mail = what_was_written(article(type="email", internal=False))
    assert (mail.public, mail.reply, mail.by_mail, mail.first_line) == (True, True, False, "")


@pytest.mark.parametrize(
    "type_name", ["phone", "sms", "chat", "web", "twitter status", "telegram personal-message", "whatsapp message"]
)
def test_so_is_every_other_way_to_speak_with_the_customer(type_name):
    assert what_was_written(article(type=type_name, internal=False)).reply


def test_a_public_note_is_no_reply_and_so_a_merges_isnt_either():
    assert not what_was_written(article(internal=False, body="merged")).reply


def test_what_an_agent_writes_down_for_the_customer_is_no_reply():
    assert not what_was_written(article(type="phone", sender="Customer", internal=False)).reply
    assert not what_was_written(article(type="email", sender="System", internal=False)).reply


def test_an_internal_mail_is_no_reply():
    assert not what_was_written(article(type="email")).reply


def test_only_an_internal_notes_first_line_is_kept():
    assert what_was_written(article(body="/ack<br>now")).first_line == "/ack"
    assert what_was_written(article(body="secret", internal=False)).first_line == ""
    assert what_was_written(article(body="secret", type="email")).first_line == ""


def test_a_row_without_an_author_is_the_systems():
    (change,) = found(row(attribute="state", id_from=2, id_to=4, created_by_id=None))
    assert change.by.role is Role.SYSTEM


def test_what_came_through_the_mail_gateway_says_so():
    mail = what_was_written(article(type="email", internal=False, preferences={"is-auto-response": False}))
    assert (mail.by_mail, mail.automatic) == (True, False)
    mail = what_was_written(article(type="email", internal=False, preferences={"is-auto-response": True}))
    assert (mail.by_mail, mail.automatic) == (True, True)


def test_the_article_that_the_ticket_was_made_with_is_marked():
    born = row(90, type="created", created_by_id=8, created_at=TICKET["created_at"])
    first = written(91, created_by_id=8, created_at="2026-11-21T23:25:12.887Z")
    second = written(92, o_id=4, created_by_id=8, created_at="2026-11-21T23:25:14.000Z")
    both = (article(created_by_id=8), article(id=4, created_by_id=8))
    assert [one.at_creation for one in found(born, first, second, articles=both)] == [True, False]


def test_a_first_article_long_after_or_by_somebody_else_is_not():
    late = written(91, created_by_id=8, created_at="2026-11-21T23:25:42.000Z")
    other = written(91, created_by_id=4, created_at="2026-11-21T23:25:12.900Z")
    assert [one.at_creation for one in found(late, articles=(article(created_by_id=8),))] == [False]
    assert [one.at_creation for one in found(other, articles=(article(),))] == [False]


def test_a_merge_is_dated_by_what_it_saved():
    """Its own row has the time of the save before it, which may be long ago: who took the ticket then still has."""
    taken, merged = {"created_at": "2026-11-21T23:28:00.123Z"}, {"created_at": "2026-11-21T23:29:07.356Z"}
    changes = found(
        row(100, attribute="owner", id_from=1, id_to=4, value_from="-", value_to="Alice Agent", **taken),
        row(101, type="merged_into", id_from=2, id_to=6, value_to="#58006 third", **taken),
        written(102, o_id=18, created_at="2026-11-21T23:29:07.296Z"),
        row(103, attribute="state", id_from=1, id_to=5, value_from="new", value_to="merged", **merged),
        row(104, attribute="owner", id_from=4, id_to=1, value_from="Alice Agent", value_to="-", **merged),
        articles=(article(id=18, internal=False),),
    )
    assert [[change.id for change in save] for save in in_saves(changes)] == [["100"], ["101", "104", "102", "103"]]


def test_a_merge_whose_state_is_not_told_is_dated_by_its_own_row():
    (change,) = found(row(101, type="merged_into", id_from=2, id_to=6))
    assert change.at == datetime(2026, 11, 21, 23, 28, 0, 123000, UTC)


def test_articles_that_a_merge_brought_here_are_no_change_of_this_ticket():
    born = row(90, type="created", created_by_id=8, created_at=TICKET["created_at"])
    assert found(born, written(91, related_o_id=5), articles=(article(),)) == ()
    assert found(written(80), born, articles=(article(),)) == ()


def test_a_merge_is_known_by_its_touch_where_the_history_moved_along():
    merge = row(110, type="received_merge", id_from=5, id_to=2, created_at="2026-11-21T23:29:00.500Z")
    times = {"created_at": "2026-11-21T23:28:00.123Z", "updated_at": "2026-11-21T23:28:59.900Z"}
    assert found(written(100), merge, articles=(article(**times),)) == ()
    untouched = times | {"updated_at": times["created_at"]}
    assert len(found(written(100), merge, articles=(article(**untouched),))) == 1
    assert len(found(merge, written(120), articles=(article(**times),))) == 1


def test_an_article_that_was_deleted_since_is_left_out():
    assert found(written()) == ()


# --- states ---


def state(number: int, before: tuple[int, str], after: tuple[int, str], **columns: Any) -> Row:
    names = {"id_from": before[0], "value_from": before[1], "id_to": after[0], "value_to": after[1]}
    return row(number, attribute="state", **names, **columns)


def test_a_wait_carries_the_time_of_the_same_save():
    time = row(101, attribute="pending_time", value_from="", value_to="2026-11-22 01:27:00 UTC")
    (change,) = found(state(100, (2, "open"), (3, "pending reminder")), time)
    assert (change.phase_before, change.phase) == (Phase.OPEN, Phase.PENDING)
    assert change.until == datetime(2026, 11, 22, 1, 27, tzinfo=UTC)


def test_moving_only_the_time_is_waiting_anew():
    moved = row(
        110, attribute="pending_time", value_to="2026-11-23 08:00:00 UTC", created_at="2026-11-21T23:29:00.000Z"
    )
    _, change = found(state(100, (2, "open"), (3, "pending reminder")), moved)
    assert (change.kind, change.before, change.after) == (Kind.STATE, "pending reminder", "pending reminder")
    assert (change.phase_before, change.phase) == (Phase.PENDING, Phase.PENDING)
    assert change.until == datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def test_a_time_set_on_an_open_ticket_means_nothing():
    assert found(row(attribute="pending_time", value_to="2026-11-23 08:00:00 UTC")) == ()


def test_a_custom_state_counts_by_its_type():
    kinds, by_name = phases(
        [
            {"id": 1, "name": "Neu", "state_type": "new", "next_state_id": None},
            {"id": 4, "name": "Erledigt", "state_type": "closed", "next_state_id": None},
            {"id": 9, "name": "Wartet auf Abnahme", "state_type": "pending action", "next_state_id": 4},
            {"id": 10, "name": "Zurückgestellt", "state_type": "pending action", "next_state_id": 1},
        ]
    )
    assert kinds == {1: Phase.OPEN, 4: Phase.CLOSED, 9: Phase.PENDING_CLOSE, 10: Phase.PENDING}
    assert by_name["Erledigt"] is Phase.CLOSED


def test_the_default_states_of_6_5_are_known_by_type_too():
    captured = answer("ticket_states_expand")
    assert {one["name"]: PHASES[one["id"]] for one in captured} == {
        "new": Phase.OPEN,
        "open": Phase.OPEN,
        "pending reminder": Phase.PENDING,
        "closed": Phase.CLOSED,
        "merged": Phase.MERGED,
        "removed": Phase.CLOSED,
        "pending close": Phase.PENDING_CLOSE,
    }


# --- custom attributes ---


@pytest.mark.parametrize(
    ("in_history", "text"),
    [
        ("sev1", "sev1"),
        ("", ""),
        (None, ""),
        ("true", "true"),
        ('["paris", "lyon"]', "paris, lyon"),
        ('{"value"=>"a-77", "label"=>"Till 77"}', "a-77"),
        ("2026-03-02 09:05:00 UTC", "2026-03-02T09:05:00.000Z"),
        ("[see ticket 7]", "[see ticket 7]"),
    ],
)
def test_custom_values_in_the_history_read_as_in_the_ticket(in_history, text):
    (change,) = found(row(attribute="severity", value_from="", value_to=in_history))
    assert (change.kind, change.field, change.after) == (Kind.FIELD, "severity", text)


@pytest.mark.parametrize(
    "column", ["last_owner_update_at", "escalation_at", "close_in_min", "checklist", "preferences"]
)
def test_zammads_own_bookkeeping_is_no_change(column):
    assert found(row(attribute=column, value_from="", value_to="1")) == ()


def test_notifications_and_time_triggers_are_no_change():
    assert (
        found(row(type="notification", value_to="alice@example.com(update:online)"), row(type="received_merge")) == ()
    )


def test_a_vip_is_known_from_the_people_beside_the_history():
    def vip(assets: Row) -> bool:
        history = {"history": [], "assets": assets}
        return reading(TICKET, history, (), (), PEOPLE, PHASES, URL, READ_AT).ticket.facts.vip

    assert vip({"User": {"8": {"id": 8, "vip": True}}})
    assert not vip({"User": {"4": {"id": 4, "vip": True}}})
    assert not vip({})
