"""The web service's answers, each as it was captured, and what they mean for the caller."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
import urllib3

from connector.errors import HelpdeskAway, HelpdeskError, HelpdeskRefused, PermissionLost
from connector.helpdesks.znuny.client import CALLS_AT_A_TIME, Client, Me

from .composed import BASE, HERE, URL, captured, serve_session

API = sorted(path.stem for path in (HERE / "captured" / "api").glob("*.json"))
CLOSED_SILENTLY = "error-unknown-webservice"
ERRORS = [name for name in API if name.startswith("error-") and name != CLOSED_SILENTLY]
LOST = {"TicketGet.AuthFail", "TicketGet.AccessDenied", "TicketHistoryGet.AccessDenied", "TicketUpdate.AccessDenied",
        "SessionCreate.AuthFail"}  # fmt: skip


@pytest.fixture
def client() -> Client:
    return Client(URL, "Escalation", "escalation", "s3cret-pw")


@responses.activate
def test_a_ticket_is_read_with_its_articles_and_fields(client: Client) -> None:
    answer = captured("ticket-get-articles-fields")["response"]["body"]
    responses.get(f"{BASE}/Ticket/6", json=answer)
    assert client.ticket("6", articles=True) == answer["Ticket"][0]
    sent = responses.calls[0].request
    assert sent.params == {"DynamicFields": "1", "AllArticles": "1"}
    assert sent.headers["X-OTRS-Header-UserLogin"] == "escalation"
    assert "s3cret-pw" not in str(sent.url), "addresses end in access logs"


def _understood(name: str, client: Client) -> Any:
    """The captured answer given to the call that it was captured for."""
    answer = captured(name)["response"]
    body = answer["body"]
    raw = body if isinstance(body, str) else json.dumps(body)
    with responses.RequestsMock() as mock:
        mock.patch(f"{BASE}/Ticket/6", raw, status=answer["status"], content_type=answer["headers"]["Content-Type"])
        return client.update("6", Ticket={"Lock": "lock"})


@pytest.mark.parametrize("name", ERRORS)
def test_every_captured_error_is_one_that_asking_again_does_not_mend(name: str, client: Client) -> None:
    body = captured(name)["response"]["body"]
    if name == "error-owner-without-permission":
        assert _understood(name, client)["Ticket"]["Owner"] == "otto", "Znuny accepts an owner without permission"
        return
    with pytest.raises(HelpdeskRefused) as caught:
        _understood(name, client)
    code = body["Error"]["ErrorCode"] if isinstance(body, dict) else ""
    assert isinstance(caught.value, PermissionLost) is (code in LOST)


@pytest.mark.parametrize("name", [name for name in API if not name.startswith("error-")])
def test_every_captured_good_answer_is_taken_as_it_is(name: str, client: Client) -> None:
    assert _understood(name, client) == captured(name)["response"]["body"]


@responses.activate
def test_a_search_without_a_hit_finds_nothing(client: Client) -> None:
    responses.post(f"{BASE}/TicketSearch", json=captured("search-nothing-found")["response"]["body"])
    assert client.search(Title="nosuchtitle") == []


@responses.activate
def test_who_we_are_is_asked_once(client: Client) -> None:
    serve_session(responses.mock)
    assert client.me() == client.me() == Me("2", "escalation", "Escalation Plugin")
    assert len(responses.calls) == 2
    assert "SessionID" not in str(responses.calls[1].request.url)


class TestALostAnswer:
    """The helpdesk is away; whether a write may have happened decides about trying again."""

    @pytest.mark.parametrize(
        ("error", "maybe_done"),
        [
            (requests.ConnectTimeout("slow"), False),
            (requests.exceptions.SSLError("certificate"), False),
            (requests.ReadTimeout("slow"), True),
            (requests.ConnectionError("Connection aborted."), True),
            (requests.exceptions.ChunkedEncodingError("cut"), True),
        ],
    )
    @responses.activate
    def test_a_write_whose_request_went_out_may_have_been_done(
        self, error: Exception, maybe_done: bool, client: Client
    ) -> None:
        responses.patch(f"{BASE}/Ticket/6", body=error)
        with pytest.raises(HelpdeskAway) as caught:
            client.update("6", Ticket={})
        assert caught.value.maybe_done is maybe_done

    def test_nobody_listening_means_that_nothing_was_done(self) -> None:
        refused = urllib3.exceptions.NewConnectionError(urllib3.connection.HTTPConnection("127.0.0.1"), "refused")
        pool = urllib3.HTTPConnectionPool("127.0.0.1")
        error = requests.ConnectionError(urllib3.exceptions.MaxRetryError(pool, "/", refused))
        with responses.RequestsMock() as mock:
            mock.patch(f"{BASE}/Ticket/6", body=error)
            with pytest.raises(HelpdeskAway) as caught:
                Client(URL, "Escalation", "u", "p").update("6", Ticket={})
        assert not caught.value.maybe_done

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    @responses.activate
    def test_a_broken_answer_of_something_in_between_is_worth_another_try(self, status: int, client: Client) -> None:
        responses.patch(f"{BASE}/Ticket/6", "<html>Bad Gateway</html>", status=status)
        responses.get(f"{BASE}/Ticket/6", "<html>Bad Gateway</html>", status=status)
        with pytest.raises(HelpdeskAway) as caught:
            client.update("6", Ticket={})
        assert caught.value.maybe_done
        with pytest.raises(HelpdeskAway) as caught:
            client.ticket("6")
        assert not caught.value.maybe_done, "a read does nothing"

    @responses.activate
    def test_a_page_instead_of_json_is_worth_another_try(self, client: Client) -> None:
        responses.get(f"{BASE}/Ticket/6", "<html>Maintenance</html>")
        with pytest.raises(HelpdeskAway):
            client.ticket("6")

    @responses.activate
    def test_being_asked_to_slow_down_is_worth_another_try(self, client: Client) -> None:
        responses.patch(f"{BASE}/Ticket/6", status=429)
        with pytest.raises(HelpdeskAway) as caught:
            client.update("6", Ticket={})
        assert not caught.value.maybe_done


@pytest.mark.parametrize("status", [301, 302, 307, 401, 403, 404])
@responses.activate
def test_a_redirect_is_not_followed_and_a_foreign_server_is_refused(status: int, client: Client) -> None:
    responses.get(f"{BASE}/Ticket/6", status=status, headers={"Location": "http://169.254.169.254/"})
    with pytest.raises(HelpdeskRefused) as caught:
        client.ticket("6")
    assert not isinstance(caught.value, PermissionLost)
    assert len(responses.calls) == 1


def test_no_error_says_the_password(client: Client) -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{BASE}/Ticket/6", body=requests.ConnectionError("http://host/?Password=s3cret-pw"))
        with pytest.raises(HelpdeskError) as caught:
            client.ticket("6")
    assert "s3cret-pw" not in f"{caught.value} {caught.value.details}"
    assert caught.value.__cause__ is None


@responses.activate
def test_never_more_than_four_calls_at_a_time(client: Client) -> None:
    all_inside = threading.Barrier(CALLS_AT_A_TIME)
    inside, most, lock = 0, 0, threading.Lock()

    def answer(_: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        nonlocal inside, most
        with lock:
            inside, most = inside + 1, max(most, inside + 1)
        all_inside.wait(timeout=10)
        with lock:
            inside -= 1
        return 200, {}, '{"TicketID": ["6"]}'

    responses.add_callback(responses.POST, f"{BASE}/TicketSearch", callback=answer)
    threads = [threading.Thread(target=client.search) for _ in range(CALLS_AT_A_TIME * 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == CALLS_AT_A_TIME


@responses.activate
def test_an_unknown_web_service_closes_the_connection_like_a_helpdesk_that_is_away(client: Client) -> None:
    assert captured(CLOSED_SILENTLY)["response"] is None
    responses.get(f"{BASE}/Ticket/6", body=requests.ConnectionError("Remote end closed connection without response"))
    with pytest.raises(HelpdeskAway):
        client.ticket("6")


def test_the_address_may_be_written_as_in_the_browser() -> None:
    assert Client(f"{URL}/index.pl", "Escalation", "u", "p").url == Client(f"{URL}/", "Escalation", "u", "p").url == URL


def test_every_capture_is_used() -> None:
    files = {path.stem for path in Path(HERE / "captured" / "api").iterdir()}
    assert files == set(API)
