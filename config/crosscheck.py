"""What no single key shows: sections that need each other, and settings that would quietly do less than they seem to.

All checks read the filled-in data, not the loaded objects, so that they also run beside the mistakes that keep
a section from loading.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

import phonenumbers

from . import reach, references, rules
from .build import e164
from .fields import NAME
from .filling import Filled
from .problems import Path, Report, shown
from .settings import LIVE
from .view import View

#: Which field of a contact each kind of channel needs; "" for none.
NEEDS: dict[str, str] = {
    "push": "push",
    "webpush": "",  # browsers are paired, not listed
    "sms": "mobile",
    "phone": "mobile",
    "email": "email",
    "http_post": "",
}

#: Words that mean something else wherever a contact is named, or on the phone (`ALL`).
RESERVED = frozenset({"owner", "unassigned", "group", "customer", "none", "all", "always", "nobody", "everybody"})
TWILIO_KINDS = frozenset({"sms", "phone"})
SHORT_KEY, SHORT_TOKEN = 32, 16


def run(filled: Filled, kinds: Mapping[str, str], needs: Mapping[str, str], report: Report) -> None:
    """Reports everything that doesn't fit together. `kinds` are the channels' kinds by their name in the config."""
    view = View(filled, kinds, needs, report)
    _names(view)
    _service(view)
    _keys(view)
    _numbers(view)
    _accounts(view)
    references.check(view)
    reach.check(view)
    rules.check(view)


def _names(view: View) -> None:
    for section, word in (("contacts", "contact"), ("plans", "plan"), ("channels", "channel")):
        for name in view.names(section):
            path = (section, name)
            if not NAME.fullmatch(name):
                sentence = f"`{shown(name)}` can't be the name of a {word}."
                mend = "Use up to 40 letters without accents, digits, `-`, `_` and `.`."
                view.report.error(path, sentence, mend, key=True)
            elif name.casefold() in RESERVED and section != "channels":
                sentence = f"`{name}` can't be the name of a {word}: the word has a meaning of its own."
                view.report.error(path, sentence, "Choose another name.", key=True)


def _service(view: View) -> None:
    service = view.section("service")
    if service is None:
        return
    if "public_url" not in service:
        sentence = "`service.public_url` isn't set: links and provider callbacks are off, so a key in the call"
        view.report.warning(
            ("service", "public_url"),
            f"{sentence} or an SMS reply can't be heard.",
            "Add the https address under which phones and providers reach Escalator.",
        )
    _redirect(view)
    _plain_http(view, ("service", "public_url"), "acknowledge links travel unencrypted")
    _plain_http(view, ("helpdesk", "url"), "the token and all tickets travel unencrypted")
    if service.get("operator") is None:
        sentence = "`service.operator` isn't set: nobody is told when Escalator itself is in trouble."
        view.report.warning(("service", "operator"), sentence, "Add `operator: {notify: CONTACT, by: CHANNEL}`.")
        return
    ways = view.texts(("service", "operator", "by"))
    if ways and all(view.kinds.get(way) == "webpush" for way in ways):
        sentence = "The operator is told by Web Push alone: while Redis is away nobody's phone is known."
        view.report.warning(("service", "operator", "by"), sentence, "Add `email`, `sms` or another way.")


def _redirect(view: View) -> None:
    path: Path = ("service", "redirect_to")
    mode = view.at(("service", "mode"))
    if view.words(path) and mode in (None, LIVE):
        sentence = "`service.redirect_to` works only in a rehearsal: live, everybody is told themselves."
        view.report.error(path, sentence, "Add `mode: rehearsal`, or take it out.", key=True)


def _plain_http(view: View, path: Path, harm: str) -> None:
    url = view.at(path)
    if isinstance(url, str) and path not in view.filled.blank and url.startswith("http://") and not _is_loopback(url):
        view.report.warning(path, f"`{path[0]}.{path[1]}` is plain http: {harm}.", "Use https.")


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or host.endswith(".localhost") or ip_address(host).is_loopback
    except ValueError:
        return False


def _keys(view: View) -> None:
    if ("service", "secret_keys") not in view.filled.blank:
        for path, key in view.words(("service", "secret_keys")):
            if len(key) < SHORT_KEY and path not in view.filled.blank:
                mend = "Make one with `openssl rand -hex 32`."
                view.report.warning(path, f"This secret key is shorter than {SHORT_KEY} characters.", mend)
    tokens = view.at(("service", "api_tokens"))
    for name, token in tokens.items() if isinstance(tokens, dict) else ():
        path = ("service", "api_tokens", name)
        if isinstance(token, str) and len(token) < SHORT_TOKEN and path not in view.filled.blank:
            mend = "Make one with `openssl rand -hex 32`."
            view.report.warning(path, f"This API token is shorter than {SHORT_TOKEN} characters.", mend)


def _numbers(view: View) -> None:
    region = view.at(("service", "phone_region")) or ""
    path: Path = ("service", "phone_region")
    region = region.upper() if isinstance(region, str) and path not in view.filled.blank else ""
    if region and region not in phonenumbers.SUPPORTED_REGIONS:
        view.report.error(path, "`service.phone_region` is no country.", "Write its two letters, like `DE`.")
        region = ""
    seen: dict[str, str] = {}
    for name, contact in view.entries("contacts"):
        path, mobile = ("contacts", name, "mobile"), contact.get("mobile")
        if not isinstance(mobile, str) or not mobile.strip() or path in view.filled.blank:
            continue
        number = e164(mobile, region)
        if number is None:
            mend = (
                'Write it with its country code, "+49…".'
                if not region
                else f'Write it with "+", or as in {region.upper()}.'
            )
            view.report.error(path, f"`contacts.{shown(name)}.mobile` is no valid phone number.", mend)
        elif number in seen:
            sentence = f"`{shown(name)}` has the same mobile as `{shown(seen[number])}`: a reply can't tell who it was."
            view.report.warning(path, sentence, "Give each person their own number.")
        else:
            seen[number] = name


def _accounts(view: View) -> None:
    logins: dict[str, str] = {}
    for name, contact in view.entries("contacts"):
        login = contact.get("login")
        if not isinstance(login, str) or not login or ("contacts", name, "login") in view.filled.blank:
            continue
        first = logins.setdefault(login.casefold(), name)
        if first != name:
            sentence = f"`{shown(name)}` has the same login as `{shown(first)}`."
            view.report.error(("contacts", name, "login"), sentence, "Keep one contact for each person.")
    if "twilio" in view.data or "twilio" in view.misspelt:
        return
    for name, kind in view.kinds.items():
        if kind in TWILIO_KINDS:
            sentence = f"The channel `{shown(name)}` needs the section `twilio`."
            mend = 'Add `twilio: {account_sid: "${TWILIO_ACCOUNT_SID}", auth_token: "${TWILIO_AUTH_TOKEN}"}`.'
            view.report.error(("channels", name), sentence, mend, key=True)
