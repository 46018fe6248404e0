"""Sending: who claims it sends it; what became of it is recorded, or found out before another try."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from redis.exceptions import ConnectionError as RedisAway

from connector.core.escalation import Stage
from connector.core.events import Claim, Outcome, Receipt
from connector.core.ticket import Kind, Person
from connector.engine import outgoing
from connector.engine.keys import OUT
from connector.engine.numbers import line_key
from connector.engine.outgoing import Due
from connector.errors import Undelivered
from connector.ports import Message
from connector.ports import Receipt as Taken

from .conftest import DANA, World


def test_what_is_due_is_sent_and_leaves_the_index(world: World) -> None:
    world.escalating()
    world.sends()
    assert [message.contacts[0].name for message in world.channels["push"].sent] == ["Dana Reyes"]
    assert (world.one("push").stage, world.one("push").arrived) == (Stage.ENDED, True)
    assert world.outgoing() == set()


def test_twenty_senders_send_it_once(world: World) -> None:
    world.escalating()
    [due] = world.delivery.due(1)
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: world.delivery.send(due), range(20)))
    assert len(world.channels["push"].sent) == 1
    assert world.outgoing() == set()


def test_a_try_whose_answer_was_cut_is_asked_for_and_not_sent_again(world: World) -> None:
    push = world.channels["push"]
    world.escalating()
    push.cut = True
    world.sends()
    world.clock.passes(seconds=6)
    world.sends()
    assert (len(push.sent), len(push.asked)) == (1, 1)
    assert not world.one("push").doubt


def test_a_claim_whose_holder_died_is_asked_for_before_it_is_sent(world: World) -> None:
    world.escalating()
    push, id = world.channels["push"], world.one("push").id
    world.engine.happen("42", Claim(id, world.clock.now()))
    world.clock.passes(seconds=1)
    world.sends()
    assert (push.asked, len(push.sent)) == ([id], 1)


def test_where_the_provider_cannot_tell_the_note_says_possibly_sent_twice(world: World) -> None:
    push = world.channels["push"]
    push.tells = False
    world.escalating()
    push.cut = True
    world.sends()
    world.clock.passes(seconds=6)
    world.sends()
    assert len(push.sent) == 2
    assert world.history()[-1] == "push to Dana Reyes: accepted, possibly sent twice"


def test_a_temporary_failure_is_tried_again_after_five_seconds(world: World) -> None:
    push = world.channels["push"]
    world.escalating()
    push.trouble = Undelivered("the provider is busy")
    world.sends()
    push.trouble = None
    world.clock.passes(seconds=4)
    world.sends()
    assert push.sent == []
    world.clock.passes(seconds=2)
    world.sends()
    assert len(push.sent) == 1


def test_a_permanent_failure_starts_the_other_way_at_once(world: World) -> None:
    world.escalating()
    world.channels["push"].trouble = Undelivered("the device is gone", permanent=True)
    world.sends()
    world.sends()
    assert len(world.channels["sms"].sent) == 1


def test_an_unexpected_error_is_a_temporary_failure_in_plain_words(world: World) -> None:
    world.escalating()
    world.channels["push"].trouble = ValueError("a number: +491701234567")
    world.sends()
    assert (world.one("push").stage, world.one("push").outcome) == (Stage.PLANNED, "Escalator failed to send it")


def test_credentials_that_are_refused_are_told_once_and_settled_when_they_work(world: World) -> None:
    push = world.channels["push"]
    push.trouble = Undelivered("the provider refused our credentials", credentials=True)
    for id in ("42", "43", "44"):
        world.escalating(id)
    world.sends()
    assert world.troubles() == ["Channel push: the provider refused our credentials"]
    world.operator.send_open()
    assert len(world.channels["email"].sent) == 1
    push.trouble = None
    world.clock.passes(seconds=6)
    world.sends()
    assert world.troubles() == []


def test_who_left_the_config_is_not_told_and_the_other_way_is_not_needed(world: World) -> None:
    world.escalating()
    del world.engine.people.contacts["dana"]  # type: ignore[attr-defined]  # a dictionary here
    world.sends()
    assert world.one("push").outcome == "no longer in the config"
    assert world.channels["push"].sent == []


@pytest.mark.parametrize("owner", [None, Person("8", "ben@example.com", "Ben Next", email="ben@example.com")])
def test_who_is_no_longer_the_owner_is_not_told_and_no_step_comes_early(world: World, owner: Person | None) -> None:
    olga = Person("9", "olga@example.com", "Olga Owner", email="olga@example.com")  # the helpdesk alone knows her
    world.escalating(owner=olga)
    for name in ("push", "sms"):
        world.channels[name].trouble = Undelivered("the provider is in trouble")
    world.sends()
    due_at = world.escalation().due_at
    world.helpdesk.changed("42", Kind.OWNER, {"owner": owner}, before=olga.login, owner=owner)
    world.looks("42")
    for _ in range(3):
        world.clock.passes(seconds=16)
        world.sends()
        world.engine.wake("42")
    hers = [n for n in world.escalation().notifications if n.name == "Olga Owner"]
    assert {(n.stage, str(n.outcome), n.permanent) for n in hers} == {(Stage.ENDED, "no longer the owner", False)}
    assert (world.escalation().step, world.escalation().due_at) == (1, due_at)


def test_a_channel_that_left_the_config_fails_for_good(world: World) -> None:
    world.escalating()
    del world.channels["push"]
    world.sends()
    assert world.history()[-1] == "push to Dana Reyes: channel push is no longer in the config"


def test_nothing_is_begun_once_somebody_has_the_ticket(world: World) -> None:
    world.escalating()
    world.answers.acknowledge("E-1A", DANA, "API")
    world.sends()
    assert world.channels["push"].sent == []
    assert world.outgoing() == set()


def test_a_phone_is_rung_for_one_ticket_at_a_time(world: World) -> None:
    phone = world.channels["phone"]
    phone.final = False
    for id in ("42", "43"):
        world.escalating(id)
    world.sends()
    world.clock.passes(minutes=5)
    for id in ("42", "43"):
        world.looks(id)
        world.engine.wake(id)
    world.sends()
    assert [message.ticket_id for message in phone.sent] == ["42"]
    world.engine.happen("42", Receipt(phone.sent[0].id, "key 1 pressed", arrived=True))
    world.redis.delete(line_key(DANA.mobile))
    world.clock.passes(seconds=11)
    world.sends()
    assert [message.ticket_id for message in phone.sent] == ["42", "43"]


def test_who_looks_at_a_call_that_is_about_to_be_claimed_leaves_the_line_alone(world: World) -> None:
    world.escalating()
    world.sends()
    world.clock.passes(minutes=5)
    world.looks("42")
    world.engine.wake("42")
    id = world.one("phone").id
    world.redis.set(line_key(DANA.mobile), id, ex=5)  # another process, a moment before its claim
    world.delivery.send(Due((("42", id),)))
    assert world.redis.get(line_key(DANA.mobile)) == id.encode()
    assert world.channels["phone"].sent == []
    assert world.outgoing() == {f"42 {id}"}


def test_a_line_whose_holder_died_before_the_claim_is_free_within_seconds(world: World) -> None:
    world.escalating()
    world.sends()
    world.clock.passes(minutes=5)
    world.looks("42")
    world.engine.wake("42")
    world.channels["phone"].goes_on.clear()
    ringing = threading.Thread(target=world.sends)
    ringing.start()
    assert world.channels["phone"].entered.wait(10)
    assert 5 < world.redis.ttl(line_key(DANA.mobile)) <= 30  # claimed: as long as the claim itself
    world.channels["phone"].goes_on.set()
    ringing.join()
    assert world.redis.exists(line_key(DANA.mobile)) == 0  # taken, and nothing more to hear


def test_a_receipt_may_come_before_the_answer_that_it_is_about(world: World) -> None:
    push, seen = world.channels["push"], []
    push.goes_on.clear()
    world.escalating()
    sending = threading.Thread(target=world.sends)
    sending.start()
    assert push.entered.wait(10)
    id = world.one("push").id
    world.engine.happen("42", Receipt(id, "delivered", arrived=True, provider_id="push-1"))
    push.goes_on.set()
    sending.join()
    seen = [n for n in world.escalation().notifications if n.id == id]
    assert [(n.stage, n.outcome) for n in seen] == [(Stage.ENDED, "delivered")]
    assert world.outgoing() == set()


def test_an_outcome_finds_its_escalation_when_the_ticket_was_merged_meanwhile(world: World) -> None:
    push = world.channels["push"]
    push.goes_on.clear()
    world.escalating()
    sending = threading.Thread(target=world.sends)
    sending.start()
    assert push.entered.wait(10)
    world.helpdesk.ticket("43", "1 low")
    world.helpdesk.merges("42", "43")
    world.looks("42")
    push.goes_on.set()
    sending.join()
    assert (world.one("push", "43").stage, world.one("push", "43").arrived) == (Stage.ENDED, True)
    world.clock.passes(minutes=1)
    world.sends()
    assert len(push.sent) == 1


def test_an_outcome_waits_for_a_redis_that_is_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.escalating()
    store, away = world.engine.store, [True, True]
    commit = store.commit

    def breaks(tickets: object, decide: object) -> object:
        if away and world.channels["push"].sent:
            away.pop()
            raise RedisAway("gone")
        return commit(tickets, decide)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "commit", breaks)
    world.sends()
    assert (away, world.one("push").stage) == ([], Stage.ENDED)


def test_a_failure_after_the_lease_does_not_undo_somebody_elses_try(world: World) -> None:
    push = world.channels["push"]
    push.goes_on.clear()
    world.escalating()
    first = threading.Thread(target=world.sends)
    first.start()
    assert push.entered.wait(10)
    world.clock.passes(seconds=31)
    id = world.one("push").id
    world.engine.happen("42", Claim(id, world.clock.now().replace(year=world.clock.now().year + 1)))
    push.trouble = Undelivered("the connection broke off")
    push.goes_on.set()
    first.join()
    assert world.one("push").stage is Stage.CLAIMED


def test_what_the_index_says_too_much_is_put_right(world: World) -> None:
    world.escalating()
    world.sends()
    id = next(entry for entry in ("42-nothing", "42"))
    world.redis.zadd(OUT, {f"42 {id}": 1.0, "77 unknown": 1.0})
    world.sends()
    assert world.outgoing() == set()


def test_a_notification_planned_again_meanwhile_stays_in_the_index(world: World) -> None:
    """A sender that lost the race tidies up by what the case says now, not by what it saw."""
    world.escalating()
    id = world.one("push").id
    world.engine.happen("42", Claim(id, world.clock.now()), Outcome(id, "busy", sent=False))
    stands = replace(world.one("push"))
    outgoing.put_right(world.store.redis, "42", id, world.clock.now())
    [(_, score)] = world.redis.zrange(OUT, 0, -1, withscores=True)
    assert score == pytest.approx(stands.at.timestamp(), abs=0.001)


def test_a_drain_sends_everything_and_ends(world: World) -> None:
    for id in range(42, 52):
        world.escalating(str(id))
    world.delivery.drain()
    assert len(world.channels["push"].sent) == 10


def test_a_try_is_not_begun_when_too_little_of_its_lease_is_left(world: World) -> None:
    push = world.channels["push"]
    world.escalating()
    push.cut = True
    world.sends()
    world.clock.passes(seconds=6)
    find, push.sent = push.find, []

    def slow(message: Message) -> Taken | None:
        world.clock.passes(seconds=push.lease / 2)
        return find(message)

    push.find = slow  # type: ignore[method-assign]
    world.sends()
    assert push.sent == []
    assert world.one("push").outcome == "it took too long to begin"
    assert world.one("push").unsure
    assert world.troubles() == []


def test_two_senders_that_both_reached_the_provider_are_told_as_doubt(world: World) -> None:
    push = world.channels["push"]
    push.goes_on.clear()
    world.escalating()
    first = threading.Thread(target=world.sends)
    first.start()
    assert push.entered.wait(10)
    world.clock.passes(seconds=32)
    push.entered.clear()
    second = threading.Thread(target=world.sends)  # the first is paused for longer than its lease
    second.start()
    assert push.entered.wait(10)
    push.goes_on.set()
    first.join()
    second.join()
    assert len(push.sent) == 2
    assert world.one("push").doubt
    assert world.history()[-1].endswith(", possibly sent twice")
