"""The Znuny adapter against the real Znuny: people work at its web pages, the adapter reads what they did."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from connector.core.ticket import Change, Kind, Phase, Reading, Role
from connector.errors import PermissionLost, TicketGone
from connector.ports import FoundProof, Helpdesk, Live, Note

from .conftest import LiveZnuny, New, Receiver
from .people import Agent

pytestmark = pytest.mark.timeout(900)  # the first test installs Znuny


@pytest.fixture
def helpdesk(znuny: LiveZnuny) -> Helpdesk:
    return znuny.helpdesk()


@pytest.fixture(scope="module")
def anna(znuny: LiveZnuny) -> Agent:
    return znuny.agent("anna")


@pytest.fixture(scope="module")
def ben(znuny: LiveZnuny) -> Agent:
    return znuny.agent("ben")


@pytest.fixture
def ticket(znuny: LiveZnuny) -> New:
    return znuny.ticket_by_customer("Database is down")


Act = Callable[[], None]


def done(helpdesk: Helpdesk, ticket_id: str, *acts: Act) -> tuple[list[str], Reading]:
    """What these acts added to the history, in words, and the ticket afterwards."""
    known = {change.id for change in helpdesk.read(ticket_id).changes}
    for act in acts:
        act()
    reading = helpdesk.read(ticket_id)
    return [words(change) for change in reading.changes if change.id not in known], reading


def words(change: Change) -> str:
    told = f"{change.by.login or change.by.role.value} {change.kind.value}"
    if change.kind is Kind.OWNER:
        told += f" {change.after or 'nobody'}"
    if change.article is not None:
        told += " reply" if change.article.reply else " public" if change.article.public else " note"
    return told + (" with the lock" if change.with_lock else "")


def test_a_customers_ticket_is_hinted_and_read_with_nobody_as_owner(
    znuny: LiveZnuny, helpdesk: Helpdesk, receiver: Receiver, ticket: New
) -> None:
    delivery = receiver.wait_for(lambda one: helpdesk.parse(one.body).ticket_id == ticket.id)
    assert helpdesk.prove(delivery.headers, delivery.raw)
    reading = helpdesk.read(ticket.id)
    assert (reading.ticket.number, reading.ticket.title) == (ticket.number, "Database is down")
    assert (reading.ticket.owner, reading.ticket.locked, reading.ticket.phase) == (None, False, Phase.OPEN)
    assert abs(reading.ticket.created_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert [change.by.role for change in reading.changes] == [Role.CUSTOMER]


def test_what_an_agents_script_makes_is_owned_by_nobody(znuny: LiveZnuny, helpdesk: Helpdesk) -> None:
    reading = helpdesk.read(znuny.ticket_by_agent("Made by a script").id)
    assert reading.ticket.owner is None
    assert all(change.at_creation for change in reading.changes)


def test_a_phone_ticket_given_to_ben_is_bens(helpdesk: Helpdesk, anna: Agent) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    anna.phone_ticket("For Ben", owner_id="4")
    readings = [helpdesk.read(row.ticket_id) for row in helpdesk.find_changed(since)]
    made = next(reading for reading in readings if reading.ticket.title == "For Ben")
    assert made.ticket.owner is not None
    assert made.ticket.owner.login == "ben"
    assert all(change.at_creation for change in made.changes)


def test_the_lock_button_is_one_lock(helpdesk: Helpdesk, ben: Agent, ticket: New) -> None:
    said, reading = done(helpdesk, ticket.id, lambda: ben.lock(ticket.id))
    assert said == ["ben lock", "ben owner ben with the lock"]
    assert reading.ticket.locked
    assert reading.ticket.owner is not None
    assert reading.ticket.owner.login == "ben"


@pytest.mark.parametrize("form", ["AgentTicketMove", "AgentTicketClose", "AgentTicketPriority"])
def test_a_form_opened_and_left_again_is_a_lock_and_an_unlock(
    helpdesk: Helpdesk, anna: Agent, ticket: New, form: str
) -> None:
    said, reading = done(helpdesk, ticket.id, lambda: anna.undo(anna.open(form, ticket.id)))
    assert said == ["anna lock", "anna owner anna with the lock", "anna unlock", "anna owner nobody with the lock"]
    assert (reading.ticket.owner, reading.ticket.locked) == (None, False)


def test_a_form_left_on_a_ticket_that_only_its_making_gave_an_owner_leaves_nobody(
    znuny: LiveZnuny, helpdesk: Helpdesk, ben: Agent
) -> None:
    made = znuny.ticket_by_agent("Made by a script")
    said, reading = done(helpdesk, made.id, lambda: ben.undo(ben.open("AgentTicketMove", made.id)))
    assert said[-1] == "ben owner nobody with the lock"
    assert reading.ticket.owner is None


def test_the_owner_form_gives_the_ticket_without_being_annas_lock(helpdesk: Helpdesk, anna: Agent, ticket: New) -> None:
    said, reading = done(helpdesk, ticket.id, lambda: anna.own(ticket.id, "4"))
    assert said == ["anna owner ben", "anna article note"]
    assert reading.ticket.owner is not None
    assert reading.ticket.owner.login == "ben"


def test_the_owner_form_can_be_used_to_take_it(helpdesk: Helpdesk, anna: Agent, ticket: New) -> None:
    said, _ = done(helpdesk, ticket.id, lambda: anna.own(ticket.id, "3"))
    assert said == ["anna lock", "anna owner anna with the lock", "anna article note"]


def test_a_move_locks_on_opening_and_may_give_a_new_owner(helpdesk: Helpdesk, anna: Agent, ticket: New) -> None:
    said, reading = done(helpdesk, ticket.id, lambda: anna.move(ticket.id, "6", agent_id="4"))
    assert said[:3] == ["anna lock", "anna owner anna with the lock", "anna group"]
    assert said[-1] == "anna owner ben"
    assert "anna lock" not in said[1:]
    assert reading.ticket.facts.group == "Second Level"


def test_acknowledge_escalation_in_the_ticket_menu(
    helpdesk: Helpdesk, anna: Agent, ticket: New, receiver: Receiver
) -> None:
    helpdesk.show(ticket.id, Live("running", "major-incident", "1 of 3"))
    said, reading = done(helpdesk, ticket.id, lambda: anna.acknowledge(ticket.id))
    assert said == ["anna acknowledged"]
    assert reading.changes[-1].by.id == "3"
    event = "TicketDynamicFieldUpdate_EscalationAcknowledged"
    receiver.wait_for(
        lambda one: one.body["Event"]["Event"] == event and helpdesk.parse(one.body).ticket_id == ticket.id
    )
    helpdesk.show(ticket.id, Live("running", "major-incident", "1 of 3"))
    assert done(helpdesk, ticket.id, lambda: anna.acknowledge(ticket.id))[0] == ["anna acknowledged"], "and once more"


def test_notes_priority_reply_pending_and_closing(helpdesk: Helpdesk, anna: Agent, ben: Agent, ticket: New) -> None:
    until = (datetime.now(UTC) + timedelta(hours=3)).replace(second=0, microsecond=0)
    said, reading = done(
        helpdesk,
        ticket.id,
        lambda: ben.note(ticket.id, "/ack 2h\nlooking into it"),
        lambda: ben.priority(ticket.id, "5"),
        lambda: ben.unlock(ticket.id),
        lambda: anna.reply(ticket.id, ticket.article_id),
        lambda: anna.pend(ticket.id, until),
    )
    assert said == [
        "ben article note",
        "ben lock",
        "ben owner ben with the lock",
        "ben priority",
        "ben article note",
        "ben unlock",
        "anna lock",
        "anna owner anna with the lock",
        "anna article reply",
        "anna state",
        "anna state",
        "anna article note",
    ]
    notes = [change.article for change in reading.changes if change.article is not None and not change.article.public]
    assert notes[0].first_line == "/ack 2h"
    pending = [change for change in reading.changes if change.phase is Phase.PENDING]
    assert [change.until for change in pending] == [until]
    assert reading.ticket.pending_until is not None
    assert reading.ticket.pending_until.replace(second=0) == until
    _, reading = done(
        helpdesk, ticket.id, lambda: anna.close_ticket(ticket.id), lambda: anna.reply(ticket.id, ticket.article_id)
    )
    states = [change for change in reading.changes if change.kind is Kind.STATE][-2:]
    assert [(change.phase_before, change.phase) for change in states] == [
        (Phase.PENDING, Phase.CLOSED),
        (Phase.CLOSED, Phase.OPEN),
    ]


def test_a_customer_closes_and_writes_again_in_the_portal(znuny: LiveZnuny, helpdesk: Helpdesk, ticket: New) -> None:
    carla = znuny.customer()
    said, reading = done(
        helpdesk,
        ticket.id,
        lambda: carla.follow_up(ticket.number, "Never mind.", state_id="2"),
        lambda: carla.follow_up(ticket.number, "Broken again!"),
    )
    assert said == ["carla state", "carla article public"] * 2
    assert {change.by.role for change in reading.changes} == {Role.CUSTOMER}


def test_a_ticket_made_in_the_portal_is_the_customers(znuny: LiveZnuny, helpdesk: Helpdesk, receiver: Receiver) -> None:
    znuny.customer().create("From the portal", "It smokes.", priority_id="5")
    body = receiver.wait_for(lambda one: one.body["Ticket"].get("Title") == "From the portal").body
    reading = helpdesk.read(helpdesk.parse(body).ticket_id)
    assert (reading.ticket.owner, reading.ticket.customer, reading.ticket.facts.priority) == (
        None,
        "carla",
        "5 very high",
    )
    assert [words(change) for change in reading.changes] == ["carla article public"]


def test_mails_prove_nobody_and_absence_notices_are_automatic(
    znuny: LiveZnuny, helpdesk: Helpdesk, anna: Agent, ticket: New
) -> None:
    tag = f"[Ticket#{ticket.number}]"
    anna.close_ticket(ticket.id)
    _, reading = done(
        helpdesk,
        ticket.id,
        lambda: znuny.mail(f"Re: {tag} Database is down", "Still down"),
        lambda: anna.close_ticket(ticket.id),
        lambda: znuny.mail(f"Automatic reply: {tag} Database is down", "I am away."),
        lambda: znuny.mail(f"{tag} Database is down", "From Anna?", sender="Anna Agent <anna@example.com>"),
    )
    mails = [change for change in reading.changes if change.article is not None and change.article.by_mail]
    assert [change.article and change.article.automatic for change in mails] == [False, True, False]
    assert [change.by.role is Role.PERSON for change in mails] == [False, False, False]
    reopened = [change for change in reading.changes if change.phase_before is Phase.CLOSED]
    assert [change.by.role for change in reopened] == [Role.CUSTOMER, Role.CUSTOMER]


def test_a_merge_says_where_the_ticket_went_and_is_no_work_there(
    znuny: LiveZnuny, helpdesk: Helpdesk, anna: Agent, ben: Agent, ticket: New
) -> None:
    target = znuny.ticket_by_customer("The same again")
    ben.reply(ticket.id, ticket.article_id)
    ben.unlock(ticket.id)
    moved = [change.id for change in helpdesk.read(ticket.id).changes if change.article is not None]
    _, reading = done(helpdesk, target.id, lambda: anna.merge(ticket.id, target.number))
    arrived = [change for change in reading.changes if change.id in moved]
    assert len(arrived) == 2, "they keep their ids"
    assert all(change.at_creation for change in arrived)
    source = helpdesk.read(ticket.id).ticket
    assert (source.phase, source.merged_into) == (Phase.MERGED, target.id)


def test_a_note_is_internal_and_found_again_by_its_proof(helpdesk: Helpdesk, znuny: LiveZnuny, ticket: New) -> None:
    proof = "k1." + "x" * 700
    note = Note(("E-1A step 1: push to Ben", "Größe: <b>5 €</b>"), proof=proof)
    article_id = helpdesk.add_note(ticket.id, note)
    helpdesk.add_note(ticket.id, Note(("E-1A step 2",), proof="second"))
    assert helpdesk.find_note(ticket.id, proof) == article_id
    assert helpdesk.proofs(ticket.id) == (FoundProof(proof), FoundProof("second"))
    ours = {"CommunicationChannel": "Internal", "SenderType": "system", "IsVisibleForCustomer": 0, "Subject": "E-1A"}
    forged = {**ours, "Body": "E-1A\nescalator:forged", "ContentType": "text/plain; charset=utf-8"}
    znuny.call("PATCH", f"/Ticket/{ticket.id}", {"Article": forged}, login="anna")
    assert helpdesk.find_note(ticket.id, "forged") is None
    lines = znuny.call("GET", f"/TicketHistory/{ticket.id}")["TicketHistory"][0]["History"]
    written = [line["HistoryType"] for line in lines if str(line["CreateBy"]) == "2"]
    assert written == ["AddNote", "AddNote"], "nobody was notified"
    row = znuny.call("GET", f"/Ticket/{ticket.id}?Extended=1")["Ticket"][0]
    assert "FirstResponse" not in row
    change = next(c for c in helpdesk.read(ticket.id).changes if c.article is not None and c.article.id == article_id)
    assert (change.by.role, change.article and change.article.public) == (Role.US, False)


def test_the_live_state_is_shown_and_twice_changes_nothing(helpdesk: Helpdesk, znuny: LiveZnuny, ticket: New) -> None:
    def shown() -> dict[str, str | None]:
        fields = znuny.call("GET", f"/Ticket/{ticket.id}?DynamicFields=1")["Ticket"][0]["DynamicField"]
        return {one["Name"].removeprefix("Escalation"): one["Value"] for one in fields if "Escalation" in one["Name"]}

    helpdesk.show(ticket.id, Live("running", "major-incident", "2 of 4"))
    assert shown() | {"Acknowledged": None} == {
        "Status": "running", "Plan": "major-incident", "Step": "2 of 4", "Acknowledged": None}  # fmt: skip
    lines = len(znuny.call("GET", f"/TicketHistory/{ticket.id}")["TicketHistory"][0]["History"])
    helpdesk.show(ticket.id, Live("running", "major-incident", "2 of 4"))
    assert len(znuny.call("GET", f"/TicketHistory/{ticket.id}")["TicketHistory"][0]["History"]) == lines
    for status in ("acknowledged", "snoozed", "exhausted"):
        helpdesk.show(ticket.id, Live(status, "major-incident", "2 of 4"))
        assert shown()["Status"] == status
    helpdesk.show(ticket.id, Live())
    assert (shown()["Status"] or "") == ""
    assert [change.kind for change in helpdesk.read(ticket.id).changes] == [Kind.ARTICLE], "nothing that anybody did"


def test_assigning_sets_owner_and_lock_where_nobody_owns_it(helpdesk: Helpdesk, anna: Agent, ticket: New) -> None:
    assert not helpdesk.assign(ticket.id, "nobody-of-this-name")
    assert helpdesk.assign(ticket.id, "ben")
    reading = helpdesk.read(ticket.id)
    assert reading.ticket.locked
    assert reading.ticket.owner is not None
    assert reading.ticket.owner.login == "ben"
    assert {change.by.role for change in reading.changes if change.kind in (Kind.OWNER, Kind.LOCK)} == {Role.US}
    assert not helpdesk.assign(ticket.id, "anna"), "never takes an owner away"
    assert helpdesk.assign(ticket.id, "ben"), "they own it already"


def test_what_changed_is_found_once_and_oldest_first(helpdesk: Helpdesk, znuny: LiveZnuny, anna: Agent) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    first, second = znuny.ticket_by_customer("One"), znuny.ticket_by_customer("Two")
    anna.close_ticket(first.id)
    rows = list(helpdesk.find_changed(since))
    assert len({row.ticket_id for row in rows}) == len(rows)
    assert [row.updated_at for row in rows] == sorted(row.updated_at for row in rows)
    assert {row.ticket_id: row.closed for row in rows if row.ticket_id in (first.id, second.id)} == {
        first.id: True, second.id: False}  # fmt: skip
    assert list(helpdesk.find_changed(datetime.now(UTC) + timedelta(hours=1))) == []


def test_a_ticket_is_found_by_its_number(helpdesk: Helpdesk, ticket: New) -> None:
    assert helpdesk.find(ticket.number) == ticket.id
    with pytest.raises(TicketGone):
        helpdesk.find("1999010110000001")


def test_an_unknown_ticket_and_one_that_we_may_not_see_answer_alike(
    znuny: LiveZnuny, helpdesk: Helpdesk, ticket: New
) -> None:
    with pytest.raises(PermissionLost) as unknown:
        helpdesk.read("99999999")
    with pytest.raises(PermissionLost) as forbidden:
        znuny.helpdesk(user="otto", password="otto-pw").read(ticket.id)
    assert str(unknown.value) == str(forbidden.value)


def test_only_the_webhook_tells_that_a_ticket_was_deleted(
    znuny: LiveZnuny, helpdesk: Helpdesk, receiver: Receiver, ticket: New
) -> None:
    znuny.delete(ticket.id)
    delivery = receiver.wait_for(
        lambda one: helpdesk.parse(one.body).deleted and helpdesk.parse(one.body).ticket_id == ticket.id
    )
    assert helpdesk.prove(delivery.headers, delivery.raw)
    with pytest.raises(PermissionLost):
        helpdesk.read(ticket.id)


def test_who_only_wrote_a_note_is_known_by_login_to_a_fresh_adapter(
    znuny: LiveZnuny, helpdesk: Helpdesk, anna: Agent, ben: Agent, ticket: New
) -> None:
    ben.lock(znuny.ticket_by_customer("Bens").id)
    ben.note(ticket.id, "seen")
    by = znuny.helpdesk().read(ticket.id).changes[-1].by
    assert (by.role, by.id, by.login, by.name) == (Role.PERSON, "4", "ben", "Ben Beispiel")


def test_about_says_who_we_are_and_a_wrong_password_is_told(znuny: LiveZnuny, helpdesk: Helpdesk, ticket: New) -> None:
    assert helpdesk.about().endswith("and can read tickets.")
    with pytest.raises(PermissionLost):
        znuny.helpdesk(password="wrong").about()


def test_webhooks_can_be_sent_elsewhere_at_once(znuny: LiveZnuny, helpdesk: Helpdesk, receiver: Receiver) -> None:
    other = Receiver()
    try:
        znuny.post_webhooks_to(other.url)
        made = znuny.ticket_by_customer("Elsewhere")
        other.wait_for(lambda one: helpdesk.parse(one.body).ticket_id == made.id)
    finally:
        znuny.post_webhooks_to(receiver.url)
        other.close()
