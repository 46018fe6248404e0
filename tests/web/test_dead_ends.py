"""Where a link leads nowhere, a person gets a page that says what to do; a machine gets the same as JSON."""

from datetime import UTC, datetime, timedelta

import pytest
from redis.exceptions import ConnectionError as NoRedis

from .conftest import NOWHERE

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_a_cut_link_is_said_to_be_one(world):
    link = world.ack_url(world.sent()[0])
    page = world.client.get(link[:-1], headers=BROWSER)
    assert (page.status_code, page.mimetype) == (403, "text/html")
    for words in (
        "<h1>This link doesn&#39;t work</h1>",
        "Please tap the link in the message itself.",
        f'href="{NOWHERE}"',
    ):
        assert words in page.text
    assert world.client.get(link[:-1]).json["error"] == "bad_token"


def test_an_old_link_doesnt_say_that_nothing_is_to_be_done(world):
    told = world.sent()[0]
    world.services.redis.delete(f"escalator:link:{told.id}")
    for method in ("get", "post"):
        page = getattr(world.client, method)(world.ack_url(told), headers=BROWSER)
        assert page.status_code == 410
        assert "<h1>This link has expired</h1>" in page.text
        assert "The helpdesk says whether the ticket still needs you." in page.text


def test_what_is_over_is_named(world):
    link = world.ack_url(world.sent(title="<b>Server</b> outage")[0])
    world.closed()
    looked, tapped = world.client.get(link, headers=BROWSER), world.client.post(link, headers=BROWSER)
    for page in (looked, tapped):
        assert page.status_code == 410
        assert "<h1>It is over</h1>" in page.text
        assert "50042 &lt;b&gt;Server&lt;/b&gt; outage" in page.text
    assert "E-1A, ticket 50042: it is over." in tapped.text


def test_a_private_title_stays_inside(build_world):
    world = build_world({"service:": "service:\n  privacy: [{when: {group: Network}, show: number}]"})
    link = world.ack_url(world.sent(title="Salary of Eve")[0])
    world.closed()
    page = world.client.get(link, headers=BROWSER).text
    assert "50042" in page
    assert "Salary" not in page


def test_after_too_many_bad_links_a_person_is_asked_to_wait(world):
    for _ in range(60):
        world.client.get("/ack/e-1a.AAAA", headers=BROWSER)
    page = world.client.get("/ack/e-1a.AAAA", headers=BROWSER)
    assert (page.status_code, page.headers["Retry-After"]) == (429, "60")
    assert "<h1>Please wait a minute</h1>" in page.text


@pytest.mark.parametrize("method", ["get", "post"])
def test_while_the_store_is_away_the_same_can_be_asked_again(world, monkeypatch, method):
    link = world.ack_url(world.sent()[0])

    def away(*_):
        raise NoRedis

    monkeypatch.setattr(type(world.services.store), "link", away)
    page = getattr(world.client, method)(link, headers=BROWSER)
    assert page.status_code == 503
    assert "<h1>That didn&#39;t work</h1>" in page.text
    assert f'<form method="{method}"><button' in page.text
    assert "form-action 'self'" in page.headers["Content-Security-Policy"]
    assert getattr(world.client, method)(link).json["error"] == "store_away"


def test_without_any_store_it_is_said_in_english(world):
    def away():
        raise NoRedis

    world.app.config["SERVICES"] = away
    page = world.client.get("/ack/e-1a.AAAA", headers=BROWSER)
    assert (page.status_code, '<html lang="en">' in page.text) == (503, True)


def test_where_nobody_is_known_the_services_language_is_spoken(build_world):
    world = build_world({"service:": "service:\n  language: de"})
    page = world.client.get("/ack/e-1a.AAAA", headers=BROWSER).text
    assert '<html lang="de">' in page
    assert "<h1>Dieser Link geht nicht</h1>" in page


def test_a_cut_pairing_link_gets_the_same_page(build_world):
    key = "q83vEjRWeJASNFZ4kBI0VniQEjRWeJASNFZ4kBI0Vng"
    world = build_world(
        {"  phone: {from:": f"  webpush: {{subject: 'mailto:a@example.com', private_key: {key}}}\n  phone: {{from:"}
    )
    page = world.client.get("/pair/e-1a.AAAA", headers=BROWSER)
    assert (page.status_code, "<h1>This link doesn&#39;t work</h1>" in page.text) == (403, True)


def test_who_has_it_reads_so_and_who_does_not_may_sleep_on(world):
    danas, lees = map(world.ack_url, world.sent())
    taken = world.client.post(danas, headers=BROWSER).text
    assert "You have it." in taken
    assert "There is nothing that you need to do." not in taken
    other = world.client.get(lees, headers=BROWSER).text
    assert "Taken by Dana Reyes." in other
    assert "There is nothing that you need to do." in other


def test_who_took_it_inside_the_helpdesk_is_known_again_by_login(build_world):
    world = build_world({"login: dana@example.com": "login: alice@example.com"})
    link = world.ack_url(world.sent()[0])
    world.taken_in_the_helpdesk(name="Alice Agent")
    assert "You have it." in world.client.get(link, headers=BROWSER).text


def test_who_put_it_off_reads_until_when(world):
    link = world.ack_url(world.sent()[0])
    world.client.post(f"{link}/snooze", headers=BROWSER)
    until = world.escalation().held_until
    assert until - datetime.now(UTC) > timedelta(minutes=28)
    assert f"You have it until {until:%H:%M}." in world.client.get(link, headers=BROWSER).text


def test_the_button_says_whom_escalating_calls(world):
    page = world.client.get(world.ack_url(world.sent()[0]), headers=BROWSER).text
    assert "Escalate now <small>SMS to Dana Reyes</small></button>" in page


def test_numbers_are_no_telephone_numbers_and_a_long_title_stands_below_in_full(world):
    title = "Nothing works any more " * 9
    page = world.client.get(world.ack_url(world.sent(title=title.strip())[0]), headers=BROWSER).text
    assert '<meta name="format-detection" content="telephone=no">' in page
    assert f"<dt>Title</dt><dd>{title.strip()}</dd>" in page
