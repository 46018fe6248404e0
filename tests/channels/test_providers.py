"""The stand-ins all together, as the demo uses them: every channel by the config that they name."""

import threading
from functools import partial
from typing import Any

import pytest

from channels import Shared, TwilioSettings, discover
from connector.ports import Channel
from connector.sandbox.providers import Providers

from .messages import DANA, step


def channels_of(providers: Providers) -> dict[str, Channel]:
    section = providers.twilio_section
    shared = Shared(TwilioSettings(section["account_sid"], (section["auth_token"],), section["api_url"]))
    built = {}
    for name, given in providers.channels_section.items():
        options: dict[str, Any] = dict(given)
        module = discover()[options.pop("kind", name)]
        built[name] = module.build(name, module.Options().load(options), shared)
    return built


def ending(providers: Providers, number: int) -> str:
    status = providers.twilio.calls[number].status
    return status if status in ("no-answer", "busy", "completed") else ""


def test_every_channel_reaches_its_provider() -> None:
    with Providers() as providers:
        for channel in channels_of(providers).values():
            channel.deliver(step())
        assert len(providers.twilio.messages) == 1
        assert len(providers.twilio.calls) == 1
        assert len(providers.apns.pushes) == 1
        assert len(providers.smtp.mails) == 1
        assert [each.genuine for each in providers.http_post.received] == [True]


def test_a_person_can_miss_two_calls_and_answer_the_third() -> None:
    with Providers() as providers:
        providers.twilio.on_call(DANA.mobile).no_answer().busy().press("1")
        phone = channels_of(providers)["phone"]
        endings = []
        for number in range(3):
            phone.deliver(step())
            endings.append(providers.twilio.wait_for(partial(ending, providers, number)))
    assert endings == ["no-answer", "busy", "completed"]


def test_they_leave_no_thread_behind() -> None:
    before = set(threading.enumerate())
    with Providers(pace=30) as providers:
        providers.twilio.on_call(DANA.mobile).press("1")
        for channel in channels_of(providers).values():
            channel.deliver(step())
    assert set(threading.enumerate()) <= before


def test_waiting_for_what_never_comes_ends() -> None:
    with Providers() as providers, pytest.raises(TimeoutError):
        providers.twilio.wait_for(lambda: providers.twilio.calls, timeout=0.05)
