"""The adapter against the sandbox Zammad over real HTTP: people work on tickets, the adapter reads and writes."""

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread
from typing import Any

import pytest

from connector.core.ticket import Kind, Phase, Role
from connector.errors import HelpdeskAway, PermissionLost, TicketGone
from connector.helpdesks.zammad import build
from connector.ports import FoundProof, Helpdesk, Live, Note
from connector.sandbox.zammad import SandboxZammad

from .composed import said

SECRET = "EXAMPLE-SECRET"


@pytest.fixture(scope="module")
def zammad() -> Iterator[SandboxZammad]:
    with SandboxZammad(delivery_delay=0.01) as running:
        running.set_up_webhook("http://127.0.0.1:9/hook", SECRET)
        yield running


@pytest.fixture
def helpdesk(zammad: SandboxZammad) -> Iterator[Helpdesk]:
    yield build({"url": zammad.url, "token": zammad.escalator.token, "webhook_secret": SECRET, "timeout": 5})
    zammad.faults.heal()


@pytest.fixture
def ticket(zammad: SandboxZammad) -> str:
    return str(zammad.create_ticket(priority="3 high")["id"])


def told(helpdesk: Helpdesk, ticket: str) -> list[str]:
    return [said(change) for change in helpdesk.read(ticket).changes]


MADE = "cathy (customer): public article, at creation"


def test_a_new_ticket_is_nobodys_and_open(zammad, helpdesk, ticket):
    found = helpdesk.read(ticket).ticket
    assert (found.owner, found.phase, found.state, found.customer) == (None, Phase.OPEN, "new", zammad.cathy.login)
    assert (found.facts.priority, found.facts.group, found.title) == ("3 high", "Network", "Server outage")
    assert found.url == f"{zammad.url}/#ticket/zoom/{ticket}"
    assert told(helpdesk, ticket) == [MADE]


def test_taking_assigning_and_giving_back(zammad, helpdesk, ticket):
    zammad.take(ticket, zammad.alice)
    zammad.assign(ticket, zammad.bob, zammad.alice)
    zammad.unassign(ticket)
    assert told(helpdesk, ticket)[1:] == [
        "alice (person): owner nobody -> alice",
        "alice (person): owner alice -> bob",
        "- (system): owner bob -> nobody",
    ]


def test_replies_calls_and_notes(zammad, helpdesk, ticket):
    zammad.reply(ticket, zammad.alice)
    zammad.log_call(ticket, zammad.bob)
    zammad.internal_note(ticket, zammad.alice, "/ack on it\nsee you")
    zammad.public_note(ticket, zammad.alice, "Hello")
    zammad.mail_from(zammad.alice, ticket, "from my phone")
    assert [line for line in told(helpdesk, ticket) if "state" not in line][1:] == [
        "alice (person): public reply",
        "bob (person): public reply",
        "alice (person): internal article '/ack on it'",
        "alice (person): public article",
        "alice (person): public reply, by mail",
    ]


def test_the_macro_in_bulk_is_the_agents_and_by_a_customer_the_customers(zammad, helpdesk, ticket):
    zammad.run_macro([ticket], zammad.alice)
    zammad.run_macro([ticket], zammad.cathy)
    assert told(helpdesk, ticket)[1:] == [
        "alice (person): owner nobody -> alice",
        "alice (person): internal article '/ack'",
        "cathy (customer): owner alice -> nobody",
        "cathy (customer): internal article '/ack'",
    ]


def test_the_macro_in_the_ticket_and_a_stale_screen(zammad, helpdesk, ticket):
    screen = zammad.open_screen(ticket)
    zammad.run_macro_in_ticket(ticket, zammad.alice)
    zammad.save_screen(screen, zammad.bob, priority_id=1)
    assert told(helpdesk, ticket)[1:3] == [
        "alice (person): owner nobody -> alice",
        "alice (person): internal article '/ack'",
    ]
    assert set(told(helpdesk, ticket)[3:]) == {
        "bob (person): owner alice -> nobody",
        "bob (person): priority 3 high -> 1 low",
    }


def test_waiting_until_a_time_and_being_closed_by_it(zammad, helpdesk, ticket):
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
    zammad.change(ticket, zammad.bob, state="pending close", pending_time=until.isoformat())
    waiting = helpdesk.read(ticket)
    assert (waiting.ticket.phase, waiting.ticket.pending_until) == (Phase.PENDING_CLOSE, until)
    assert (waiting.changes[-1].phase, waiting.changes[-1].until) == (Phase.PENDING_CLOSE, until)
    zammad.reach_pending_close(ticket)
    closed = helpdesk.read(ticket)
    assert (closed.ticket.phase, closed.changes[-1].by.role) == (Phase.CLOSED, Role.SYSTEM)


