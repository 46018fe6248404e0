"""The loaded config: frozen, complete, with everything filled in. Times are aware UTC, durations timedeltas."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from connector.core.contact import Contact
from connector.core.plan import Policy

from .problems import Problem

#: What `service.mode` can be.
LIVE, REHEARSAL = "live", "rehearsal"

#: Messages an hour to one person by one kind of channel, where the config says nothing else; 0: any number.
LIMITS: Mapping[str, int] = {"sms": 30, "phone": 20, "push": 120, "webpush": 120, "email": 60}


@dataclass(frozen=True, slots=True)
class HelpdeskSettings:
    """`options` is what the adapter's own schema made of the section, without `kind`."""

    kind: str
    options: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """`name` is the config's; `options` is what the channel's own schema made of its entry, without `kind`."""

    name: str
    kind: str
    options: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Operator:
    """Who is told, and by which channels, when Escalator itself is in trouble."""

    notify: tuple[str, ...]
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Service:
    """Escalator itself. `public_url` is "" when unset, else without a trailing slash; `since` is aware UTC or None.

    `texts` is the folder of the admin's own texts as an absolute path, "" for none. `redirect_to` is the key of the
    contact who gets what a rehearsal would send to others, "" for nobody.
    """

    mode: str
    public_url: str
    secret_keys: tuple[str, ...] = field(repr=False)
    timezone: str = "UTC"
    language: str = "en"
    texts: str = ""
    phone_region: str = ""
    use_helpdesk_mobiles: bool = False
    api_tokens: Mapping[str, str] = field(default_factory=dict, repr=False)
    operator: Operator | None = None
    heartbeat_url: str = field(default="", repr=False)
    heartbeat_allow_private: bool = False
    sweep_every: timedelta = timedelta(minutes=1)
    keep: timedelta = timedelta(days=400)
    since: datetime | None = None
    links_valid: timedelta = timedelta(hours=24)
    bundle_within: timedelta = timedelta(seconds=5)
    limits: Mapping[str, int] = field(default_factory=lambda: LIMITS)
    redirect_to: str = ""

    @property
    def rehearsal(self) -> bool:
        """Whether nothing is sent to those for whom it is meant, and nothing written to the helpdesk."""
        return self.mode == REHEARSAL


@dataclass(frozen=True, slots=True)
class Twilio:
    """The first of `auth_tokens` is used, all verify callbacks. `api_url` has no trailing slash."""

    account_sid: str
    auth_tokens: tuple[str, ...] = field(repr=False)
    api_url: str = "https://api.twilio.com"


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole config. `digest` changes whenever the file's text does; secrets from outside don't enter it."""

    path: Path
    digest: str
    helpdesk: HelpdeskSettings
    service: Service
    twilio: Twilio | None = None
    channels: Mapping[str, ChannelSettings] = field(default_factory=dict)
    contacts: Mapping[str, Contact] = field(default_factory=dict, repr=False)
    policy: Policy = field(default_factory=Policy)
    warnings: tuple[Problem, ...] = ()
