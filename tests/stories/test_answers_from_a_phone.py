"""One tap, one key or one word does it from outside the helpdesk; the first wins, and a second person is told who."""

import pytest
import requests

from .plans import RITA
from .world import World, eventually


@pytest.fixture(scope="module")
def tickets(world: World) -> dict[str, str]:
    """Tickets that were pushed, texted, mailed and posted to Dana, who stands in while nobody owns them."""
    found = {way: world.ticket("everyway") for way in ("link", "push", "document", "API", "ended")}
    world.running(*found.values())
    return found


def test_the_button_behind_the_link_takes_it_and_makes_the_contact_the_owner(
    world: World, tickets: dict[str, str]
) -> None:
    ticket, link = tickets["link"], world.link(tickets["link"])
    page = requests.get(link, headers={"Accept": "text/html"}, timeout=10)
    assert "Server outage" in page.text
    assert requests.post(link, timeout=10).json()["acknowledged"]["by"] == "Dana Reyes"
    world.note(ticket, "acknowledged by Dana Reyes (link)")
    assert eventually(lambda: world.desk.ticket(ticket)["owner"] == world.desk.alice.login, what="the owner")
    again = requests.post(link, timeout=10)
    assert (again.status_code, "already acknowledged by Dana Reyes" in again.json()["message"]) == (200, True)


def test_the_push_s_button_posts_to_the_url_in_its_payload(world: World, tickets: dict[str, str]) -> None:
    (push,) = world.pushes(tickets["push"])
    requests.post(push.payload["escalation"]["acknowledge"]["url"], timeout=10).raise_for_status()
    world.note(tickets["push"], "acknowledged by Dana Reyes (push)")


def test_a_program_that_got_the_document_acknowledges_through_the_url_in_it(
    world: World, tickets: dict[str, str]
) -> None:
    (post,) = world.posts(tickets["document"])
    assert post.genuine
    requests.post(post.document["data"]["acknowledge"]["url"], timeout=10).raise_for_status()
    world.note(tickets["document"], "acknowledged by Dana Reyes (link)")


def test_another_system_names_who_has_it(world: World, tickets: dict[str, str]) -> None:
    code = world.code(tickets["API"])
    assert world.api(f"/{code}/acknowledge").status_code == 422
    assert world.api(f"/{code}/acknowledge", by="bob").json()["acknowledged"]["by"] == "Bob Builder"
    world.note(tickets["API"], "acknowledged by Bob Builder (API)")
    second = requests.post(world.link(tickets["API"]), timeout=10)
    assert "already acknowledged by Bob Builder" in second.json()["message"]


def test_a_link_doesn_t_outlive_its_escalation_and_can_t_be_made_up(world: World, tickets: dict[str, str]) -> None:
    link = world.link(tickets["ended"])
    world.desk.close(tickets["ended"], by=world.desk.alice)
    world.note(tickets["ended"], "closed")
    assert requests.post(link, timeout=10).status_code == 410
    assert requests.post(link[:-1] + ("A" if link[-1] != "A" else "B"), timeout=10).status_code == 403


def test_replying_1_to_the_only_text_takes_it_and_is_answered(world: World) -> None:
    world.providers.twilio.on_sms(RITA).reply("1").deliver()
    ticket = world.ticket("texted")
    note = world.note(ticket, "acknowledged by Rita Ready (SMS)")
    assert "after it began" in note
    answer = eventually(lambda: world.answers(RITA), what="an answer")[0]
    assert answer.endswith("acknowledged by Rita Ready.")
    assert world.desk.ticket(ticket)["owner"] == "-"  # Rita has no login, so she can't be the owner


def test_with_two_texts_open_1_is_answered_with_the_codes_and_a_code_takes_its_own(world: World) -> None:
    one, other = world.ticket("texted"), world.ticket("texted")
    world.running(one, other)
    before = len(world.answers(RITA))
    world.providers.twilio.text_from(RITA, "1")
    asked = eventually(lambda: world.answers(RITA)[before:], what="an answer")[0]
    assert world.code(one) in asked
    assert world.code(other) in asked
    world.providers.twilio.text_from(RITA, world.code(one).lower().removeprefix("e-"))
    world.note(one, "acknowledged by Rita Ready (SMS)")
    assert not world.has(other, "acknowledged")
    world.providers.twilio.text_from(RITA, "all")
    world.note(other, "acknowledged by Rita Ready (SMS)")


def test_key_5_tells_more_and_key_1_takes_it(world: World) -> None:
    world.providers.twilio.on_call(RITA).press("5", "1")
    ticket = world.ticket("called")
    world.note(ticket, "acknowledged by Rita Ready (phone call)")
    (call,) = world.calls(ticket)
    until_key_5 = call.said.index(next(words for words in call.said if "Server outage" in words))
    assert until_key_5 > 0
    assert "acknowledged by Rita Ready" in " ".join(call.said)


def test_key_2_brings_the_next_step_now(world: World) -> None:
    world.providers.twilio.on_call(RITA).press("2")
    ticket = world.ticket("called")
    world.note(ticket, "step 2 of 2")
    assert [mail.to for mail in world.mails(ticket)] == [("rita@example.com",)]
