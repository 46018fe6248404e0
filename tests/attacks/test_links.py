"""Personal links that somebody else has, guesses, or follows without a person; and other sites that use a browser."""

import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from connector.engine.proofs import Signatures
from connector.engine.records import Link
from tests.web.conftest import API_TOKEN
from tests.web.conftest import World as House

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
API = "/api/v1/escalations"


def test_a_person_who_presses_the_button_acknowledges(house: House) -> None:
    assert house.client.post(house.ack_url(house.sent()[0]), headers=BROWSER).status_code == 200
    assert house.acknowledger() == ("Dana Reyes", "link")


#: Who follows links that nobody has pressed: what they send.
SCANNERS: dict[str, dict[str, str]] = {
    "a mail gateway": {"User-Agent": "Mozilla/5.0 (compatible; SafeLinks)", **BROWSER},
    "a chat's preview": {"User-Agent": "Slackbot-LinkExpanding 1.0", "Range": "bytes=0-32768"},
    "a phone's preview": {"User-Agent": "facebookexternalhit/1.1 Facebot Twitterbot/1.0"},
    "a browser that fetches ahead": {"Sec-Purpose": "prefetch;prerender", "Purpose": "prefetch", **BROWSER},
    "Firefox, fetching ahead": {"X-Moz": "prefetch", **BROWSER},
    "a method in a header": {"X-HTTP-Method-Override": "POST", "X-Method-Override": "POST", "X-HTTP-Method": "POST"},
    "a crawler": {"User-Agent": "Googlebot/2.1"},
}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("scanner", SCANNERS)
def test_following_a_link_changes_nothing(house: House, scanner: str, method: str) -> None:
    link = house.ack_url(house.sent()[0])
    before = house.history()
    for query in ("", "?_method=POST", "?acknowledge=1", "?button="):
        answer = house.client.open(link + query, method=method, headers=SCANNERS[scanner])
        assert answer.status_code in (200, 206)
    assert (house.acknowledger(), house.history()) == (("", ""), before)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "ACK"])
def test_no_other_method_than_post_acknowledges(house: House, method: str) -> None:
    assert house.client.open(house.ack_url(house.sent()[0]), method=method).status_code == 405
    assert house.acknowledger() == ("", "")


def test_what_a_scanner_reads_is_to_be_kept_nowhere(house: House) -> None:
    page = house.client.get(house.ack_url(house.sent()[0]), headers=BROWSER)
    assert page.headers["Cache-Control"] == "no-store"
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert page.headers["Referrer-Policy"] == "no-referrer"


#: attack -> a token made from a genuine one and the id that it stands for
GUESSES: dict[str, Callable[[str, str], str]] = {
    "a random one": lambda _token, id: f"{id}.{secrets.token_urlsafe(12)}",
    "another notification under its signature": lambda token, _: token.replace("-1-1-", "-1-2-"),
    "another escalation under its signature": lambda token, _: token.replace("e-1a", "e-1b"),
    "the last letter changed": lambda token, _: token[:-1] + ("A" if token[-1] != "A" else "B"),
    "its bits inverted": lambda token, _: token[:-16] + token[-16:].swapcase(),
    "in capitals": lambda token, _: token.upper(),
    "no signature": lambda _token, id: id,
    "an empty signature": lambda _token, id: f"{id}.",
    "only the signature": lambda token, _: token.rpartition(".")[2],
    "a letter more": lambda token, _: token + "A",
    "padding": lambda token, _: token + "=",
    "a line end": lambda token, _: token + "%0a",
    "a zero byte": lambda token, _: token + "%00",
    "letters that look alike": lambda token, _: token.replace("e", "е", 1),  # a Cyrillic one
    "wide letters": lambda token, _: token.replace("a", "ａ", 1),
    "signed twice": lambda token, _: f"{token}.{token.rpartition('.')[2]}",
    "for callbacks": lambda _token, id: Signatures(["canary-key-0123456789abcdef012345"]).token("callback", id),
    "by another installation": lambda _token, id: Signatures(["another-key-0123456789abcdef0123"]).token(
        "acknowledge", id
    ),
    "ten thousand letters": lambda token, _: "a" * 10_000 + token,
}


