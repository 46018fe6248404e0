"""What Zammad's answers mean, and what a lost one means: captured errors, then a real socket that misbehaves."""

import json
import queue
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
import responses
from requests import ConnectTimeout

from connector.errors import HelpdeskAway, HelpdeskError, HelpdeskRefused, PermissionLost, TicketGone
from connector.helpdesks.zammad.client import AT_ONCE, FOR_READS, Client

from .composed import HERE, URL, Row, captured
from .served import API

TOKEN = "CANARY-TOKEN"


@pytest.fixture
def client() -> Client:
    return Client(URL, TOKEN)


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def give(mock: responses.RequestsMock, exchange: Row) -> Row:
    """Registers a captured answer; gives the request back."""
    path, answered = exchange["request"]["path"], exchange["response"]
    mock.add(exchange["request"]["method"], URL + path, json=answered["body"], status=answered["status"])
    return exchange["request"]


def ask(client: Client, request: Row) -> object:
    path = request["path"].removeprefix("/api/v1")
    if request["method"] == "GET":
        return client.get(path)
    return client.write(request["method"], path, request.get("body") or {})


def test_a_call_carries_the_token_and_asks_for_json(client, mock):
    request = give(mock, captured("users_me"))
    assert ask(client, request) == captured("users_me")["response"]["body"]
    sent = mock.calls[0].request.headers
    assert (sent["Authorization"], sent["Accept"]) == (f"Token token={TOKEN}", "application/json")


def test_a_netrc_entry_for_the_host_does_not_replace_the_token(client, mock, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine desk.example.com login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    ask(client, give(mock, captured("users_me")))
    assert mock.calls[0].request.headers["Authorization"] == f"Token token={TOKEN}"


ERRORS: dict[str, type[HelpdeskError]] = {
    "captured/api/bad_token": PermissionLost,
    "captured/api/no_token": PermissionLost,
    "captured/api/no_perm": PermissionLost,
    "captured/api/disabled_user": PermissionLost,
    "captured/api/delete_no_perm": PermissionLost,
    "captured/api/gone": TicketGone,
    "captured/api/gone_note": TicketGone,
    "captured/api/gone_put": TicketGone,
    "captured/api/bad_state": HelpdeskRefused,
    "captured/api/bad_group": HelpdeskRefused,
    "api/error_401_bad_token": PermissionLost,
    "api/error_401_expired_token": PermissionLost,
    "api/error_403_group_or_permission": PermissionLost,
    "api/error_403_no_credentials": PermissionLost,
    "api/error_404_ticket_gone": TicketGone,
    "api/error_422_lookup": HelpdeskRefused,
    "api/error_422_core_workflow_mandatory": HelpdeskRefused,
    "api/error_422_core_workflow_restricted": HelpdeskRefused,
    "api/error_500_masked": HelpdeskAway,
}


@pytest.mark.parametrize(("file", "error"), ERRORS.items())
def test_each_kind_of_error_is_told_apart(client, mock, file, error):
    request = give(mock, json.loads((HERE / f"{file}.json").read_text()))
    with pytest.raises(HelpdeskError) as caught:
        ask(client, request)
    assert type(caught.value) is error


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422, 500, 502, 503, 200])
def test_a_page_instead_of_json_is_something_in_between_and_worth_another_try(client, mock, status):
    mock.add("GET", f"{API}/tickets/2", body="<html>sign in</html>", status=status, content_type="text/html")
    with pytest.raises(HelpdeskAway):
        client.get("/tickets/2")


def test_a_404_about_anything_but_the_ticket_is_no_deleted_ticket(client, mock):
    mock.add("GET", f"{API}/tickets/2", json={"error": "No route matches [GET] /api/v1/tickets/2"}, status=404)
    with pytest.raises(HelpdeskRefused):
        client.get("/tickets/2")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_refused_and_never_followed(client, mock, status):
    mock.add("POST", f"{API}/tags/add", status=status, headers={"Location": "https://elsewhere.example.com/"})
    with pytest.raises(HelpdeskRefused, match="final address"):
        client.write("POST", "/tags/add", {})
    assert len(mock.calls) == 1


@pytest.mark.parametrize("status", [408, 429])
def test_being_too_busy_passes(client, mock, status):
    mock.add("POST", f"{API}/tags/add", json={"error": "slow down"}, status=status)
    with pytest.raises(HelpdeskAway) as caught:
        client.write("POST", "/tags/add", {})
    assert not caught.value.maybe_done


