"""`escalator pair`: a personal link and QR code that let a phone's browser be told by Web Push."""

import io
import os

import click
import segno

from channels import webpush
from config.settings import Settings

from ..engine.devices import WEBPUSH, Device, Devices
from ..engine.pairing import VALID, invite
from ..engine.proofs import Signatures
from ..errors import ConfigError, EscalatorError
from ..redis_server import connect, redis_url
from .common import Places, as_json, known, placed, print_json, print_table, say, utc_now


@click.command()
@click.argument("contact", required=False)
@click.option("--list", "list_", is_flag=True, help="The devices that are paired, everybody's or CONTACT's.")
@click.option("--remove", metavar="ID", help="Tell this device of CONTACT nothing more.")
@click.option("--new-key", is_flag=True, help="Print a new private key for the channel, and do nothing else.")
@placed
@as_json
def pair(places: Places, contact: str | None, list_: bool, remove: str | None, new_key: bool, json_: bool) -> None:
    """Print a link and QR code for CONTACT (a name in the config): what opens it within the hour can be paired.

    Give it to nobody else: whoever opens it is told of CONTACT's tickets.
    """
    if new_key:
        click.echo(webpush.new_key())
        return
    settings = places.settings()
    if contact is not None:
        known(contact, settings.contacts, "contact")
    if list_:
        _list(places, [contact] if contact is not None else None, json_)
    elif contact is None:
        raise click.UsageError("Say whose phone it is: escalator pair CONTACT")
    elif remove is not None:
        _remove(places, contact, remove, json_)
    else:
        _invite(settings, contact, json_)


def _invite(settings: Settings, contact: str, json_: bool) -> None:
    if WEBPUSH not in {channel.kind for channel in settings.channels.values()}:
        raise ConfigError("The config has no channel of kind `webpush`: see config/examples/webpush.yml.")
    if not settings.service.public_url:
        raise ConfigError("Phones need `service.public_url` to reach the page: the https address of Escalator.")
    token, invitation = invite(Signatures(settings.service.secret_keys), contact, utc_now())
    url = f"{settings.service.public_url}/pair/{token}"
    if json_:
        print_json({"contact": contact, "url": url, "valid_until": invitation.until.isoformat()})
        return
    click.echo(_qr(url))
    minutes = int(VALID.total_seconds() // 60)
    say(f"For {settings.contacts[contact].name} alone, valid for {minutes} minutes, for as many devices as they have:")
    click.echo(url)
    say("On an iPhone: open it in Safari, Share, Add to Home Screen, and open Escalator from there.")


def _qr(url: str) -> str:
    """In the same two colours on dark and light terminals: not every camera reads it the other way round."""
    drawn = io.StringIO()
    segno.make(url, error="m", micro=False).terminal(drawn, compact=True)
    return "\n".join(click.style(line, fg="bright_white", bg="black") for line in drawn.getvalue().splitlines())


def _devices(places: Places) -> Devices:
    """Those on the Redis that `escalator up` uses. Raises redis.RedisError when it is away."""
    connection = connect(redis_url(places.data, os.environ))
    connection.ping()
    return Devices(connection)


def _list(places: Places, contacts: list[str] | None, json_: bool) -> None:
    devices = _devices(places)
    rows = [(key, device) for key in contacts or devices.contacts() for device in devices.of(key)]
    if json_:
        print_json({"devices": [_document(key, device) for key, device in rows]})
    elif not rows:
        say("No device is paired.")
    else:
        cells = [
            (key, each.id, each.kind, each.name, each.added_at.strftime("%Y-%m-%d %H:%M UTC")) for key, each in rows
        ]
        print_table(("contact", "id", "kind", "device", "since"), cells)


def _document(contact: str, device: Device) -> dict[str, str]:
    """Without its address and keys: whoever has those can be told in its place."""
    return {
        "contact": contact,
        "id": device.id,
        "kind": device.kind,
        "device": device.name,
        "since": device.added_at.isoformat(),
    }


def _remove(places: Places, contact: str, id: str, json_: bool) -> None:
    if not _devices(places).remove(contact, id):
        raise EscalatorError(f"{contact} has no such device: see escalator pair --list")
    if json_:
        print_json({"contact": contact, "removed": id})
    else:
        say("That device is told nothing more.")
