"""Commands that only look: check, plans, explain. They need no Redis."""

import json
import shutil
from typing import Any

from .conftest import ROOT, Bench


def problems(bench: Bench, *words: str) -> list[str]:
    said = bench.run("check", *words, "--json")
    return [f"{one['severity']}: {one['sentence']}" for one in json.loads(said.stdout)["problems"]]


def test_check_finds_nothing_wrong_with_a_good_config(alone: Bench) -> None:
    said = alone.run("check")

    assert said.exit_code == 0, said.output
    assert "helpdesk: Zammad knows us as escalator@example.com, with access to 2 groups." in said.stdout
    assert "twilio: Twilio knows the account, and it is active." in said.stdout
    assert "email: The mail server takes us." in said.stdout
    assert "push: not checked." in said.stdout
    assert "0 errors" in said.stdout


def test_check_names_line_and_mend_of_names_that_the_helpdesk_lacks(alone: Bench) -> None:
    alone.config["priorities"] = {"3 hgih": "calm"}
    alone.config["rules"].append({"when": {"group": "Netwrok", "priority": "3 high"}, "plan": "calm"})
    alone.config["contacts"]["dana"]["login"] = "alice@example.net"
    alone.write()
    lines = alone.path.read_text().splitlines()

    said = alone.run("check")

    assert said.exit_code == 1
    for name, mend in (("3 hgih", "3 high"), ("Netwrok", "Network"), ("alice@example.net", "alice@example.com")):
        line = next(number for number, text in enumerate(lines, 1) if name in text)
        found = next(one for one in said.stdout.splitlines() if f"`{name}`" in one)
        assert f"{alone.path}:{line}:" in found
        assert f"Did you mean `{mend}`?" in found


def test_check_names_file_and_line_of_a_text_that_can_not_be_sent(alone: Bench) -> None:
    texts = alone.folder / "texts"
    for name, text in {
        "en/sms/ticket.txt": "{{ code }}\n{{ titel }}",
        "en/sms/tickets.txt": "{{ count }} tickets. " + "Please do come and look at them. " * 5 + "{{ code }}",
        "en/phone/menu.xml": "<Say>Press 1",
        "en/email/body.html": "<p>{{ lead }}</p>",
        "en/reply/help.txt": "{{ codes | joined }}",
        "de/page/ticket.html": "\n\n{% for each in tickets %}",
        "en/sms/tiket.txt": "{{ code }}",
        "de/notes.po": 'msgid "stopped by {who}"\nmsgstr "angehalten"\n\nmsgid "nobody come"\nmsgstr "niemand kam"\n',
    }.items():
        (texts / name).parent.mkdir(parents=True, exist_ok=True)
        (texts / name).write_text(text)
    alone.config["service"]["texts"] = "texts"
    alone.config["contacts"]["dana"]["language"] = "fr"
    alone.write()

    said = alone.run("check", "--offline")

    assert said.exit_code == 1
    found = said.stdout.replace(f"{texts}/", "")
    assert "error: en/sms/ticket.txt:2:1: It can't be filled in: 'titel' is undefined" in found
    assert "error: en/sms/tickets.txt: It is longer than one SMS" in found
    assert "error: en/phone/menu.xml: It is no TwiML" in found
    assert "error: en/email/body.html: It leaves out `acknowledge_url`" in found
    assert "error: en/reply/help.txt:1:1: It is no template: No filter named 'joined'." in found
    assert "error: de/page/ticket.html:3:1: It is no template" in found
    assert "warning: en/sms/tiket.txt: No text is called so" in found
    assert "Did you mean `sms/ticket.txt`?" in found
    assert "error: de/notes.po:1:1: It doesn't have the gaps that the English sentence has." in found
    assert "warning: de/notes.po:4:1: No note says this sentence" in found
    assert "There are no texts in `fr`: English is used. There is `de`, `en`." in found


def test_check_finds_nothing_wrong_with_our_own_texts_copied(alone: Bench) -> None:
    shutil.copytree(ROOT / "channels/templates", alone.folder / "texts")
    alone.config["service"]["texts"] = "texts"
    alone.write()

    assert [one for one in problems(alone, "--offline") if one.startswith("error")] == []


def test_check_warns_of_a_contact_who_is_escalators_own_user(alone: Bench) -> None:
    alone.config["contacts"]["dana"]["login"] = "escalator@example.com"
    alone.write()

    said = alone.run("check")

    assert "`escalator@example.com` is Escalator's own user, whose work is never an acknowledgement." in said.stdout


def test_check_says_that_the_helpdesk_refuses_the_token(alone: Bench) -> None:
    alone.config["helpdesk"]["token"] = "another"
    alone.write()

    assert any("error: " in one and "Zammad" in one for one in problems(alone))
    assert alone.run("check").exit_code == 1


def test_check_says_that_twilio_refuses_the_credentials(alone: Bench) -> None:
    alone.config["twilio"]["auth_token"] = "another"
    alone.write()

    assert "error: Twilio refuses the account SID or auth token." in problems(alone)


def test_check_says_that_the_mail_server_is_away(alone: Bench) -> None:
    alone.config["channels"]["email"]["port"] = 1
    alone.write()

    assert "error: The mail server does not answer." in problems(alone)