def test_reopened_by_an_automatic_reply(zammad, helpdesk, ticket):
    zammad.close(ticket, zammad.alice)
    zammad.mail_from(zammad.cathy, ticket, "I am away", auto_response=True)
    read = helpdesk.read(ticket)
    assert read.ticket.phase is Phase.OPEN
    assert "cathy (customer): public article, by mail, automatic" in told(helpdesk, ticket)
    assert "cathy (customer): state closed (closed) -> open (open)" in told(helpdesk, ticket)


def test_a_merge_on_both_sides(zammad, helpdesk, ticket):
    target = str(zammad.create_ticket("The same outage")["id"])
    helpdesk.add_note(ticket, Note(("Escalation E-1, step 1 of 4 (plan a)",), proof="proof-of-the-source"))
    zammad.internal_note(ticket, zammad.alice, "/ack")
    zammad.merge(ticket, target, zammad.bob)
    source = helpdesk.read(ticket)
    assert (source.ticket.phase, source.ticket.merged_into) == (Phase.MERGED, target)
    merged = next(change for change in source.changes if change.kind is Kind.MERGED)
    assert (merged.target, merged.by.login) == (target, zammad.bob.login)
    assert "bob (person): public article" in told(helpdesk, ticket)
    assert told(helpdesk, target) == [MADE]
    assert list(helpdesk.proofs(target)) == [FoundProof("proof-of-the-source")]


def test_what_another_trigger_and_a_move_to_another_organization_change(zammad, helpdesk, ticket):
    zammad.change_by_trigger(ticket, priority_id=1)
    zammad.move_customer(zammad.cathy, "Example Corp")
    read = helpdesk.read(ticket)
    assert [(change.kind, change.by.role) for change in read.changes[1:]] == [
        (Kind.PRIORITY, Role.SYSTEM),
        (Kind.ORGANIZATION, Role.SYSTEM),
    ]
    assert read.ticket.facts.organization == "Example Corp"


def test_an_agents_own_ticket_from_the_phone_is_marked_as_made_so(zammad, helpdesk):
    made = str(zammad.create_ticket(by=zammad.alice, owner=zammad.alice)["id"])
    read = helpdesk.read(made)
    assert read.ticket.owner is not None
    assert read.ticket.owner.login == zammad.alice.login
    assert told(helpdesk, made) == ["alice (person): public article, at creation"]


def test_notes_are_written_found_again_and_seen_by_no_customer(zammad, helpdesk, ticket):
    note = Note(("Escalation E-1A, step 1 of 4 (plan a)", "Next: <phone>"), proof="v1.p", link=f"{zammad.url}/e/E-1A")
    article = helpdesk.add_note(ticket, note)
    assert helpdesk.find_note(ticket, "v1.p") == article
    (row,) = zammad.notes(ticket)
    assert (row["internal"], row["sender"], row["type"], row["subject"]) == (True, "System", "note", "Escalation")
    assert told(helpdesk, ticket)[1:] == ["escalator (us): internal article 'Escalation E-1A, step 1 of 4 (plan a)'"]


def test_a_note_whose_answer_was_cut_is_there(zammad, helpdesk, ticket):
    helpdesk.read(ticket)
    zammad.faults.cut_answers(1, "/api/v1/ticket_articles")
    with pytest.raises(HelpdeskAway) as caught:
        helpdesk.add_note(ticket, Note(("Escalation E-1A",), proof="v1.cut"))
    assert caught.value.maybe_done
    assert helpdesk.find_note(ticket, "v1.cut") is not None


def test_live_state_as_tags_beside_those_of_others(zammad, helpdesk, ticket):
    zammad.add_tag(ticket, "vip-shop", zammad.alice)
    for status in ("running", "running", "acknowledged"):
        helpdesk.show(ticket, Live(status=status))
    assert set(zammad.tags(ticket)) == {"vip-shop", "escalation-acknowledged"}
    assert helpdesk.read(ticket).ticket.facts.tags == {"vip-shop", "escalation-acknowledged"}
    helpdesk.show(ticket, Live())
    assert zammad.tags(ticket) == ["vip-shop"]


