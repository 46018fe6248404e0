"""Ceilings and providers that are away: nobody is told too often, and no provider is hammered."""

from dataclasses import replace
from datetime import timedelta

import pytest
from redis import Redis

from connector.core.escalation import Stage
from connector.core.plan import Policy, Step
from connector.engine.numbers import texted
from connector.engine.outgoing import Due
from connector.engine.pacing import HOUR, PROBE, TRIES, Pacing
from connector.errors import Undelivered

from .conftest import DANA, LEE, MAJOR, MINUTE, World
from .fakes import Channel

LIMIT = 3


@pytest.fixture
def world(redis: Redis) -> World:
    """Three pushes an hour; each ticket has a message of its own."""
    return World(redis, pacing=Pacing(timedelta(0), {"push": LIMIT}))


def _escalates(world: World, *ids: int) -> None:
    for id in ids:
        world.escalating(str(id))
        world.sends()


def test_so_many_messages_an_hour_go_to_one_person_by_one_way(world: World) -> None:
    _escalates(world, 42, 43, 44, 45)
    assert [message.ticket_id for message in world.channels["push"].sent] == ["42", "43", "44"]
    assert world.one("push", "45").outcome == "not sent: more than 3 pushes an hour"


def test_the_message_that_reaches_the_ceiling_says_until_when_it_is_the_last_one(world: World) -> None:
    began = world.clock.now()
    _escalates(world, 42, 43, 44)
    *others, last = world.channels["push"].sent
    assert [message.rests_until for message in others] == [None, None]
    assert last.rests_until is not None
    assert timedelta(0) <= last.rests_until - began - timedelta(seconds=HOUR) < timedelta(minutes=1)


def test_the_other_way_starts_and_the_ladder_does_not_move(world: World) -> None:
    _escalates(world, 42, 43, 44)
    world.escalating("45")
    due_at = world.escalation("45").due_at
    world.sends()
    world.sends()
    assert [message.ticket_id for message in world.channels["sms"].sent] == ["45"]
    assert world.escalation("45").due_at == due_at
    assert not world.one("push", "45").permanent


def test_after_an_hour_somebody_is_told_again(world: World) -> None:
    _escalates(world, 42, 43, 44, 45)
    world.clock.passes(minutes=61)
    _escalates(world, 46)
    assert [message.ticket_id for message in world.channels["push"].sent][-1] == "46"


def test_what_did_not_go_out_does_not_count(world: World) -> None:
    push = world.channels["push"]
    push.trouble = Undelivered("no such device", permanent=True)
    _escalates(world, 42, 43, 44)
    push.trouble = None
    _escalates(world, 45, 46, 47)
    assert len(push.sent) == LIMIT


def test_one_message_about_many_tickets_counts_once(redis: Redis) -> None:
    world = World(redis, pacing=Pacing(limits={"push": 1}))
    for id in ("42", "43", "44"):
        world.escalating(id)
    world.sends()
    [message] = world.channels["push"].sent
    assert (message.count, message.rests_until is not None) == (3, True)
    world.escalating("45")
    world.clock.passes(seconds=6)
    world.sends()
    assert world.one("push", "45").outcome == "not sent: more than 1 pushes an hour"


@pytest.mark.parametrize(
    ("point", "told"), [("sending composed", ["43", "44", "45"]), ("pace entered", ["43", "44", "42"])]
)
def test_a_dead_senders_message_counts_once_and_keeps_within_the_ceiling(
    world: World, monkeypatch: pytest.MonkeyPatch, point: str, told: list[str]
) -> None:
    def dies(reached: str) -> None:
        if reached == point:
            raise SystemExit

    world.escalating("42")
    monkeypatch.setattr("connector.engine.tries.reached", dies)
    with pytest.raises(SystemExit):
        world.sends()
    monkeypatch.undo()
    _escalates(world, 43, 44, 45)
    world.clock.passes(seconds=32)
    world.sends()
    assert [message.ticket_id for message in world.channels["push"].sent] == told
    refused = next(id for id in ("42", "45") if id not in told)
    assert world.one("push", refused).outcome == "not sent: more than 3 pushes an hour"
    assert sum(message.rests_until is not None for message in world.channels["push"].sent) == 1


def test_a_text_over_the_ceiling_is_none_that_a_reply_can_mean(redis: Redis) -> None:
    texts = replace(MAJOR, steps=(Step(("owner",), ("sms",)),))
    world = World(redis, Policy({"major": texts}, (), {"3 high": "major"}), pacing=Pacing(timedelta(0), {"sms": 1}))
    _escalates(world, 42, 43)
    assert [message.ticket_id for message in world.channels["sms"].sent] == ["42"]
    assert [one.code for one in texted(redis, DANA.mobile)] == ["E-1A"]


