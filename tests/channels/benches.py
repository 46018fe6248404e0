"""One bench a kind: its channel, its provider's stand-in, and how to get that provider into trouble.

A new channel adds its bench here, and the conformance suite runs over it by itself.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from channels import Shared, TwilioSettings, discover
from channels import webpush as webpush_channel
from connector.core.contact import Contact, Subscription
from connector.engine.devices import WithDevices
from connector.ports import Channel
from connector.sandbox.providers import FROM, Apns, PushService, Receiver, Smtp, Twilio
from connector.sandbox.providers import http_post as http_post_stand_in
from connector.sandbox.providers import smtp as smtp_stand_in
from connector.sandbox.providers import webpush as webpush_stand_in

TROUBLES = ("temporary", "permanent", "credentials", "hang", "cut", "unreachable")


@dataclass(frozen=True)
class Bench:
    """`sent()`: the idempotency ids of everything that the provider took. `secrets`: what must never be told."""

    provider: Any
    options: Mapping[str, Any]
    troubles: Mapping[str, Callable[[], None]]
    sent: Callable[[], list[str]]
    secrets: tuple[str, ...] = ()
    shared: Shared = field(default_factory=Shared)
    paired: Callable[[Channel], Channel] = lambda channel: channel

    def channel(self, kind: str) -> Channel:
        module = discover()[kind]
        channel: Channel = module.build(kind, module.Options().load(self.options), self.shared)
        return self.paired(channel)

    def get_into(self, trouble: str) -> None:
        self.troubles[trouble]()


def _twilio(twilio: Twilio, sent: Callable[[], list[Any]], options: dict[str, Any]) -> Bench:
    return Bench(
        provider=twilio,
        options=options,
        troubles={
            "temporary": lambda: twilio.answer_with(503),
            "permanent": lambda: twilio.answer_with(21211),
            "credentials": lambda: twilio.answer_with(20003),
            "hang": lambda: twilio.answer_with("hang"),
            "cut": lambda: twilio.answer_with("cut"),
            "unreachable": twilio.stop,
        },
        sent=lambda: [each.callback for each in sent()],
        secrets=(twilio.auth_token,),
        shared=Shared(twilio=TwilioSettings(twilio.account_sid, (twilio.auth_token,), twilio.url)),
    )


def sms(twilio: Twilio) -> Bench:
    return _twilio(twilio, lambda: list(twilio.messages), {"from": FROM})


def phone(twilio: Twilio) -> Bench:
    return _twilio(twilio, lambda: list(twilio.calls), {"from": FROM, "language": "en-GB"})


def push(apns: Apns) -> Bench:
    return Bench(
        provider=apns,
        options=apns.options,
        troubles={
            "temporary": lambda: apns.answer_with(503, "ServiceUnavailable"),
            "permanent": lambda: apns.answer_with(410, "Unregistered"),
            "credentials": lambda: apns.answer_with(403, "InvalidProviderToken"),
            "hang": apns.hang,
            "cut": lambda: apns.cut(times=2),
            "unreachable": apns.stop,
        },
        sent=lambda: [each.headers["apns-id"] for each in apns.pushes],
    )


def email(smtp: Smtp) -> Bench:
    return Bench(
        provider=smtp,
        options=smtp.options,
        troubles={
            "temporary": lambda: smtp.refuse("recipient", "451 4.3.0 Later, <dana@example.com>"),
            "permanent": lambda: smtp.refuse("recipient", "550 5.1.1 Who is <dana@example.com>"),
            "credentials": lambda: smtp.refuse("sender", "550 5.7.1 Who are you"),
            "hang": lambda: smtp.refuse("text", smtp_stand_in.HANG),
            "cut": lambda: smtp.refuse("text", smtp_stand_in.CUT),
            "unreachable": smtp.stop,
        },
        sent=lambda: [str(each.message["Message-ID"]) for each in smtp.mails],
        secrets=(smtp.password,),
    )


def http_post(receiver: Receiver) -> Bench:
    return Bench(
        provider=receiver,
        options={"url": receiver.url + "?key=c4nary-in-url", "secret": receiver.secret},
        troubles={
            "temporary": lambda: receiver.answer_with(503, times=1),
            "permanent": lambda: receiver.answer_with(410, times=1),
            "credentials": lambda: receiver.answer_with(401, times=1),
            "hang": lambda: receiver.answer_with(http_post_stand_in.HANG, times=1),
            "cut": lambda: receiver.answer_with(http_post_stand_in.CUT, times=1),
            "unreachable": receiver.stop,
        },
        sent=lambda: [each.id for each in receiver.received],
        secrets=(receiver.secret, "c4nary-in-url"),
    )


class DanasBrowser:
    """Dana has paired one browser, and nobody else has any."""

    def __init__(self, service: PushService, key: str) -> None:
        self.service, self.key = service, key

    def join(self, contact: Contact) -> Contact:
        if contact.key != "dana":
            return contact
        known = self.service.known(self.NAME) or self.service.browser(webpush_channel.public_key(self.key), self.NAME)
        told = known.subscription()
        return replace(contact, webpush=(Subscription(told["endpoint"], **told["keys"]),))

    def drop(self, contact: str, addresses: Iterable[str]) -> int:
        return 0

    NAME = "c4nary-endpoint"


def webpush(service: PushService) -> Bench:
    key = webpush_channel.new_key()
    return Bench(
        provider=service,
        options={**service.options, "private_key": key},
        troubles={
            "temporary": lambda: service.answer_with(503),
            "permanent": lambda: service.answer_with(410),
            "credentials": lambda: service.answer_with(403),
            "hang": lambda: service.answer_with(webpush_stand_in.HANG),
            "cut": lambda: service.answer_with(webpush_stand_in.CUT),
            "unreachable": service.stop,
        },
        sent=lambda: [each.payload["id"] for each in service.pushes],
        secrets=(key, DanasBrowser.NAME),
        paired=lambda channel: WithDevices(channel, DanasBrowser(service, key)),
    )


#: kind -> the stand-in it needs, and its bench
BENCHES: Mapping[str, tuple[Callable[[], Any], Callable[[Any], Bench]]] = {
    "sms": (Twilio, sms),
    "phone": (Twilio, phone),
    "push": (Apns, push),
    "email": (lambda: Smtp(user="escalator", password="c4nary-password"), email),
    "http_post": (Receiver, http_post),
    "webpush": (PushService, webpush),
}
