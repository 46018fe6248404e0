"""Loading: what comes in from files and the environment, and what comes out."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config import load, load_or_raise
from connector.errors import ConfigError

TEXT = (Path(__file__).parents[2] / "config/examples/email.yml").read_text()


def changed(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new, 1)


def sentences(loaded) -> list[str]:
    return [f"{problem.line}: {problem.sentence}" for problem in loaded.problems]


def test_a_variable_is_filled_in_wherever_it_stands_in_a_text(load_text):
    loaded = load_text(changed("https://desk.example.com", "https://${HOST}/desk"), {"HOST": "help.example.com"})
    assert loaded.settings.helpdesk.options["url"] == "https://help.example.com/desk"


def test_a_value_from_the_environment_cannot_change_the_structure_of_the_file(load_text):
    value = 'x", robots: [a], y: "${ESCALATOR_KEY}'
    loaded = load_text(TEXT, {"ZAMMAD_TOKEN": value})
    assert loaded.settings.helpdesk.options["token"] == value
    assert loaded.settings.helpdesk.options["robots"] == []


def test_two_dollars_are_one_and_a_lone_dollar_is_itself(load_text):
    loaded = load_text(changed("${SMTP_PASSWORD}", "a$${b}$c"))
    assert loaded.settings.channels["email"].options["password"] == "a${b}$c"


def test_every_unset_variable_is_told_at_its_own_place(tmp_path, kinds):
    path = tmp_path / "escalation.yml"
    path.write_text(TEXT)
    loaded = load(path, *kinds, environ={})
    assert [problem.mend for problem in loaded.problems] == [
        "export ZAMMAD_TOKEN=...",
        "export ZAMMAD_WEBHOOK_SECRET=...",
        "export ESCALATOR_KEY=...",
        "export SMTP_PASSWORD=...",
    ]


def test_an_empty_variable_is_no_value(load_text):
    assert "The environment variable ZAMMAD_TOKEN is empty." in sentences(load_text(TEXT, {"ZAMMAD_TOKEN": " "}))[0]


def test_a_secret_is_read_from_a_file_beside_the_config(load_text, tmp_path):
    (tmp_path / "token").write_text("from-the-file\n")
    loaded = load_text(changed('token: "${ZAMMAD_TOKEN}"', "token_file: token"))
    assert loaded.settings.helpdesk.options["token"] == "from-the-file"


def test_a_file_with_two_lines_is_a_rotation(load_text, tmp_path):
    (tmp_path / "keys").write_text(f"{'n' * 40}\n{'o' * 40}\n")
    loaded = load_text(changed('secret_keys: ["${ESCALATOR_KEY}"]', "secret_keys_file: keys"))
    assert loaded.settings.service.secret_keys == ("n" * 40, "o" * 40)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "isn't there."), (b"", "is empty."), (b"\xff\xfe", "is no text."), (b"x" * 70_000, "is too large.")],
)
def test_a_secret_file_that_gives_nothing_is_told_once(content, sentence, load_text, tmp_path):
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    loaded = load_text(changed('token: "${ZAMMAD_TOKEN}"', "token_file: token"))
    assert [problem.sentence.endswith(sentence) for problem in loaded.problems] == [True]


def test_only_secrets_may_stand_in_files(load_text):
    loaded = load_text(TEXT + "twilio: {account_sid_file: x}\n")
    assert any("There is no key `account_sid_file` under `twilio`." in one for one in sentences(loaded))


def test_a_key_file_of_a_channel_is_found_from_any_working_directory(tmp_path, kinds, environ):
    text = (Path(__file__).parents[2] / "config/examples/push.yml").read_text()
    (tmp_path / "apns.p8").write_text("key")
    (tmp_path / "escalation.yml").write_text(text.replace("${APNS_KEY_FILE}", "apns.p8"))
    settings = load_or_raise(tmp_path / "escalation.yml", *kinds, environ=environ)
    assert settings.channels["push"].options["key_file"] == str(tmp_path / "apns.p8")


def test_numbers_are_kept_in_e164_whatever_the_spelling(load_text):
    text = changed("email: dana@example.com}", 'email: dana@example.com, mobile: "0170 / 123 45 67"}')
    loaded = load_text(text.replace("service:\n", "service:\n  phone_region: de\n"))
    assert loaded.settings.contacts["dana"].mobile == "+491701234567"


def test_a_date_is_understood_with_and_without_quotes_and_becomes_utc(load_text):
    for since in ('"2026-01-31T21:15:00+01:00"', "2026-01-31T21:15:00+01:00"):
        loaded = load_text(changed("service:\n", f"service:\n  since: {since}\n"))
        assert loaded.settings.service.since == datetime(2026, 1, 31, 20, 15, tzinfo=UTC)


def test_a_date_without_a_zone_is_refused(load_text):
    loaded = load_text(changed("service:\n", "service:\n  since: 2026-01-31T21:15:00\n"))
    assert any("carries no time zone" in one for one in sentences(loaded))


def test_durations_are_timedeltas(load_text):
    loaded = load_text(changed("service:\n", "service:\n  sweep_every: 90s\n  keep: 2d\n  links_valid: 3h\n"))
    service = loaded.settings.service
    assert (service.sweep_every, service.keep, service.links_valid) == (
        timedelta(seconds=90),
        timedelta(days=2),
        timedelta(hours=3),
    )


def test_a_problem_prints_as_editors_and_terminals_link_it(load_text, tmp_path):
    loaded = load_text(changed("respond_within: 10m", "respond_within: 10"))
    (problem,) = loaded.errors
    assert str(problem) == (
        f"{tmp_path}/escalation.yml:{problem.line}:{problem.column}: `plans.urgent.respond_within` is a number"
        " without a unit. Write `90s`, `15m`, `2h` or `1d`. Is it `10m` or `10s`?"
    )


def test_a_missing_config_names_the_copy_command(tmp_path, kinds):
    path = tmp_path / "none.yml"
    (problem,) = load(path, *kinds, environ={}).problems
    assert str(problem) == f"{path}: There is no such file. cp config/escalation.example.yml {path}"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"a: \xff", "Line 1 isn't UTF-8."),
        (b"# " + b"x" * (1 << 20), "The file is larger than 1 MiB."),
        (b"- a", "The file holds no keys."),
        (b"a: [", "This is no YAML: expected the node content, but found '<stream end>'."),
        (b"[" * 50_000, "This file nests deeper than any config needs."),
        (b"a: \x00", "This is no YAML: it holds characters that don't belong into a text file."),
    ],
)
def test_a_file_that_is_no_config_gets_one_sentence(content, sentence, tmp_path, kinds):
    path = tmp_path / "escalation.yml"
    path.write_bytes(content)
    assert [problem.sentence for problem in load(path, *kinds, environ={}).problems] == [sentence]


def test_a_folder_is_no_config(tmp_path, kinds):
    assert [p.sentence for p in load(tmp_path, *kinds, environ={}).problems] == ["The file can't be read."]


def test_load_or_raise_tells_every_error_and_no_warning(tmp_path, kinds, environ):
    path = tmp_path / "escalation.yml"
    text = TEXT.replace("kind: zammad", "kind: zamad").replace("10m", "10").replace("  public_url: https", "  # https")
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_or_raise(path, *kinds, environ=environ)
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert "zammad" in lines[0]
    assert "without a unit" in lines[1]


def test_no_problem_ever_quotes_what_came_from_the_environment(load_text):
    text = changed("kind: zammad", 'kind: "${ESCALATOR_KEY}"').replace("by: email", 'by: "${ESCALATOR_KEY}"')
    text = text.replace('"3 high": urgent', '"3 high": "${ESCALATOR_KEY}"').replace(
        "notify: dana", 'notify: "${ESCALATOR_KEY}"'
    )
    problems = load_text(text).problems
    assert len(problems) > 5
    assert not [problem for problem in problems if "kkkk" in f"{problem}"]


@pytest.mark.parametrize("url", ["http://localhost:3000", "http://127.0.0.1:3000", "http://[::1]:3000"])
def test_plain_http_is_fine_on_the_same_machine(url, load_text):
    assert load_text(changed("https://desk.example.com", url)).problems == ()


def test_an_owner_known_only_to_the_helpdesk_can_be_rung_when_that_is_allowed(load_text):
    text = changed(
        "channels:\n", 'twilio: {account_sid: "${TWILIO_ACCOUNT_SID}", auth_token: "${TWILIO_AUTH_TOKEN}"}\nchannels:\n'
    )
    text = text.replace("  email:\n", '  sms: {from: "+15005550006"}\n  email:\n', 1)
    text = text.replace("{notify: owner, by: email}", "{notify: owner, by: email, else: sms}")
    assert any("`sms` reaches no owner" in one for one in sentences(load_text(text)))
    allowed = load_text(text.replace("service:\n", "service:\n  use_helpdesk_mobiles: true\n"))
    assert not any("reaches no owner" in one for one in sentences(allowed))


def test_what_a_kind_of_channel_needs_can_be_told_from_outside(tmp_path, kinds, environ):
    path = tmp_path / "escalation.yml"
    path.write_text(TEXT)
    loaded = load(path, *kinds, environ=environ, needs={"email": "mobile"})
    assert any("nobody can be reached at all" in problem.sentence for problem in loaded.errors)


def test_a_ceiling_that_the_config_leaves_out_keeps_its_default(load_text):
    loaded = load_text(changed("service:\n", "service:\n  bundle_within: 0s\n  limits: {sms: 3, email: 0}\n"))
    service = loaded.settings.service
    assert service.bundle_within == timedelta(0)
    assert service.limits == {"sms": 3, "phone": 20, "push": 120, "webpush": 120, "email": 0}
