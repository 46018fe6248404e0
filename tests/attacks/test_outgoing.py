"""Where Escalator's own requests may be led: by a name's zone, by a redirect, by the environment, by a slow answer."""

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from marshmallow import ValidationError

from channels import Shared, http_post
from channels.http_post import HttpPost
from connector import outbound
from connector.clockwork.heartbeat import beat
from connector.errors import HelpdeskAway, HelpdeskError, HelpdeskRefused, Undelivered
from connector.helpdesks.zammad.client import Client as Zammad
from connector.helpdesks.znuny.client import Client as Znuny
from connector.sandbox.providers.http_post import SECRET, Receiver
from connector.sandbox.providers.twilio import Twilio
from tests.channels.benches import BENCHES
from tests.channels.messages import step

Resolver = Callable[..., None]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def leads(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """`leads("name", "first answer", "second answer")`: what the name's zone says, each time that it is asked."""
    real = socket.getaddrinfo
    answers: dict[str, list[str]] = {}

    def resolve(host: str, port: Any, *rest: Any, **named: Any) -> Any:
        if host not in answers:
            assert host in ("localhost", "127.0.0.1", "::1"), f"{host} would have been asked for outside"
            return real(host, port, *rest, **named)
        zone = answers[host]
        said = zone.pop(0) if len(zone) > 1 else zone[0]
        family = socket.AF_INET6 if ":" in said else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (one, port)) for one in said.split(",")]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return lambda host, *said: answers.__setitem__(host, list(said))


def channel_to(url: str, **options: Any) -> HttpPost:
    return http_post.build("pager", http_post.Options().load({"url": url, "secret": SECRET, **options}), Shared())


def port_of(receiver: Receiver) -> int:
    return int(receiver.base.rpartition(":")[2])


def test_a_document_goes_where_the_config_says(receiver: Receiver) -> None:
    channel_to(receiver.url).deliver(step())
    assert [posted.genuine for posted in receiver.received] == [True]


NEVER = {
    "169.254.169.254": "link-local or metadata",
    "169.254.0.1": "link-local or metadata",
    "100.100.100.200": "link-local or metadata",
    "192.0.0.192": "link-local or metadata",
    "fe80::1": "link-local or metadata",
    "fd00:ec2::254": "link-local or metadata",
    "::ffff:169.254.169.254": "link-local or metadata",
    "::ffff:a9fe:a9fe": "link-local or metadata",
    "::a9fe:a9fe": "link-local or metadata",
    "64:ff9b::a9fe:a9fe": "link-local or metadata",
    "2002:a9fe:a9fe::1": "link-local or metadata",
    "2001:0:a9fe:a9fe::1": "link-local or metadata",
    "0.0.0.0": "no host's",
    "::": "no host's",
    "::ffff:0.0.0.0": "no host's",
    "224.0.0.1": "no host's",
    "ff02::1": "no host's",
    "255.255.255.255": "no host's",
    "240.0.0.1": "no host's",
}


@pytest.mark.parametrize("address", NEVER)
def test_nothing_is_sent_there_whatever_the_config_allows(leads: Resolver, address: str) -> None:
    leads("pager.example.com", address)
    leads(address, address)
    with pytest.raises(Undelivered, match=NEVER[address]) as caught:
        channel_to("https://pager.example.com/", allow_private=True, allow_http=True).deliver(step())
    assert (caught.value.permanent, caught.value.maybe_sent) == (True, False)
    written_out = f"[{address}]" if ":" in address else address
    with pytest.raises(outbound.AddressRefused, match=NEVER[address]):
        outbound.post(f"https://{written_out}/", b"", {}, allow_private=True, allow_http=True)


INSIDE = ["127.0.0.1", "127.9.9.9", "10.0.0.7", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd12::1", "fc00::1"]
WRAPPED = ["::ffff:127.0.0.1", "::ffff:10.0.0.7", "::7f00:1", "64:ff9b::a00:7", "2002:a00:7::1"]


@pytest.mark.parametrize("address", [*INSIDE, *WRAPPED])
def test_a_name_leads_inside_only_where_the_config_allows_it(leads: Resolver, address: str) -> None:
    leads("pager.example.com", address)
    with pytest.raises(Undelivered, match="a private address, which only `allow_private`") as caught:
        channel_to("https://pager.example.com/").deliver(step())
    assert caught.value.permanent
    assert outbound.refused("pager.example.com", ipaddress.ip_address(address), plain=False, allow_private=True) == ""


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "192.168.1.1", "fd12::1"])
def test_an_address_that_is_written_out_in_the_config_is_meant(address: str) -> None:
    assert outbound.refused(address, ipaddress.ip_address(address), plain=False) == ""


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:2800:21f:cb07::1", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"]
)
def test_a_name_may_lead_anywhere_outside(address: str) -> None:
    assert outbound.refused("pager.example.com", ipaddress.ip_address(address), plain=False) == ""


