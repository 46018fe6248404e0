"""What Znuny posts: it must prove itself, and it is good for a hint."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connector.core.ticket import Person
from connector.errors import NotUnderstood
from connector.helpdesks.znuny.webhook import Proof, hint_of
from connector.ports import Hint

from .composed import BASIC, NAMES, SECRET, composed, helpdesk

AUTHORIZATION = "Basic " + base64.b64encode(":".join(BASIC).encode()).decode()


def test_an_event_with_the_secret_is_znunys_and_names_its_ticket() -> None:
    it = composed("lock-by-ben.1-TicketLockUpdate")
    znuny = helpdesk()
    assert znuny.prove(it.headers, it.raw)
    changed_at = datetime(2026, 11, 21, 20, 6, 11, tzinfo=UTC)
    people = (
        Person("4", "ben", "Ben Beispiel", "ben@example.com"),
        Person("3", "anna", "Anna Agent", "anna@example.com"),
    )
    assert znuny.parse(json.loads(it.raw)) == Hint("6", changed_at=changed_at, people=people)


@pytest.mark.parametrize("name", NAMES)
def test_every_captured_event_proves_itself_and_names_its_ticket(name: str) -> None:
    it = composed(name)
    znuny = helpdesk()
    assert znuny.prove(it.headers, it.raw)
    hint = znuny.parse(json.loads(it.raw))
    assert hint.ticket_id == it.ticket_id
    assert hint.updated_at is None, "whole seconds are too coarse to drop a hint by"


def test_only_a_delete_event_says_that_a_ticket_is_gone() -> None:
    deleted = [name for name in NAMES if hint_of(json.loads(composed(name).raw)).deleted]
    assert deleted == ["ticket-deleted.1-TicketDelete"]


def test_a_body_that_shows_a_closed_or_merged_ticket_says_so() -> None:
    closed = {name.partition(".")[0] for name in NAMES if hint_of(json.loads(composed(name).raw)).closed}
    assert closed == {"close-by-agent", "ui-close-by-anna", "ui-merge-by-anna"}


@pytest.mark.parametrize(
    ("headers", "good"),
    [
        ({"X-Webhook-Secret": "new"}, True),
        ({"x-webhook-secret": "old"}, True),
        ({"X-WEBHOOK-SECRET": "neither"}, False),
        ({"X-Webhook-Secret": ""}, False),
        ({}, False),
        ({"X-Webhook-Secret": "nëw\udc80"}, False),
    ],
)
def test_one_of_several_secrets_is_enough_and_header_names_are_in_any_case(headers: dict[str, str], good: bool) -> None:
    assert Proof(("new", "old")).holds(headers) is good


def test_basic_auth_alone_can_prove_it() -> None:
    proof = Proof((), user=BASIC[0], password=BASIC[1])
    assert proof.holds({"Authorization": AUTHORIZATION})
    assert not proof.holds({"Authorization": "Basic " + base64.b64encode(b"znuny:wrong").decode()})
    assert not proof.holds({"Authorization": "Basic not-base64!"})
    assert not proof.holds({"Authorization": "Bearer " + AUTHORIZATION.removeprefix("Basic ")})


def test_both_must_hold_where_both_are_configured() -> None:
    proof = Proof((SECRET,), user=BASIC[0], password=BASIC[1])
    assert proof.holds({"X-Webhook-Secret": SECRET, "authorization": AUTHORIZATION})
    assert not proof.holds({"X-Webhook-Secret": SECRET})
    assert not proof.holds({"Authorization": AUTHORIZATION})


def test_without_anything_configured_nothing_is_proven() -> None:
    assert not Proof(()).holds({"X-Webhook-Secret": "", "Authorization": "Basic Og=="})


def test_neither_secret_nor_password_can_be_seen_in_a_representation() -> None:
    shown = repr(Proof(("s3cret",), user="znuny", password="pa55"))
    assert "s3cret" not in shown
    assert "pa55" not in shown


@pytest.mark.parametrize(
    ("body", "ticket_id"),
    [
        ({"Event": {"TicketID": 6}}, "6"),
        ({"Event": {"TicketID": "6"}, "Ticket": None}, "6"),
        ({"Event": {}, "Ticket": {"TicketID": "7"}}, "7"),
        ({"Event": {"TicketID": "6", "Event": ["odd"]}, "Ticket": {"StateType": {"odd": 1}}}, "6"),
    ],
)
def test_ids_come_as_numbers_or_texts_whatever_else_is_odd(body: Any, ticket_id: str) -> None:
    assert hint_of(body) == Hint(ticket_id)


NO_ID: list[Any] = [None, [], "6", {}, {"Event": "6"}, {"Event": {"TicketID": True}}, {"Event": {"TicketID": "6;7"}}]


@pytest.mark.parametrize("body", [*NO_ID, {"Ticket": {"TicketID": 0}}])
def test_a_body_without_a_ticket_id_is_not_understood(body: Any) -> None:
    with pytest.raises(NotUnderstood):
        hint_of(body)


@pytest.mark.parametrize(
    "data",
    [
        None,
        "anna",
        {},
        {"UserID": 1, "UserLogin": "root@localhost", "UserFullname": "Admin OTRS"},
        {"UserID": "x", "UserLogin": "anna"},
        {"UserID": 3, "UserLogin": None, "UserFullname": "Anna"},
    ],
)
def test_the_system_and_whatever_is_no_agent_are_left_out(data: Any) -> None:
    assert hint_of({"Event": {"TicketID": 6}, "Ticket": {"OwnerData": data}}).people == ()
