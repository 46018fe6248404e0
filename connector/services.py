"""Builds the object graph from the config: the only place that names concrete classes."""

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import phonenumbers
import redis

import channels as channel_modules
from channels import BUILT_IN, Texts
from config.loader import Loaded, load
from config.settings import Settings

from . import helpdesks as helpdesk_modules
from .clockwork.sweep import Sweep
from .core.audience import Directory
from .core.contact import Contact, key_of_login
from .core.ticket import Person
from .core.wording import Reader
from .engine.clocks import plausible
from .engine.delivery import Delivery
from .engine.desk import Desk
from .engine.devices import KINDS as PAIRED_KINDS
from .engine.devices import Devices, WithDevices
from .engine.engine import Engine
from .engine.messages import Messages
from .engine.observer import Observer
from .engine.operator import Operator
from .engine.pacing import Pacing
from .engine.places import Places, rationed
from .engine.proofs import Signatures
from .engine.store import Store
from .errors import ConfigError
from .ports import Channel, Helpdesk
from .redis_server import connect, redis_url
from .rehearsing import read_only, silenced

CONFIG = "config/escalation.yml"
QUIET_KINDS = frozenset({"push", "webpush", "chat"})
RINGING_KINDS = frozenset({"phone"})


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True)
class Services:
    """Everything, built once a process.

    In a rehearsal the helpdesk can't be written to, and what escalations have to say goes by channels of `delivery`
    that say nothing; `channels` are the real ones, for the operator and for tests that people ask for.
    """

    settings: Settings
    redis: redis.Redis
    helpdesk: Helpdesk
    channels: Mapping[str, Channel]
    store: Store
    engine: Engine
    observer: Observer
    desk: Desk
    delivery: Delivery
    sweep: Sweep
    operator: Operator
    signatures: Signatures
    devices: Devices
    texts: Texts = BUILT_IN


def config_path(environ: Mapping[str, str] = os.environ) -> Path:
    return Path(environ.get("ESCALATOR_CONFIG") or CONFIG)


def data_path(environ: Mapping[str, str] = os.environ) -> Path:
    return Path(environ.get("ESCALATOR_DATA") or "data")


def read_config(path: Path, environ: Mapping[str, str] = os.environ, text: str | None = None) -> Loaded:
    """The config as far as it can be used, with all that is wrong with it; `text` instead of what the file holds."""
    return load(
        path,
        {kind: module.Options for kind, module in channel_modules.discover().items()},
        {kind: module.Options for kind, module in helpdesk_modules.discover().items()},
        environ,
        text=text,
    )


def build(settings: Settings, connection: redis.Redis) -> Services:
    """The object graph. Raises ConfigError when an option can't be used (a key file that is none, say)."""
    service = settings.service
    clock = SystemClock()
    module = helpdesk_modules.discover()[settings.helpdesk.kind]
    helpdesk = rationed(module.build(dict(settings.helpdesk.options)), Places(connection))
    devices = Devices(connection)
    channels = build_channels(settings, devices)
    store = Store(connection, service.keep, rehearsal=service.rehearsal)
    operator = build_operator(settings, connection, channels)
    signatures = Signatures(service.secret_keys)
    texts = build_texts(settings)
    if service.rehearsal:
        helpdesk = read_only(helpdesk, store, signatures, clock)
    engine = Engine(
        store=store,
        policy=settings.policy,
        people=directory(settings, channels),
        reader=build_reader(settings, texts),
        signatures=signatures,
        clock=clock,
        operator=operator,
        contact_of=owner_contact(settings),
    )
    observer = Observer(helpdesk, engine, store, clock, _since(settings, store, clock))
    messages = Messages(engine, store, signatures, clock, service.public_url, service.links_valid, service.language)
    ways = rehearsed(settings, channels, store) if service.rehearsal else channels
    delivery = Delivery(ways, engine, store, messages, clock, Pacing(service.bundle_within, service.limits))
    return Services(
        settings=settings,
        redis=connection,
        helpdesk=helpdesk,
        channels=channels,
        store=store,
        engine=engine,
        observer=observer,
        desk=Desk(helpdesk, observer, engine, store, clock),
        delivery=delivery,
        sweep=Sweep(helpdesk, store, operator, clock, settings.policy),
        operator=operator,
        signatures=signatures,
        devices=devices,
        texts=texts,
    )


