"""The examples that admins copy load as they stand, once their variables are set."""

from datetime import timedelta
from pathlib import Path

import pytest

from connector.core.plan import Step, Way, WhenExhausted
from connector.core.ticket import Facts

CONFIG = Path(__file__).parents[2] / "config"


def test_the_example_loads_without_a_single_problem(load_file):
    loaded = load_file(CONFIG / "escalation.example.yml")
    assert loaded.problems == ()
    settings = loaded.settings
    assert settings.helpdesk.kind == "zammad"
    assert settings.helpdesk.options["token"] == "the ZAMMAD_TOKEN"
    assert settings.service.secret_keys == ("k" * 64,)
    assert settings.service.keep == timedelta(days=400)
    assert settings.twilio.auth_tokens == ("the TWILIO_AUTH_TOKEN",)
    assert settings.channels["pager"].kind == "http_post"
    assert settings.contacts["dana"].mobile == "+491701234567"


def test_the_example_says_in_plans_what_it_says_in_words(load_file):
    plan = load_file(CONFIG / "escalation.example.yml").settings.policy.plans["major-incident"]
    assert plan.respond_within == timedelta(minutes=10)
    assert plan.steps[0] == Step(("owner",), ("email",), ("sms",))
    assert plan.steps[3] == Step(("lead",), ("sms", "phone"), (), timedelta(minutes=10))
    assert plan.when_exhausted == WhenExhausted(("lead",), ("email", "pager"), timedelta(hours=1))
    assert Way.MAIL not in plan.acknowledged_by
    assert Way.TAKE in plan.acknowledged_by


def test_the_reason_for_a_match_names_the_rules_line_in_the_file(load_file):
    path = CONFIG / "escalation.example.yml"
    match = load_file(path).settings.policy.match(Facts(priority="2 normal", group="Network"))
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if "group: Network" in text)
    assert match.plan == "major-incident"
    assert f"line {line} " in match.reason


@pytest.mark.parametrize(
    "name", ["znuny", "push", "sms", "phone", "email", "http_post", "webpush", "priorities-only", "rules"]
)
def test_each_small_example_loads(name, load_file):
    loaded = load_file(CONFIG / "examples" / f"{name}.yml")
    assert loaded.problems == ()
    assert loaded.settings.policy.plans


def test_every_small_example_is_tested(examples):
    tested = {"znuny", "push", "sms", "phone", "email", "http_post", "webpush", "priorities-only", "rules"}
    assert {path.stem for path in examples} - {"escalation.example"} == tested


def test_the_rules_example_knows_every_criterion(load_file):
    rules = load_file(CONFIG / "examples/rules.yml").settings.policy.rules
    asked = {name for rule in rules for name in rule.when.__slots__ if getattr(rule.when, name)}
    assert asked == {"priority", "group", "tag", "title", "organization", "vip", "fields"}
    assert [rule.line for rule in rules] == sorted({rule.line for rule in rules})
    assert rules[0].plan is None


def test_the_digest_changes_with_the_text_and_holds_no_secret(load_text):
    text = (CONFIG / "examples/email.yml").read_text()
    first, again = load_text(text).settings.digest, load_text(text, {"ESCALATOR_KEY": "z" * 64}).settings.digest
    assert first == again
    assert load_text(text + "# later\n").settings.digest != first


def test_printed_settings_hold_no_secret_and_no_number(load_file, environ):
    printed = repr(load_file(CONFIG / "escalation.example.yml").settings)
    assert "+4917" not in printed
    assert not [name for name, value in environ.items() if value in printed and name != "TWILIO_ACCOUNT_SID"]
