"""After a death a provider is asked what it has: it knows when and to which number, not whose message it was."""

from dataclasses import replace
from datetime import timedelta

import pytest
from redis import Redis

from connector.core.plan import Policy, Step
from connector.engine.pacing import Pacing
from connector.ports import Message, Receipt

from .conftest import MAJOR, World

CALLS = Policy({"major": replace(MAJOR, steps=(Step(("owner",), ("phone",)),))}, (), {"3 high": "major"})


@pytest.fixture
def world(redis: Redis) -> World:
    """The provider knows calls as Twilio does: the newest one that is nobody else's."""
    world = World(redis, CALLS)
    phone = world.channels["phone"]
    deliver, made = phone.deliver, []

    def timed(message: Message) -> Receipt:
        made.append(world.clock.now())
        return deliver(message)

    def newest(message: Message) -> Receipt | None:
        phone.asked.append(message.id)
        calls = [(f"phone-{number}", at) for number, at in enumerate(made, 1)]
        before = [id for id, at in reversed(calls) if message.before is None or at < message.before]
        return next((Receipt(id, True, "found there") for id in before if id not in message.theirs), None)

    phone.deliver, phone.find = timed, newest  # type: ignore[method-assign]
    return world


def _dies(world: World, monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    """One try at what is due, by a sender that dies at this point."""

    def dies(reached: str) -> None:
        if reached == point:
            raise SystemExit

    for module in ("delivery", "tries"):
        monkeypatch.setattr(f"connector.engine.{module}.reached", dies)
    with pytest.raises(SystemExit):
        world.sends()
    monkeypatch.undo()


def _passes(world: World, seconds: float) -> None:
    """Nobody talks any more by then."""
    world.clock.passes(seconds=seconds)
    for key in world.redis.keys("escalator:line:*"):  # type: ignore[union-attr]
        world.redis.delete(key)


def test_a_call_about_another_ticket_is_not_taken_for_the_one_that_was_never_made(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.escalating("42")
    _dies(world, monkeypatch, "pace entered")
    world.escalating("43")
    _passes(world, 5)
    world.sends()
    _passes(world, 30)
    world.sends()
    phone = world.channels["phone"]
    assert [message.ticket_id for message in phone.sent] == ["43", "42"]
    assert phone.asked == [world.one("phone", "42").id]
    assert [world.one("phone", id).provider_id for id in ("42", "43")] == ["phone-2", "phone-1"]


def test_nor_is_one_whose_own_sender_died_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    phone = world.channels["phone"]
    world.escalating("42")
    _dies(world, monkeypatch, "pace entered")
    world.escalating("43")
    _passes(world, 10)
    with monkeypatch.context() as death:
        deliver = phone.deliver

        def dies(message: Message) -> Receipt:
            deliver(message)
            raise SystemExit

        death.setattr(phone, "deliver", dies)
        with pytest.raises(SystemExit):
            world.sends()
    for _ in range(2):
        _passes(world, 60)
        world.sends()
    assert [message.ticket_id for message in phone.sent] == ["43", "42"]
    assert [world.one("phone", id).provider_id for id in ("42", "43")] == ["phone-2", "phone-1"]


def test_a_call_that_was_made_is_found_again_by_who_goes_on_with_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.escalating("42")
    _dies(world, monkeypatch, "sending accepted")
    world.escalating("43")
    _passes(world, 5)
    world.sends()
    _passes(world, 30)
    world.sends()
    assert [message.ticket_id for message in world.channels["phone"].sent] == ["42", "43"]
    assert [world.one("phone", id).provider_id for id in ("42", "43")] == ["phone-1", "phone-2"]


@pytest.mark.parametrize(
    "point",
    ["bundle kept", "part claimed", "sending claimed", "sending composed", "pace entered", "message kept",
     "outcome known", "sending accepted", "part recorded", "sending recorded"],
)  # fmt: skip
def test_wherever_a_sender_dies_each_ticket_of_its_message_is_told_once(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    world = World(redis, pacing=Pacing(timedelta(seconds=5)))
    for id in ("42", "43", "44"):
        world.escalating(id)
    _dies(world, monkeypatch, point)
    for _ in range(12):
        world.clock.passes(seconds=6)
        world.sends()
    sent = world.channels["push"].sent
    told = [number for message in sent for number in (message.ticket_number, *(a.ticket_number for a in message.also))]
    assert sorted(told) == ["50042", "50043", "50044"]
    assert [world.one("push", id).arrived for id in ("42", "43", "44")] == [True] * 3
    assert not any(world.one("push", id).doubt for id in ("42", "43", "44"))
    assert world.outgoing() == set()


@pytest.mark.parametrize("first", ["sending claimed", "message kept", "outcome known"])
@pytest.mark.parametrize("second", ["part claimed", "message kept", "outcome known", "part recorded"])
def test_where_the_next_sender_dies_too_nobody_is_taken_for_told_who_was_not(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, first: str, second: str
) -> None:
    world = World(redis, pacing=Pacing(timedelta(seconds=5)))
    for id in ("42", "43", "44"):
        world.escalating(id)
    _dies(world, monkeypatch, first)
    world.clock.passes(seconds=32)
    if not (first == "outcome known" and second == "message kept"):  # the provider has it: nothing is sent anew
        _dies(world, monkeypatch, second)
    for _ in range(20):
        world.clock.passes(seconds=6)
        world.sends()
    sent = world.channels["push"].sent
    told = [number for message in sent for number in (message.ticket_number, *(a.ticket_number for a in message.also))]
    assert sorted(told) == ["50042", "50043", "50044"]
    assert [world.one("push", id).arrived for id in ("42", "43", "44")] == [True] * 3
    for message in sent:
        link = world.store.link(message.id)
        assert link is not None
        assert {link.code, *(code for _, code in link.also)} == {message.code, *(other.code for other in message.also)}
    assert world.outgoing() == set()