def test_no_error_holds_a_token_an_address_or_a_value(client, mock):
    told = 'Invalid value "call +49 170 1234567" for dana@example.com, number 58012'
    mock.add("PUT", f"{API}/tickets/2", json={"error": told}, status=422)
    with pytest.raises(HelpdeskRefused) as caught:
        client.write("PUT", "/tickets/2", {"title": "CANARY-BODY"})
    shown = f"{caught.value} {caught.value.details}"
    for secret in (TOKEN, "CANARY-BODY", "1234567", "dana", "58012", "desk.example.com"):
        assert secret not in shown
    assert "Invalid value" in shown


def test_a_connection_that_was_never_made_has_done_nothing(client, mock):
    mock.add("POST", f"{API}/ticket_articles", body=ConnectTimeout("desk.example.com"))
    with pytest.raises(HelpdeskAway, match="can't be reached") as caught:
        client.write("POST", "/ticket_articles", {})
    assert (caught.value.maybe_done, caught.value.__cause__) == (False, None)


# --- a real socket ---------------------------------------------------------------------------------------------------


@pytest.fixture
def misbehave() -> Iterator[Callable[[bytes | None], Client]]:
    """A server that reads one request, sends these bytes and hangs up; with None it never answers."""
    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()
    threads: list[threading.Thread] = []

    def start(answer: bytes | None) -> Client:
        def run() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                if answer is None:
                    done.wait(10)
                else:
                    connection.sendall(answer)

        threads.append(threading.Thread(target=run))
        threads[0].start()
        return Client(f"http://127.0.0.1:{listener.getsockname()[1]}", TOKEN, timeout=0.2)

    yield start
    done.set()
    for thread in threads:
        thread.join(10)
    listener.close()


CUT_SHORT = b'HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"id": 30, '
CHUNK_MISSING = b'HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{"id": 30, '


@pytest.mark.parametrize("answer", [None, b"", b"HTTP/1.1 201 Cre", CUT_SHORT, CHUNK_MISSING])
def test_a_write_whose_answer_is_lost_may_have_been_done(misbehave, answer):
    with pytest.raises(HelpdeskAway) as caught:
        misbehave(answer).write("POST", "/ticket_articles", {"body": "x"})
    assert caught.value.maybe_done
    assert "127.0.0.1" not in f"{caught.value}{caught.value.details}"


@pytest.mark.parametrize("answer", [None, b"", CUT_SHORT])
def test_a_read_whose_answer_is_lost_has_changed_nothing(misbehave, answer):
    with pytest.raises(HelpdeskAway) as caught:
        misbehave(answer).get("/tickets/2")
    assert not caught.value.maybe_done


def test_nobody_listening_is_away_and_has_done_nothing():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(HelpdeskAway, match="can't be reached") as caught:
        Client(f"http://127.0.0.1:{port}", TOKEN).write("POST", "/tags/add", {})
    assert not caught.value.maybe_done


def test_a_certificate_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(HelpdeskAway, match="ca_file"):
        Client("https://127.0.0.1:1", TOKEN, ca_file=str(tmp_path / "missing.pem")).get("/tickets/2")


def test_four_calls_at_a_time_and_one_of_them_always_a_read(mock, client):
    entered: queue.Queue[str] = queue.Queue()
    release = threading.Event()

    def answer(request):
        entered.put(request.url)
        release.wait(10)
        return 200, {}, "{}"

    mock.add_callback("GET", f"{API}/tickets/2", callback=answer)
    mock.add_callback("POST", f"{API}/tags/add", callback=answer)
    writes = [threading.Thread(target=client.write, args=("POST", "/tags/add", {})) for _ in range(AT_ONCE + 2)]
    reads = [threading.Thread(target=client.get, args=("/tickets/2",), kwargs={"first": True}) for _ in range(2)]
    for thread in writes:
        thread.start()
    under_way = [entered.get(timeout=10) for _ in range(AT_ONCE - FOR_READS)]
    assert entered.empty()
    for thread in reads:
        thread.start()
    assert "tickets/2" in entered.get(timeout=10)
    assert len(under_way) == AT_ONCE - FOR_READS
    release.set()
    for thread in writes + reads:
        thread.join(10)
