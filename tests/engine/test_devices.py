"""Who has paired what, and how the channels come to know."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis

from connector.core.contact import Contact, Subscription
from connector.engine.devices import MOST, PUSH, WEBPUSH, Device, Devices, TooMany, WithDevices
from connector.errors import Undelivered
from connector.ports import Message, Purpose, Receipt

DANA = Contact("dana", "Dana Reyes", push=("in-the-config",))
AT = datetime(2026, 1, 31, 20, 15, tzinfo=UTC)


def phone(number: int = 1, kind: str = PUSH) -> Device:
    return Device(kind, f"address-{number}", AT + timedelta(minutes=number), "iPhone", "p256dh", "auth")


@pytest.fixture
def devices(redis: Redis) -> Devices:
    return Devices(redis)


class Pusher:
    """A push channel that keeps whom it was asked to tell, and says of some that they are dead."""

    name, kind, personal, acknowledges, lease = "push", "push", True, True, 20.0

    def __init__(self, *dead: str, fails: bool = False) -> None:
        self.dead, self.fails, self.told = dead, fails, ()

    def address(self, contact: Contact) -> str:
        return ",".join(contact.push)

    def deliver(self, message: Message) -> Receipt:
        self.told = message.contacts[0].push
        if self.fails:
            raise Undelivered("Gone.", permanent=True, dead=self.dead)
        return Receipt(detail="accepted", dead=self.dead)

    def find(self, message: Message) -> Receipt | None:
        return None


def message() -> Message:
    return Message("m-1", Purpose.STEP, "E-1A", (DANA,), AT)


def test_a_message_goes_to_what_was_paired_besides_what_the_config_lists(devices: Devices) -> None:
    devices.add("dana", phone())
    pusher = Pusher()
    WithDevices(pusher, devices).deliver(message())
    assert pusher.told == ("in-the-config", "address-1")


def test_who_has_only_paired_devices_has_an_address(devices: Devices) -> None:
    channel, bare = WithDevices(Pusher(), devices), replace(DANA, push=())
    assert channel.address(bare) == ""
    devices.add("dana", phone())
    assert channel.address(bare) == "address-1"


@pytest.mark.parametrize("fails", [False, True])
def test_what_a_provider_calls_dead_is_forgotten(devices: Devices, fails: bool) -> None:
    devices.add("dana", phone(1))
    devices.add("dana", phone(2))
    channel = WithDevices(Pusher("address-1", "in-the-config", fails=fails), devices)
    try:
        channel.deliver(message())
    except Undelivered:
        assert fails
    assert [device.address for device in devices.of("dana")] == ["address-2"]


def test_browsers_and_tokens_are_told_apart(devices: Devices) -> None:
    devices.add("dana", phone(1, PUSH))
    devices.add("dana", phone(2, WEBPUSH))
    joined = devices.join(DANA)
    assert joined.push == ("in-the-config", "address-1")
    assert joined.webpush == (Subscription("address-2", "p256dh", "auth"),)


def test_a_test_for_one_browser_goes_to_no_other(devices: Devices) -> None:
    devices.add("dana", phone(1, WEBPUSH))
    only = replace(DANA, webpush=(Subscription("this one", "", ""),))
    assert devices.join(only) is only


def test_pairing_again_changes_keys_and_adds_nothing(devices: Devices) -> None:
    devices.add("dana", phone())
    devices.add("dana", replace(phone(), auth="new"))
    assert [device.auth for device in devices.of("dana")] == ["new"]


def test_a_device_has_one_holder(devices: Devices) -> None:
    devices.add("dana", phone())
    devices.add("lee", phone())
    assert (devices.of("dana"), devices.of("lee")) == ([], [phone()])


def test_there_is_an_end_to_them(devices: Devices) -> None:
    for number in range(MOST):
        devices.add("dana", phone(number))
    with pytest.raises(TooMany):
        devices.add("dana", phone(MOST))
    devices.add("dana", phone(0, WEBPUSH))  # of the other kind


def test_a_device_is_removed_by_its_id(devices: Devices) -> None:
    devices.add("dana", phone())
    assert devices.remove("dana", phone().id)
    assert not devices.remove("dana", phone().id)
    assert not devices.remove("lee", phone().id)


def test_one_spoiled_record_keeps_no_other_device_from_ringing(devices: Devices, redis: Redis) -> None:
    devices.add("dana", phone())
    for number, raw in enumerate((b"{}", b"no json", b"\xff\xfe", b'{"kind": 7}')):
        redis.hset("escalator:devices:dana", f"spoiled-{number}", raw)
    assert devices.of("dana") == [phone()]
