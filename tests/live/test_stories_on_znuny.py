"""Whole stories on a real Znuny: people work at its web pages, `escalator up` does the rest.

They are played side by side, since most of their time is waiting for a plan's next step.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta

import pytest

from connector.engine.proofs import Signatures, digest

from .conftest import LiveZnuny, Receiver
from .world import SECRET_KEY, World, eventually

pytestmark = pytest.mark.timeout(900)  # the first test installs Znuny

Story = Callable[[World], None]

AT_ONCE = 12  # stories


def pending_until_a_time_holds_and_then_it_goes_on(world: World) -> None:
    ticket = world.running("twice")
    until = (datetime.now(UTC) + timedelta(seconds=90)).replace(second=0, microsecond=0)
    world.ben.pend(ticket.id, until)
    world.note(ticket, "put off until")
    world.status(ticket, "snoozed")
    eventually(lambda: world.shown(world.code(ticket))["state"] == "running", "its time has come", patience=120)
    assert datetime.now(UTC) >= until
    assert datetime.fromisoformat(world.shown(world.code(ticket))["next"]["due_at"]) >= until + timedelta(minutes=1)
    world.status(ticket, "running")


def nobody_takes_it_until_ben_locks_it(world: World) -> None:
    ticket = world.ticket("ladder")
    world.note(ticket, "step 2 of 4 (plan ladder)")
    eventually(lambda: world.told(ticket) == ["push", "sms", "call"], "the call")
    eventually(lambda: world.fields(ticket)["Step"] == "3 of 4", lambda: f"the fields; they are {world.fields(ticket)}")
    assert (world.fields(ticket)["Status"], world.fields(ticket)["Plan"]) == ("running", "ladder")
    assert "FirstResponse" not in world.row(ticket)
    assert {str(note["IsVisibleForCustomer"]) for note in world.notes(ticket)} == {"0"}
    page = world.carla.get(f"Action=CustomerTicketZoom;TicketNumber={ticket.number}").html
    assert "Server outage (ladder)" in page
    assert world.code(ticket) not in page

    world.ben.lock(ticket.id)
    world.note(ticket, "acknowledged by Ben Beispiel (locked the ticket)")
    assert world.headlines(ticket) == [
        *(f"step {n} of 4 (plan ladder)" for n in (1, 2, 3)),
        "acknowledged by Ben Beispiel (locked the ticket)",
    ]
    world.status(ticket, "acknowledged")
    world.outlast()
    assert world.told(ticket) == ["push", "sms", "call"], "nothing more was sent, but the quiet all-clear"


def a_ticket_given_to_ben_is_not_taken_and_the_next_step_goes_to_him(world: World) -> None:
    ticket = world.running("twice")
    world.anna.own(ticket.id, "4")
    eventually(lambda: len(world.mails(ticket, "ben")) == 2, "Ben is told at once, and again by the second step")
    world.note(ticket, "step 2 of 2")
    assert len(world.mails(ticket, "dana")) == 1, "nobody stands in any more"
    assert not any("acknowledged" in line for line in world.headlines(ticket))
    world.status(ticket, "running")


def the_menu_entry_takes_it_in_one_life_and_in_the_next(world: World) -> None:
    ticket = world.running("again")
    world.anna.acknowledge(ticket.id)
    world.note(ticket, "acknowledged by Anna Agent")
    world.status(ticket, "acknowledged")
    assert (world.row(ticket)["Owner"], world.row(ticket)["Lock"]) == ("root@localhost", "unlock")

    world.anna.close_ticket(ticket.id)
    summary = world.note(ticket, "closed")
    assert "Acknowledged by Anna Agent" in summary
    assert "step 1 of 2" in summary
    world.status(ticket, "")
    closed_at = datetime.now(UTC)
    eventually(lambda: datetime.now(UTC) > closed_at + timedelta(seconds=3), "later than reopened_within")
    world.carla.follow_up(ticket.number, "Broken again!")
    assert f"{world.code(ticket, life=2)}, step 1 of 2" in world.note(ticket, f"{world.code(ticket)}-2")
    world.status(ticket, "running")
    world.ben.acknowledge(ticket.id)
    world.note(ticket, f"{world.code(ticket, life=2)} acknowledged by Ben Beispiel")


def reopened_within_the_time_the_old_acknowledgement_stands(world: World) -> None:
    ticket = world.running("standing")
    world.ben.close_ticket(ticket.id)
    assert "Acknowledged by Ben Beispiel" in world.note(ticket, "closed")
    world.carla.follow_up(ticket.number, "Still there.")
    world.status(ticket, "acknowledged")
    assert world.shown(world.code(ticket))["acknowledged"]["by"] == "Ben Beispiel"
    assert len(world.mails(ticket)) == 1


def a_reply_to_the_customer_takes_it_what_the_customer_writes_does_not(world: World) -> None:
    ticket = world.running("answered")
    world.carla.follow_up(ticket.number, "Hello?")
    world.anna.priority(ticket.id, "4")  # opens a form, which locks: that alone counts for nothing in this plan
    world.anna.unlock(ticket.id)
    world.anna.reply(ticket.id, ticket.article_id)
    world.note(ticket, "acknowledged by Anna Agent (replied to the customer)")
    assert len(world.notes(ticket)) == 2, "the step and this"


def a_priority_without_a_plan_cancels_it(world: World) -> None:
    ticket = world.running("again")
    world.anna.priority(ticket.id, "2")
    assert "changed by Anna Agent" in world.note(ticket, "cancelled")
    world.status(ticket, "")


def a_merge_takes_the_escalation_along(world: World) -> None:
    ticket = world.running("twice")
    target = world.ticket("nothing", Priority="3 normal")
    form = world.anna.open("AgentTicketMerge", ticket.id)
    world.note(ticket, "acknowledged by Anna Agent (locked the ticket)")
    world.anna.submit(form, "AgentTicketMerge", MainTicketNumber=target.number, InformSender="")
    assert world.code(ticket) in world.note(target, "it goes on")
    world.note(target, "step 2 of 2")
    assert len(world.mails(target, "dana")) == 1, "merging is no acknowledgement: the second step tells of the target"
    world.status(target, "running")


def of_two_that_escalate_one_goes_on_and_their_notes_are_told_apart(world: World) -> None:
    source, target = world.running("twice"), world.running("twice")
    world.anna.own(target.id, "4")
    world.ben.note(source.id, "The same as mine.")  # no work there, and none where the merge brings it
    form = world.anna.open("AgentTicketMerge", source.id)
    world.note(source, "acknowledged by Anna Agent (locked the ticket)")
    told = len(world.mails(source, "dana"))  # once for each step that came until then
    world.anna.submit(form, "AgentTicketMerge", MainTicketNumber=target.number, InformSender="")
    eventually(lambda: world.shown(world.code(source))["state"] == "resolved", "the source is over")
    world.status(source, "")
    world.note(target, f"{world.code(target)}, step 2 of 2")
    for ticket in (source, target):
        assert world.shown(world.code(ticket))["acknowledged"] is None
    assert len(world.mails(source, "dana")) == told <= 2
    assert (len(world.mails(target, "dana")), len(world.mails(target, "ben"))) == (1, 2)

    proofs = [found.proof for found in world.znuny.helpdesk().proofs(target.id) if found.ours]
    data = [Signatures([SECRET_KEY]).read_proof(proof) or {} for proof in proofs]
    assert {(one["t"], one["c"]) for one in data} == {(ticket.id, world.code(ticket)) for ticket in (source, target)}
    own = [(one, proof) for one, proof in zip(data, proofs, strict=True) if one["t"] == target.id]
    assert [one["n"] for one, _ in own] == [1, 2]
    assert own[1][0]["b"] == digest(own[0][1]), "each names the one before it of its own escalation"


def a_deleted_ticket_ends_it(world: World) -> None:
    ticket = world.running("again")
    world.znuny.delete(ticket.id)
    eventually(lambda: world.shown(world.code(ticket))["state"] == "resolved", "it is resolved")
    ended = world.shown(world.code(ticket))
    assert (ended["next"], ended["acknowledged"]) == (None, None)


def what_an_agents_script_made_is_nobodys(world: World) -> None:
    ticket = world.znuny.ticket_by_agent("Server outage (soon)", Priority="4 high")
    world.note(ticket, "step 2 of 3")
    assert len(world.mails(ticket, "dana")) == 2, "she stands in"


STORIES: list[Story] = [
    pending_until_a_time_holds_and_then_it_goes_on,  # the longest first
    nobody_takes_it_until_ben_locks_it,
    a_ticket_given_to_ben_is_not_taken_and_the_next_step_goes_to_him,
    the_menu_entry_takes_it_in_one_life_and_in_the_next,
    a_merge_takes_the_escalation_along,
    of_two_that_escalate_one_goes_on_and_their_notes_are_told_apart,
    a_deleted_ticket_ends_it,
    what_an_agents_script_made_is_nobodys,
    reopened_within_the_time_the_old_acknowledgement_stands,
    a_reply_to_the_customer_takes_it_what_the_customer_writes_does_not,
    a_priority_without_a_plan_cancels_it,
]


@pytest.fixture(scope="module")
def world(znuny: LiveZnuny, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("world"), znuny)
    try:
        world.start()
        yield world
    finally:
        world.stop()
        znuny.post_webhooks_to(receiver.url)


@pytest.fixture(scope="module")
def played(world: World, request: pytest.FixtureRequest) -> Iterator[dict[str, Future[None]]]:
    """The stories that were asked for, begun all at once."""
    names = {item.callspec.params.get("story") for item in request.session.items if hasattr(item, "callspec")}
    with ThreadPoolExecutor(AT_ONCE) as stage:
        yield {story.__name__: stage.submit(story, world) for story in STORIES if story in names}


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_story(story: Story, played: dict[str, Future[None]]) -> None:
    played[story.__name__].result()


def test_what_no_webhook_told_is_found_by_the_sweep(
    played: dict[str, Future[None]], world: World, znuny: LiveZnuny
) -> None:
    wait(played.values())
    znuny.post_webhooks_to("http://127.0.0.1:9/webhooks/znuny")
    ticket = world.running("again")
    world.ben.lock(ticket.id)
    world.note(ticket, "acknowledged by Ben Beispiel (locked the ticket)")
    znuny.post_webhooks_to(world.webhook_url)


def test_znuny_away_people_are_told_in_time_and_the_notes_come_later_in_order(
    played: dict[str, Future[None]], world: World, znuny: LiveZnuny
) -> None:
    wait(played.values())
    ticket = world.running("soon")
    znuny.stop_web_server()
    eventually(lambda: len(world.mails(ticket)) == 2, "the second step")
    second = [entry for entry in world.shown(world.code(ticket))["history"] if entry["kind"] == "step"][1]
    assert 0 <= second["late_s"] < 5
    znuny.post_webhooks_to(world.webhook_url)  # and with it Znuny is back
    world.ben.lock(ticket.id)
    world.note(ticket, "acknowledged by Ben Beispiel (locked the ticket)")
    assert world.headlines(ticket) == [
        "step 1 of 3 (plan soon)",
        "step 2 of 3 (plan soon)",
        "acknowledged by Ben Beispiel (locked the ticket)",
    ]
