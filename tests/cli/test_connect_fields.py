"""`escalator connect --with-fields`: the step and the next time as attributes of Zammad's tickets."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.helpdesks.zammad.set_up.attributes import TITLE
from connector.helpdesks.zammad.values import DUE, OURS, STEP

from .bare import Bare, bare_bench

FOREIGN = {"object": "User", "name": "floor", "display": "Floor", "data_type": "input", "active": True}
FOREIGN |= {"data_option": {"type": "text", "maxlength": 10}}


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Bare]:
    yield from bare_bench(tmp_path)


def own(bare: Bare) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in bare.zammad.desk.attributes.values() if row["name"] in OURS}


def leave_pending(bare: Bare) -> None:
    """What another administrator asked for, and nobody has carried out."""
    bare.zammad.setup.attributes.create(bare.zammad.caller(bare.zammad.admin), dict(FOREIGN))


def pending(bare: Bare) -> list[str]:
    flags = ("to_create", "to_migrate", "to_delete", "to_config")
    return [row["name"] for row in bare.zammad.desk.attributes.values() if any(row[flag] for flag in flags)]


def test_the_attributes_are_made_carried_out_and_shown_to_agents_alone(bare: Bare) -> None:
    said = bare.connect("--yes", "--with-fields")

    assert said.exit_code == 0, said.output
    assert f"{TITLE}: made" in said.output
    assert set(own(bare)) == set(OURS)
    assert pending(bare) == []
    assert set(OURS) <= bare.zammad.create_ticket().keys()
    for row in own(bare).values():
        screens = row["screens"]
        assert screens["edit"]["ticket.agent"] == {"shown": True, "required": False}
        assert not any(screen["ticket.customer"]["shown"] for screen in screens.values())
        assert not any(rules["required"] for screen in screens.values() for rules in screen.values())


def test_it_says_what_they_bring_along_before_it_asks(bare: Bare) -> None:
    before = bare.tables()
    said = bare.run("connect", "--login", "escalator-2", "--with-fields", stdin="n\n", **bare.admin)

    told, _, _ = said.output.partition("Change 13 things in the helpdesk?")
    for words in (
        "Zammad's manual asks for a restart of Zammad",
        "screens that stand open write old values of attributes back",
        "reads nothing from them",
        "Zammad tells agents of each change",
    ):
        assert words in told
    assert bare.tables() == before


def test_without_the_flag_nothing_is_said_or_made_of_them(bare: Bare) -> None:
    said = bare.connect("--yes")
    assert "attributes" not in said.output
    assert own(bare) == {}


def test_the_second_run_changes_nothing_with_the_flag_or_without(bare: Bare) -> None:
    bare.connect("--yes", "--with-fields")
    before = bare.tables()

    for said in (bare.connect("--with-fields"), bare.connect()):
        assert said.exit_code == 0, said.output
        assert said.stdout.splitlines()[-1] == "Nothing to change."
        assert "restart" not in said.output
    assert bare.tables() == before


def test_what_others_left_pending_is_named_before_it_is_carried_out_too(bare: Bare) -> None:
    leave_pending(bare)
    refused = bare.run("connect", "--login", "escalator-2", "--with-fields", stdin="n\n", **bare.admin)
    assert "also carries out what others left pending: User.floor (new)." in refused.output
    assert (refused.exit_code, pending(bare)) == (1, ["floor"])

    assert bare.connect("--yes", "--with-fields").exit_code == 0
    assert pending(bare) == []


def test_nothing_of_others_is_carried_out_where_ours_stand_already(bare: Bare) -> None:
    bare.connect("--yes", "--with-fields")
    leave_pending(bare)
    assert "Nothing to change." in bare.connect("--with-fields").output
    assert pending(bare) == ["floor"]


def test_as_json_the_words_are_there_too(bare: Bare) -> None:
    document = json.loads(bare.connect("--dry-run", "--with-fields", "--json").stdout)
    assert {"name": TITLE, "standing": "missing", "changes": []} in document["pieces"]
    assert any("restart" in one for one in document["cautions"])
    assert own(bare) == {}


def test_a_run_that_broke_off_is_taken_up_again(bare: Bare) -> None:
    bare.zammad.faults.refuse(500, "execute_migrations")
    broken = bare.connect("--yes", "--with-fields")
    assert broken.exit_code == 1
    assert set(pending(bare)) == set(OURS)
    token = bare.token.read_text()
    bare.zammad.faults.heal()

    said = bare.connect("--yes", "--with-fields")

    assert bare.token.read_text() == token, "what was made before is kept"
    assert f"{STEP}: pending, new; {DUE}: pending, new" in said.output
    assert f"{TITLE}: changed" in said.output
    assert pending(bare) == []


def test_where_zammad_restarts_by_itself_after_them_that_is_said(bare: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    own_, migrate = bare.zammad.setup.attributes, bare.zammad.setup.attributes.migrate

    def and_restart() -> None:
        migrate()
        bare.zammad.faults.refuse(502, "/api/v1")

    monkeypatch.setattr(own_, "migrate", and_restart)
    said = bare.connect("--yes", "--with-fields")

    assert said.exit_code == 1
    assert "it may be restarting by itself. Run this again to see them." in said.output
    bare.zammad.faults.heal()
    assert "Nothing to change." in bare.connect("--with-fields").output


def test_what_somebody_changed_is_mended_and_what_is_theirs_is_left(bare: Bare) -> None:
    bare.connect("--yes", "--with-fields")
    step = own(bare)[STEP]
    step["screens"] = {"edit": {"ticket.customer": {"shown": True, "required": True}}, "create_top": {}}
    step |= {"display": "Eskalationsstufe", "position": 7, "active": False}

    said = bare.connect("--yes", "--with-fields")

    assert f"{STEP}: active; {STEP}: screens" in said.output
    row = own(bare)[STEP]
    assert (row["active"], row["screens"]["edit"]["ticket.customer"]["shown"]) == (True, False)
    assert (row["display"], row["position"], row["screens"]["create_top"]) == ("Eskalationsstufe", 7, {})
    assert pending(bare) == []


def test_one_that_waits_for_its_deletion_is_made_anew(bare: Bare) -> None:
    bare.connect("--yes", "--with-fields")
    bare.zammad.setup.attributes.delete(own(bare)[DUE]["id"])

    said = bare.connect("--yes", "--with-fields")

    assert said.exit_code == 0, said.output
    assert set(own(bare)) == set(OURS)
    assert pending(bare) == []


def test_disconnect_switches_them_off_and_they_keep_their_values(bare: Bare) -> None:
    bare.connect("--yes", "--with-fields")
    ticket = bare.zammad.create_ticket()["id"]
    bare.zammad.change(ticket, bare.zammad.admin, **{STEP: "2 of 3"})

    said = bare.disconnect("--yes")

    assert said.exit_code == 0, said.output
    assert f"{TITLE}, from the screens: taken away" in said.output
    assert "a restart of Zammad" in said.output
    assert "switched off, with what stands in them (--purge deletes them)" in said.output
    assert [row["active"] for row in own(bare).values()] == [False, False]
    assert bare.zammad.ticket(ticket)[STEP] == "2 of 3"
    assert pending(bare) == []
    assert "Nothing of Escalator is there." in bare.disconnect("--yes").output


def test_connected_again_they_are_switched_on_again(bare: Bare) -> None:
    bare.connect("--yes", "--with-fields")
    bare.disconnect("--yes")
    assert f"{TITLE}: changed" in bare.connect("--yes", "--with-fields").output
    assert [row["active"] for row in own(bare).values()] == [True, True]


def test_disconnect_with_purge_deletes_them_with_their_values(bare: Bare) -> None:
    bare.connect("--yes", "--with-fields")
    leave_pending(bare)

    said = bare.disconnect("--purge", "--yes")

    assert f"{TITLE}, with their values: taken away" in said.output
    assert "User.floor (new)" in said.output
    assert own(bare) == {}
    assert not set(OURS) & bare.zammad.create_ticket().keys()
    assert "Nothing of Escalator is there." in bare.disconnect("--purge", "--yes").output


def test_an_attribute_that_an_overview_asks_about_is_kept_and_named(bare: Bare) -> None:
    bare.connect("--yes", "--with-fields")
    asks = {f"ticket.{STEP}": {"operator": "is", "value": "1 of 3"}}
    bare.zammad.setup.create(bare.zammad.caller(bare.zammad.admin), "overviews", {"name": "Mine", "condition": asks})

    said = bare.disconnect("--purge", "--yes")

    assert said.exit_code == 1
    assert "referenced by Overview: Mine" in said.output
    assert set(own(bare)) == set(OURS)


def test_an_administrator_who_may_not_see_attributes_is_told_so_only_where_they_are_needed(bare: Bare) -> None:
    bare.zammad.faults.refuse(403, "object_manager_attributes", words="Not authorized (token)!")
    assert bare.connect("--yes").exit_code == 0
    refused = bare.connect("--yes", "--with-fields")
    assert refused.exit_code == 1
    assert "doesn't let this administrator see attributes: the right admin.object is needed." in refused.output
    assert bare.disconnect("--yes").exit_code == 0
