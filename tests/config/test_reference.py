"""The reference is complete, and agrees with what the loader does."""

from config.reference import markdown, reference
from config.schema import SECTIONS


def test_every_key_says_what_it_means():
    assert [entry.path for entry in reference() if not entry.meaning] == []


def test_the_reference_holds_keys_of_every_section():
    paths = [entry.path for entry in reference()]
    assert len(paths) == len(set(paths))
    assert {path.split(".")[0].split("[")[0] for path in paths} == set(SECTIONS)


def test_defaults_stand_as_they_would_be_written():
    defaults = {entry.path: entry.default for entry in reference()}
    assert defaults["service.keep"] == "400d"
    assert defaults["service.links_valid"] == "1d"
    assert defaults["service.secret_keys"] == "required"
    assert defaults["plans.NAME.steps[].else"] == ""
    assert defaults["plans.NAME.reopened"] == "restart"
    assert defaults["service.use_helpdesk_mobiles"] == "false"


def test_secrets_say_that_they_may_stand_in_a_file():
    meanings = {entry.path: entry.meaning for entry in reference()}
    assert "`auth_token_file`" in meanings["twilio.auth_token"]
    assert "_file" not in meanings["service.timezone"]


def test_options_of_helpdesks_and_channels_come_from_their_own_schemas(kinds):
    entries = {entry.path: entry for entry in reference(*kinds)}
    assert entries["helpdesk(zammad).url"].meaning == "the helpdesk's address"
    assert entries["helpdesk.kind"].type == "one of zammad, znuny"
    assert entries["channels.NAME(email).port"][1:3] == ("number", "587")
    assert entries["channels.NAME(sms).from"].default == "required"


def test_the_reference_is_a_table_with_a_line_for_each_key():
    lines = markdown(reference()).splitlines()
    assert len(lines) == 2 + len(reference())
    assert "| `service.keep` | duration | `400d` |" in "\n".join(lines)
    assert {line.count(" | ") for line in lines} == {3}
