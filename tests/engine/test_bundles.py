"""Storms: the first ticket is told at once, what follows goes into one message a person and way."""

import threading
from collections.abc import Iterator
from itertools import pairwise

import pytest
from redis import Redis

from connector.core.escalation import Stage
from connector.core.events import Receipt
from connector.core.plan import Criteria, Policy
from connector.engine.keys import case_key
from connector.engine.pacing import Pacing
from connector.errors import Undelivered

from .conftest import DANA, MAJOR, World

POLICY = Policy({"major": MAJOR}, (), {"1 disaster": "major", "3 high": "major"})


@pytest.fixture
def world(redis: Redis) -> Iterator[World]:
    world = World(redis, POLICY, pacing=Pacing())
    yield world
    for channel in world.channels.values():
        channel.goes_on.set()


def _told(world: World, channel: str = "push") -> list[list[str]]:
    """The tickets that each message told of."""
    sent = world.channels[channel].sent
    return [[m.ticket_number, *(other.ticket_number for other in m.also)] for m in sent]


def _begins(world: World) -> None:
    """Dana has just been told of ticket 42."""
    world.escalating("42")
    world.sends()


def test_the_first_goes_out_at_once_and_what_follows_goes_into_one_message(world: World) -> None:
    _begins(world)
    for id in ("43", "44", "45"):
        world.escalating(id)
    world.sends()
    assert _told(world) == [["50042"]]
    world.clock.passes(seconds=6)
    world.sends()
    assert _told(world) == [["50042"], ["50043", "50044", "50045"]]
    assert world.channels["push"].sent[-1].count == 3
    assert world.outgoing() == set()


def test_what_is_due_at_one_moment_goes_out_as_one_message_at_once(world: World) -> None:
    for id in ("42", "43", "44"):
        world.escalating(id)
    world.sends()
    assert _told(world) == [["50042", "50043", "50044"]]


def test_each_ticket_keeps_its_own_outcome_and_history(world: World) -> None:
    for id in ("42", "43"):
        world.escalating(id)
    world.sends()
    assert [(world.one("push", id).stage, world.one("push", id).arrived) for id in ("42", "43")] == [
        (Stage.ENDED, True)
    ] * 2
    for code in (world.escalation(id).code for id in ("42", "43")):
        assert world.history(code)[-1] == "push to Dana Reyes: accepted"


def test_the_most_urgent_ticket_comes_first_then_what_is_due_for_longest(world: World) -> None:
    for id, priority in (("42", "3 high"), ("43", "3 high"), ("44", "1 disaster")):
        world.helpdesk.ticket(id, priority)
        world.looks(id)
    world.clock.passes(minutes=5)
    for id in ("43", "44", "42"):
        world.looks(id)
        world.engine.wake(id)
    world.sends()
    assert _told(world) == [["50044", "50042", "50043"]]


def test_while_it_goes_on_the_messages_come_ever_more_rarely(world: World) -> None:
    told_at = []
    for second in range(200):
        if second < 100:
            world.escalating(str(1000 + second))
        before = len(world.channels["push"].sent)
        world.sends()
        if len(world.channels["push"].sent) > before:
            told_at.append(world.clock.now())
        world.clock.passes(seconds=1)
    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(told_at)]
    for pause, wanted in zip(pauses, (5, 10, 20, 40, 60), strict=False):
        assert wanted - 1 <= pause < wanted + 4  # as seen a moment after it was sent
    assert len(pauses) >= 5
    assert sum(len(tickets) for tickets in _told(world)) == 100


def test_after_a_quiet_minute_the_next_one_goes_out_at_once_and_the_pace_is_new(world: World) -> None:
    for id in ("42", "43"):
        world.escalating(id)
        world.sends()
        world.clock.passes(seconds=6)
    world.clock.passes(seconds=120)
    for id in ("45", "46"):
        world.escalating(id)
        world.sends()
    world.clock.passes(seconds=6)
    world.sends()
    assert _told(world)[-2:] == [["50045"], ["50046"]]


def test_another_person_and_another_way_do_not_wait(world: World) -> None:
    _begins(world)
    world.channels["push"].trouble = Undelivered("the device is gone", permanent=True)
    world.escalating("43")
    world.clock.passes(seconds=6)
    world.sends()
    world.sends()
    assert _told(world, "sms") == [["50043"]]


