"""The personal link: a page with a button, and one tap that counts."""

import pytest

from connector.engine.records import Link

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_the_link_shows_the_ticket_and_a_button_and_the_button_acknowledges(world):
    link = world.ack_url(world.sent()[0])
    shown = world.client.get(link, headers=BROWSER)
    assert shown.status_code == 200
    for words in ("Ticket 50042", "Server outage", "texts", "Dana Reyes", '<form method="post"', "I take it"):
        assert words in shown.text
    taken = world.client.post(link, headers=BROWSER)
    assert (taken.status_code, world.acknowledger()) == (200, ("Dana Reyes", "link"))
    assert "acknowledged by Dana Reyes" in taken.text
    assert "<form" not in taken.text


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
    assert "Already acknowledged by Dana Reyes" in page.text
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
    assert "take this ticket in the helpdesk" in page.text
    assert "<form" not in page.text
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
