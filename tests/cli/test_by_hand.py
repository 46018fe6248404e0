"""Commands on escalations, beside a running `escalator up`."""

import json

import pytest

from .conftest import Bench


@pytest.fixture
def code(running: Bench) -> str:
    """A fresh ticket's escalation."""
    ticket = running.zammad.create_ticket("Server outage", priority="3 high")
    return str(running.escalation_of(ticket)["code"])


def ticket_of(running: Bench, code: str) -> dict[str, str]:
    return dict(running.json("show", code)["ticket"])


def test_status_lists_the_live_escalations(running: Bench, code: str) -> None:
    shown = running.run("status")

    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[0].split() == ["Code", "Ticket", "Title", "Plan", "State", "Next"]
    line = next(line for line in shown.stdout.splitlines() if line.startswith(f"{code} "))
    assert "Server outage" in line
    assert "waiting" in line
    assert "mail to the owner, or SMS if that does not arrive at " in line


def test_status_as_json_has_the_keys_of_the_api(running: Bench, code: str) -> None:
    one = next(one for one in running.json("status")["escalations"] if one["code"] == code)

    assert set(one) == {
        *("code", "ticket", "plan", "state", "step", "steps", "round", "rounds"),
        *("next", "created_at", "updated_at", "acknowledged"),
    }
    assert one["next"]["notify"] == ["owner"]
    assert one["next"]["by"] == ["email"]
    assert one["acknowledged"] is None


def test_show_tells_the_history(running: Bench, code: str) -> None:
    assert running.json("show", code)["history"][0]["kind"] == "created"

    shown = running.run("show", code.removeprefix("E-").lower())
    assert shown.exit_code == 0
    assert shown.stdout.startswith(f'{code}: waiting; ticket {ticket_of(running, code)["number"]} "Server outage"')
    assert 'began: plan calm: priority is "3 high"' in shown.stdout


def test_who_acknowledges_at_the_terminal_owns_the_ticket(running: Bench, code: str) -> None:
    ticket = ticket_of(running, code)

    said = running.run("acknowledge", code, "--by", "Dana Reyes")

    assert (said.exit_code, said.stdout) == (
        0,
        f"{code}, ticket {ticket['number']}: acknowledged by Dana Reyes.\n",
    )
    assert running.json("show", code)["state"] == "acknowledged"
    running.until(lambda: running.zammad.ticket(ticket["id"])["owner"] == running.zammad.alice.login)


def test_the_second_to_acknowledge_is_told_who_was_first(running: Bench, code: str) -> None:
    running.run("acknowledge", code, "--by", "Dana Reyes")

    said = running.run("acknowledge", code, "--by", "Somebody Else")

    assert said.exit_code == 0
    assert "already acknowledged by Dana Reyes" in said.stdout


def test_escalate_fires_the_next_step_and_notes_it(running: Bench, code: str) -> None:
    ticket = ticket_of(running, code)

    assert running.run("escalate", code, "--by", "Dana Reyes").exit_code == 0

    running.until(lambda: f"{code}, step 1 of 2 (plan calm)" in running.notes(ticket))
    assert running.json("show", code)["state"] == "running"


def test_stop_ends_it_and_says_who_did(running: Bench, code: str) -> None:
    said = running.run("stop", code, "--by", "Dana Reyes", "--json")

    assert json.loads(said.stdout)["state"] == "cancelled"
    assert code not in running.run("status").stdout.split()
    assert code in running.run("status", "--all").stdout.split()
    assert running.run("acknowledge", code, "--by", "Dana").exit_code == 1


def test_start_begins_a_plan_that_no_rule_chose(running: Bench) -> None:
    ticket = running.zammad.create_ticket("Printer on fire", priority="1 low")

    said = running.run("start", str(ticket["number"]), "calm", "--by", "Dana Reyes")

    assert said.exit_code == 0
    assert "plan calm started" in said.stdout
    assert running.escalation_of(ticket)["plan"] == "calm"
    again = running.run("start", f"id:{ticket['id']}", "calm", "--by", "Dana Reyes")
    assert (again.exit_code, "a live escalation already" in again.stderr) == (1, True)


def test_a_closed_ticket_is_not_started(running: Bench) -> None:
    ticket = running.zammad.create_ticket("Solved", priority="1 low")
    running.zammad.close(ticket["id"], by=running.zammad.bob)

    said = running.run("start", str(ticket["number"]), "calm", "--by", "Dana Reyes")

    assert (said.exit_code, "reopen it first" in said.stderr) == (1, True)


def test_adopt_asks_and_starts_what_was_there_before(running: Bench) -> None:
    refused = running.run("adopt", stdin="n\n")
    assert refused.exit_code == 1
    assert "Old trouble" in refused.stdout
    assert "Nothing was started." in refused.stderr

    adopted = running.run("adopt", "--yes", "--by", "Dana Reyes", "--json")
    assert adopted.exit_code == 0
    assert [one["ticket"]["title"] for one in json.loads(adopted.stdout)["escalations"]] == ["Old trouble"]

    assert running.json("adopt", "--yes") == {"escalations": []}
    assert "There is no open ticket from before" in running.run("adopt").stdout


def test_explain_tells_what_is_ahead_of_a_ticket_whose_window_runs(running: Bench) -> None:
    ticket = running.zammad.create_ticket("Server outage", priority="3 high")
    running.escalation_of(ticket)
    explained = running.run("explain", f"id:{ticket['id']}")
    assert explained.exit_code == 0
    assert "Escalation " in explained.stdout
    assert "step 1: mail to Dana Reyes, or SMS if that does not arrive" in explained.stdout
    assert "step 2: phone call to Dana Reyes" in explained.stdout


def test_sweep_finds_nothing_new_where_all_webhooks_came(running: Bench) -> None:
    ticket = running.zammad.create_ticket("Known already", priority="3 high")
    running.escalation_of(ticket)

    assert running.run("sweep").exit_code == 0
    assert all(set(one) == {"id"} for one in running.json("sweep")["tickets"])


def test_codes_that_are_none_are_said_so(running: Bench) -> None:
    for words in (["show", "E-ZZZZ"], ["stop", "?", "--by", "x"], ["acknowledge", "", "--by", "x"]):
        said = running.run(*words)
        assert said.exit_code == 1, words
        assert "status --all" in said.stderr
