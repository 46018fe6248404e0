"""Znuny (and OTRS 6 in its living form), spoken to over its Generic Interface web service.

`client` calls the web service, `webhook` proves and parses what Znuny posts, `history` turns the ticket history into
changes, `acts` sees which of its lines are one act, `adapter` joins them as the `Helpdesk` port.
"""

import zoneinfo
from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from connector.helpdesks._options import OneOrSeveral, web_address
from connector.helpdesks.znuny.adapter import Znuny
from connector.helpdesks.znuny.agents import Agents
from connector.helpdesks.znuny.client import Client
from connector.helpdesks.znuny.webhook import Proof
from connector.ports import Helpdesk

KIND = "znuny"


def _known_zone(name: str) -> None:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValidationError("must be a time zone like Europe/Berlin: Znuny's OTRSTimeZone") from error


ADDRESS = "must be Znuny's address up to its path, like https://desk.example.com/otrs"


class Options(Schema):
    """What stands under `helpdesk` beside `kind: znuny`. Timeouts are seconds."""

    url = fields.String(
        required=True,
        validate=web_address(ADDRESS),
        metadata={"meaning": "its address up to `/otrs`"},
    )
    webservice = fields.String(
        load_default="Escalation", validate=validate.Length(min=1), metadata={"meaning": "name of the web service"}
    )
    user = fields.String(required=True, validate=validate.Length(min=1), metadata={"meaning": "Escalator's own agent"})
    password = fields.String(required=True, validate=validate.Length(min=1), metadata={"meaning": "their password"})
    webhook_secret = OneOrSeveral(
        load_default=list, metadata={"meaning": "value of the secret header; old and new while it is changed"}
    )
    webhook_header = fields.String(
        load_default="X-Webhook-Secret",
        validate=validate.Regexp(r"^[A-Za-z0-9-]+$"),
        metadata={"meaning": "name of that header"},
    )
    webhook_user = fields.String(
        load_default="", metadata={"meaning": "basic auth of its webhooks, instead of or beside the header"}
    )
    webhook_password = fields.String(load_default="", metadata={"meaning": "the same"})
    timezone = fields.String(
        load_default="UTC", validate=_known_zone, metadata={"meaning": "of its clock, which tells none"}
    )
    robots = fields.List(
        fields.String(), load_default=list, metadata={"meaning": "logins (or ids) that are never a person"}
    )
    agents = fields.Dict(
        keys=fields.Integer(validate=validate.Range(min=2)),
        values=fields.String(validate=validate.Length(min=1)),
        load_default=dict,
        metadata={"meaning": 'logins of agents whom Znuny names nowhere, by id: `{"3": dana}`; `check` says which'},
    )
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

    @validates_schema
    def _webhooks_prove_themselves(self, data: Mapping[str, Any], **_: Any) -> None:
        if bool(data.get("webhook_user")) != bool(data.get("webhook_password")):
            raise ValidationError("webhook_user and webhook_password belong together", "webhook_user")
        if not data.get("webhook_secret") and not data.get("webhook_user"):
            raise ValidationError("set webhook_secret, or webhook_user and webhook_password", "webhook_secret")


def build(options: Mapping[str, Any]) -> Helpdesk:
    """The helpdesk for these options, as written or as loaded. Raises marshmallow.ValidationError; makes no call."""
    known: dict[str, Any] = Options().load(options)
    client = Client(
        known["url"],
        known["webservice"],
        known["user"],
        known["password"],
        ca_file=known["ca_file"],
        connect_timeout=known["connect_timeout"],
        timeout=known["timeout"],
    )
    proof = Proof(
        secrets=tuple(known["webhook_secret"]),
        header=known["webhook_header"],
        user=known["webhook_user"],
        password=known["webhook_password"],
    )
    return Znuny(
        client=client,
        proof=proof,
        agents=Agents(client, {str(one): login for one, login in known["agents"].items()}),
        zone=zoneinfo.ZoneInfo(known["timezone"]),
        robots=frozenset(robot.lower() for robot in known["robots"]),
    )


__all__ = ["KIND", "Options", "Znuny", "build"]
