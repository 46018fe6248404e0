"""`escalator doctor`: a probe goes round a real `up` and a Zammad over HTTP; each fault is put in, and named."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from connector.cli.story.stage import free_port
from connector.sandbox.providers import Providers
from connector.sandbox.zammad import SandboxZammad

from .clinic import (
    SOON,
    TITLE,
    Clinic,
    Fault,
    answered,
    away,
    clock_ahead,
    config,
    only_one_attribute,
    options,
    part_stopped,
    permit,
    refuse,
    silent,
    triggers,
    webhook,
    without_data,
)
from .conftest import ROOT, SECRET, config_of, heeds_ctrl_c


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """A world of its own, with a running `up`; whoever breaks it mends it."""
    with SandboxZammad(delivery_delay=0.05, retry_waits=()) as zammad, Providers() as providers:
        clinic = Clinic(tmp_path_factory.mktemp("doctor"), zammad, providers, free_port())
        clinic.config = config_of(zammad, providers, clinic.port)
        providers.reach(f"http://127.0.0.1:{clinic.port}")
        zammad.set_up_webhook(f"http://127.0.0.1:{clinic.port}/webhooks/zammad", SECRET)
        clinic.write()
        try:
            clinic.start_up()
            yield clinic
        finally:
            clinic.stop_up()


def test_a_whole_chain_is_ticked_off_link_by_link_and_the_probe_is_closed(clinic: Clinic) -> None:
    said = clinic.doctor()

    assert said.exit_code == 0, said.output
    links = [line.split(":")[0].split(maxsplit=1) for line in said.stdout.splitlines() if line]
    assert [link for mark, link in links[:-1] if mark == "✓"] == [
        *("config", "redis", "processes", "web", "helpdesk", "rights", "clocks"),
        *("ticket", "webhook", "taken in", "note", "live state", "closed"),
        *("channel twilio", "channel email"),
    ]
    assert said.stdout.splitlines()[-1] == "The chain is whole."
    [probe] = clinic.probes
    assert probe["state"] == "closed"
    assert "This was a probe of Escalator" in clinic.zammad.articles(probe["id"])[-1]["body"]
    assert clinic.zammad.tags(probe["id"]) == []


def test_the_probe_escalates_nothing_and_tells_nobody(clinic: Clinic) -> None:
    clinic.doctor()
    probe = clinic.probes[-1]
    articles = clinic.zammad.articles(probe["id"])

    assert clinic.json("status", "--all")["escalations"] == []
    assert {(one["sender"], one["internal"], one["type"]) for one in articles} == {("System", True, "note")}
    assert not clinic.providers.smtp.mails
    assert not clinic.providers.twilio.messages


def test_as_json_it_gives_every_link_with_its_mend(clinic: Clinic) -> None:
    said = json.loads(clinic.doctor("--json").stdout)

    assert (said["ok"], said["broken"]) == (True, None)
    assert said["probe"]["title"] == TITLE
    assert {"link": "redis", "result": "right", "sentence": "Redis answers.", "mend": ""} in said["links"]


# --- faults ----------------------------------------------------------------------------------------------------------

ONLY_PROBES = [{"when": {"title": "probe"}, "plan": "calm"}]
NEVER = {"ticket.title": {"operator": "is", "value": "never"}}

FAULTS = {
    "the config isn't usable": Fault(lambda c: config(c, plans={}), "config", "`escalator check` says all"),
    "no Redis in this data directory": Fault(without_data, "redis", "Start `escalator up`, or name its --data"),
    "the desk's worker hangs": Fault(
        lambda c: part_stopped(c, "escalator-desk"), "processes", "1 desk worker stuck", within=SOON
    ),
    "public_url leads nowhere": Fault(
        lambda c: options(c, "service", public_url="http://127.0.0.1:1"), "web", "Nothing answers at http://127.0.0.1:1"
    ),
    "public_url leads to something else": Fault(
        lambda c: options(c, "service", public_url=c.zammad.url), "web", "Something else than Escalator answers"
    ),
    "the helpdesk is away": Fault(away, "helpdesk", "Zammad can't be reached. Is it up"),
    "the token isn't accepted": Fault(
        lambda c: options(c, "helpdesk", token="not-the-token"),
        "helpdesk",
        "Zammad doesn't accept the API token. Compare `helpdesk.url` and the credentials",
    ),
    "the user may not change tickets": Fault(
        lambda c: permit(c, "read", "create"),
        "rights",
        "change in 2nd Level; change in Network. Give Escalator's user read, create and change",
    ),
    "the user sees no group": Fault(permit, "rights", "It may see no group at all"),
    "the clocks differ": Fault(clock_ahead, "clocks", "about 10 min ahead of Escalator's. Set both by NTP"),
    "every ticket would escalate": Fault(
        lambda c: config(c, rules=ONLY_PROBES), "ticket", "a plan applies to every ticket"
    ),
    "tickets can't be made": Fault(
        lambda c: refuse(c, 422, "/api/v1/tickets", reads=False), "ticket", "No probe could be made in 2nd Level"
    ),
    "the secret is wrong": Fault(
        lambda c: webhook(c, signature_token="another"), "webhook", "a signature or secret that isn't the config's"
    ),
    "the secret is wrong, as an administrator sees it": Fault(
        lambda c: webhook(c, signature_token="another"), "webhook", "signed with another secret", admin=True
    ),
    "the trigger is off, and nobody may look": silent(
        lambda c: triggers(c, active=False), "With an administrator's token", admin=False
    ),
    "the trigger is off": silent(lambda c: triggers(c, active=False), 'escalation plugin: created" and'),
    "the trigger calls nothing": silent(lambda c: triggers(c, perform={}), "No trigger of Zammad's calls the webhook"),
    "the trigger asks for something else": silent(
        lambda c: triggers(c, condition=NEVER), "Zammad has not tried to send it"
    ),
    "the webhook is off": silent(
        lambda c: webhook(c, active=False), 'webhook "Escalation plugin" is switched off. Switch it on.'
    ),
    "the webhook's URL is wrong": silent(
        lambda c: webhook(c, endpoint="http://127.0.0.1:1/webhooks/zammad"),
        'webhook "Escalation plugin" goes to http://127.0.0.1:1/webhooks/zammad, and not to',
    ),
    "the helpdesk can't reach the service": silent(lambda c: answered(c, 0), "Zammad can't reach http://127.0.0.1"),
    "the proxy leads elsewhere": silent(lambda c: answered(c, 404), "answered Zammad with 404"),
    "notes are refused": Fault(
        lambda c: refuse(c, 403, "/ticket_articles", reads=False),
        "note",
        "No note can be written: Zammad doesn't allow the API user to do this. Give Escalator's user",
    ),
    "the tag is missing": Fault(
        lambda c: refuse(c, 403, "/tags/add"),
        "live state",
        "set the tag escalation-running: an admin must create that tag once.",
    ),
    "one of the two attributes is missing": Fault(
        only_one_attribute, "live state", "and no escalator_due: `escalator connect --with-fields` makes it."
    ),
    "a provider refuses us": Fault(
        lambda c: options(c, "twilio", auth_token="0" * 32), "channel twilio", "Twilio refuses the account SID"
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_it_names_the_broken_link_and_the_mend(clinic: Clinic, name: str) -> None:
    fault = FAULTS[name]
    mend = fault.put_in(clinic)
    try:
        said = clinic.doctor(within=fault.within, admin=fault.admin)
    finally:
        mend()

    assert said.exit_code == 1, said.output
    named = " ".join(said.stdout.rpartition("The broken link: ")[2].splitlines())
    assert named.startswith(f"{fault.link}. "), said.output
    assert fault.words in named
    assert {probe["state"] for probe in clinic.probes} == {"closed"}


def test_a_config_that_was_edited_since_up_began_is_doubtful(clinic: Clinic) -> None:
    clinic.path.write_text(clinic.path.read_text() + "\n")
    try:
        said = clinic.doctor()
    finally:
        clinic.write()

    assert said.exit_code == 0, said.output
    assert "`escalator up` runs on what stood there before.\n     Send `up` a SIGHUP" in said.stdout


def test_a_token_with_an_administrators_rights_is_doubtful(clinic: Clinic) -> None:
    mend = options(clinic, "helpdesk", token=clinic.zammad.admin.token)
    try:
        said = clinic.doctor()
    finally:
        mend()

    assert "! rights: Its token has an administrator's rights" in " ".join(said.stdout.split())


def test_where_only_an_exclusion_keeps_a_probe_from_escalating_it_carries_that_tag(clinic: Clinic) -> None:
    exclusion = {"when": {"tag": "no-escalation"}, "plan": "none"}
    mend = config(clinic, rules=[exclusion, *ONLY_PROBES])
    try:
        said = clinic.doctor()
    finally:
        mend()

    assert said.exit_code == 0, said.output
    assert clinic.zammad.tags(clinic.probes[-1]["id"]) == ["no-escalation"]


def test_a_probe_whose_answer_was_lost_is_found_and_closed(clinic: Clinic) -> None:
    before = len(clinic.probes)
    clinic.zammad.faults.cut_answers(1, "/api/v1/tickets")
    try:
        said = clinic.doctor()
    finally:
        clinic.zammad.faults.heal()

    assert said.exit_code == 1, said.output
    assert "closed: It was made all the same, and is closed." in said.stdout
    assert len(clinic.probes) == before + 1
    assert clinic.probes[-1]["state"] == "closed"


def test_a_probe_that_a_killed_run_left_open_is_closed_by_the_next_one(clinic: Clinic) -> None:
    left = clinic.zammad.create_ticket(TITLE, by=clinic.zammad.escalator)
    a_customers = clinic.zammad.create_ticket(TITLE)
    said = clinic.doctor()

    assert "with a note that says what it was; 1 left open before is closed." in said.stdout
    assert clinic.zammad.ticket(left["id"])["state"] == "closed"
    assert clinic.zammad.ticket(a_customers["id"])["state"] == "new"
    clinic.zammad.close(a_customers["id"], clinic.zammad.alice)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ended_in_the_middle_it_closes_the_probe_all_the_same(clinic: Clinic, number: signal.Signals) -> None:
    before = len(clinic.probes)
    mend = triggers(clinic, active=False)
    command = [sys.executable, "-m", "connector.cli", "doctor"]
    process = subprocess.Popen(
        command, env=clinic.environ, cwd=ROOT, stdout=subprocess.PIPE, text=True, preexec_fn=heeds_ctrl_c
    )
    try:
        clinic.until(lambda: len(clinic.probes) > before)
        assert process.stdout is not None
        while "ticket:" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(number)
        process.communicate(timeout=60)
    finally:
        process.kill()
        mend()

    assert process.returncode == 1
    assert clinic.probes[-1]["state"] == "closed"
