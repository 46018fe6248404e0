"""`/api/v1/devices`: an organisation's own app registers the device tokens that Apple gave it. Lists counts only."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify
from marshmallow import RAISE, Schema, fields, validate

from ..core.contact import Contact
from ..engine.answering import Answers
from ..engine.devices import KINDS, PUSH, Device, TooMany
from .answers import error
from .api import authorised, read_body

if TYPE_CHECKING:
    from ..services import Services

blueprint = Blueprint("devices", __name__, url_prefix="/api/v1/devices")


class Registration(Schema):
    """`contact`: key, login or name of a contact in the config; `token`: the device token, in hexadecimal digits."""

    class Meta:
        unknown = RAISE

    contact = fields.String(required=True, validate=validate.Length(1, 100))
    token = fields.String(required=True, validate=validate.Regexp(r"[0-9A-Za-z]{1,200}\Z"))


@blueprint.get("")
@authorised
def listed(services: Services) -> Response:
    """How many devices everybody has paired; the config's own tokens aren't counted."""
    rows = []
    for key in services.devices.contacts():
        counted = Counter(device.kind for device in services.devices.of(key))
        if counted:
            rows.append({"contact": key, **{kind: counted[kind] for kind in sorted(KINDS)}})
    return jsonify({"devices": rows})


@blueprint.post("")
@authorised
def register(services: Services) -> Response:
    """201 for a token that is new to the contact, 200 for one that isn't."""
    contact, told = _whose(services)
    if isinstance(contact, Response):
        return contact
    known = services.devices.find(contact.key, PUSH, told["token"])
    try:
        services.devices.add(contact.key, Device(PUSH, told["token"], services.engine.clock.now(), "app"))
    except TooMany as problem:
        return error(409, "too_many", str(problem), "token")
    return _count(services, contact, 200 if known else 201)


@blueprint.delete("")
@authorised
def remove(services: Services) -> Response:
    contact, told = _whose(services)
    if isinstance(contact, Response):
        return contact
    device = services.devices.find(contact.key, PUSH, told["token"])
    if device is None or not services.devices.remove(contact.key, device.id):
        return error(404, "unknown", "The contact has no such device.", "token")
    return _count(services, contact, 200)


def _whose(services: Services) -> tuple[Contact | Response, dict[str, Any]]:
    told = read_body(Registration())
    if isinstance(told, Response):
        return told, {}
    contact = Answers(services.engine).who(told["contact"])
    if contact.key not in services.settings.contacts:
        return error(422, "unknown_contact", "The config has no such contact.", "contact"), {}
    return contact, told


def _count(services: Services, contact: Contact, status: int) -> Response:
    devices = [device for device in services.devices.of(contact.key) if device.kind == PUSH]
    answer = jsonify({"contact": contact.key, "devices": len(devices)})
    answer.status_code = status
    return answer
