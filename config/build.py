"""From validated sections to Settings. Nothing is checked here: whatever arrives has passed schema and cross checks."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import phonenumbers

from connector.core.contact import Contact
from connector.core.plan import Criteria, Plan, Policy, Rule, Step, Way, WhenExhausted

from .problems import Report
from .settings import LIMITS, ChannelSettings, HelpdeskSettings, Operator, Service, Settings, Twilio

#: The word for "no plan" in rules and priorities.
NO_PLAN = "none"


def settings(path: Path, digest: str, sections: Mapping[str, Any], report: Report) -> Settings:
    """`sections` holds the loaded sections by name; entries of named sections by their name."""
    about = dict(sections["service"])
    operator, private = about.pop("operator"), about.pop("privacy")
    about["limits"] = {**LIMITS, **about["limits"]}
    twilio = sections.get("twilio")
    return Settings(
        path=path,
        digest=digest,
        helpdesk=HelpdeskSettings(*sections["helpdesk"]),
        service=Service(operator=Operator(**operator) if operator else None, **about),
        twilio=Twilio(twilio["account_sid"], twilio["auth_token"], twilio["api_url"]) if twilio else None,
        channels={name: ChannelSettings(name, *channel) for name, channel in sections["channels"].items()},
        contacts={key: _contact(key, loaded, about["phone_region"]) for key, loaded in sections["contacts"].items()},
        policy=_policy(sections, private, report),
        warnings=report.in_order(),
    )


def _contact(key: str, loaded: Mapping[str, Any], region: str) -> Contact:
    return Contact(key, **{**loaded, "mobile": e164(loaded["mobile"], region) or ""})


def e164(number: str, region: str) -> str | None:
    """The number in E.164 form ("+491701234567"), or None when no such number can exist.

    `region` is the country that numbers without a country code belong to ("" for none).
    """
    try:
        parsed = phonenumbers.parse(number, region.upper() or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _policy(sections: Mapping[str, Any], private: Iterable[Mapping[str, Any]], report: Report) -> Policy:
    return Policy(
        plans={name: _plan(name, loaded) for name, loaded in sections["plans"].items()},
        rules=tuple(
            Rule(criteria(rule["when"]), plan_name(rule["plan"]), report.place(("rules", index)).line)
            for index, rule in enumerate(sections["rules"])
        ),
        priorities={priority: plan_name(plan) for priority, plan in sections["priorities"].items()},
        private=tuple(criteria(one["when"]) for one in private),
    )


def plan_name(word: str) -> str | None:
    return None if word == NO_PLAN else word


def _plan(name: str, loaded: Mapping[str, Any]) -> Plan:
    keys = dict(loaded)
    keys["steps"] = tuple(Step(**step) for step in keys["steps"])
    keys["acknowledged_by"] = frozenset(Way(way) for way in keys["acknowledged_by"])
    if keys["when_exhausted"]:
        keys["when_exhausted"] = WhenExhausted(**keys["when_exhausted"])
    return Plan(name=name, **keys)


def criteria(loaded: Mapping[str, Any]) -> Criteria:
    keys = dict(loaded)
    return Criteria(fields=tuple(sorted(keys.pop("field").items())), **keys)