@pytest.mark.parametrize("attack", GUESSES)
def test_a_guessed_token_is_refused_and_tells_nothing(house: House, attack: str) -> None:
    told = house.sent()[0]
    genuine = house.ack_url(told).removeprefix("/ack/")
    guess = GUESSES[attack](genuine, told.id)
    for method in ("GET", "POST"):
        answer = house.client.open(f"/ack/{guess}", method=method)
        assert (answer.status_code, answer.get_json()["error"]) == (403, "bad_token")
        assert "Server outage" not in answer.text
    assert house.acknowledger() == ("", "")


@pytest.mark.parametrize("path", ["../readyz", "..%2freadyz", "%2e%2e/%2e%2e/etc/passwd", "a/b", "//evil.example.com"])
def test_a_token_is_no_path(house: House, path: str) -> None:
    house.sent()
    assert house.client.post(f"/ack/{path}").status_code in (403, 404, 405)
    assert house.acknowledger() == ("", "")


def test_guessers_are_limited_and_the_person_with_the_link_is_not(house: House) -> None:
    link = house.ack_url(house.sent()[0])
    codes = [house.client.post(f"/ack/e-1a-1-1-x.{n:016d}").status_code for n in range(70)]
    assert (set(codes[:60]), set(codes[60:])) == ({403}, {429})
    assert house.client.post(link).status_code == 200


def test_an_expired_link_is_gone(house: House) -> None:
    told = house.sent()[0]
    house.services.store.redis.expire(f"escalator:link:{told.id}", 0)
    assert house.client.post(house.ack_url(told)).status_code == 410
    assert house.acknowledger() == ("", "")


def test_a_link_that_was_used_says_who_was_first_and_changes_nothing(house: House) -> None:
    danas, lees = house.sent()
    house.client.post(house.ack_url(danas))
    before = house.escalation()
    for link in (house.ack_url(danas), house.ack_url(lees)):
        again = house.client.post(link)
        assert (again.status_code, again.get_json()["outcome"]) == (200, "already")
    assert house.escalation() == before


def test_a_link_of_a_former_life_takes_nothing(house: House) -> None:
    """The ticket was closed and opened again: another escalation, and other links."""
    old = house.ack_url(house.sent()[0])
    house.closed()
    assert house.client.post(old).status_code == 410


def test_somebody_elses_link_acknowledges_in_their_name_only(house: House) -> None:
    """A link is personal: who has it acts as the person it was sent to, and can't choose another."""
    lees = next(told for told in house.sent() if told.name == "Lee Adams")
    for body in ({"by": "dana"}, {"contact": "dana", "name": "Dana Reyes"}):
        house.client.post(f"{house.ack_url(lees)}?by=dana", json=body, headers={"X-Remote-User": "dana"})
    assert house.acknowledger() == ("Lee Adams", "link")


def test_a_link_to_another_ticket_acknowledges_that_one_only(house: House) -> None:
    house.sent("42")
    other = house.sent("43")[0]
    house.client.post(house.ack_url(other), json={"ticket": "42", "code": "E-1A"})
    assert (house.acknowledger("42"), house.acknowledger("43")) == (("", ""), ("Dana Reyes", "link"))


def test_a_signed_token_without_a_record_stands_for_nothing(house: House) -> None:
    """Signed by us, but never sent: what it stands for is only in Redis."""
    house.sent()
    never = house.services.signatures.token("acknowledge", "e-1a-1-9-0123456789ab")
    assert house.client.post(f"/ack/{never}").status_code == 410
    assert house.acknowledger() == ("", "")


def test_a_record_of_somebody_who_left_the_config_names_no_stranger(house: House) -> None:
    told = house.sent()[0]
    link = Link(told.id, "42", "E-1A", "gone", "sms", datetime.now(UTC))
    house.services.store.remember_link(link, timedelta(hours=1))
    house.client.post(house.ack_url(told))
    assert house.acknowledger() == ("Dana Reyes", "link")


