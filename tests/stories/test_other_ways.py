"""A way that doesn't arrive isn't the end: `else`, trying again, and what is never sent twice."""

import pytest

from .plans import BOB, NINA, OLD_PHONE, PAUL, SAM, VERA
from .world import World

INVALID, SLOW_DOWN, BAD_TOKEN = 21211, 20429, 20003


@pytest.fixture(scope="module")
def tickets(world: World) -> dict[str, str]:
    """One ticket a mishap; each plan tells one person in one way, so that the mishap is theirs alone."""
    twilio = world.providers.twilio
    world.providers.apns.kill(OLD_PHONE)
    twilio.on_sms(SAM).undelivered()
    twilio.answer_with(INVALID, to=NINA)
    twilio.answer_with(SLOW_DOWN, to=PAUL)
    twilio.answer_with(BAD_TOKEN, times=2, to=BOB)
    twilio.answer_with("cut", to=VERA)
    plans = ("deadphone", "undelivered", "wrongnumber", "busyline", "refused", "cutline")
    return {plan: world.ticket(plan) for plan in plans} | {"refused, too": world.ticket("refused")}


def test_a_push_to_a_phone_that_lost_the_app_becomes_a_mail(world: World, tickets: dict[str, str]) -> None:
    note = world.note(tickets["deadphone"], "step 1 of 2")
    assert "Push to Nina Nowhere" in note
    assert "Mail to Nina Nowhere: accepted" in note
    assert [mail.to for mail in world.mails(tickets["deadphone"])] == [("nina@example.com",)]


def test_an_undelivered_text_becomes_a_mail(world: World, tickets: dict[str, str]) -> None:
    note = world.note(tickets["undelivered"], "step 1 of 2")
    assert "SMS to Sam Silent (+49 ... 0001): undelivered" in note
    assert "Mail to Sam Silent" in note


def test_a_number_that_is_none_becomes_a_mail_at_once(world: World, tickets: dict[str, str]) -> None:
    note = world.note(tickets["wrongnumber"], "step 1 of 2")
    assert "Twilio says that the number is not valid." in note
    (mail,) = world.mails(tickets["wrongnumber"])
    assert (mail.at - world.stepped(tickets["wrongnumber"])).total_seconds() < 5


def test_a_text_whose_answer_was_cut_is_not_sent_twice(world: World, tickets: dict[str, str]) -> None:
    note = world.note(tickets["cutline"], "step 1 of 2")
    assert "SMS to Vera Vague (+49 ... 0005): delivered" in note
    assert len(world.texts(tickets["cutline"])) == 1


def test_a_provider_that_asks_to_slow_down_is_tried_again(world: World, tickets: dict[str, str]) -> None:
    note = world.note(tickets["busyline"], "step 1 of 2")
    assert "SMS to Paul Busy (+49 ... 0003): delivered" in note
    (text,) = world.texts(tickets["busyline"])
    assert (text.at - world.stepped(tickets["busyline"])).total_seconds() > 4


def test_refused_credentials_are_told_to_the_operator_once_and_tried_again(
    world: World, tickets: dict[str, str]
) -> None:
    for ticket in (tickets["refused"], tickets["refused, too"]):
        assert "SMS to Bob Builder (+49 ... 1111): delivered" in world.note(ticket, "step 1 of 2")
    told = [mail for mail in world.providers.smtp.mails if "auth token" in mail.raw.decode()]
    assert [mail.to for mail in told] == [("lee@example.com",)]