def test_offline_nothing_outside_is_asked(alone: Bench) -> None:
    alone.config["helpdesk"]["url"] = "http://127.0.0.1:1"
    alone.write()

    assert alone.run("check").exit_code == 1
    assert alone.run("check", "--offline").exit_code == 0
    assert alone.json("check", "--offline")["checked"] == []


def test_check_and_up_say_the_same_of_a_broken_config(alone: Bench) -> None:
    alone.config["plans"]["calm"]["respond_within"] = "soon"
    alone.write()

    checked, up = alone.run("check"), alone.run("up", "--port", "1")

    assert (checked.exit_code, up.exit_code) == (1, 2)
    sentence = next(line for line in up.stderr.splitlines() if "respond_within" in line)
    assert f"error: {sentence}" in checked.stdout.splitlines()
    assert not (alone.folder / "data").exists(), "up has started something"


def test_without_a_config_check_names_the_command_that_makes_one(alone: Bench) -> None:
    alone.path.unlink()

    said = alone.run("check")

    assert said.exit_code == 2
    assert "cp config/escalation.example.yml" in said.stderr


def test_plans_are_told_in_plain_words(alone: Bench) -> None:
    said = alone.run("plans").stdout

    assert "Plan calm" in said
    assert 'For priority "3 high", when no rule matched' in said
    assert "30 min  mail to the owner, or SMS if that does not arrive" in said
    assert "35 min  phone call to the owner" in said
    assert "45 min  round 2 of 2 begins, again from step 1" in said
    assert "65 min  it counts as nobody came: mail to Dana Reyes at once and every 60 min" in said
    assert "While nobody owns the ticket, Dana Reyes is told in the owner's place." in said
    assert 'Never escalated\n  priority "3 high", tag "no-escalation"' in said


def test_plans_as_json_count_from_the_start_of_the_window(alone: Bench) -> None:
    plan: Any = alone.json("plans")["plans"][0]

    assert plan["name"] == "calm"
    assert [step["at_s"] for step in plan["steps"]] == [1800, 2100]
    assert plan["priorities"] == ["3 high"]


def test_explain_tells_which_plan_applies_and_why(alone: Bench) -> None:
    ticket = alone.zammad.create_ticket("Server outage", priority="3 high")

    said = alone.run("explain", str(ticket["number"]))

    assert said.exit_code == 0, said.output
    assert 'Plan calm applies: priority is "3 high".' in said.stdout
    assert "step 1: mail to Dana Reyes, or SMS if that does not arrive" in said.stdout
    document = alone.json("explain", f"id:{ticket['id']}")
    assert document["plan"] == "calm"
    assert [step["contacts"] for step in document["steps"]] == [["Dana Reyes"], ["Dana Reyes"]]


def test_explain_says_why_nothing_will_happen(alone: Bench) -> None:
    zammad = alone.zammad
    low = zammad.create_ticket("Wish", priority="1 low")
    excluded = zammad.create_ticket("Known", priority="3 high", tags="no-escalation")
    closed = zammad.create_ticket("Done", priority="3 high")
    zammad.close(closed["id"], by=zammad.bob)

    def why(ticket: dict[str, Any]) -> str:
        return str(alone.json("explain", f"id:{ticket['id']}")["nothing_because"])

    assert why(low) == 'Nothing will happen: no rule matched and priority "1 low" has no plan.'
    assert 'a tag is "no-escalation"' in why(excluded)
    assert why(closed) == "Nothing will happen: the ticket is closed."


def test_explain_counts_from_the_change_that_made_the_plan_apply(alone: Bench) -> None:
    zammad = alone.zammad
    ticket = zammad.create_ticket("Wish", priority="1 low")
    raised = zammad.change(ticket["id"], zammad.bob, priority="3 high")

    document = alone.json("explain", f"id:{ticket['id']}")

    assert ticket["created_at"] < document["applies_since"] <= raised["updated_at"]


def test_a_ticket_that_is_not_there_is_said_so(alone: Bench) -> None:
    said = alone.run("explain", "99999")

    assert (said.exit_code, said.stdout) == (1, "")
    assert said.stderr == 'There is no ticket "99999" that Escalator may see. Give its number, or its id as id:N.\n'


def test_a_test_message_arrives_by_each_channel(alone: Bench) -> None:
    alone.config["contacts"]["dana"]["push"] = ["d4e0" * 16]
    alone.write()
    providers = alone.providers
    before = len(providers.twilio.messages), len(providers.twilio.calls), len(providers.apns.pushes)

    for channel in ("sms", "phone", "push", "email", "pager"):
        said = alone.run("test-notify", "dana", channel)
        assert said.exit_code == 0, said.output
        assert said.stdout.startswith(f"Sent to Dana Reyes by {channel}: ")

    after = len(providers.twilio.messages), len(providers.twilio.calls), len(providers.apns.pushes)
    assert after == tuple(number + 1 for number in before)


def test_a_test_message_that_is_refused_says_why(alone: Bench) -> None:
    alone.providers.twilio.answer_with(21610)

    said = alone.run("test-notify", "dana", "sms")

    assert (said.exit_code, said.stderr) == (1, "Not sent: The person has opted out of SMS (replied STOP).\n")
