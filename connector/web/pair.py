"""`/pair/<token>`: the page that a phone keeps on its home screen, and through which it is told by Web Push.

The link pairs devices for an hour. A device that is paired goes on using the page by the endpoint that only it and its
push service know. Facts: https://www.w3.org/TR/push-api/ and https://www.w3.org/TR/appmanifest/; iPhones (16.4 or
later) take pushes only for a page on the home screen.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, current_app, jsonify, request
from markupsafe import Markup
from marshmallow import EXCLUDE, Schema, fields, validate

from channels import webpush

from ..core.contact import Contact, Subscription
from ..engine.devices import LOST, WEBPUSH, Device, TooMany
from ..engine.keys import PREFIX
from ..engine.pairing import Invitation, read
from ..errors import Undelivered
from ..ports import Channel, Message, Purpose
from . import dead_ends, outcomes
from .answers import error, refuse
from .api import read_body
from .dead_ends import instead
from .html import HERE, STYLE

if TYPE_CHECKING:
    from ..services import Services

blueprint = Blueprint("pair", __name__, url_prefix="/pair")

TEST_EVERY = 10  # seconds, for each device


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


_SCRIPT = (HERE / "pair.js").read_text(encoding="utf-8")
#: Our script, for a template that is escaped.
SCRIPT = Markup(_SCRIPT)  # noqa: S704  # our own file
#: Our own style and script as they are; everything else from this host, and nothing from elsewhere.
POLICY = (
    f"default-src 'none'; style-src {_hash(str(STYLE))}; script-src {_hash(_SCRIPT)}; worker-src 'self'; "
    "manifest-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
WORKER_POLICY = "default-src 'none'; connect-src 'self'; img-src 'self'"
#: What lies beside the page, by its name: the type, and what it may do.
FILES = {
    "sw.js": ("text/javascript; charset=utf-8", WORKER_POLICY),
    "icon-192.png": ("image/png", "default-src 'none'"),
    "icon-512.png": ("image/png", "default-src 'none'"),
    "badge.png": ("image/png", "default-src 'none'"),
}
_CONTENTS = {name: (HERE / name).read_bytes() for name in FILES}

_DEVICES = re.compile(r"iPhone|iPad|Android|Macintosh|Windows|CrOS|Linux")


class Endpoint(Schema):
    endpoint = fields.String(required=True, validate=validate.Length(1, webpush.LONGEST_ENDPOINT))


class Keys(Schema):
    """A browser's own, as `PushSubscription.toJSON()` writes them."""

    class Meta:
        unknown = EXCLUDE

    p256dh = fields.String(required=True, validate=validate.Length(1, 200))
    auth = fields.String(required=True, validate=validate.Length(1, 100))


class Subscribed(Endpoint):
    """`PushSubscription.toJSON()`; browsers add to it."""

    class Meta:
        unknown = EXCLUDE

    keys = fields.Nested(Keys, required=True)


class Renewed(Schema):
    old = fields.String(required=True, validate=validate.Length(1, webpush.LONGEST_ENDPOINT))
    subscription = fields.Nested(Subscribed, required=True)


# --- the page and what lies beside it -------------------------------------------------------------------------------


