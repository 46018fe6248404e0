"""What each captured delivery means, once the ticket behind it has been read."""

import pytest
import responses

from connector.core.ticket import Phase

from .composed import NAMES, URL, composed, said
from .meanings import MEANINGS
from .served import serve


@pytest.mark.parametrize("name", NAMES)
def test_a_read_finds_what_the_delivery_was_about_and_who_did_it(name):
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        desk = serve(mock, composed(name))
        found = desk.helpdesk.read(desk.helpdesk.parse(desk.it.body).ticket_id)
    assert MEANINGS[name].changes == tuple(said(one) for one in found.changes if one.id in desk.it.event)
    assert found.ticket.number == desk.it.ticket["number"]
    assert found.ticket.url == f"{URL}/#ticket/zoom/{found.ticket.id}"
    assert [int(one.id) for one in found.changes] == sorted(int(one.id) for one in found.changes)


def ticket_of(name):
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        desk = serve(mock, composed(name))
        return desk.helpdesk.read(str(desk.it.ticket["id"])).ticket


def test_a_new_ticket_is_nobodys():
    ticket = ticket_of("captured/created_by_customer")
    assert (ticket.owner, ticket.phase, ticket.facts.priority) == (None, Phase.OPEN, "3 high")
    assert (ticket.customer, ticket.facts.organization, ticket.locked) == ("cathy@example.org", "", False)


def test_an_owner_from_the_start_is_the_owner_though_the_history_does_not_say_so():
    owner = ticket_of("captured/created_by_agent_on_the_phone_owned_at_creation").owner
    assert owner is not None
    assert (owner.login, owner.name, owner.mobile) == ("alice@example.com", "Alice Agent", "+49 170 1234567")


def test_a_waiting_ticket_says_until_when():
    ticket = ticket_of("captured/pending_reminder")
    assert (ticket.phase, f"{ticket.pending_until:%Y-%m-%d %H:%M %Z}") == (Phase.PENDING, "2026-11-22 01:27 UTC")


def test_a_merged_ticket_says_where_it_went():
    ticket = ticket_of("captured/merged_source")
    assert (ticket.phase, ticket.merged_into, ticket.owner) == (Phase.MERGED, "6", None)


def test_custom_attributes_are_fields_as_text():
    facts = ticket_of("payloads/with_custom_attributes").facts
    assert facts.field("severity") == "sev1"
    assert facts.field("affected_sites") == "paris, lyon"
    assert facts.field("production_down") == "true"
    assert facts.field("asset") == "a-77"
    assert facts.vip
    assert "article_count" not in dict(facts.fields)


def test_a_ticket_without_custom_attributes_has_no_fields():
    assert ticket_of("captured/closed").facts.fields == ()
    assert ticket_of("payloads/state_closed").facts.fields == ()