def test_a_text_that_reached_nobody_leaves_what_was_texted_before(redis: Redis) -> None:
    again = replace(MAJOR, steps=(Step(("owner",), ("sms",)), Step(("owner",), ("sms",), after=MINUTE)))
    world = World(redis, Policy({"major": again}, (), {"3 high": "major"}))
    _escalates(world, 42)
    world.channels["sms"].trouble = Undelivered("no such number", permanent=True)
    world.clock.passes(minutes=1)
    world.looks("42")
    world.engine.wake("42")
    _escalates(world, 43)
    assert world.one("sms").outcome == "no such number"
    assert {one.code for one in texted(redis, DANA.mobile)} == {"E-1A"}


def test_a_text_that_failed_on_another_channel_leaves_the_one_that_was_delivered(redis: Redis) -> None:
    both = replace(MAJOR, steps=(Step(("owner",), ("sms", "sms2")),))
    world = World(redis, Policy({"major": both}, (), {"3 high": "major"}))
    world.channels["sms2"] = failing = Channel("sms2", kind="sms")
    failing.trouble = Undelivered("no such number", permanent=True)
    world.escalating("42")
    for name in ("sms", "sms2"):
        world.delivery.send(Due((("42", world.one(name).id),)))
    assert (world.one("sms").arrived, world.one("sms2").outcome) == (True, "no such number")
    assert [one.notification for one in texted(redis, DANA.mobile)] == [world.one("sms").id]


def test_a_text_that_failed_leaves_what_somebody_else_was_texted_on_the_same_number(redis: Redis) -> None:
    both = replace(MAJOR, steps=(Step(("owner", "lee"), ("sms",)),))
    world = World(redis, Policy({"major": both}, (), {"3 high": "major"}))
    world.engine.people.contacts["lee"] = replace(LEE, mobile=DANA.mobile)  # type: ignore[index]
    world.escalating("42")
    danas, lees = world.escalation().notifications
    for notification, trouble in ((danas, None), (lees, Undelivered("no such number", permanent=True))):
        world.channels["sms"].trouble = trouble
        world.delivery.send(Due((("42", notification.id),)))
    assert world.escalation().notifications[1].outcome == "no such number"
    assert [one.key for one in texted(redis, DANA.mobile)] == ["dana"]


def test_that_it_is_over_is_told_whatever_the_ceiling_says(world: World) -> None:
    _escalates(world, 42, 43, 44)
    world.answers.acknowledge("E-1A", LEE, "API")
    world.clock.passes(seconds=1)
    world.sends()
    assert [message.purpose for message in world.channels["push"].sent][-1] == "all-clear"


# --- a provider that is away -----------------------------------------------------------------------------------------


@pytest.fixture
def away(redis: Redis) -> World:
    world = World(redis)
    world.channels["push"].trouble = Undelivered("the provider could not be reached")
    return world


def test_a_provider_that_fails_is_told_once_to_the_operator(away: World) -> None:
    _escalates(away, *range(42, 52))
    assert away.troubles() == ["Channel push: the provider could not be reached"]
    away.operator.send_open()
    assert len(away.channels["email"].sent) == 1


def test_one_failure_is_no_trouble(away: World) -> None:
    _escalates(away, *range(42, 42 + TRIES - 1))
    assert away.troubles() == []


def test_a_provider_that_is_away_is_tried_every_few_seconds_only(away: World) -> None:
    push, began = away.channels["push"], away.clock.now()
    _escalates(away, *range(42, 62))
    away.clock.passes(seconds=PROBE)
    _escalates(away, *range(62, 72))
    spent = (away.clock.now() - began).total_seconds()
    assert TRIES + 2 <= push.tried <= TRIES + 1 + spent / PROBE


def test_what_was_not_tried_counts_as_a_failure_so_that_the_other_way_starts(away: World) -> None:
    _escalates(away, *range(42, 52))
    assert away.one("push", "51").outcome == "not tried: the provider could not be reached"
    away.clock.passes(seconds=6)
    away.sends()
    away.sends()
    assert "51" in [message.ticket_id for message in away.channels["sms"].sent]


def test_the_first_success_settles_it_and_everybody_is_tried_again(away: World) -> None:
    _escalates(away, *range(42, 52))
    away.channels["push"].trouble = None
    away.clock.passes(seconds=6)
    away.sends()
    assert away.troubles() == []
    away.clock.passes(seconds=16)
    away.sends()
    assert len({message.ticket_id for message in away.channels["push"].sent}) == 10


def test_an_address_that_does_not_work_says_nothing_about_the_provider(away: World) -> None:
    away.channels["push"].trouble = Undelivered("no such device", permanent=True)
    _escalates(away, *range(42, 52))
    assert away.troubles() == []
    assert {away.one("push", str(id)).stage for id in range(42, 52)} == {Stage.ENDED}
