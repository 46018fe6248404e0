"""Doing the ticket's work is the acknowledgement, and so is one word, key or tap from outside (the table: ways.py)."""

from datetime import datetime

import pytest

from .figures import BUSY, COLUMNS, Figure, table
from .watched import KIM
from .ways import FROM_OUTSIDE, IN_ZAMMAD, WAYS, Played, Way
from .world import World, eventually


def arrived(world: World, played: Played, what: str) -> datetime:
    """When the helpdesk began to send word of it, or the answer came in."""
    if what in IN_ZAMMAD:
        return world.webhook_sent(played.tickets[what], played.acted[what])
    if what == "key 1 in the call":
        return next(
            one.at for one in world.providers.twilio.callbacks if "Digits" in one.params and one.params["To"] == KIM
        )
    return played.acted[what]


def tags_are(world: World, ticket: str, way: Way) -> None:
    """Waits until the ticket's tags are as this way leaves them."""
    wanted = [way.tag] * bool(way.tag)
    eventually(lambda: world.desk.tags(ticket) == wanted, what=f"only {wanted}")


def figure(world: World, played: Played, what: str) -> Figure:
    ticket, tag = played.tickets[what], WAYS[what].tag
    note = next(one for one in world.desk.notes(ticket) if "acknowledged by" in one["body"] or "closed" in one["body"])
    kind, name = ("added", tag) if tag else ("removed", "escalation-running")
    lines = [one for one in world.desk.history(ticket) if one.get("attribute") == "tag" and one["type"] == kind]
    shown = next(one["created_at"] for one in lines if name in (one["value_from"], one["value_to"]))
    moments = (datetime.fromisoformat(at) for at in (note["created_at"], shown))
    return Figure(arrived(world, played, what), played.recorded[what], *moments)


@pytest.mark.parametrize("what", WAYS)
def test_the_plan_stops_and_the_note_and_the_history_say_who_has_it_and_how(
    world: World, played: Played, what: str
) -> None:
    ticket, way = played.tickets[what], WAYS[what]
    said = f"cknowledged by {way.who} ({way.how})"
    assert said in world.note(ticket, "closed" if what == "closes it" else "acknowledged by")
    stands = world.shown(ticket)
    assert stands["acknowledged"]["by"] == way.who
    assert stands["state"] == {"escalation-snoozed": "held", "": "resolved"}.get(way.tag, "acknowledged")
    [entry] = [entry for entry in stands["history"] if entry["kind"] in ("acknowledged", "resolved")]
    assert f"by {way.who}" in entry["text"]


@pytest.mark.parametrize("what", WAYS)
def test_the_lists_show_it(world: World, played: Played, what: str) -> None:
    tags_are(world, played.tickets[what], WAYS[what])


@pytest.mark.parametrize("what", [what for what, way in FROM_OUTSIDE.items() if way.who != "Kim Keys"])
def test_whoever_answers_from_outside_owns_the_ticket_then(world: World, played: Played, what: str) -> None:
    owner = {"Dana Reyes": world.desk.alice, "Bob Builder": world.desk.bob}[WAYS[what].who]
    eventually(lambda: world.desk.ticket(played.tickets[what])["owner"] == owner.login, what="the owner")


def test_nothing_more_is_sent_after_any_of_them(world: World, played: Played) -> None:
    world.note(played.tickets["nothing"], "step 2 of 2")
    later = [what for what in (*WAYS, "nothing") if world.has(played.tickets[what], "step 2 of 2")]
    assert later == ["nothing"]
    assert [what for what in (*WAYS, "nothing") if len(world.mails(played.tickets[what])) > 1] == ["nothing"]


def test_it_takes_a_moment(world: World, played: Played) -> None:
    for what, way in WAYS.items():
        tags_are(world, played.tickets[what], way)
    seconds = {what: figure(world, played, what).seconds for what in WAYS}
    print(table("Zammad: seconds from the webhook, or the answer", COLUMNS, seconds))
    assert [what for what in WAYS if max(seconds[what]) > BUSY] == []