def test_who_is_told_together_has_one_link_that_stands_for_all(world: World) -> None:
    for id in ("42", "43"):
        world.escalating(id)
    world.sends()
    [message] = world.channels["push"].sent
    link = world.store.link(message.id)
    assert link is not None
    assert message.acknowledge_url.endswith(world.signatures.token("acknowledge", link.id))
    answered = world.answers.acknowledge_all([link], DANA, "push")
    assert [each.sentence.split(":")[0] for each in answered] == ["E-1A, ticket 50042", "E-1B, ticket 50043"]


def test_who_was_acknowledged_meanwhile_is_left_out(world: World) -> None:
    _begins(world)
    for id in ("43", "44"):
        world.escalating(id)
    world.answers.acknowledge(world.escalation("43").code, DANA, "API")
    world.clock.passes(seconds=6)
    world.sends()
    assert _told(world) == [["50042"], ["50044"]]


def test_a_receipt_is_one_for_all_that_the_message_told_of(world: World) -> None:
    world.channels["push"].final = False
    for id in ("42", "43"):
        world.escalating(id)
    world.sends()
    [message] = world.channels["push"].sent
    link = world.store.link(message.id)
    assert link is not None
    world.answers.hear(link, Receipt(link.id, "delivered", arrived=True, provider_id="push-1"))
    assert [world.one("push", id).outcome for id in ("42", "43")] == ["delivered"] * 2


def test_whoever_waits_for_a_phone_that_is_talking_goes_into_the_next_call(world: World) -> None:
    phone = world.channels["phone"]
    phone.final = False
    for id in ("42", "43", "44"):
        world.escalating(id)
    world.sends()
    world.clock.passes(minutes=5)
    for ids in (("42",), ("43", "44")):
        for id in ids:
            world.looks(id)
            world.engine.wake(id)
        world.sends()
        world.clock.passes(seconds=6)
    world.sends()
    first = world.store.link(phone.sent[0].id)
    assert first is not None
    assert _told(world, "phone") == [["50042"]]
    world.answers.hear(first, Receipt(first.id, "answered, key 1 pressed", arrived=True))
    world.redis.delete(*world.redis.keys("escalator:line:*"))  # the call is over
    world.clock.passes(seconds=11)
    world.sends()
    assert _told(world, "phone") == [["50042"], ["50043", "50044"]]


# --- when it goes wrong ----------------------------------------------------------------------------------------------


def test_a_message_whose_answer_was_cut_is_asked_for_once_and_settles_all_its_tickets(world: World) -> None:
    push = world.channels["push"]
    push.cut = True
    for id in ("42", "43", "44"):
        world.escalating(id)
    world.sends()
    world.clock.passes(seconds=6)
    world.sends()
    assert (len(push.sent), push.asked) == (1, [push.sent[0].id])
    assert [world.one("push", id).outcome for id in ("42", "43", "44")] == ["found there"] * 3
    assert not any(world.one("push", id).doubt for id in ("42", "43", "44"))


def test_a_message_that_the_provider_does_not_know_is_sent_again_as_the_same_one(world: World) -> None:
    push = world.channels["push"]
    push.trouble = Undelivered("the answer was cut", maybe_sent=True)
    for id in ("42", "43"):
        world.escalating(id)
    world.sends()
    push.trouble = None
    world.clock.passes(seconds=6)
    world.sends()
    assert [message.id for message in push.sent] == push.asked
    assert _told(world) == [["50042", "50043"]]


def test_where_the_provider_cannot_tell_each_note_says_possibly_sent_twice(world: World) -> None:
    push = world.channels["push"]
    push.cut, push.tells = True, False
    for id in ("42", "43"):
        world.escalating(id)
    world.sends()
    world.clock.passes(seconds=6)
    world.sends()
    assert len(push.sent) == 2
    assert push.sent[0].id == push.sent[1].id
    for code in (world.escalation(id).code for id in ("42", "43")):
        assert world.history(code)[-1] == "push to Dana Reyes: accepted, possibly sent twice"


def test_a_message_that_is_tried_again_leaves_out_who_was_acknowledged(world: World) -> None:
    push = world.channels["push"]
    push.trouble = Undelivered("the answer was cut", maybe_sent=True)
    for id in ("42", "43"):
        world.escalating(id)
    world.sends()
    push.trouble = None
    world.answers.acknowledge("E-1A", DANA, "API")
    world.clock.passes(seconds=6)
    world.sends()
    assert _told(world) == [["50043"]]


