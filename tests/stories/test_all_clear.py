"""When somebody has it, those who were told hear of it quietly, and a ringing phone stops."""

import requests

from .plans import DANA
from .world import World, eventually


def test_a_quiet_push_takes_the_place_of_the_loud_one_and_no_text_follows(world: World) -> None:
    ticket = world.ticket("everyway")
    world.running(ticket)
    world.desk.take(ticket, by=world.desk.bob)
    loud, quiet = eventually(lambda: world.pushes(ticket)[1:] and world.pushes(ticket), what="an all-clear")
    assert loud.headers["apns-collapse-id"] == quiet.headers["apns-collapse-id"]
    assert loud.payload["aps"]["interruption-level"] == "time-sensitive"
    assert quiet.payload["aps"].get("interruption-level") == "passive"
    assert "Bob Builder has it" in str(quiet.payload)
    assert len(world.texts(ticket, DANA)) == 1
    assert len(world.mails(ticket)) == 1


def test_who_took_it_needs_no_all_clear(world: World) -> None:
    mine, bobs = world.ticket("everyway"), world.ticket("everyway")
    world.running(mine, bobs)
    world.desk.take(mine, by=world.desk.alice)
    world.note(mine, "acknowledged by Alice Agent")
    world.desk.take(bobs, by=world.desk.bob)
    eventually(lambda: len(world.pushes(bobs)) == 2, what="the all-clear of the other one")
    assert len(world.pushes(mine)) == 1


def test_who_has_it_and_does_nothing_is_asked_quietly_and_one_tap_says_yes(world: World) -> None:
    ticket = world.ticket("attended")
    world.running(ticket)
    first = eventually(lambda: world.pushes(ticket), what="a push")[0]
    assert requests.post(first.payload["escalation"]["acknowledge"]["url"], timeout=10).status_code == 200
    asked = eventually(lambda: world.pushes(ticket)[1:], what="the question on the phone")[0]
    assert asked.payload["escalation"]["purpose"] == "still-on-it"
    assert "sound" not in asked.payload["aps"]
    world.note(ticket, "Dana Reyes, still on it?")
    answer = requests.post(asked.payload["escalation"]["acknowledge"]["url"], timeout=10)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "done")
    eventually(lambda: world.pushes(ticket)[2:], what="the next question, when nothing was done again")
    assert world.shown(ticket)["state"] == "acknowledged"
    world.desk.close(ticket, by=world.desk.alice)


def test_a_ringing_call_is_hung_up(world: World) -> None:
    twilio = world.providers.twilio
    twilio.pace = 20.0
    try:
        ticket = world.ticket("ringing")
        eventually(lambda: [call for call in world.calls(ticket) if call.status == "ringing"], what="a ringing phone")
        world.desk.take(ticket, by=world.desk.bob)
        eventually(lambda: world.calls(ticket)[0].status == "canceled", what="silence")
    finally:
        twilio.pace = 0.02
    world.note(ticket, "acknowledged by Bob Builder")
