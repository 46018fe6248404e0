"""Mail over SMTP: text and HTML, one link, and headers that nobody else can write."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from marshmallow import ValidationError

from channels import Shared, _mail, email
from channels.email import Email
from connector.core.contact import Contact
from connector.errors import ConfigError, Undelivered
from connector.sandbox.providers.smtp import CUT, Smtp

from .messages import DANA, HOSTILE, LANGUAGES, NOBODY, all_clear, bundle, every_purpose, step


@pytest.fixture
def smtp() -> Iterator[Smtp]:
    with Smtp() as running:
        yield running


def build(smtp: Smtp, **changes: Any) -> Email:
    return email.build("email", email.Options().load(smtp.options | changes), Shared())


@pytest.fixture
def channel(smtp: Smtp) -> Email:
    return build(smtp, **{"from": "Escalations <escalations@example.com>"})


def test_a_mail_arrives_as_text_and_html(channel: Email, smtp: Smtp) -> None:
    receipt = channel.deliver(step())

    (mail,) = smtp.mails
    assert (mail.sender, mail.to) == ("escalations@example.com", ("dana@example.com",))
    assert mail.message["Subject"] == "[E-1A] Ticket 50042 (3 high): Server outage"
    text = mail.message.get_body(("plain",)).get_content()
    html = mail.message.get_body(("html",)).get_content()
    for part in (text, html):
        assert "Nobody has taken this ticket yet. Please take it." in part
        assert "https://escalator.example.com/ack/t0ken-of-dana" in part
        assert "2026-01-31 21:15 CET" in part
    assert (receipt.final, receipt.detail) == (True, "accepted")


def test_a_mail_about_several_lists_them_with_their_links_and_has_one_button(channel: Email, smtp: Smtp) -> None:
    channel.deliver(bundle(37))

    (mail,) = smtp.mails
    assert mail.message["Subject"] == "[E-1A and 36 more] 37 tickets wait, first 50042 (3 high)"
    text = mail.message.get_body(("plain",)).get_content()
    html = mail.message.get_body(("html",)).get_content()
    for part in (text, html):
        assert part.count("https://desk.example.com/#ticket/zoom/") == 37
        assert part.count("/ack/t0ken-of-dana") == 1
        assert "Take all 37 tickets" in part
    assert html.count("<tr>") == 38


def test_a_german_mail(channel: Email, smtp: Smtp) -> None:
    channel.deliver(step(language="de", rests_until=datetime(2026, 1, 31, 21, 0, tzinfo=UTC)))
    mail = smtp.mails[0].message
    for kind in ("plain", "html"):
        part = mail.get_body((kind,)).get_content()
        for words in ("Dieses Ticket hat noch niemand übernommen.", "Priorität", "Dieses Ticket übernehmen", "22:00"):
            assert words in part
    assert '<html lang="de">' in mail.get_body(("html",)).get_content()


def test_the_text_part_can_be_read_as_it_is(channel: Email, smtp: Smtp) -> None:
    channel.deliver(step())
    assert smtp.mails[0].message.get_body(("plain",)).get_content().splitlines() == [
        "Nobody has taken this ticket yet. Please take it.",
        "",
        "Ticket: 50042",
        "Title: Server outage",
        "Priority: 3 high",
        "Group: Network",
        "Organisation: Example Ltd",
        "Plan: major-incident",
        "Due: 2026-01-31 21:15 CET",
        "Step: 2 of 4",
        "",
        "Take this ticket:",
        "https://escalator.example.com/ack/t0ken-of-dana",
        "",
        "Open the ticket:",
        "https://desk.example.com/#ticket/zoom/42",
        "",
        "Open the escalation:",
        "https://escalator.example.com/escalations/E-1A",
        "",
        "-- ",
        "Escalation E-1A. A reply to this mail reaches nobody; use the link or the helpdesk.",
    ]


def test_it_is_marked_as_made_by_a_machine(channel: Email, smtp: Smtp) -> None:
    channel.deliver(step())
    headers = smtp.mails[0].message
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["Precedence"] == "bulk"
    assert headers["From"] == "Escalations <escalations@example.com>"
    assert headers["To"] == "Dana Reyes <dana@example.com>"


def test_a_repeat_is_the_same_mail(channel: Email, smtp: Smtp) -> None:
    message = step()
    channel.deliver(message)
    channel.deliver(message)
    first, second = smtp.mails
    assert first.message["Message-ID"] == second.message["Message-ID"] == f"<{message.id}@example.com>"
    assert first.raw == second.raw


def test_the_all_clear_has_no_button(channel: Email, smtp: Smtp) -> None:
    channel.deliver(all_clear())
    mail = smtp.mails[0].message
    assert mail["Subject"] == "[E-1A] E-1A acknowledged by Dana Reyes (SMS)"
    assert "/ack/" not in mail.get_body(("html",)).get_content()


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_every_kind_of_security_works(security: Any) -> None:
    with Smtp(security=security) as smtp:
        build(smtp).deliver(step())
        assert len(smtp.mails) == 1


def test_it_signs_in(smtp: Smtp) -> None:
    with Smtp(user="escalator", password="s3cret") as guarded:
        build(guarded).deliver(step())
        assert len(guarded.mails) == 1
        with pytest.raises(Undelivered) as caught:
            build(guarded, password="wrong").deliver(step())
    assert caught.value.credentials


@pytest.mark.parametrize(
    ("stage", "reply", "permanent", "credentials"),
    [
        ("sender", "550 5.7.1 Sender not allowed", False, True),
        ("sender", "451 4.3.0 Try later", False, False),
        ("recipient", "550 5.1.1 Unknown user", True, False),
        ("recipient", "550 Unknown user", True, False),
        ("recipient", "550 <relay@example.com>: unknown user", True, False),
        ("recipient", "550 5.1.1 <x>: no such user, no relay", True, False),
        ("recipient", "554 5.7.1 Relay access denied", False, True),
        ("recipient", "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", False, True),
        ("recipient", "550 5.7.64 TenantAttribution; Relay Access Denied", False, True),
        ("recipient", "550 5.7.708 Access denied, traffic not accepted from this IP", False, True),
        ("recipient", "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", False, True),
        ("recipient", "554 relay access denied", False, True),
        ("recipient", "550 Relaying denied", False, True),
        ("recipient", "550 5.1.8 Access denied, bad outbound sender", False, True),
        ("recipient", "550 5.1.7 Invalid sender address", False, True),
        ("recipient", "504 5.5.2 <x>: Helo command rejected: need fully-qualified hostname", False, True),
        ("recipient", "503 5.5.1 Error: need MAIL command", False, True),
        ("recipient", "503 Bad sequence of commands", False, True),
        ("recipient", "552 5.2.2 Mailbox full", False, False),
        ("recipient", "450 4.2.1 Greylisted", False, False),
        ("recipient", "421 4.3.2 Closing", False, False),
        ("text", "554 5.6.0 Looks like spam", False, False),
        ("text", "452 4.3.1 No space", False, False),
    ],
)
def test_what_the_server_says_tells_what_to_do(
    channel: Email, smtp: Smtp, stage: Any, reply: str, permanent: bool, credentials: bool
) -> None:
    smtp.refuse(stage, reply)
    with pytest.raises(Undelivered) as caught:
        channel.deliver(step())
    error = caught.value
    assert (error.permanent, error.credentials, error.maybe_sent) == (permanent, credentials, False)


def test_a_server_may_take_longer_to_greet_than_to_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email, "CONNECT_TIMEOUT", 0.3)
    asked = threading.Event()

    def serve(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection, connection.makefile("rb") as lines:
            asked.wait(1)  # nobody asks before the greeting: this is how long it takes
            connection.sendall(b"220 mx.example.com ESMTP\r\n")
            for line in lines:
                asked.set()
                if line.lower() != b"data\r\n":
                    connection.sendall(b"250 OK\r\n")
                    continue
                connection.sendall(b"354 Go on\r\n")
                assert b".\r\n" in lines
                connection.sendall(b"250 OK\r\n")
                return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=serve, args=(listening,))
        server.start()
        options = {"host": "127.0.0.1", "port": listening.getsockname()[1], "security": "none", "from": "e@example.com"}
        receipt = email.build("email", email.Options().load(options), Shared()).deliver(step())
        server.join()
    assert (receipt.detail, asked.is_set()) == ("accepted", True)


def test_a_lost_answer_is_a_doubt(channel: Email, smtp: Smtp) -> None:
    message = step()
    smtp.refuse("text", CUT)
    with pytest.raises(Undelivered) as caught:
        channel.deliver(message)
    assert caught.value.maybe_sent
    assert channel.find(message) is None


def test_a_refused_connection_means_that_nothing_was_sent(channel: Email, smtp: Smtp) -> None:
    smtp.stop()
    with pytest.raises(Undelivered) as caught:
        channel.deliver(step())
    assert (caught.value.maybe_sent, caught.value.permanent) == (False, False)


def test_nothing_is_sent_in_the_clear_when_the_server_offers_no_starttls() -> None:
    with Smtp(security="none") as smtp:
        with pytest.raises(Undelivered) as caught:
            build(smtp, security="starttls").deliver(step())
        assert caught.value.credentials
        assert smtp.mails == ()


def test_a_server_that_nobody_vouches_for_gets_nothing(smtp: Smtp) -> None:
    with pytest.raises(Undelivered) as caught:
        build(smtp, ca_file="").deliver(step())
    assert caught.value.credentials
    assert smtp.mails == ()


def test_a_password_does_not_travel_in_the_clear() -> None:
    options = {"host": "smtp.example.com", "from": "a@example.com", "security": "none", "user": "u", "password": "p"}
    with pytest.raises(ConfigError, match="starttls"):
        email.build("email", email.Options().load(options), Shared())


@pytest.mark.parametrize("address", ["", "not an address", "a@b@c", "x\r\nBcc: y@example.com", "jürgen@example.com"])
def test_a_bad_address_will_never_work(channel: Email, smtp: Smtp, address: str) -> None:
    with pytest.raises(Undelivered) as caught:
        channel.deliver(step(contacts=(replace(NOBODY, email=address),)))
    assert caught.value.permanent
    assert smtp.mails == ()


@pytest.mark.parametrize("title", HOSTILE)
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_title_writes_headers_or_links_of_its_own(title: str, language: str) -> None:
    stranger = Contact(key="x", name=title[:200], email="dana@example.com")
    for message in [*every_purpose(), bundle(3, title)]:
        message = replace(message, language=language)
        nasty = replace(message, contacts=(stranger,), ticket_title=title, group=title, priority=title, line=title)
        raw = _mail.compose(nasty, ("Escalations", "escalations@example.com")).as_bytes()
        head = raw.partition(b"\r\n\r\n")[0].decode("ascii")
        names = {line.partition(":")[0] for line in head.split("\r\n") if not line.startswith((" ", "\t"))}
        assert names <= {
            *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Precedence"),
            *("X-Auto-Response-Suppress", "Importance", "MIME-Version", "Content-Type"),
        }
        mail = _mail.compose(nasty, ("Escalations", "escalations@example.com"))
        html = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
        assert "<script>" not in html
        assert "://evil" not in html
        assert "://evil" not in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        assert str(mail["To"].addresses[0].addr_spec) == DANA.email


@pytest.mark.parametrize("sender", ["", "nobody", "a@example.com\r\nBcc: b@example.com"])
def test_a_sender_must_be_an_address(sender: str) -> None:
    with pytest.raises(ValidationError):
        email.Options().load({"host": "smtp.example.com", "from": sender})
