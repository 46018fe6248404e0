"""What the sandbox helpdesk's people and faults do, beyond what the conformance checks look at."""

import hashlib
import hmac
import json
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from connector.sandbox.zammad import Refused, SandboxZammad, everything_but

SECRET = "EXAMPLE-SECRET"


class Receiver(ThreadingHTTPServer):
    """Takes deliveries; `statuses` are the answers it gives first, 200 after them."""

    daemon_threads = False

    def __init__(self) -> None:
        self.deliveries: queue.Queue[tuple[Any, bytes]] = queue.Queue()
        self.statuses: list[int] = []
        receiver = self

        class Taking(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.deliveries.put((self.headers, self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Taking)

    def heard(self) -> list[dict[str, Any]]:
        """The bodies so far."""
        return [json.loads(self.deliveries.get_nowait()[1]) for _ in range(self.deliveries.qsize())]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def desk(receiver: Receiver) -> Iterator[SandboxZammad]:
    with SandboxZammad(delivery_delay=0.02, retry_waits=(0.02, 0.02)) as sandbox:
        sandbox.set_up_webhook(f"http://127.0.0.1:{receiver.server_port}/hook", SECRET)
        yield sandbox


def heard(desk: SandboxZammad, receiver: Receiver) -> list[dict[str, Any]]:
    """Every delivery, when all that was queued has been sent."""
    assert desk.deliveries.wait(5)
    return receiver.heard()


def ask(desk: SandboxZammad, method: str, path: str, body: Any = None, token: str = "") -> requests.Response:
    headers = {"Authorization": f"Token token={token or desk.escalator.token}"}
    return requests.request(method, f"{desk.url}/api/v1{path}", json=body, headers=headers, timeout=5)


# --- what people and Zammad do ------------------------------------------------------------------------------


def test_a_new_ticket_is_told_to_the_webhook_and_signed(desk, receiver):
    ticket = desk.create_ticket("Mail is down", priority="3 high")
    headers, raw = receiver.deliveries.get(timeout=5)
    assert headers["X-Hub-Signature"] == "sha1=" + hmac.new(SECRET.encode(), raw, hashlib.sha1).hexdigest()
    body = json.loads(raw)["ticket"]
    assert (body["id"], body["title"], body["priority"]["name"]) == (ticket["id"], "Mail is down", "3 high")
    assert (body["customer"]["login"], body["owner"]["login"]) == (desk.cathy.login, "-")


def test_the_owners_name_and_mobile_number_come_with_each_delivery(desk, receiver):
    ticket = desk.create_ticket()
    desk.take(ticket["id"], by=desk.bob)
    owner = heard(desk, receiver)[-1]["ticket"]["owner"]
    assert (owner["firstname"], owner["lastname"], owner["mobile"]) == ("Bob", "Builder", "+4915187654321")


@pytest.mark.parametrize("auto_response", [False, True])
def test_a_customers_mail_reopens_a_closed_ticket_even_when_she_is_out_of_office(desk, receiver, auto_response):
    ticket = desk.create_ticket()
    desk.close(ticket["id"], by=desk.bob)
    heard(desk, receiver)
    desk.mail_from(desk.cathy, ticket["id"], "I am away until Monday", auto_response=auto_response)
    (delivery,) = heard(desk, receiver)
    assert delivery["ticket"]["state"] == "open"
    assert delivery["article"]["preferences"]["is-auto-response"] is auto_response
    assert (delivery["article"]["sender"], delivery["article"]["type"]) == ("Customer", "email")


def test_a_mail_from_an_agents_mail_program_is_the_agents_but_marked_as_mail(desk):
    ticket = desk.create_ticket()
    article = desk.mail_from(desk.alice, ticket["id"], "We are on it")
    assert (article["sender"], article["created_by"]) == ("Agent", desk.alice.login)
    assert article["preferences"]["is-auto-response"] is False
    assert desk.ticket(ticket["id"])["first_response_at"] == article["created_at"]


def test_a_mail_about_a_merged_ticket_reaches_the_ticket_that_stayed(desk):
    source, target = desk.create_ticket(), desk.create_ticket()
    desk.merge(source["id"], target["id"], by=desk.alice)
    assert desk.mail_from(desk.cathy, source["id"], "any news?")["ticket_id"] == target["id"]


def test_a_macro_run_by_the_customer_takes_the_owner_away_and_leaves_an_internal_system_note_of_hers(desk):
    ticket = desk.create_ticket()
    desk.take(ticket["id"], by=desk.alice)
    desk.run_macro([ticket["id"]], by=desk.cathy)
    note = desk.articles(ticket["id"])[-1]
    assert desk.ticket(ticket["id"])["owner"] == "-"
    assert (note["body"], note["sender"], note["internal"]) == ("/ack", "System", True)
    assert note["created_by"] == desk.cathy.login


def test_the_macro_in_the_ticket_is_one_save_in_the_agents_own_name(desk, receiver):
    ticket = desk.create_ticket()
    heard(desk, receiver)
    desk.run_macro_in_ticket(ticket["id"], by=desk.alice)
    (delivery,) = heard(desk, receiver)
    article = delivery["article"]
    assert (delivery["ticket"]["owner_id"], article["sender"], article["body"]) == (desk.alice.id, "Agent", "/ack")
    assert article["internal"] is True


def test_a_screen_that_was_open_before_takes_back_what_was_changed_since(desk):
    ticket = desk.create_ticket()
    screen = desk.open_screen(ticket["id"])
    desk.assign(ticket["id"], to=desk.alice, by=desk.escalator)
    assert desk.ticket(ticket["id"])["owner"] == desk.alice.login
    desk.save_screen(screen, by=desk.bob, priority="3 high")
    assert (desk.ticket(ticket["id"])["owner"], desk.ticket(ticket["id"])["priority"]) == ("-", "3 high")


def test_the_browsers_form_with_ids_as_text_is_understood(desk):
    ticket = desk.create_ticket()
    form = {"number": ticket["number"], "title": "UI", "group_id": "2", "owner_id": "4", "customer_id": 8, "id": 1}
    form |= {"state_id": "1", "priority_id": "3", "pending_time": None, "organization_id": None, "preferences": {}}
    form["article"] = {
        "body": "/ack on it",
        "content_type": "text/html",
        "type_id": 10,
        "sender_id": 1,
        "internal": True,
    }
    answer = ask(desk, "PUT", f"/tickets/{ticket['id']}?all=true", form, desk.alice.token).json()
    assert len(answer["ticket_article_ids"]) == 2
    row = desk.ticket(ticket["id"])
    assert (row["title"], row["owner"], row["priority"]) == ("UI", desk.alice.login, "3 high")


def test_an_owner_who_was_deactivated_is_dropped_at_the_next_save(desk):
    ticket = desk.create_ticket()
    desk.take(ticket["id"], by=desk.alice)
    desk.change_person(desk.alice, active=False)
    assert desk.ticket(ticket["id"])["owner"] == desk.alice.login
    assert desk.change(ticket["id"], by=desk.bob, priority="3 high")["owner"] == "-"
    assert ask(desk, "GET", "/users/me", token=desk.alice.token).status_code == 401


def test_a_save_that_is_refused_changes_nothing(desk, receiver):
    ticket = desk.create_ticket()
    heard(desk, receiver)
    for columns in ({"article": {"body": ""}}, {"state": "pending reminder"}, {"group": "nope"}, {"state_id": "x"}):
        answer = ask(desk, "PUT", f"/tickets/{ticket['id']}", {"priority": "3 high", **columns}, desk.bob.token)
        assert answer.status_code == 422
    assert desk.ticket(ticket["id"]) == ticket
    assert heard(desk, receiver) == []


def test_a_merged_tickets_history_names_the_ticket_that_stayed(desk):
    source, target = desk.create_ticket("one"), desk.create_ticket("two")
    assert desk.merge(source["id"], target["id"], by=desk.alice)["result"] == "success"
    (line,) = [line for line in desk.history(source["id"]) if line["type"] == "merged_into"]
    assert (line["id_to"], line["created_by_id"]) == (target["id"], desk.alice.id)
    assert line["value_to"] == f"#{target['number']} two"
    assert desk.merge(source["id"], target["id"], by=desk.alice)["result"] == "failed"


def test_a_customer_who_moves_sends_a_delivery_for_each_of_her_tickets_closed_ones_too(desk, receiver):
    tickets = [desk.create_ticket() for _ in range(3)]
    desk.close(tickets[0]["id"], by=desk.bob)
    heard(desk, receiver)
    desk.move_customer(desk.cathy, "Example Corp")
    deliveries = heard(desk, receiver)
    assert {d["ticket"]["id"] for d in deliveries} == {ticket["id"] for ticket in tickets}
    assert {d["ticket"]["updated_by"]["login"] for d in deliveries} == {"-"}
    assert {d["ticket"]["organization"]["name"] for d in deliveries} == {"Example Corp"}


def test_data_in_an_articles_preferences_comes_back_from_the_api_and_in_deliveries(desk, receiver):
    ticket = desk.create_ticket()
    heard(desk, receiver)
    data = {"escalator": {"v": 1, "sig": "abc"}}
    desk.write(ticket["id"], desk.alice, "a note", preferences=data)
    (delivery,) = heard(desk, receiver)
    assert delivery["article"]["preferences"] == data
    assert ask(desk, "GET", f"/ticket_articles/by_ticket/{ticket['id']}").json()[-1]["preferences"] == data


def test_a_pending_close_is_closed_by_nobody_when_its_time_comes(desk, receiver):
    ticket = desk.create_ticket()
    desk.change(ticket["id"], by=desk.bob, state="pending close", pending_time="2026-11-22T10:00:00Z")
    desk.reach_pending_close(ticket["id"])
    last = heard(desk, receiver)[-1]["ticket"]
    assert (last["state"], last["updated_by"]["login"], last["pending_time"]) == ("closed", "-", None)


def test_zammad_itself_takes_an_owner_away_as_nobody(desk, receiver):
    ticket = desk.create_ticket(by=desk.alice, owner=desk.alice)
    assert ticket["owner"] == desk.alice.login
    desk.unassign(ticket["id"])
    last = heard(desk, receiver)[-1]["ticket"]
    assert (last["owner_id"], last["updated_by_id"]) == (1, 1)


def test_what_another_trigger_changes_is_heard_of_only_in_somebody_elses_delivery(desk, receiver):
    ticket = desk.create_ticket()
    heard(desk, receiver)
    desk.change_by_trigger(ticket["id"], priority_id=3)
    assert heard(desk, receiver) == []
    desk.internal_note(ticket["id"], desk.alice, "looking")
    assert [d["ticket"]["priority"]["name"] for d in heard(desk, receiver)] == ["3 high"]


def test_an_sla_doubles_the_delivery_of_a_new_ticket_and_saving_it_moves_updated_at_in_silence(desk, receiver):
    before = desk.create_ticket()
    heard(desk, receiver)
    desk.save_sla(minutes=30)
    assert heard(desk, receiver) == []
    assert desk.ticket(before["id"])["updated_at"] > before["updated_at"]
    desk.create_ticket()
    created, echo = heard(desk, receiver)
    assert created["article"]["type"] == "web"
    assert (echo["article"], echo["ticket"]["updated_by"]["login"]) == ({}, desk.cathy.login)
    assert echo["ticket"]["escalation_at"] is not None


def test_the_history_has_the_lines_of_a_real_one(desk):
    ticket = desk.create_ticket()
    desk.take(ticket["id"], by=desk.alice)
    desk.add_tag(ticket["id"], "escalation-running", by=desk.escalator)
    lines = desk.history(ticket["id"])
    assert [(line["type"], line["object"], line.get("attribute")) for line in lines[:2]] == [
        ("created", "Ticket", None),
        ("created", "Ticket::Article", None),
    ]
    owner = next(line for line in lines if line.get("attribute") == "owner")
    assert {k: v for k, v in owner.items() if k not in ("id", "created_at")} == {
        "o_id": ticket["id"],
        "related_history_object_id": None,
        "id_to": desk.alice.id,
        "id_from": 1,
        "value_from": "-",
        "value_to": "Alice Agent",
        "created_by_id": desk.alice.id,
        "object": "Ticket",
        "type": "updated",
        "attribute": "owner",
    }
    assert (lines[-1]["type"], lines[-1]["attribute"], lines[-1]["value_to"]) == ("added", "tag", "escalation-running")


def test_a_ticket_that_was_deleted_is_refused_with_404(desk):
    ticket = desk.create_ticket()
    desk.delete(ticket["id"])
    with pytest.raises(Refused, match="Couldn't find Ticket") as refused:
        desk.ticket(ticket["id"])
    assert refused.value.status == 404
    assert desk.create_ticket()["id"] > ticket["id"]


def test_times_are_those_of_the_clock_that_was_given():
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    sandbox = SandboxZammad(now=lambda: noon)
    first, second = sandbox.create_ticket(), sandbox.create_ticket()
    assert first["created_at"].startswith("2026-03-02T12:00:00.")
    assert first["updated_at"] < second["created_at"]


# --- setting up over the API ----------------------------------------------------------------------------------


def test_an_administrator_makes_an_agent_who_makes_a_token_that_can_do_only_an_agents_work(desk):
    person = {"firstname": "Escalator", "login": "plugin@example.com", "password": "A-long-Passw0rd!"}
    person |= {"roles": ["Agent"], "groups": {"Network": ["read", "create", "change"]}}
    made = ask(desk, "POST", "/users", person, desk.admin.token)
    assert (made.status_code, made.json()["group_ids"]) == (201, {"2": ["change", "create", "read"]})
    login = (person["login"], person["password"])
    body = {"name": "Escalator", "permission": ["ticket.agent"]}
    answer = requests.post(f"{desk.url}/api/v1/user_access_token", json=body, auth=login, timeout=5)
    token = answer.json()["token"]
    assert ask(desk, "GET", "/users/me", token=token).json()["login"] == person["login"]
    assert ask(desk, "GET", "/groups", token=token).json()["error"] == "Not authorized (user)!"
    assert ask(desk, "POST", "/users", person, desk.admin.token).status_code == 422


def test_an_own_attribute_is_a_column_after_the_migration(desk):
    ticket = desk.create_ticket()
    attribute = {"name": "escalation_step", "object": "Ticket", "data_type": "input", "active": True}
    attribute |= {"data_option": {"type": "text", "maxlength": 120}}
    id = ask(desk, "POST", "/object_manager_attributes", attribute, desk.admin.token).json()["id"]
    assert "escalation_step" not in desk.ticket(ticket["id"])
    ask(desk, "POST", "/object_manager_attributes_execute_migrations", {}, desk.admin.token)
    desk.change(ticket["id"], by=desk.escalator, escalation_step="2 of 4")
    assert desk.ticket(ticket["id"])["escalation_step"] == "2 of 4"
    ask(desk, "DELETE", f"/object_manager_attributes/{id}", None, desk.admin.token)
    ask(desk, "POST", "/object_manager_attributes_execute_migrations", {}, desk.admin.token)
    assert "escalation_step" not in desk.ticket(ticket["id"])


def test_a_trigger_with_an_unknown_condition_is_accepted_and_never_works(desk, receiver):
    webhook = ask(desk, "GET", "/webhooks", token=desk.admin.token).json()[0]
    trigger = {"name": "bad", "condition": {"ticket.nope": {"operator": "is", "value": "x"}}}
    trigger |= {"perform": {"notification.webhook": {"webhook_id": webhook["id"]}}}
    assert ask(desk, "POST", "/triggers", trigger, desk.admin.token).status_code == 201
    desk.create_ticket()
    assert len(heard(desk, receiver)) == 1


def test_the_trigger_for_updates_has_the_condition_that_lets_nothing_of_ours_through(desk):
    rows = ask(desk, "GET", "/triggers", token=desk.admin.token).json()
    assert [row["condition"] for row in rows if "updated" in row["name"]] == [everything_but(desk.escalator.id)]


# --- faults ---------------------------------------------------------------------------------------------------


def test_a_helpdesk_that_went_away_refuses_connections_until_it_comes_back_with_all_it_knew(desk):
    ticket = desk.create_ticket()
    desk.go_away()
    with pytest.raises(requests.ConnectionError):
        ask(desk, "GET", f"/tickets/{ticket['id']}")
    desk.come_back()
    assert ask(desk, "GET", f"/tickets/{ticket['id']}").json()["number"] == ticket["number"]


def test_chosen_paths_are_refused_as_often_as_asked(desk):
    ticket = desk.create_ticket()
    desk.faults.refuse(401, "/ticket_articles", times=1)
    note = {"ticket_id": ticket["id"], "body": "x", "type": "note"}
    assert ask(desk, "GET", f"/tickets/{ticket['id']}").status_code == 200
    assert [ask(desk, "POST", "/ticket_articles", note).status_code for _ in range(2)] == [401, 201]
    desk.faults.refuse(503)
    assert ask(desk, "GET", "/users/me").status_code == 503
    desk.faults.heal()
    assert ask(desk, "GET", "/users/me").status_code == 200


def test_a_cut_answer_leaves_the_write_done(desk):
    ticket = desk.create_ticket()
    desk.faults.cut_answers(1, "/ticket_articles")
    note = {"ticket_id": ticket["id"], "body": "was it written?", "type": "note", "sender": "System", "internal": True}
    with pytest.raises(requests.ConnectionError):
        ask(desk, "POST", "/ticket_articles", note)
    assert [row["body"] for row in desk.notes(ticket["id"])] == ["was it written?"]
    assert ask(desk, "POST", "/ticket_articles", note).status_code == 201


def test_dropped_deliveries_never_come(desk, receiver):
    desk.deliveries.drop(2)
    tickets = [desk.create_ticket() for _ in range(3)]
    assert [d["ticket"]["id"] for d in heard(desk, receiver)] == [tickets[2]["id"]]


def test_a_refused_delivery_comes_again_with_the_same_id_and_the_ticket_as_it_is_then(desk, receiver):
    receiver.statuses = [500, 302]
    desk.create_ticket()
    assert desk.deliveries.wait(5)
    tries = [receiver.deliveries.get_nowait() for _ in range(3)]
    assert len({headers["X-Zammad-Delivery"] for headers, _ in tries}) == 1
    receiver.statuses = [500, 500, 500]
    desk.create_ticket()
    assert len(heard(desk, receiver)) == 3  # lost after the last try


def test_without_rights_in_a_group_its_tickets_are_refused_and_not_found(desk):
    network, second = desk.create_ticket(), desk.create_ticket(group="2nd Level")
    desk.permit("Network", ())
    assert ask(desk, "GET", f"/tickets/{network['id']}").json()["error"] == "Not authorized"
    found = ask(desk, "POST", "/tickets/search", {"condition": {}, "expand": True}).json()
    assert [row["id"] for row in found] == [second["id"]]
    desk.permit("Network")
    assert ask(desk, "GET", f"/tickets/{network['id']}").status_code == 200


def test_requests_are_counted_by_path_and_by_how_many_came_at_once(desk):
    desk.faults.slow(0.2, "/users/me")
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: ask(desk, "GET", "/users/me"), range(3)))
    assert (desk.faults.requests["GET /api/v1/users/me"], desk.faults.most_at_once) == (3, 3)
    desk.faults.forget_requests()
    ask(desk, "GET", "/ticket_priorities")
    assert (dict(desk.faults.requests), desk.faults.most_at_once) == ({"GET /api/v1/ticket_priorities": 1}, 1)


