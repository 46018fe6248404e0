"""Small option schemas in place of the adapters' and channels' own, and a way to load a text."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from marshmallow import Schema, fields, validate

from channels import webpush
from config import Loaded, load
from config.fields import OneOrMany, Text, Url

ROOT = Path(__file__).parents[2]


class Zammad(Schema):
    url = Url(required=True, metadata={"meaning": "the helpdesk's address"})
    token = fields.String(required=True)
    webhook_secret = OneOrMany(Text(), required=True)
    robots = fields.List(fields.String(), load_default=list)


class Znuny(Schema):
    url = Url(required=True)
    webhook_secret = OneOrMany(Text(), required=True)
    robots = fields.List(fields.String(), load_default=list)
    user = fields.String(required=True)
    password = fields.String(required=True)
    timezone = fields.String(load_default="UTC")


class Push(Schema):
    team_id = fields.String(required=True)
    key_id = fields.String(required=True)
    key_file = fields.String(required=True)
    topic = fields.String(required=True)


class Twilio(Schema):
    sender = fields.String(
        data_key="from",
        required=True,
        validate=validate.Regexp(r"\+[0-9]{6,15}$"),
        metadata={"example": '"+15005550006"'},
    )
    language = fields.String(load_default="en")


class Email(Schema):
    host = fields.String(required=True)
    port = fields.Integer(load_default=587)
    security = fields.String(load_default="starttls", validate=validate.OneOf(["none", "starttls", "tls"]))
    user = fields.String(load_default="")
    password = fields.String(load_default="")
    sender = fields.String(data_key="from", required=True)


class HttpPost(Schema):
    url = Url(required=True)
    secret = fields.String(load_default="")


CHANNEL_KINDS: dict[str, type[Schema]] = {
    "push": Push,
    "sms": Twilio,
    "phone": Twilio,
    "email": Email,
    "http_post": HttpPost,
    "webpush": webpush.Options,
}
HELPDESK_KINDS: dict[str, type[Schema]] = {"zammad": Zammad, "znuny": Znuny}


@pytest.fixture(scope="session")
def kinds() -> tuple[dict[str, type[Schema]], dict[str, type[Schema]]]:
    return CHANNEL_KINDS, HELPDESK_KINDS


@pytest.fixture(scope="session")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Everything that the examples fill in."""
    key = tmp_path_factory.mktemp("secrets") / "apns.p8"
    key.write_text("-----BEGIN PRIVATE KEY-----\n")
    names = "ZAMMAD_TOKEN ZAMMAD_WEBHOOK_SECRET ZNUNY_PASSWORD ZNUNY_WEBHOOK_SECRET TWILIO_ACCOUNT_SID"
    names += " TWILIO_AUTH_TOKEN PAGER_SECRET SMTP_PASSWORD DANA_DEVICE_TOKEN"
    keys = {"ESCALATOR_KEY": "k" * 64, "APNS_KEY_FILE": str(key), "WEBPUSH_KEY": webpush.new_key()}
    return keys | {name: f"the {name}" for name in names.split()}


@pytest.fixture(scope="session")
def load_file(environ: Mapping[str, str]) -> Callable[[Path], Loaded]:
    return lambda path: load(path, CHANNEL_KINDS, HELPDESK_KINDS, environ)


@pytest.fixture
def load_text(tmp_path: Path, environ: Mapping[str, str]) -> Callable[..., Loaded]:
    def loading(text: str, more_environ: Mapping[str, str] | None = None) -> Loaded:
        path = tmp_path / "escalation.yml"
        path.write_text(text)
        return load(path, CHANNEL_KINDS, HELPDESK_KINDS, {**environ, **(more_environ or {})})

    return loading


@pytest.fixture(scope="session")
def examples() -> list[Path]:
    return [ROOT / "config/escalation.example.yml", *sorted((ROOT / "config/examples").glob("*.yml"))]
