"""SMS replies: `1`, a code, `ALL`. Every one is answered with what happened."""

import time
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
import redis

from connector.core.ticket import Person
from connector.engine.numbers import texted_key

from .conftest import DANA, LEE

OLGA = Person("7", "olga@example.com", "Olga Owner", mobile="+491702222222")
BOB = Person("8", "bob@example.com", "Bob Next", mobile="+491703333333")


def text(world, number, body):
    """Sends it as this number; returns the answer's words."""
    answer = world.call_back("sms", {"From": number, "To": "+15005550006", "Body": body})
    assert (answer.status_code, answer.content_type) == (200, "text/xml; charset=utf-8")
    messages = ET.fromstring(answer.data).findall("Message")
    assert len(messages) == 1
    return "".join(messages[0].itertext())


def test_1_takes_the_only_open_one(world):
    world.sent()
    assert text(world, DANA, "1") == "E-1A, ticket 50042: acknowledged by Dana Reyes."
    assert world.acknowledger() == ("Dana Reyes", "SMS")


@pytest.mark.parametrize("body", ["E-1A", "e-1a", "1a", " 1A. ", "E 1A", "E-1A\nsent from my phone", "e1a"])
def test_the_code_takes_it_in_any_form(world, body):
    world.sent()
    assert "acknowledged by Lee Adams" in text(world, LEE, body)
    assert world.acknowledger() == ("Lee Adams", "SMS")


def test_a_bare_1_with_several_open_takes_none_and_asks_for_the_code(world):
    world.sent("42")
    world.sent("43")
    answer = text(world, DANA, "1")
    assert "Several are open" in answer
    assert "E-1A" in answer
    assert "E-1B" in answer
    assert world.acknowledger("42") == world.acknowledger("43") == ("", "")
    text(world, DANA, "E-1B")
    assert (world.acknowledger("42"), world.acknowledger("43")) == (("", ""), ("Dana Reyes", "SMS"))
    assert "E-1A" in text(world, DANA, "1")
    assert world.acknowledger("42") == ("Dana Reyes", "SMS")


def test_all_takes_all_that_were_texted(world):
    world.sent("42")
    world.sent("43")
    assert text(world, DANA, "all") == "E-1B, E-1A: acknowledged by Dana Reyes."
    assert world.acknowledger("42") == world.acknowledger("43") == ("Dana Reyes", "SMS")


def test_all_tells_of_those_that_ask_for_the_helpdesk(world):
    world.sent("42")
    world.sent("43", priority="1 low")
    answer = text(world, DANA, "ALL")
    assert "E-1A: acknowledged by Dana Reyes." in answer
    assert "E-1B: please take it in the helpdesk itself." in answer


def test_a_second_person_is_told_who_was_first(world):
    world.sent()
    text(world, DANA, "1")
    for body in ("1", "E-1A", "ALL"):
        assert text(world, LEE, body) == "E-1A, ticket 50042: already acknowledged by Dana Reyes."
    assert world.acknowledger() == ("Dana Reyes", "SMS")


def test_what_is_over_is_over(world):
    world.sent()
    world.closed()
    assert text(world, DANA, "E-1A") == "E-1A, ticket 50042: it is over."


def test_a_text_older_than_12_hours_needs_its_code(world):
    world.sent()
    (texted,) = world.services.redis.zrange(texted_key(DANA), 0, -1)
    world.services.redis.zadd(texted_key(DANA), {texted: time.time() - 12 * 3600 - 1})
    assert text(world, DANA, "1") == "Nothing is open for this number."
    assert world.acknowledger() == ("", "")
    text(world, DANA, "E-1A")
    assert world.acknowledger() == ("Dana Reyes", "SMS")


@pytest.mark.parametrize("body", ["", "yes", "OK thanks", "2", "E-ZZZ", "STATUS", "\U0001f44d", "'; DROP", "1 1"])
def test_anything_else_is_answered_with_what_to_do(world, body):
    world.sent()
    assert text(world, DANA, body) == "That was not understood. Reply E-1A to take it."
    assert world.acknowledger() == ("", "")


def test_nothing_open_is_said_politely(world):
    assert text(world, DANA, "1") == "Nothing is open for this number."
    assert text(world, DANA, "ALL") == "Nothing is open for this number."


def test_a_stranger_learns_nothing_and_does_nothing(world):
    world.sent()
    answers = {text(world, "+491511111111", body) for body in ("1", "E-1A", "ALL", "hello")}
    assert answers == {"This number is not known here; nothing was done."}
    assert text(world, "", "1") in answers
    assert world.acknowledger() == ("", "")


@pytest.fixture
def olgas(build_world):
    """Ticket 42 belongs to Olga, whom only the helpdesk knows, and she was texted."""
    world = build_world({"service:\n": "service:\n  use_helpdesk_mobiles: true\n  phone_region: DE\n"})
    world.sent(owner=OLGA)
    assert OLGA.mobile in [message.to for message in world.twilio.messages]
    return world


@pytest.mark.parametrize("body", ["1", "E-1A", "ALL"])
@pytest.mark.parametrize("owner", [BOB, None])
def test_who_was_texted_as_the_owner_takes_it_though_somebody_else_owns_it_by_now(olgas, body, owner):
    olgas.given_to(owner)
    assert text(olgas, OLGA.mobile, body) == "E-1A, ticket 50042: acknowledged by Olga Owner."
    assert olgas.acknowledger() == ("Olga Owner", "SMS")
    acknowledged = olgas.escalation().acknowledged
    assert (acknowledged.key, acknowledged.by.login) == ("login:olga@example.com", OLGA.login)


