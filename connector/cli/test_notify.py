"""`escalator test-notify`: a real test message to one contact by one channel."""

import os
import secrets

import click
import redis

from ..core.contact import Contact
from ..engine.devices import KINDS, WEBPUSH, Devices
from ..errors import ConfigError, EscalatorError, Undelivered
from ..ports import Message, Purpose
from ..redis_server import connect, redis_url
from ..services import build_channels
from .common import Places, as_json, known, placed, print_json, say, utc_now


@click.command("test-notify")
@click.argument("contact")
@click.argument("channel")
@placed
@as_json
def test_notify(places: Places, contact: str, channel: str, json_: bool) -> None:
    """Send CONTACT a real test message by CHANNEL (their names in the config), in a rehearsal, too."""
    settings = places.settings()
    known(contact, settings.contacts, "contact")
    known(channel, settings.channels, "channel")
    person = settings.contacts[contact]
    way = build_channels(settings, _devices(places, person, settings.channels[channel].kind))[channel]
    if way.personal and not way.address(person):
        if way.kind == WEBPUSH:
            raise EscalatorError(f"{person.name} has paired no browser: escalator pair {contact}")
        raise EscalatorError(f"{person.name} has no address for {channel}: add it under `contacts.{contact}`.")
    service = settings.service
    message = Message(
        id=f"test-{secrets.token_hex(8)}",
        purpose=Purpose.TEST,
        code="TEST",
        contacts=(person,),
        sent_at=utc_now(),
        language=person.language or service.language,
    )
    try:
        receipt = way.deliver(message)
    except Undelivered as problem:
        hint = "" if problem.permanent or problem.credentials else " Try again."
        raise EscalatorError(f"Not sent: {problem}{hint}") from None
    outcome = receipt.detail or "accepted"
    if json_:
        document = {"contact": contact, "channel": channel, "outcome": outcome, "provider_id": receipt.provider_id}
        print_json(document)
    else:
        say(f"Sent to {person.name} by {channel}: {outcome}.")


def _devices(places: Places, person: Contact, kind: str) -> Devices | None:
    """What they have paired. Without Redis there are only the tokens of the config, and a test of those is sent."""
    if kind not in KINDS:
        return None
    try:
        devices = Devices(connect(redis_url(places.data, os.environ)))
        devices.join(person)
    except (redis.RedisError, ConfigError):
        if kind == WEBPUSH:
            raise
        return None
    return devices