@blueprint.get("/<token>")
def show(token: str) -> Response:
    """The page, also after the hour: a paired device looks at it for as long as it likes."""
    services, invitation, contact = _opened(token)
    if isinstance(invitation, Response):
        return invitation
    facts = {
        "contact": contact.name,
        "token": token,
        "key": webpush.public_key(_options(services)["private_key"]),
        "expired": invitation.expired(services.engine.clock.now()),
        "style": STYLE,
        "script": SCRIPT,
    }
    body = services.texts.text(outcomes.language_of(services, contact), "page/pair.html", facts)
    answer = Response(body, content_type="text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = POLICY
    return answer


@blueprint.get("/<token>/manifest.json")
def manifest(token: str) -> Response:
    """Makes the page an app on the home screen that opens with this link: there a browser has a store of its own."""
    _, invitation, _ = _opened(token)
    if isinstance(invitation, Response):
        return invitation
    icons = [
        {"src": f"../icon-{size}.png", "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for size in (192, 512)
        for purpose in ("any", "maskable")
    ]
    answer = jsonify(
        {
            "name": "Escalator",
            "short_name": "Escalator",
            "id": "../",
            "start_url": f"../{token}",
            "scope": "../../",  # the page behind a notification opens in it, too
            "display": "standalone",
            "background_color": "#ffffff",
            "theme_color": "#b00020",
            "icons": icons,
        }
    )
    answer.content_type = "application/manifest+json"
    return answer


def _file(name: str) -> Response:
    kind, policy = FILES[name]
    answer = Response(_CONTENTS[name], content_type=kind)
    answer.headers["Content-Security-Policy"] = policy
    return answer


for _name in FILES:
    blueprint.add_url_rule(f"/{_name}", f"file-{_name.replace('.', '-')}", _file, defaults={"name": _name})


# --- what the page asks for -----------------------------------------------------------------------------------------


@blueprint.post("/<token>")
def pair(token: str) -> Response:
    """Pairs a browser with the contact whose link this is. 201, or 410 after the hour."""
    services, invitation, contact = _opened(token)
    if isinstance(invitation, Response):
        return invitation
    if invitation.expired(services.engine.clock.now()):
        return error(410, "expired", "This link has expired; ask for a new one.")
    told = read_body(Subscribed())
    return told if isinstance(told, Response) else _keep(services, contact, told)


@blueprint.post("/<token>/known")
def known(token: str) -> Response:
    """Whether this browser is paired with the contact."""
    _, contact, device = _device(token)
    if isinstance(contact, Response):
        return contact
    return jsonify({"known": device is not None})


@blueprint.post("/<token>/test")
def test(token: str) -> Response:
    """Sends a test notification to this browser alone."""
    services, contact, device = _device(token)
    if isinstance(contact, Response):
        return contact
    if device is None:
        return error(404, "unknown", "This device is not paired.")
    if not services.redis.set(f"{PREFIX}tapped:test:{device.id}", b"1", nx=True, ex=TEST_EVERY):
        return error(429, "too_soon", "A test notification was sent a moment ago.")
    only = Subscription(device.address, device.p256dh, device.auth)
    message = Message(
        id=f"test-{secrets.token_hex(8)}",
        purpose=Purpose.TEST,
        code="TEST",
        contacts=(replace(contact, webpush=(only,)),),
        sent_at=services.engine.clock.now(),
        ticket_url=f"{services.settings.service.public_url}/pair/{token}",
        language=outcomes.language_of(services, contact),
    )
    try:
        receipt = _channel(services).deliver(message)
    except Undelivered as problem:
        return error(502, "not_sent", str(problem))
    return jsonify({"outcome": receipt.detail})


@blueprint.post("/<token>/forget")
def forget(token: str) -> Response:
    """Tells this browser nothing more."""
    services, contact, device = _device(token)
    if isinstance(contact, Response):
        return contact
    removed = device is not None and services.devices.remove(contact.key, device.id)
    return jsonify({"removed": removed})


@blueprint.post("/renew")
def renew() -> Response:
    """A browser's new subscription in place of the one that it gave up, which nobody else knows."""
    services: Services = current_app.config["SERVICES"]()
    if _missing(services):
        return error(404, "not_found", _missing(services))
    told = read_body(Renewed())
    if isinstance(told, Response):
        return told
    for key in services.devices.contacts():
        contact, old = services.settings.contacts.get(key), services.devices.find(key, WEBPUSH, told["old"])
        if contact is not None and old is not None:
            services.devices.remove(key, old.id)
            answer = _keep(services, contact, told["subscription"])
            if answer.status_code != 201:
                services.devices.add(key, old)
            return answer
    return refuse(403, "unknown", "This device is not paired.")


def _keep(services: Services, contact: Contact, told: dict[str, Any]) -> Response:
    subscription = Subscription(told["endpoint"], told["keys"]["p256dh"], told["keys"]["auth"])
    if why := webpush.unusable(subscription, allow_private=_options(services)["allow_private"]):
        return error(422, "invalid", why, "endpoint")
    found = _DEVICES.search(request.headers.get("User-Agent", ""))
    device = Device(
        kind=WEBPUSH,
        address=subscription.endpoint,
        added_at=services.engine.clock.now(),
        name=found[0] if found else "browser",
        p256dh=subscription.p256dh,
        auth=subscription.auth,
    )
    try:
        services.devices.add(contact.key, device)
    except TooMany as problem:
        return error(409, "too_many", str(problem))
    services.store.count("devices_paired")
    services.operator.settled(LOST)
    answer = jsonify({"id": device.id})
    answer.status_code = 201
    return answer


# --- who asks -------------------------------------------------------------------------------------------------------


def _missing(services: Services) -> str:
    """What the config lacks for pairing."""
    if not services.settings.service.public_url:
        return "Links need `service.public_url`."
    kinds = {channel.kind for channel in services.settings.channels.values()}
    return "" if WEBPUSH in kinds else "The config has no channel of kind `webpush`."


def _opened(token: str) -> tuple[Services, Invitation | Response, Contact]:
    """Whose link this is, or why it is nobody's."""
    services: Services = current_app.config["SERVICES"]()
    nobody = Contact("", "")
    if _missing(services):
        return services, error(404, "not_found", _missing(services)), nobody
    invitation = read(services.signatures, token)
    if invitation is None:
        services.store.count("links_forged")
        forged = refuse(403, "bad_token", "This link was not made by Escalator, or it was cut.")
        return services, instead(forged, dead_ends.FORGED), nobody
    contact = services.settings.contacts.get(invitation.contact)
    if contact is None:
        gone = error(410, "gone", "This link is for somebody who is no longer in the config.")
        return services, instead(gone, dead_ends.EXPIRED), nobody
    return services, invitation, contact


def _device(token: str) -> tuple[Services, Contact | Response, Device | None]:
    """The contact, and their browser that asks; None when it isn't theirs."""
    services, invitation, contact = _opened(token)
    if isinstance(invitation, Response):
        return services, invitation, None
    told = read_body(Endpoint())
    if isinstance(told, Response):
        return services, told, None
    return services, contact, services.devices.find(contact.key, WEBPUSH, told["endpoint"])


def _options(services: Services) -> dict[str, Any]:
    settings = next(one for one in services.settings.channels.values() if one.kind == WEBPUSH)
    return dict(settings.options)


def _channel(services: Services) -> Channel:
    return next(one for one in services.channels.values() if one.kind == WEBPUSH)
