"""The signed document: what it holds, how a receiver proves it, and where it never goes."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from marshmallow import ValidationError

from channels import Shared, http_post
from channels.http_post import HttpPost
from connector.core.contact import Contact
from connector.errors import ConfigError, Undelivered
from connector.sandbox.providers.http_post import SECRET, Receiver

from .messages import DANA, HOSTILE, all_clear, step


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def channel_to(url: str, **options: Any) -> HttpPost:
    return http_post.build("pager", http_post.Options().load({"url": url, "secret": SECRET, **options}), Shared())


@pytest.fixture
def channel(receiver: Receiver) -> HttpPost:
    return channel_to(receiver.url)


def test_one_document_names_the_ticket_the_contacts_and_the_way_to_acknowledge(
    channel: HttpPost, receiver: Receiver
) -> None:
    message = step(contacts=(DANA, Contact(key="lead", name="Lee Adams")))
    receipt = channel.deliver(message)

    (posted,) = receiver.received
    assert receipt.final
    assert posted.genuine
    assert posted.id == message.id
    assert posted.document == {
        "type": "escalation.step",
        "timestamp": message.sent_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "data": {
            "escalation": {
                "code": "E-1A",
                "plan": "major-incident",
                "step": 2,
                "steps": 4,
                "round": 1,
                "due_at": "2026-01-31T20:15:00Z",
                "url": "https://escalator.example.com/escalations/E-1A",
            },
            "ticket": {
                "id": "42",
                "number": "50042",
                "title": "Server outage",
                "priority": "3 high",
                "group": "Network",
                "url": "https://desk.example.com/#ticket/zoom/42",
            },
            "contacts": [{"name": "Dana Reyes"}, {"name": "Lee Adams"}],
            "acknowledge": {"method": "POST", "url": "https://escalator.example.com/ack/t0ken-of-dana"},
        },
    }


def test_a_repeat_has_the_same_id_and_the_same_document(channel: HttpPost, receiver: Receiver) -> None:
    message = step()
    receiver.answer_with(503, times=1)
    with pytest.raises(Undelivered):
        channel.deliver(message)
    channel.deliver(message)

    first, second = receiver.received
    assert (first.id, first.body) == (second.id, second.body)


def test_the_all_clear_asks_for_nothing(channel: HttpPost, receiver: Receiver) -> None:
    channel.deliver(all_clear())
    document = receiver.received[0].document
    assert document["type"] == "escalation.all_clear"
    assert document["data"]["text"] == "E-1A acknowledged by Dana Reyes (SMS)"
    assert "acknowledge" not in document["data"]


@pytest.mark.parametrize("title", HOSTILE)
def test_any_title_is_one_json_string(channel: HttpPost, receiver: Receiver, title: str) -> None:
    channel.deliver(step(ticket_title=title))
    (posted,) = receiver.received
    assert posted.genuine
    assert posted.document["data"]["ticket"]["title"] == title.replace("\ud800", "?")


@pytest.mark.parametrize(
    ("status", "permanent", "credentials", "maybe_sent"),
    [
        (301, True, False, False),
        (400, True, False, False),
        (401, False, True, False),
        (404, True, False, False),
        (408, False, False, False),
        (410, True, False, False),
        (429, False, False, False),
        (500, False, False, False),
        (502, False, False, True),
        (503, False, False, False),
        (0, False, False, True),
    ],
)
def test_the_status_tells_what_to_do(
    channel: HttpPost, receiver: Receiver, status: int, permanent: bool, credentials: bool, maybe_sent: bool
) -> None:
    receiver.answer_with(status, "secret inside", Location="http://127.0.0.1:9/elsewhere")
    with pytest.raises(Undelivered) as caught:
        channel.deliver(step())
    error = caught.value
    assert (error.permanent, error.credentials, error.maybe_sent) == (permanent, credentials, maybe_sent)
    assert len(receiver.received) == 1


def test_a_receiver_may_say_when_to_come_again(channel: HttpPost, receiver: Receiver) -> None:
    receiver.answer_with(429, Retry_After="7")
    with pytest.raises(Undelivered) as caught:
        channel.deliver(step())
    assert caught.value.retry_after == 7


def test_a_name_that_leads_to_the_metadata_service_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)
    with pytest.raises(Undelivered, match="metadata") as caught:
        channel_to("https://pager.example.com/").deliver(step())
    assert caught.value.permanent


def test_the_address_that_was_checked_is_the_one_connected_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, real, asked = int(receiver.base.rpartition(":")[2]), socket.getaddrinfo, []

    def first_loopback_then_elsewhere(host: str, *rest: Any, **named: Any) -> Any:
        asked.append(host)
        return real("127.0.0.1" if host == "pager.example.com" and asked.count(host) == 1 else host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", first_loopback_then_elsewhere)
    channel_to(f"http://pager.example.com:{port}/hooks/1", allow_http=True, allow_private=True).deliver(step())

    assert asked.count("pager.example.com") == 1
    assert receiver.received[0].headers["host"] == f"pager.example.com:{port}"


def test_over_https_the_certificate_must_be_the_names_though_the_address_is_connected_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **named: real("127.0.0.1", *rest, **named))
    with Receiver(certificates=tmp_path) as receiver:
        port = receiver.base.rpartition(":")[2]
        channel_to(f"https://localhost:{port}/", ca_file=receiver.ca_file).deliver(step())
        for host, trusted in (("other.example.com", receiver.ca_file), ("localhost", "")):
            with pytest.raises(Undelivered) as caught:
                channel_to(f"https://{host}:{port}/", ca_file=trusted, allow_private=True).deliver(step())
            assert not caught.value.maybe_sent
        assert len(receiver.received) == 1


def test_another_host_needs_https() -> None:
    with pytest.raises(ConfigError, match="https"):
        channel_to("http://pager.example.com/")


@pytest.mark.parametrize("secret", ["", "plain", "whsec_", "whsec_!!!", "whsec_c2hvcnQ="])
def test_a_secret_must_be_one(secret: str) -> None:
    with pytest.raises(ValidationError):
        http_post.Options().load({"url": "https://pager.example.com", "secret": secret})
