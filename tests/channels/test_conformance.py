"""What every channel promises, whichever it is: run over all that `channels.discover()` finds."""

import importlib
import logging
import pkgutil
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from marshmallow import ValidationError

import channels
from connector.engine.tries import CALL_TAKES
from connector.errors import Undelivered
from connector.ports import Channel

from .benches import BENCHES, TROUBLES, Bench
from .messages import DANA, HOSTILE, LANGUAGES, NOBODY, bundle, every_purpose, step

KINDS = sorted(channels.discover())
#: What a test's message holds and nobody may read in an error or a log.
CANARIES = (
    *(DANA.mobile, DANA.email, *DANA.push),
    *("Server outage", "t0ken-of-dana", "m3ssage.t0ken", "%2B491701234567", "491701234567"),
)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    assert request.param in BENCHES, f"add a bench for {request.param} to benches.py"
    return str(request.param)


@pytest.fixture
def bench(kind: str) -> Iterator[Bench]:
    make, bench = BENCHES[kind]
    with make() as provider:
        yield bench(provider)


@pytest.fixture
def channel(bench: Bench, kind: str) -> Channel:
    return bench.channel(kind)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read timeouts of a moment, in every module that has one."""
    names = [info.name for info in pkgutil.iter_modules(channels.__path__, "channels.")]
    for module in map(importlib.import_module, [*names, "connector.outbound"]):
        if hasattr(module, "READ_TIMEOUT"):
            monkeypatch.setattr(module, "READ_TIMEOUT", 0.4)


def test_a_message_is_handed_over(channel: Channel, bench: Bench) -> None:
    receipt = channel.deliver(step())
    assert len(bench.sent()) == 1
    assert receipt.detail
    assert receipt.dead == ()


def test_every_purpose_can_be_sent(channel: Channel, bench: Bench) -> None:
    for message in every_purpose():
        channel.deliver(message)
    assert len(bench.sent()) == len(every_purpose())


def test_it_says_who_it_is(channel: Channel, kind: str) -> None:
    assert (channel.name, channel.kind) == (kind, kind)
    assert isinstance(channel.personal, bool)
    assert isinstance(channel.acknowledges, bool)
    assert channel.lease * CALL_TAKES >= channels._shared.CONNECT_TIMEOUT + channels._shared.READ_TIMEOUT
    assert channel.lease <= 24  # what was in flight when its sender died is settled within half a minute


def test_a_key_that_nobody_knows_is_an_error(bench: Bench, kind: str) -> None:
    with pytest.raises(ValidationError) as caught:
        channels.discover()[kind].Options().load({**bench.options, "colour": "red"})
    assert caught.value.messages == {"colour": ["Unknown field."]}


def test_an_address_is_there_or_is_empty(channel: Channel) -> None:
    assert channel.address(DANA)
    assert bool(channel.address(NOBODY)) != channel.personal


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_is_permanent_temporary_or_ours(channel: Channel, bench: Bench, trouble: str, impatient: None) -> None:
    bench.get_into(trouble)
    with pytest.raises(Undelivered) as caught:
        channel.deliver(step())
    error = caught.value
    assert error.permanent == (trouble == "permanent")
    assert error.credentials == (trouble == "credentials")
    assert error.maybe_sent == (trouble in ("hang", "cut"))


def test_a_provider_that_never_answers_is_not_waited_for(channel: Channel, bench: Bench, impatient: None) -> None:
    bench.get_into("hang")
    start = time.monotonic()
    with pytest.raises(Undelivered):
        channel.deliver(step())
    assert time.monotonic() - start < 3


def test_after_trouble_it_works_again(channel: Channel, bench: Bench, impatient: None) -> None:
    bench.get_into("temporary")
    with pytest.raises(Undelivered):
        channel.deliver(step())
    channel.deliver(step())
    assert len(bench.sent()) >= 1


@pytest.mark.parametrize("trouble", ["none", *TROUBLES])
def test_nothing_that_is_private_shows_in_an_error_or_a_log(
    channel: Channel, bench: Bench, trouble: str, impatient: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = ""
    if trouble == "none":
        channel.deliver(step())
        channel.find(step())
    else:
        bench.get_into(trouble)
        with pytest.raises(Undelivered) as caught:
            channel.deliver(step())
        told = f"{caught.value} {caught.value.details} " + "".join(traceback.format_exception(caught.value))
    told += "\n".join(record.getMessage() for record in caplog.records)
    assert [canary for canary in (*CANARIES, *bench.secrets) if canary and canary in told] == []


def test_the_sentence_is_one_for_a_ticket(channel: Channel, bench: Bench) -> None:
    bench.get_into("temporary")
    with pytest.raises(Undelivered) as caught:
        channel.deliver(step())
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert len(sentence) < 120


def test_a_repeat_carries_the_same_id(channel: Channel, bench: Bench) -> None:
    message = step()
    channel.deliver(message)
    channel.deliver(replace(message, attempt=2))
    first, second = bench.sent()
    assert first == second


def test_another_message_carries_another_id(channel: Channel, bench: Bench) -> None:
    channel.deliver(step())
    channel.deliver(step(id="e-1a-1-3-dana", token="an0ther.t0ken"))
    first, second = bench.sent()
    assert first != second


def test_what_was_never_sent_is_not_found(channel: Channel) -> None:
    assert channel.find(step()) is None


def test_what_may_have_gone_out_under_another_id_is_found_or_stays_in_doubt(channel: Channel) -> None:
    channel.deliver(step(id="b-0123456789abcdef"))
    known, in_doubt = False, False
    try:
        known = channel.find(step(elsewhere=True)) is not None
    except Undelivered as error:
        known, in_doubt = not error.maybe_sent, error.maybe_sent  # known: a call that nobody answered
    assert (known, in_doubt) == ((True, False) if channel.kind in ("sms", "phone") else (False, True))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_title_keeps_a_message_from_being_sent(channel: Channel, bench: Bench, language: str) -> None:
    for number, title in enumerate(HOSTILE):
        hostile = {"ticket_title": title, "group": title, "priority": title, "organization": title}
        channel.deliver(step(id=f"m-{number}", language=language, **hostile))
    assert len(bench.sent()) == len(HOSTILE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_message_about_many_tickets_is_one_message(channel: Channel, bench: Bench, language: str) -> None:
    if not channel.personal:
        assert channel.deliver(step(language=language)).detail  # told of each ticket by itself
        return
    for number, title in enumerate(HOSTILE):
        channel.deliver(replace(bundle(37, title, language=language), id=f"b-{number}"))
    assert len(bench.sent()) == len(HOSTILE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_purpose_can_be_sent_in_every_language(channel: Channel, bench: Bench, language: str) -> None:
    for message in every_purpose():
        channel.deliver(replace(message, language=language))
    assert len(bench.sent()) == len(every_purpose())


def test_it_may_be_used_from_many_threads(channel: Channel, bench: Bench) -> None:
    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(lambda number: channel.deliver(step(id=f"m-{number}")), range(16)))
    assert len(receipts) == len(bench.sent()) == 16