# --- ending ---------------------------------------------------------------------------------------------------


def test_stopping_is_quick_and_leaves_no_thread_even_in_the_middle_of_requests(receiver):
    before = threading.active_count()
    sandbox = SandboxZammad(delivery_delay=0).start()
    hanging = threading.Event()
    sandbox.faults.slow(60)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, sandbox, "GET", "/users/me")
        while not sandbox.faults.requests:
            hanging.wait(0.01)
        began = time.monotonic()
        sandbox.stop()
        took = time.monotonic() - began
        assert isinstance(waiting.exception() or waiting.result(), requests.ConnectionError | requests.Response)
    assert took < 0.5
    assert threading.active_count() == before


def test_stopping_is_quick_while_a_webhook_gets_no_answer():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sandbox = SandboxZammad(delivery_delay=0).start()
        sandbox.set_up_webhook(f"http://127.0.0.1:{silent.getsockname()[1]}/", SECRET)
        sandbox.create_ticket()
        taken, _ = silent.accept()
        with taken:
            taken.recv(100)
            began = time.monotonic()
            sandbox.stop()
    assert time.monotonic() - began < 0.5


def test_as_a_process_it_writes_its_world_and_runs_until_sigterm(tmp_path):
    world = tmp_path / "WORLD.json"
    command = [sys.executable, "-W", "error", "-m", "connector.sandbox.zammad", "--world", world]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        url = process.stdout.readline().strip()
        people = json.loads(world.read_text())
        headers = {"Authorization": f"Token token={people['api_user']['token']}"}
        me = requests.get(f"{url}/api/v1/users/me", headers=headers, timeout=5).json()
        assert (url, me["id"]) == (people["url"], people["api_user"]["id"])
        assert world.stat().st_mode & 0o077 == 0
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")