def test_the_second_button_takes_the_same_token_and_nothing_less(house: House) -> None:
    """`/escalate` behind a link climbs a step; looking at it, or guessing, does nothing."""
    told = house.sent()[0]
    genuine, before = house.ack_url(told), house.escalation()
    for method, status in {"GET": 200, "HEAD": 200, "PUT": 405, "DELETE": 405}.items():
        assert house.client.open(f"{genuine}/escalate", method=method).status_code == status
    for attack, guess in GUESSES.items():
        token = guess(genuine.removeprefix("/ack/"), told.id)
        assert house.client.post(f"/ack/{token}/escalate").status_code in (403, 429), attack
    assert house.escalation() == before
    for _ in range(5):
        assert house.client.post(f"{genuine}/escalate", headers=ELSEWHERE).status_code == 200
    assert [entry for entry in house.history() if "step 2" in entry.lower()] != []
    assert house.escalation().step == before.step + 1


# --- another site, in the browser of somebody who may -----------------------------------------------------------

ELSEWHERE = {
    "Origin": "https://evil.example.com",
    "Referer": "https://evil.example.com/",
    "Sec-Fetch-Site": "cross-site",
}


def test_no_answer_sets_a_cookie_so_that_no_browser_carries_a_right(house: House) -> None:
    link = house.ack_url(house.sent()[0])
    for answer in (
        house.client.get(link, headers=BROWSER),
        house.client.post(link, headers=BROWSER),
        house.client.get(API, headers={"Authorization": f"Bearer {API_TOKEN}"}),
        house.client.get("/readyz"),
    ):
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain", json.dumps({"by": "dana"})),
        ("application/x-www-form-urlencoded", "by=dana"),
        ("application/json", json.dumps({"by": "dana"})),
    ],
)
def test_another_sites_form_can_do_nothing_in_the_api(house: House, content_type: str, body: str) -> None:
    """What a form can send: no Authorization, but any cookie and any password that a browser keeps."""
    house.sent()
    headers = {**ELSEWHERE, "Content-Type": content_type, "Cookie": f"token={API_TOKEN}; session={API_TOKEN}"}
    for act in ("acknowledge", "escalate", "stop"):
        for url in (f"{API}/E-1A/{act}", f"{API}/E-1A/{act}?access_token={API_TOKEN}&token={API_TOKEN}"):
            assert house.client.post(url, data=body, headers=headers).status_code == 401
    assert house.acknowledger() == ("", "")


@pytest.mark.parametrize("path", [API, f"{API}/E-1A/stop", "/callbacks/twilio/sms", "/webhooks/zammad", "/metrics"])
def test_no_other_site_is_allowed_to_ask(house: House, path: str) -> None:
    asks = {**ELSEWHERE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    for answer in (house.client.options(path, headers=asks), house.client.get(path, headers=ELSEWHERE)):
        assert not [name for name, _ in answer.headers if name.lower().startswith("access-control-")]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Frame-Options"] == "DENY"


def test_the_page_can_be_framed_nowhere_and_sends_its_form_to_itself_only(house: House) -> None:
    page = house.client.get(house.ack_url(house.sent()[0]), headers={**BROWSER, **ELSEWHERE})
    policy = page.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} <= set(policy)
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "<script" not in page.text


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host", "Forwarded", "X-Original-URL", "X-Rewrite-URL"])
def test_a_hosts_name_is_not_believed(house: House, header: str) -> None:
    page = house.client.get(house.ack_url(house.sent()[0]), headers={**BROWSER, header: "evil.example.com"})
    assert page.status_code == 200
    assert "evil" not in page.text + str(page.headers)


@pytest.mark.parametrize("password", ["", "wrong", API_TOKEN[:-1], API_TOKEN.upper(), API_TOKEN + "\x00"])
def test_an_api_token_is_all_or_nothing(house: House, password: str) -> None:
    house.sent()
    environ = {"HTTP_AUTHORIZATION": f"Bearer {password}"}
    answer = house.client.post(f"{API}/E-1A/stop", json={"by": "dana"}, environ_overrides=environ)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "path", ["//ack//x.AAAA", "/ack//evil.example.com", "//evil.example.com/", "/ack/x/", "/healthz/"]
)
def test_nobody_is_sent_on_to_anywhere(house: House, path: str) -> None:
    answer = house.client.get(path, headers={"Host": "evil.example.com"})
    assert (answer.status_code, "Location" in answer.headers) == (404, False)
