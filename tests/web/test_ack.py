"""The personal link: a page with a button, and one tap that counts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import redis

from connector.core.escalation import State
from connector.engine.answering import Answers
from connector.engine.keys import case_key
from connector.engine.records import Link, encode

from .conftest import DANA

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_the_link_shows_the_ticket_and_a_button_and_the_button_acknowledges(world):
    link = world.ack_url(world.sent()[0])
    shown = world.client.get(link, headers=BROWSER)
    assert shown.status_code == 200
    for words in ("Ticket 50042", "Server outage", "texts", "Dana Reyes", '<form method="post"', "I take it"):
        assert words in shown.text
    taken = world.client.post(link, headers=BROWSER)
    assert (taken.status_code, world.acknowledger()) == (200, ("Dana Reyes", "link"))
    assert "E-1A, ticket 50042: acknowledged by Dana Reyes." in taken.text
    assert "<form" not in taken.text


def test_the_page_tells_who_was_told_and_what_comes_next(world):
    told = world.sent()
    for each, status in zip(told, ("delivered", "undelivered"), strict=True):
        form = {"MessageSid": each.provider_id, "MessageStatus": status, "To": DANA}
        world.call_back("status", form, each.id)
    page = world.client.get(world.ack_url(told[0]), headers=BROWSER).text
    due = world.escalation().due_at
    assert "SMS to Dana Reyes: delivered" in page
    assert "SMS to Lee Adams: undelivered" in page
    assert f"At {due:%H:%M}: SMS to Dana Reyes, unless somebody takes the ticket." in page
    assert "Times: UTC." in page


def test_escalate_now_brings_the_next_step_once_however_often_it_is_tapped(world):
    link = world.ack_url(world.sent()[0])
    assert f'action="{link.removeprefix("/ack/")}/escalate"' in world.client.get(link, headers=BROWSER).text
    assert world.client.get(f"{link}/escalate", headers=BROWSER).status_code == 200
    assert world.escalation().step == 1
    answer = world.client.post(f"{link}/escalate", headers=BROWSER)
    assert (answer.status_code, world.escalation().step) == (200, 2)
    assert "the next step comes now" in answer.text
    assert f'action="..{link.removeprefix("/ack")}"' in answer.text
    assert world.client.post(f"{link}/escalate", headers=BROWSER).status_code == 200
    assert (world.escalation().step, world.acknowledger()) == (2, ("", ""))


def test_who_is_asked_whether_they_are_still_on_it_finds_a_yes_behind_their_link(world):
    dana, lee = map(world.ack_url, world.sent())
    world.client.post(dana)
    asked_at = datetime.now(UTC)
    case = world.case()
    asked = replace(case.escalation, asked_at=asked_at, due_at=asked_at + timedelta(minutes=15))
    world.services.redis.set(case_key("42"), encode(replace(case, escalation=asked)))

    page = world.client.get(dana, headers=BROWSER).text
    assert "Yes, still on it" in page
    assert "I take it" not in page
    assert "Yes, still on it" not in world.client.get(lee, headers=BROWSER).text
    answer = world.client.post(dana, headers=BROWSER)
    assert "E-1A, ticket 50042: acknowledged by Dana Reyes." in answer.text
    assert "Yes, still on it" not in answer.text
    assert world.escalation().asked_at is None


def test_snooze_takes_it_for_half_an_hour_and_then_it_goes_on(world):
    link = world.ack_url(world.sent()[0])
    assert "I take it for 30 minutes" in world.client.get(link, headers=BROWSER).text
    assert "I take it" in world.client.get(f"{link}/snooze", headers=BROWSER).text
    assert world.acknowledger() == ("", "")
    answer = world.client.post(f"{link}/snooze", headers=BROWSER)
    until = world.escalation().held_until
    assert f"E-1A, ticket 50042: put off until {until:%H:%M} by Dana Reyes." in answer.text
    assert (world.escalation().state, world.acknowledger()) == (State.HELD, ("Dana Reyes", "link"))
    assert timedelta(minutes=29) < until - datetime.now(UTC) <= timedelta(minutes=30)
    assert f"At {until:%H:%M} it goes on if the ticket is still open." in answer.text
    assert world.client.post(f"{link}/snooze", headers=BROWSER).status_code == 200
    assert world.escalation().held_until == until


@pytest.mark.parametrize(("button", "state"), [("snooze", State.HELD), ("escalate", State.RUNNING)])
def test_a_tap_that_failed_is_no_first_one(world, monkeypatch, button, state):
    link = world.ack_url(world.sent()[0])

    def lost(*_):
        raise redis.ConnectionError("Connection refused.")

    with monkeypatch.context() as away:
        away.setattr(world.services.store, "commit", lost)
        assert world.client.post(f"{link}/{button}").status_code == 503
    answer = world.client.post(f"{link}/{button}")
    assert (answer.status_code, answer.json["outcome"], world.escalation().state) == (200, "done", state)


def test_what_somebody_else_has_is_not_put_off(world):
    link = world.ack_url(world.sent()[0])
    world.taken_in_the_helpdesk()
    assert "already acknowledged by Alice Agent" in world.client.post(f"{link}/snooze").json["message"]
    assert world.escalation().state is State.ACKNOWLEDGED


def test_escalating_takes_nothing_from_who_has_it(world):
    link = world.ack_url(world.sent()[0])
    world.taken_in_the_helpdesk()
    answer = world.client.post(f"{link}/escalate")
    assert (answer.json["outcome"], world.escalation().step) == ("already", 1)


@pytest.mark.parametrize("button", ["", "/snooze", "/escalate"])
def test_no_button_of_an_old_page_revives_what_was_stopped(world, button):
    link = world.ack_url(world.sent()[0])
    answers = Answers(world.services.engine)
    answers.stop("E-1A", answers.who("lee"))
    answer = world.client.post(link + button)
    assert (answer.status_code, answer.json["message"]) == (410, "E-1A, ticket 50042: it was stopped by Lee Adams.")
    assert world.escalation().state is State.CANCELLED


def test_the_link_of_a_message_about_several_shows_and_takes_them_all(world):
    link = world.ack_url(world.sent_together("42", "43", "44"))
    page = world.client.get(link, headers=BROWSER).text
    for words in ("3 tickets", "50042", "50043", "50044", "I take all 3", "Escalate all now"):
        assert words in page
    assert [world.acknowledger(id) for id in ("42", "43", "44")] == [("", "")] * 3
    answer = world.client.post(link)
    assert (answer.status_code, answer.json["outcome"], len(answer.json["also"])) == (200, "done", 2)
    assert [world.acknowledger(id) for id in ("42", "43", "44")] == [("Dana Reyes", "link")] * 3
    assert "acknowledged by Dana Reyes" in answer.json["message"]


def test_of_several_those_that_are_over_leave_the_others_to_be_taken(world):
    link = world.ack_url(world.sent_together("42", "43"))
    world.closed("42")
    page = world.client.get(link, headers=BROWSER)
    assert (page.status_code, "50043" in page.text, "I take it" in page.text) == (200, True, True)
    assert world.client.post(link).json["outcome"] == "done"
    assert world.acknowledger("43") == ("Dana Reyes", "link")
    world.closed("43")
    assert world.client.get(link).status_code == 410


def test_the_page_speaks_the_persons_language(build_world):
    world = build_world({"name: Dana Reyes,": "name: Dana Reyes, language: de, timezone: Europe/Berlin,"})
    danas, lees = world.sent()
    page = world.client.get(world.ack_url(danas), headers=BROWSER).text
    for words in ('<html lang="de">', "Ich übernehme", "Noch von niemandem übernommen.", "Jetzt eskalieren"):
        assert words in page
    assert 'lang="en"' in world.client.get(world.ack_url(lees), headers=BROWSER).text
    taken = world.client.post(world.ack_url(danas), headers=BROWSER)
    assert "E-1A, Ticket 50042: übernommen von Dana Reyes." in taken.text


def test_the_page_says_in_the_persons_language_what_became_of_it(build_world):
    world = build_world({"name: Dana Reyes,": "name: Dana Reyes, language: de,"})
    danas, lees = world.sent()
    for each, status, error in ((danas, "delivered", ""), (lees, "undelivered", "30003")):
        form = {"MessageSid": each.provider_id, "MessageStatus": status, "ErrorCode": error, "To": DANA}
        world.call_back("status", form, each.id)
    page = world.client.get(world.ack_url(danas), headers=BROWSER).text
    assert "SMS an Dana Reyes: zugestellt" in page
    assert "SMS an Lee Adams: nicht zugestellt (Das Telefon war nicht zu erreichen)" in page


def test_an_admins_own_page_is_shown_and_a_broken_one_is_not(build_world, tmp_path):
    own = tmp_path / "texts/en/page/ticket.html"
    own.parent.mkdir(parents=True)
    own.write_text("<p>Our own page for {{ tickets[0].number }}: {{ tickets[0].title }}</p>")
    world = build_world({"service:": "service:\n  texts: texts"})
    link = world.ack_url(world.sent(title="<b>Server</b>")[0])
    assert world.client.get(link, headers=BROWSER).text == "<p>Our own page for 50042: &lt;b&gt;Server&lt;/b&gt;</p>"
    own.write_text("{{ nobody_knows_this }}")
    again = build_world({"service:": "service:\n  texts: texts"})
    assert "I take it" in again.client.get(link, headers=BROWSER).text


def test_looking_never_acknowledges(world):
    link = world.ack_url(world.sent()[0])
    prefetch = {"Sec-Purpose": "prefetch", "Purpose": "prefetch"}
    for method in ("get", "head", "options"):
        for headers in (BROWSER, {}, {"Accept": "application/json"}, prefetch):
            assert getattr(world.client, method)(link, headers=headers).status_code == 200
    assert world.acknowledger() == ("", "")


@pytest.mark.parametrize(
    "sends",
    [{}, {"json": {}}, {"data": "button=", "content_type": "application/x-www-form-urlencoded"}, {"data": b"\xff\x00"}],
    ids=["bare", "json", "form", "bytes"],
)
def test_a_machine_gets_json_whatever_it_posts(world, sends):
    answer = world.client.post(world.ack_url(world.sent()[0]), **sends)
    assert answer.status_code == 200
    assert answer.json["outcome"] == "done"
    assert answer.json["acknowledged"]["by"] == "Dana Reyes"
    assert (answer.json["code"], answer.json["state"]) == ("E-1A", "acknowledged")


def test_a_second_person_is_told_who_was_first(world):
    danas, lees = world.sent()
    world.client.post(world.ack_url(danas))
    for link in (world.ack_url(lees), world.ack_url(danas)):
        again = world.client.post(link)
        assert (again.status_code, again.json["outcome"]) == (200, "already")
        assert "already acknowledged by Dana Reyes" in again.json["message"]
    page = world.client.get(world.ack_url(lees), headers=BROWSER)
    assert "Taken by Dana Reyes." in page.text
    assert "<form" not in page.text
    assert world.acknowledger() == ("Dana Reyes", "link")


def test_who_took_it_in_the_helpdesk_was_first_too(world):
    link = world.ack_url(world.sent()[0])
    world.taken_in_the_helpdesk()
    assert "already acknowledged by Alice Agent" in world.client.post(link).json["message"]


def test_a_forged_cut_or_other_purposes_token_is_refused(world):
    notification = world.sent()[0]
    good = world.ack_url(notification)
    callback = world.services.signatures.token("callback", notification.id)
    for link in (good[:-1], good + "A", f"/ack/{notification.id}", f"/ack/{callback}", "/ack/%00", "/ack/é.é"):
        for method in ("get", "post"):
            answer = getattr(world.client, method)(link)
            assert (answer.status_code, answer.json["error"]) == (403, "bad_token")
    assert world.acknowledger() == ("", "")


def test_an_expired_link_or_an_ended_escalation_is_gone(world):
    danas, lees = world.sent()
    world.services.redis.delete(f"escalator:link:{danas.id}")
    assert world.client.post(world.ack_url(danas)).status_code == 410
    world.closed()
    answer = world.client.post(world.ack_url(lees))
    assert (answer.status_code, answer.json["error"]) == (410, "gone")
    page = world.client.get(world.ack_url(lees), headers=BROWSER)
    assert (page.status_code, "<form" in page.text) == (410, False)


def test_a_link_lives_for_24_hours(world):
    notification = world.sent()[0]
    left = world.services.redis.ttl(f"escalator:link:{notification.id}")
    assert 24 * 3600 - 60 < left <= 24 * 3600


def test_a_token_for_several_contacts_acknowledges_in_the_channels_name(world):
    shared = world.sent()[0]
    link = Link("e-1a-everybody", "42", "E-1A", "*", "pager", shared.sent_at)
    world.services.store.remember_link(link, world.services.settings.service.links_valid)
    token = world.services.signatures.token("acknowledge", link.id)
    assert world.client.post(f"/ack/{token}").json["acknowledged"]["by"] == "pager"


def test_a_plan_that_leaves_out_outside_refuses_and_says_what_to_do(world):
    link = world.ack_url(world.sent(priority="1 low")[0])
    answer = world.client.post(link)
    assert (answer.status_code, answer.json["error"]) == (409, "refused")
    assert "plan inside asks to take it in the helpdesk itself" in answer.json["message"]
    page = world.client.get(link, headers=BROWSER)
    assert "To be taken in the helpdesk itself." in page.text
    assert "I take it" not in page.text
    assert world.acknowledger() == ("", "")


def test_a_hostile_title_stays_text(world):
    link = world.ack_url(world.sent(title="<script>alert(1)</script>\"'{{7*7}}")[0])
    page = world.client.get(link, headers=BROWSER).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;{{7*7}}" in page
    assert "<script" not in page


def test_the_page_is_kept_nowhere_framed_nowhere_and_loads_nothing(world):
    page = world.client.get(world.ack_url(world.sent()[0]), headers=BROWSER)
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert '<meta name="viewport" content="width=device-width' in page.text


def test_without_a_public_url_there_are_no_links(build_world):
    world = build_world({'  public_url: "https://escalator.example.com"\n': ""})
    token = world.services.signatures.token("acknowledge", "e-1a-1-1-abc")
    assert world.client.get(f"/ack/{token}").status_code == 404


def test_guessing_is_limited_and_an_office_behind_one_address_is_not(world):
    link = world.ack_url(world.sent()[0])
    guesses = [world.client.post("/ack/e-1a.AAAA").status_code for _ in range(61)]
    assert (guesses[:60], guesses[60]) == ([403] * 60, 429)
    limited = world.client.get("/ack/e-1a.AAAA")
    assert (limited.status_code, limited.json["error"]) == (429, "too_many_requests")
    assert limited.headers["Retry-After"] == "60"
    assert world.client.post(link).status_code == 200


def test_a_forwarded_address_is_not_believed(world):
    codes = [
        world.client.get("/ack/e-1a.AAAA", headers={"X-Forwarded-For": f"192.0.2.{n}"}).status_code for n in range(61)
    ]
    assert codes[-1] == 429