def test_who_was_texted_as_the_owner_is_told_that_a_colleague_was_first(olgas):
    olgas.taken_in_the_helpdesk()
    assert text(olgas, OLGA.mobile, "1") == "E-1A, ticket 50042: already acknowledged by Alice Agent."
    assert text(olgas, BOB.mobile, "1") == "This number is not known here; nothing was done."


def test_a_number_that_the_config_no_longer_names_is_a_strangers(world):
    world.sent()
    dana = world.services.engine.people.contacts["dana"]
    world.services.engine.people.contacts["dana"] = replace(dana, mobile="+491700000000")
    assert text(world, DANA, "1") == "This number is not known here; nothing was done."
    assert world.acknowledger() == ("", "")


def test_what_an_earlier_version_remembered_still_takes_a_reply(olgas):
    for number in (DANA, OLGA.mobile):
        olgas.services.redis.delete(texted_key(number))
        olgas.services.redis.zadd(texted_key(number), {"E-1A": time.time()})
    assert text(olgas, OLGA.mobile, "1") == "E-1A, ticket 50042: acknowledged by Olga Owner."
    assert text(olgas, DANA, "1") == "E-1A, ticket 50042: already acknowledged by Olga Owner."


def test_a_code_that_was_never_sent_to_this_person_says_nothing_about_it(world):
    world.sent("42", priority="2 normal")
    assert text(world, LEE, "E-1A") == "That was not understood. Nothing is open for this number."
    assert world.acknowledger() == ("", "")


def test_all_takes_what_one_message_told_of(world):
    world.sent_together(*map(str, range(42, 50)))
    danas = [one for one in world.twilio.messages if one.to == DANA]
    assert len(danas) == 1
    assert danas[0].body.startswith("8 tickets wait, first ")
    assert text(world, DANA, "all") == "8 tickets: acknowledged by Dana Reyes."
    assert {world.acknowledger(str(id)) for id in range(42, 50)} == {("Dana Reyes", "SMS")}


def test_a_code_takes_one_of_several_and_leaves_the_others(world):
    world.sent_together("42", "43")
    assert text(world, DANA, "1b") == "E-1B, ticket 50043: acknowledged by Dana Reyes."
    assert (world.acknowledger("42"), world.acknowledger("43")) == (("", ""), ("Dana Reyes", "SMS"))


def test_what_can_be_replied_is_listed_up_to_five(world):
    world.sent_together(*map(str, range(42, 50)))
    answer = text(world, DANA, "1")
    assert answer.startswith("Several are open. Reply E-1")
    assert answer.endswith(" or ALL (3 more).")
    assert answer.count("E-1") == 5


def test_while_nothing_can_be_stored_a_reply_is_asked_for_again_and_then_counts(build_world, monkeypatch):
    world = build_world({"name: Dana Reyes,": "name: Dana Reyes, language: de,"})
    world.sent()
    with monkeypatch.context() as away:
        away.setattr(world.services.store, "commit", lost)
        assert text(world, LEE, "1") == "This could not be recorded just now. Please send it again in a minute."
        assert text(world, DANA, "1").startswith("Das war gerade nicht festzuhalten. Bitte in einer Minute")
        answer = world.call_back("sms", {"From": DANA, "Body": "STOP"})
        assert list(ET.fromstring(answer.data)) == []
        forged = world.call_back("sms", {"From": DANA, "Body": "1"}, signature="forged")
        assert (forged.status_code, forged.content_type) == (403, "application/json")
    assert world.acknowledger() == ("", "")
    assert text(world, LEE, "1") == "E-1A, ticket 50042: acknowledged by Lee Adams."


@pytest.mark.parametrize("body", ["1", "E-1A", "ALL"])
def test_while_redis_is_being_rebuilt_nobody_hears_that_nothing_is_open(world, body):
    world.sent()
    world.services.redis.flushdb()
    assert text(world, DANA, body) == "This could not be recorded just now. Please send it again in a minute."


def lost(*_):
    raise redis.ConnectionError("Connection refused.")


@pytest.mark.parametrize("word", ["STOP", "stop", "Unsubscribe", "END", "QUIT", "Cancel", "STOPALL"])
def test_opting_out_is_between_the_person_and_twilio(world, word):
    world.sent()
    for number in (DANA, "+491511111111"):
        answer = world.call_back("sms", {"From": number, "Body": word})
        assert (answer.status_code, list(ET.fromstring(answer.data))) == (200, [])
    assert world.acknowledger() == ("", "")


def test_everything_is_answered_in_the_persons_language(build_world):
    world = build_world({"name: Dana Reyes,": "name: Dana Reyes, language: de,"})
    world.sent("42")
    world.sent("43")
    assert text(world, DANA, "was?") == "Das war nicht zu verstehen. E-1B, E-1A oder ALLE antworten."
    assert text(world, DANA, "1") == "Mehrere sind offen. E-1B, E-1A oder ALLE antworten."
    assert text(world, LEE, "E-1B") == "E-1B, ticket 50043: acknowledged by Lee Adams."
    assert text(world, DANA, "E-1B") == "E-1B, Ticket 50043: schon übernommen von Lee Adams."
    assert text(world, DANA, "Alle") == "E-1A, Ticket 50042: übernommen von Dana Reyes."
    assert text(world, DANA, "1") == "Für diese Nummer ist nichts offen."
    assert text(world, LEE, "1") == "Nothing is open for this number."
