"""Zammad 6.0 and newer: webhooks in, REST API out."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields, validate

from connector.helpdesks._options import OneOrSeveral, web_address
from connector.helpdesks.zammad.adapter import Zammad
from connector.helpdesks.zammad.client import Client
from connector.ports import Helpdesk

KIND = "zammad"

__all__ = ["KIND", "Options", "Zammad", "build"]

ADDRESS = "must be Zammad's address as in the browser, like https://desk.example.com"


class Options(Schema):
    """What stands under `helpdesk` beside `kind: zammad`. Timeouts are seconds."""

    url = fields.String(
        required=True,
        validate=web_address(ADDRESS),
        metadata={"meaning": "its address"},
    )
    token = fields.String(
        required=True, validate=validate.Length(min=1), metadata={"meaning": "of Escalator's own user"}
    )
    webhook_secret = OneOrSeveral(
        required=True,
        validate=validate.Length(min=1),
        metadata={"meaning": "signs its webhooks; old and new while it is changed"},
    )
    robots = fields.List(fields.String(), load_default=list, metadata={"meaning": "logins that are never a person"})
    ca_file = fields.String(
        load_default=None, allow_none=True, metadata={"meaning": "whom to trust instead of the public authorities"}
    )
    connect_timeout = fields.Float(
        load_default=4.0,
        validate=validate.Range(min=0.1, max=60),
        metadata={"meaning": "seconds until a connection must stand"},
    )
    timeout = fields.Float(
        load_default=20.0,
        validate=validate.Range(min=0.1, max=300),
        metadata={"meaning": "seconds until it must have answered"},
    )


def build(options: Mapping[str, Any]) -> Helpdesk:
    """The helpdesk for these options, as written or as loaded. Raises marshmallow.ValidationError; makes no call."""
    known: dict[str, Any] = Options().load(options)
    url = known["url"].rstrip("/")
    client = Client(
        url,
        known["token"],
        ca_file=known["ca_file"],
        connect_timeout=known["connect_timeout"],
        timeout=known["timeout"],
    )
    return Zammad(url, client, secrets=known["webhook_secret"], robots=known["robots"])
