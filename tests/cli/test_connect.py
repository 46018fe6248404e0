"""`escalator connect` and `disconnect` against a Zammad with nothing set up."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from .bare import Bare, bare_bench

PIECES = (
    'user "escalator-2"',
    'token of "escalator-2"',
    'webhook "Escalator"',
    'trigger "Escalator: created"',
    'trigger "Escalator: updated"',
    'macro "Acknowledge escalation"',
    'overview "Escalations"',
)


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Bare]:
    yield from bare_bench(tmp_path)


def test_it_shows_what_is_missing_makes_it_and_keeps_the_token_where_only_its_owner_reads_it(bare: Bare) -> None:
    said = bare.connect("--yes")

    assert said.exit_code == 0, said.output
    for piece in PIECES:
        assert f"{piece}: made" in said.output
    assert stat.S_IMODE(bare.token.stat().st_mode) == 0o600
    assert bare.token.read_text().strip() not in said.output
    assert bare.run("check").exit_code == 0


def test_the_second_run_changes_nothing(bare: Bare) -> None:
    bare.connect("--yes")
    before, token = bare.tables(), bare.token.read_text()

    said = bare.connect()

    assert said.exit_code == 0, said.output
    assert said.stdout.splitlines()[-1] == "Nothing to change."
    assert bare.tables() == before
    assert bare.token.read_text() == token


def test_a_dry_run_changes_nothing(bare: Bare) -> None:
    before = bare.tables()
    said = bare.connect("--dry-run")

    assert said.exit_code == 0, said.output
    assert said.output.count("will be made") == len(PIECES) + 5  # and a text module for each command
    assert bare.tables() == before
    assert not bare.token.exists()


def test_nothing_is_changed_without_a_yes(bare: Bare) -> None:
    before = bare.tables()
    said = bare.run("connect", "--login", "escalator-2", stdin="n\n", **bare.admin)

    assert said.exit_code == 1
    assert "Change 12 things in the helpdesk? [y/N]: n" in said.output
    assert bare.tables() == before


def test_every_list_of_the_helpdesk_is_asked_for_once(bare: Bare) -> None:
    bare.connect("--yes", "--with-fields")
    bare.zammad.faults.forget_requests()

    assert "Nothing to change." in bare.connect("--with-fields").output

    by_its_own_token = ("/users/me", "/settings")
    lists = {what: n for what, n in bare.zammad.faults.requests.items() if not what.endswith(by_its_own_token)}
    assert set(lists.values()) == {1}, lists
    assert len(lists) == 8  # groups, people, attributes, and five tables


def test_what_somebody_changed_is_shown_and_mended(bare: Bare) -> None:
    bare.connect("--yes")
    desk, caller = bare.zammad, bare.zammad.caller(bare.zammad.admin)
    [trigger] = [row for row in desk.desk.tables["triggers"].values() if row["name"] == "Escalator: updated"]
    desk.setup.save(caller, "triggers", trigger["id"], {"execution_condition_mode": "selective", "active": False})

    said = bare.connect("--yes")

    assert "execution_condition_mode: selective -> always" in said.output
    assert 'trigger "Escalator: updated": changed' in said.output
    assert (trigger["execution_condition_mode"], trigger["active"]) == ("always", True)


def test_the_new_user_has_the_least_rights_and_the_webhook_is_signed(bare: Bare) -> None:
    bare.connect("--yes")
    headers = {"Authorization": f"Token token={bare.token.read_text().strip()}"}
    me = requests.get(f"{bare.zammad.url}/api/v1/users/me?expand=true", headers=headers, timeout=10).json()
    [webhook] = bare.zammad.desk.tables["webhooks"].values()

    assert me["login"] == "escalator-2"
    assert me["roles"] == ["Agent"]
    assert all(sorted(rights) == ["change", "create", "read"] for rights in me["groups"].values())
    assert webhook["signature_token"] == bare.config["helpdesk"]["webhook_secret"]
    assert requests.get(f"{bare.zammad.url}/api/v1/settings", headers=headers, timeout=10).status_code == 403


def test_without_a_file_in_the_config_the_token_is_shown_once(bare: Bare) -> None:
    bare.config["helpdesk"] = {**bare.config["helpdesk"], "token": "${ZAMMAD_TOKEN}"}
    del bare.config["helpdesk"]["token_file"]
    bare.write()

    said = bare.connect("--yes")

    assert said.exit_code == 0, said.output
    token = said.stderr.split("\n")[-2]
    assert bare.run("check", ZAMMAD_TOKEN=token).exit_code == 0


def test_an_administrator_may_sign_in_with_a_password_that_is_asked_for(bare: Bare) -> None:
    bare.zammad.desk.passwords[bare.zammad.admin.id] = "a-password"
    answers = f"\n{bare.zammad.admin.login}\na-password\n"
    said = bare.run("connect", "--login", "escalator-2", "--dry-run", stdin=answers)

    assert said.exit_code == 0, said.output
    assert "a-password" not in said.output


def test_whoever_may_not_is_told_in_one_sentence(bare: Bare) -> None:
    said = bare.connect("--yes", ESCALATOR_ADMIN_TOKEN=bare.zammad.alice.token + "x")
    assert said.exit_code == 1
    assert said.output.splitlines()[-1].startswith("Zammad doesn't accept the API token.")


def test_disconnect_leaves_nothing_active_and_says_what_stays(bare: Bare) -> None:
    bare.connect("--yes")
    said = bare.run("disconnect", "--login", "escalator-2", "--purge", "--yes", **bare.admin)

    assert said.exit_code == 0, said.output
    assert not any(bare.zammad.desk.tables[kind] for kind in ("webhooks", "triggers", "overviews", "text_modules"))
    [user] = [row for row in bare.zammad.desk.users.values() if row["login"] == "escalator-2"]
    assert not user["active"]
    assert "Stays: notes, tags and history on tickets" in said.output
    assert "Nothing of Escalator is there." in bare.run("disconnect", "--login", "escalator-2", **bare.admin).output