@pytest.mark.parametrize("address", ["93.184.215.14", "10.0.0.7"])
def test_no_other_host_is_spoken_to_unencrypted(address: str) -> None:
    at = ipaddress.ip_address(address)
    assert outbound.refused(address, at, plain=True, allow_private=True) == "another host without https"


#: Ways of writing 127.0.0.1 and 169.254.169.254 that libraries read differently.
ODD_HOSTS = [
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.1",
    "0x7f.1",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.169.254",
]


@pytest.mark.parametrize("host", ODD_HOSTS)
def test_a_number_in_disguise_is_a_name_that_leads_inside(leads: Resolver, host: str, receiver: Receiver) -> None:
    leads(host, socket.inet_ntoa(socket.inet_aton(host)))
    for url in (f"https://{host}/", f"https://{host}:{port_of(receiver)}/hooks/1"):
        with pytest.raises((Undelivered, ValidationError)):
            channel_to(url).deliver(step())
    assert receiver.received == ()


#: A URL that looks as if it went to one host and goes to another: the real one decides.
DISGUISED = [
    "https://pager.example.com@inside.example.com/",
    "https://pager.example.com:443@inside.example.com/",
    "https://inside.example.com#@pager.example.com/",
    "https://inside.example.com?@pager.example.com/",
    "https://inside.example.com./",
    "https://INSIDE.example.com/",
    "https://inside.example.com\\@pager.example.com/",
    "https://pager.example.com\\@inside.example.com/",
    "https://inside。example.com/",
]


@pytest.mark.parametrize("url", DISGUISED)
def test_the_host_that_is_checked_is_the_one_that_is_spoken_to(leads: Resolver, url: str) -> None:
    """Whatever a reader of the URL takes for its host, none of these sends anything inside."""
    for inside in ("inside.example.com", "inside.example.com.", "INSIDE.example.com"):
        leads(inside, "10.0.0.7")
    leads("pager.example.com", "10.0.0.8")
    with pytest.raises((Undelivered, ValidationError)) as caught:
        channel_to(url).deliver(step())
    assert "example.com" not in str(caught.value) or isinstance(caught.value, ValueError)


@pytest.mark.parametrize("second", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1"])
def test_a_zone_that_changes_its_mind_is_asked_once(leads: Resolver, second: str, receiver: Receiver) -> None:
    """Public when it is checked, inside a moment later: what was checked is connected to (and isn't there)."""
    leads("pager.example.com", "192.0.2.1", second)
    connected: list[str] = []

    def refuse(address: tuple[str, int], *rest: Any, **named: Any) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError

    at = ipaddress.ip_address("192.0.2.1")
    assert not at.is_global, "a documentation address, so that nothing outside is ever asked for"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("urllib3.util.connection.create_connection", refuse)
        with pytest.raises(Undelivered, match="could not be reached"):
            channel_to(f"https://pager.example.com:{port_of(receiver)}/", allow_private=True).deliver(step())
    assert connected == ["192.0.2.1"]
    assert receiver.received == ()


@pytest.mark.parametrize("said", ["93.184.215.14,127.0.0.1", "93.184.215.14,169.254.169.254", "::1,93.184.215.14"])
def test_one_bad_address_among_good_ones_is_enough(leads: Resolver, said: str) -> None:
    leads("pager.example.com", said)
    with pytest.raises(Undelivered, match="leads to"):
        channel_to("https://pager.example.com/").deliver(step())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(receiver: Receiver, status: int) -> None:
    with Receiver() as inside:
        receiver.answer_with(status, Location=inside.url)
        with pytest.raises(Undelivered, match="redirect, which isn't followed") as caught:
            channel_to(receiver.url).deliver(step())
        assert caught.value.permanent
        assert inside.received == ()


@pytest.mark.parametrize(
    "scheme", ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "unix:///run/redis"]
)
def test_no_other_scheme_is_spoken(scheme: str) -> None:
    with pytest.raises(ValidationError):
        channel_to(scheme)