def build_channels(settings: Settings, devices: Devices | None = None) -> dict[str, Channel]:
    """The channels by name. Without `devices` (there is no Redis) nobody is told on what they paired.

    Raises ConfigError.
    """
    modules = channel_modules.discover()
    twilio = settings.twilio
    shared = channel_modules.Shared(
        channel_modules.TwilioSettings(twilio.account_sid, twilio.auth_tokens, twilio.api_url) if twilio else None,
        build_texts(settings),
    )
    built: dict[str, Channel] = {
        name: modules[channel.kind].build(name, dict(channel.options), shared)
        for name, channel in settings.channels.items()
    }
    if devices is None:
        return built
    return {name: WithDevices(one, devices) if one.kind in PAIRED_KINDS else one for name, one in built.items()}


def rehearsed(settings: Settings, channels: Mapping[str, Channel], store: Store) -> Mapping[str, Channel]:
    """The channels as a rehearsal has them: silent, or all leading to `service.redirect_to`."""
    service = settings.service
    to = settings.contacts.get(service.redirect_to)
    return silenced(channels, RINGING_KINDS, to, service.language, store)


def build_texts(settings: Settings) -> Texts:
    return Texts(settings.service.texts, settings.service.timezone)


def build_reader(settings: Settings, texts: Texts) -> Reader:
    """For whom notes are written."""
    service = settings.service
    kinds = {name: channel.kind for name, channel in settings.channels.items()}
    return Reader(ZoneInfo(service.timezone), kinds, texts.notes(service.language))


def build_operator(settings: Settings, connection: redis.Redis, channels: Mapping[str, Channel]) -> Operator:
    told = settings.service.operator
    if told is None:
        return Operator(connection)
    contacts = [settings.contacts[key] for key in told.notify if key in settings.contacts]
    return Operator(connection, contacts, {name: channels[name] for name in told.by if name in channels})


def directory(settings: Settings, channels: Mapping[str, Channel]) -> Directory:
    """The people and channels of the config, as the core asks for them."""

    def named(holds: Callable[[Channel], bool]) -> frozenset[str]:
        return frozenset(name for name, channel in channels.items() if holds(channel))

    return Directory(
        contacts=settings.contacts,
        shared=named(lambda channel: not channel.personal),
        quiet=named(lambda channel: channel.kind in QUIET_KINDS),
        calls=named(lambda channel: channel.kind in RINGING_KINDS),
        texts=named(lambda channel: channel.kind == "sms"),
    )


def owner_contact(settings: Settings) -> Callable[[Person], Contact]:
    """How an owner whom the config doesn't list can be reached: by mail; by their mobile if the config allows it."""
    service = settings.service

    def contact(owner: Person) -> Contact:
        login = owner.login.casefold()
        known = next((c for c in settings.contacts.values() if login and c.login.casefold() == login), None)
        if known is not None:
            return known
        mobile = _e164(owner.mobile, service.phone_region) if service.use_helpdesk_mobiles else ""
        return Contact(key_of_login(owner.login), owner.name, owner.login, owner.email, mobile)

    return contact


def _e164(number: str, region: str) -> str:
    """A number as people write it in a helpdesk, in E.164 form; "" when it is none."""
    try:
        parsed = phonenumbers.parse(number, region or None)
    except phonenumbers.NumberParseException:
        return ""
    valid = phonenumbers.is_valid_number(parsed)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) if valid else ""


def _since(settings: Settings, store: Store, clock: SystemClock) -> Callable[[], datetime]:
    """The later of what the config says and what was recorded: after Redis was lost, the start that followed counts."""
    written = settings.service.since

    def since() -> datetime:
        now = clock.now()
        found = store.since() or now
        recorded = plausible(found, now)
        if recorded != found:
            store.remember_since(recorded)
        return max(written, recorded) if written is not None else recorded

    return since


_lock = threading.Lock()
_current: list[Services] = []


def current(environ: Mapping[str, str] = os.environ) -> Services:
    """This process's services, from ESCALATOR_CONFIG, ESCALATOR_DATA and REDIS_URL. Raises ConfigError.

    Under `up`, ESCALATOR_RUNNING names the content that was found good: a process that starts again at night must not
    trip over what somebody is writing into the file.
    """
    with _lock:
        if not _current:
            running = environ.get("ESCALATOR_RUNNING")
            text = Path(running).read_text(encoding="utf-8") if running else None
            loaded = read_config(config_path(environ), environ, text)
            if loaded.settings is None:
                raise ConfigError("\n".join(str(problem) for problem in loaded.problems))
            _current.append(build(loaded.settings, connect(redis_url(data_path(environ), environ))))
        return _current[0]
