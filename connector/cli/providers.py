"""Whether the providers take our credentials: the cheapest question each of them answers. Nothing is sent."""

import smtplib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import requests

from config.problems import Path
from config.settings import ChannelSettings, Settings, Twilio

TIMEOUT = (4.0, 10.0)  # seconds to connect, and between two bytes


@dataclass(frozen=True, slots=True)
class Looked:
    """What was looked at, `ok`, `failed` or `not checked`, and a sentence; `path` and `mend` say where to mend it."""

    what: str
    result: str
    sentence: str
    path: Path = ()
    mend: str = ""


def look_at_providers(settings: Settings) -> Iterator[Looked]:
    """Each provider once."""
    if settings.twilio is not None and any(one.kind in ("sms", "phone") for one in settings.channels.values()):
        yield _twilio(settings.twilio)
    for channel in settings.channels.values():
        if channel.kind == "email":
            yield _mail(channel)
        elif channel.kind not in ("sms", "phone"):
            sentence = f"Only a message shows whether it works: escalator test-notify CONTACT {channel.name}"
            yield Looked(channel.name, "not checked", sentence)


def _twilio(twilio: Twilio) -> Looked:
    """Reads the account (https://www.twilio.com/docs/iam/api/account)."""
    url = f"{twilio.api_url}/2010-04-01/Accounts/{twilio.account_sid}.json"
    try:
        with requests.Session() as session:
            session.trust_env = False
            credentials = (twilio.account_sid, twilio.auth_tokens[0])
            answer = session.get(url, auth=credentials, timeout=TIMEOUT, allow_redirects=False)
    except requests.RequestException:
        return Looked("twilio", "failed", "Twilio does not answer.", ("twilio",), "Can this host reach it?")
    if answer.status_code in (401, 403, 404):
        mend = "Compare both with Twilio's console."
        return Looked("twilio", "failed", "Twilio refuses the account SID or auth token.", ("twilio",), mend)
    if answer.status_code != 200:
        sentence = f"Twilio answers with status {answer.status_code}."
        return Looked("twilio", "failed", sentence, ("twilio",), "Try again later.")
    try:
        status = str(answer.json().get("status", "unknown"))
    except (ValueError, AttributeError):
        status = "unknown"
    if status != "active":
        return Looked("twilio", "failed", "Twilio's account is not active.", ("twilio",), "See Twilio's console.")
    return Looked("twilio", "ok", "Twilio knows the account, and it is active.")


def _mail(channel: ChannelSettings) -> Looked:
    """Connects, encrypts and signs in."""
    options, path = channel.options, ("channels", channel.name)
    context = ssl.create_default_context(cafile=options["ca_file"] or None)
    host, port = options["host"], options["port"]
    try:
        if options["security"] == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT[1], context=context)
        else:
            server = smtplib.SMTP(host, port, timeout=TIMEOUT[1])
        with server:
            if options["security"] == "starttls":
                server.starttls(context=context)
            if options["user"]:
                server.login(options["user"], options["password"])
            server.noop()
    except smtplib.SMTPAuthenticationError:
        mend = "Compare `user` and `password` with the mail server's."
        return Looked(channel.name, "failed", "The mail server refuses the user or password.", path, mend)
    except ssl.SSLError:
        mend = "Is `host` the name in its certificate? An own authority goes into `ca_file`."
        return Looked(channel.name, "failed", "The mail server's certificate is not trusted.", path, mend)
    except smtplib.SMTPException:
        mend = "Are `port` and `security` right?"
        return Looked(channel.name, "failed", "The mail server refuses to talk like this.", path, mend)
    except OSError:
        return Looked(channel.name, "failed", "The mail server does not answer.", path, "Are `host` and `port` right?")
    return Looked(channel.name, "ok", "The mail server takes us.")