# --- the heartbeat ---------------------------------------------------------------------------------------------------


def test_a_heartbeat_goes_where_the_config_says(receiver: Receiver) -> None:
    assert beat(receiver.url) == ""
    assert len(receiver.received) == 1


@pytest.mark.parametrize("address", ["169.254.169.254", "::ffff:169.254.169.254", "224.0.0.1"])
def test_a_heartbeat_never_asks_for_a_clouds_credentials(leads: Resolver, address: str) -> None:
    leads("beat.example.com", address)
    assert "leads to" in beat("https://beat.example.com/", allow_private=True)


def test_a_heartbeat_goes_inside_only_where_the_config_allows_it(leads: Resolver, receiver: Receiver) -> None:
    leads("beat.example.com", "127.0.0.1")
    assert "a private address" in beat(f"https://beat.example.com:{port_of(receiver)}/")
    assert "a private address" in beat(f"http://beat.example.com:{port_of(receiver)}/")
    assert receiver.received == ()
    assert beat(f"http://beat.example.com:{port_of(receiver)}/", allow_private=True) == ""


def test_a_heartbeat_follows_no_redirect_and_says_no_word_of_its_address(receiver: Receiver) -> None:
    with Receiver() as elsewhere:
        receiver.answer_with(302, Location=elsewhere.url)
        assert beat(f"{receiver.base}/canary") == "The heartbeat's address answers with status 302."
        assert elsewhere.received == ()


# --- the environment -----------------------------------------------------------------------------------------------


@pytest.fixture
def eavesdropper(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A proxy that the environment names for everything."""
    with Receiver() as running:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, running.base)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield running


def test_a_document_is_shown_to_no_proxy(receiver: Receiver, eavesdropper: Receiver) -> None:
    channel_to(receiver.url).deliver(step())
    assert (len(receiver.received), eavesdropper.received) == (1, ())


def test_credentials_of_twilio_are_shown_to_no_proxy(eavesdropper: Receiver) -> None:
    with Twilio() as twilio:
        BENCHES["sms"][1](twilio).channel("sms").deliver(step())
        assert len(twilio.messages) == 1
    assert eavesdropper.received == ()


def test_credentials_of_the_helpdesk_are_shown_to_no_proxy(receiver: Receiver, eavesdropper: Receiver) -> None:
    receiver.answer_with(200, "{}")
    Zammad(receiver.base, "canary").get("/users/me")
    Znuny(receiver.base, "Escalation", "escalator", "canary").search()
    assert (len(receiver.received), eavesdropper.received) == (2, ())


def test_a_netrc_of_the_account_adds_no_credentials(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password canary\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    receiver.answer_with(200, "{}")
    channel_to(receiver.url).deliver(step())
    Zammad(receiver.base, "t").get("/users/me")
    Znuny(receiver.base, "Escalation", "escalator", "p").search()
    sent = [posted.headers.get("authorization", "") for posted in receiver.received]
    assert sent == ["", "Token token=t", ""]


# --- the helpdesk and Twilio ----------------------------------------------------------------------------------------


def helpdesks(base: str, ca_file: str | None = None) -> list[tuple[str, Callable[[], Any]]]:
    zammad = Zammad(base, "canary-token", ca_file=ca_file)
    znuny = Znuny(base, "Escalation", "escalator", "canary-password", ca_file=ca_file)
    return [("Zammad", lambda: zammad.get("/users/me")), ("Znuny", lambda: znuny.search())]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_helpdesks_redirect_is_followed_with_credentials(receiver: Receiver, status: int) -> None:
    with Receiver() as elsewhere:
        receiver.answer_with(status, Location=elsewhere.url)
        for name, ask in helpdesks(receiver.base):
            with pytest.raises(HelpdeskRefused) as caught:
                ask()
            assert "canary" not in str(caught.value) + caught.value.details, name
        assert elsewhere.received == ()


def test_twilios_redirect_is_not_followed_with_credentials() -> None:
    with Receiver() as elsewhere, Receiver() as twilio:
        twilio.answer_with(307, Location=elsewhere.url)
        shared = BENCHES["sms"][1](Twilio()).shared
        assert shared.twilio is not None
        there = type(shared.twilio)(shared.twilio.account_sid, shared.twilio.auth_tokens, twilio.base)
        from channels import sms  # the module, to give it another address

        with pytest.raises(Undelivered):
            sms.build("sms", {"from": "+15005550006"}, Shared(twilio=there)).deliver(step())
        assert (len(twilio.received), elsewhere.received) == (1, ())


def test_a_certificate_that_nobody_vouches_for_ends_it_before_credentials(tmp_path: Path) -> None:
    with Receiver(certificates=tmp_path) as impostor:
        for name, ask in helpdesks(impostor.base.replace("127.0.0.1", "localhost")):
            with pytest.raises(HelpdeskAway):
                ask()
            assert impostor.received == (), name


def test_the_ca_file_of_the_config_counts_whatever_the_environment_trusts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else's authority in the environment must not vouch for the helpdesk beside the one that was named."""
    (tmp_path / "ours").mkdir()
    (tmp_path / "theirs").mkdir()
    with Receiver(certificates=tmp_path / "ours") as ours, Receiver(certificates=tmp_path / "theirs") as impostor:
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            monkeypatch.setenv(name, impostor.ca_file)
        for name, ask in helpdesks(impostor.base.replace("127.0.0.1", "localhost"), ours.ca_file):
            with pytest.raises(HelpdeskAway):
                ask()
            assert impostor.received == (), name


# --- answers that never end ----------------------------------------------------------------------------------------


@pytest.fixture
def dripping() -> Iterator[str]:
    """A server that answers with a byte now and then, for ever; its address."""
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not over.wait(0.05):
                    connection.sendall(b"X: y\r\n")
            except OSError:
                return

    def accept() -> None:
        while not over.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=serve, args=(connection,)))
            threads[-1].start()

    threads = [threading.Thread(target=accept)]
    threads[0].start()
    yield "http://{}:{}".format(*listener.getsockname())
    over.set()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for thread in threads:
        thread.join(10)