@pytest.mark.parametrize("point", ["sending claimed", "sending accepted"])
def test_a_sender_that_dies_leaves_one_message_to_settle(
    world: World, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    push = world.channels["push"]

    def dies(reached: str) -> None:
        if reached == point:
            raise SystemExit

    for id in ("42", "43", "44"):
        world.escalating(id)
    monkeypatch.setattr("connector.engine.delivery.reached", dies)
    with pytest.raises(SystemExit):
        world.sends()
    monkeypatch.undo()
    world.clock.passes(seconds=32)
    world.sends()
    assert _told(world) == [["50042", "50043", "50044"]]
    assert push.asked == []  # it was never begun, or its outcome was kept
    assert [world.one("push", id).arrived for id in ("42", "43", "44")] == [True] * 3
    assert world.outgoing() == set()


def test_what_a_repeat_leaves_out_is_told_of_by_itself_and_says_possibly_sent_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    push = world.channels["push"]
    push.cut = push.repeats = True
    for id in ("42", "43"):
        world.escalating(id)
    world.sends()
    world.clock.passes(seconds=6)

    def dies(reached: str) -> None:
        if reached == "part claimed":
            raise SystemExit

    monkeypatch.setattr("connector.engine.delivery.reached", dies)
    with pytest.raises(SystemExit):  # it holds one part, and the other one goes out without it
        world.sends()
    monkeypatch.undo()
    world.sends()
    world.clock.passes(seconds=32)
    world.sends()

    first, again, alone = push.sent
    assert first.id == again.id != alone.id
    assert (first.count, again.count, alone.count) == (2, 1, 1)
    said = {world.history(world.escalation(id).code)[-1] for id in ("42", "43")}
    assert said == {"push to Dana Reyes: accepted", "push to Dana Reyes: accepted, possibly sent twice"}


def test_a_message_that_failed_for_certain_is_told_anew_with_what_waits_by_then(world: World) -> None:
    push = world.channels["push"]
    push.trouble = Undelivered("the provider is busy")
    for id in ("42", "43"):
        world.escalating(id)
    world.sends()
    push.trouble = None
    world.escalating("44")
    world.clock.passes(seconds=7)
    world.sends()
    assert [sorted(tickets) for tickets in _told(world)] == [["50042", "50043", "50044"]]


def test_twenty_senders_send_a_message_once(world: World) -> None:
    for id in ("42", "43", "44"):
        world.escalating(id)
    senders = [threading.Thread(target=world.sends) for _ in range(20)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert [sorted(tickets) for tickets in _told(world)] == [["50042", "50043", "50044"]]


def test_who_has_no_address_is_told_of_by_the_other_way_for_each_ticket(world: World) -> None:
    world.channels["push"].address = lambda _: ""  # type: ignore[method-assign]
    for id in ("42", "43"):
        world.escalating(id)
    world.sends()
    world.sends()
    assert _told(world, "sms") == [["50042", "50043"]]


def test_a_record_that_cannot_be_read_keeps_no_other_ticket_from_being_told(world: World) -> None:
    for id in ("42", "43", "44"):
        world.escalating(id)
    world.redis.set(case_key("43"), b"no case")
    world.sends()
    assert _told(world) == [["50042", "50044"]]
    [left] = world.outgoing()
    assert left.startswith("43 ")


def test_a_channel_that_tells_all_at_once_gets_a_message_for_each_ticket(world: World) -> None:
    world.channels["push"].personal = False
    people = world.engine.people
    object.__setattr__(people, "shared", frozenset({"push"}))
    for id in ("42", "43"):
        world.escalating(id)
    world.sends()
    assert sorted(_told(world)) == [["50042"], ["50043"]]


def test_texts_about_private_tickets_tell_the_number_alone(redis: Redis) -> None:
    private = Policy({"major": MAJOR}, (), {"3 high": "major"}, (Criteria(group=("Network",)),))
    world = World(redis, private)
    world.escalating("42")
    world.sends()

    [message] = world.channels["push"].sent
    assert message.ticket_number == world.case("42").ticket.number
    assert (message.ticket_title, message.organization) == ("", "")
    assert world.case("42").ticket.title