def test_assigning_only_where_nobody_owns_and_the_person_may(zammad, helpdesk, ticket):
    assert not helpdesk.assign(ticket, zammad.cathy.login)
    assert helpdesk.assign(ticket, zammad.alice.login)
    assert not helpdesk.assign(ticket, zammad.bob.login)
    assert zammad.ticket(ticket)["owner"] == zammad.alice.login
    assert helpdesk.read(ticket).changes[-1].by.role is Role.US


def test_an_owner_who_may_not_own_is_dropped_and_told(zammad, helpdesk, ticket):
    rights = zammad.desk.users[zammad.bob.id].pop("group_ids")
    zammad.desk.users[zammad.bob.id]["group_ids"] = {}
    try:
        assert not helpdesk.assign(ticket, zammad.bob.login)
    finally:
        zammad.desk.users[zammad.bob.id]["group_ids"] = rights


def test_changed_tickets_and_numbers_are_found(zammad, helpdesk, ticket):
    before = helpdesk.read(ticket).ticket
    assert helpdesk.find(before.number) == ticket
    zammad.close(ticket, zammad.alice)
    rows = {row.ticket_id: row for row in helpdesk.find_changed(before.updated_at)}
    assert rows[ticket].closed
    assert rows[ticket].updated_at == helpdesk.read(ticket).ticket.updated_at
    with pytest.raises(TicketGone):
        helpdesk.find("99999999")


def test_two_hundred_and_fifty_changed_tickets_are_all_found(zammad, helpdesk):
    since = datetime.now(UTC)
    made = [str(zammad.create_ticket(f"one of many {number}")["id"]) for number in range(250)]
    assert {row.ticket_id for row in helpdesk.find_changed(since)} >= set(made)


def test_tickets_that_show_a_live_state_are_found_whatever_became_of_them(zammad, helpdesk, ticket):
    shown = {str(zammad.create_ticket(f"shown {number}")["id"]) for number in range(250)}
    for one, status in zip(sorted(shown), itertools.cycle(["running", "acknowledged", "snoozed", "exhausted"])):
        helpdesk.show(one, Live(status))
    closed = min(shown)
    zammad.close(closed, zammad.alice)
    before = set(helpdesk.find_shown())
    assert shown <= before
    assert ticket not in before

    helpdesk.show(closed, Live())

    assert set(helpdesk.find_shown()) == before - {closed}


def test_a_deleted_ticket_is_gone_and_a_forbidden_one_is_not(zammad, helpdesk, ticket):
    zammad.permit("Network", [])
    try:
        with pytest.raises(PermissionLost):
            helpdesk.read(ticket)
    finally:
        zammad.permit("Network")
    zammad.delete(ticket)
    for call in (helpdesk.read, lambda number: helpdesk.add_note(number, Note(("x",)))):
        with pytest.raises(TicketGone):
            call(ticket)


def test_away_and_back(zammad, helpdesk, ticket):
    helpdesk.read(ticket)
    zammad.go_away()
    with pytest.raises(HelpdeskAway):
        helpdesk.read(ticket)
    zammad.come_back()
    assert helpdesk.read(ticket).ticket.id == ticket


def test_who_and_what_there_is(zammad, helpdesk):
    assert "escalator@example.com" in helpdesk.about()
    assert {person.login for person in helpdesk.people()} == {
        one.login for one in (zammad.admin, zammad.alice, zammad.bob)
    }
    names = helpdesk.names()
    assert names.priorities == {"1 low", "2 normal", "3 high"}
    assert names.groups == {"Network", "2nd Level"}
    assert names.ours == zammad.api_user.login


def test_too_many_rights_are_seen(zammad):
    admin = build({"url": zammad.url, "token": zammad.admin.token, "webhook_secret": SECRET})
    assert "admin rights" in admin.about()
    assert "full access" in admin.about()


def test_its_deliveries_prove_themselves_and_hint_at_their_ticket(zammad, helpdesk):
    arrived: Queue[tuple[Any, bytes]] = Queue()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            arrived.put((self.headers, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        with SandboxZammad(delivery_delay=0.01) as sender:
            sender.set_up_webhook(f"http://127.0.0.1:{server.server_port}/webhooks/zammad", SECRET)
            made = sender.create_ticket()
            headers, raw = arrived.get(timeout=20)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert helpdesk.prove(headers, raw)
    assert not helpdesk.prove(headers, raw + b" ")
    assert helpdesk.parse(json.loads(raw)).ticket_id == str(made["id"])