def test_an_answer_that_drips_is_cut_off(dripping: str) -> None:
    """Each byte comes long before the read timeout; a hundred such heads would keep every sender."""
    began = time.monotonic()
    with pytest.raises(requests.RequestException) as caught:
        outbound.post(dripping, b"{}", {}, within=0.5)
    assert http_post.may_have_left(caught.value)
    assert time.monotonic() - began < 8  # the read timeout alone would be 10 s


def test_what_is_cut_off_is_no_answer(dripping: str, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = outbound.request.__kwdefaults__
    assert slow is not None
    monkeypatch.setattr(outbound.request, "__kwdefaults__", {**slow, "within": 0.5})
    with pytest.raises(Undelivered, match="answer was lost") as caught:
        channel_to(dripping).deliver(step())
    assert caught.value.maybe_sent


def test_every_helpdesk_error_is_one_of_ours(receiver: Receiver) -> None:
    for status in (200, 204, 401, 403, 404, 418, 500, 503):
        receiver.answer_with(status, "<html>canary</html>")
        for name, ask in helpdesks(receiver.base):
            with pytest.raises(HelpdeskError) as caught:
                ask()
            assert "canary" not in str(caught.value) + str(caught.value.details), name


#: A Zammad token and a password of our own are opaque; the helpdesk may hold them against us in its error.
ECHOES = [
    '{"error": "Invalid token canary-token"}',
    '{"error": "canary-token", "error_human": "canary-password"}',
    '{"Error": {"ErrorCode": "TicketUpdate.AuthFail", "ErrorMessage": "canary-password is wrong"}}',
    '{"Error": {"ErrorCode": "canary-password", "ErrorMessage": "escalator:canary-password"}}',
    "canary-token canary-password",
]


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("status", [200, 400, 401, 403, 422, 500])
def test_credentials_that_a_helpdesk_echoes_stand_in_no_error(receiver: Receiver, status: int, echo: str) -> None:
    receiver.answer_with(status, echo)
    for name, ask in helpdesks(receiver.base):
        said = ""
        try:
            ask()
        except HelpdeskError as error:
            said = f"{error} {error.details}"
        assert "canary" not in said, name
