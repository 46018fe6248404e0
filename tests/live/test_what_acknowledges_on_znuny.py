"""Every way of acknowledging on a real Znuny, and every look-alike, as ways.py has them; with real pages and `up`."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import pytest

from connector.sandbox.providers import PushService

from ..stories.figures import COLUMNS, Figure, Witness, table
from .conftest import LiveZnuny, New, Receiver
from .watched import WatchedWorld
from .ways import CHANGES, FROM_OUTSIDE, FROM_THE_START, IN_ZNUNY, LOOKALIKES, WAYS
from .world import API_TOKEN, BEN, SLOW, eventually

pytestmark = pytest.mark.timeout(900)  # the first test installs Znuny

AT_ONCE = 5  # people who are at work: what they wait for is Znuny, and the figures are to be Escalator's
KEY, LEFT_AGAIN = "key 1 in the call", "a form that locks, left again"


@dataclass(frozen=True, slots=True)
class Acted:
    """One act on a ticket of its own, and when Znuny had taken what came of it. Times are aware UTC."""

    ticket: New
    begun: datetime
    done: datetime
    noted: datetime
    shown: datetime


@dataclass(frozen=True, slots=True)
class Played:
    """Tickets and acts, each as soon as it is done; `nothing` is a ticket that is left alone."""

    acts: dict[str, Future[Acted]]
    alike: dict[str, Future[New]]
    nothing: New
    taken: Callable[[str], datetime]  # when an escalation was first seen to be somebody's, by its code

    def __getitem__(self, what: str) -> Acted:
        return self.acts[what].result()


@pytest.fixture(scope="module")
def world(znuny: LiveZnuny, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedWorld]:
    with PushService() as push_service:
        world = WatchedWorld(tmp_path_factory.mktemp("world"), znuny, push_service)
        try:
            znuny.ticket_by_agent("From a robot", login="robin")  # by which it is known
            world.start()
            world.pair("ben")
            world.providers.twilio.on_call(BEN).press("1")
            yield world
        finally:
            world.stop()
            znuny.post_webhooks_to(receiver.url)


@pytest.fixture(scope="module")
def played(world: WatchedWorld) -> Iterator[Played]:
    """All of it is begun at once: first what acknowledges, then what doesn't, then the ticket that is left alone."""
    made = {what: lambda: world.ticket("locks") for what in LOOKALIKES}
    made |= {what: partial(make, world, "Server outage (locks)") for what, make in FROM_THE_START.items()}
    with Witness(world.url, API_TOKEN, every=0.25) as witness, ThreadPoolExecutor(AT_ONCE) as stage:
        acts = {what: stage.submit(acknowledge, world, what) for what in WAYS}
        alike = {what: stage.submit(look_alike, world, what, make) for what, make in made.items()}
        yield Played(acts, alike, stage.submit(world.ticket, "locks").result(), witness.taken)


def acknowledge(world: WatchedWorld, what: str) -> Acted:
    """Somebody does it once the first step has come, and it is waited for that it shows."""
    way = WAYS[what]
    ticket = world.ticket(way.plan)
    world.noted(ticket, "step 1 of")
    if way.of_ben:
        world.anna.own(ticket.id, "4")
    begun = datetime.now(UTC)
    way.act(world, ticket)
    done = datetime.now(UTC)
    noted = world.noted(ticket, "closed" if what == "closes it" else "acknowledged by")
    shown = world.listed(ticket, way.status, after=None if what == KEY else begun)
    return Acted(ticket, begun, done, noted, shown.answered)


def look_alike(world: WatchedWorld, what: str, make: Callable[[], New]) -> New:
    ticket = make()
    world.noted(ticket, "step 1 of")
    if what in LOOKALIKES:
        LOOKALIKES[what](world, ticket)
    return ticket


def arrived(world: WatchedWorld, what: str, acted: Acted, recorded: datetime) -> datetime:
    """When Znuny's webhook came in, or the answer; what was seen before any webhook came counts from then."""
    if what in IN_ZNUNY:
        return world.webhook_behind(acted.ticket, recorded, acted.begun, acted.done) or recorded
    if what == KEY:
        return next(one.at for one in world.providers.twilio.callbacks if "Digits" in one.params)
    return acted.begun


# --- what acknowledges -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", WAYS)
def test_the_plan_stops_and_the_note_and_the_history_say_who_has_it_and_how(
    world: WatchedWorld, played: Played, what: str
) -> None:
    ticket, way = played[what].ticket, WAYS[what]
    note = world.note(ticket, "closed" if what == "closes it" else "acknowledged by")
    assert f"cknowledged by {way.who} ({way.how})" in note
    stands = world.shown(world.code(ticket))
    assert stands["acknowledged"]["by"] == way.who
    assert stands["state"] == {"snoozed": "held", "": "resolved"}.get(way.status, "acknowledged")
    assert world.fields(ticket)["Status"] == way.status


@pytest.mark.parametrize("what", FROM_OUTSIDE)
def test_whoever_answers_from_outside_owns_the_ticket_then_and_it_is_locked(
    world: WatchedWorld, played: Played, what: str
) -> None:
    login = {"Ben Beispiel": "ben", "Anna Agent": "anna"}[WAYS[what].who]

    def owner() -> tuple[str, str]:
        row = world.row(played[what].ticket)
        return row["Owner"], row["Lock"]

    eventually(lambda: owner() == (login, "lock"), "the owner")


def test_it_takes_a_moment(world: WatchedWorld, played: Played) -> None:
    seconds = {}
    for what in WAYS:
        acted = played[what]
        recorded = min(played.taken(world.code(acted.ticket)), acted.noted)
        at = arrived(world, what, acted, recorded)
        seconds[what] = Figure(at, recorded, acted.noted, acted.shown).seconds
    print(table("Znuny: seconds from the webhook, or the answer", COLUMNS, seconds))
    assert [what for what in WAYS if max(seconds[what]) > SLOW] == []


# --- what doesn't ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", [*LOOKALIKES, *FROM_THE_START])
def test_the_next_step_still_comes(world: WatchedWorld, played: Played, what: str) -> None:
    ticket = played.alike[what].result()
    world.noted(ticket, "step 2 of 2")
    assert world.shown(world.code(ticket))["acknowledged"] is None
    acknowledged = [line for line in world.headlines(ticket) if "acknowledged by" in line]
    assert acknowledged == (["acknowledged by Anna Agent (locked the ticket)"] if what == LEFT_AGAIN else [])


def test_a_form_that_was_left_again_was_noted_at_once_and_so_was_that_it_goes_on(
    world: WatchedWorld, played: Played
) -> None:
    ticket = played.alike[LEFT_AGAIN].result()
    world.noted(ticket, "step 2 of 2")
    assert "locked the ticket and left it without work" in world.note(ticket, "it goes on")
    assert len(world.mails(ticket, "dana")) == 2


def test_nothing_more_was_sent_after_what_acknowledges(world: WatchedWorld, played: Played) -> None:
    world.noted(played.nothing, "step 2 of 2")
    steps = {what: world.shown(world.code(played[what].ticket))["history"] for what in WAYS}
    assert [what for what in WAYS if [one["kind"] for one in steps[what]].count("step") != 1] == []
    late = {what: [mail for mail in world.mails(played[what].ticket) if mail.at > played[what].noted] for what in WAYS}
    assert [what for what in WAYS if late[what]] == []
    # who is given it while it climbs is told at once, if it is read before they act
    told = {what: len(world.mails(played[what].ticket)) for what in WAYS}
    assert [what for what, way in WAYS.items() if told[what] > (2 if way.of_ben else 1)] == []
    assert len(world.mails(played.nothing)) == 2


# --- what lists show -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def changed(world: WatchedWorld, played: Played) -> dict[str, tuple[New, float]]:
    """What else changes how an escalation stands: the ticket, and after how many seconds its field said so."""
    wait([*played.acts.values(), *played.alike.values()])

    def after(what: str, ticket: New) -> tuple[New, float]:
        at = CHANGES[what].happens(world, ticket)
        return ticket, (world.listed(ticket, CHANGES[what].status, after=at).answered - at).total_seconds()

    with ThreadPoolExecutor(AT_ONCE) as stage:
        tickets = {what: stage.submit(world.running, change.plan) for what, change in CHANGES.items()}
        found = {what: stage.submit(after, what, ticket.result()) for what, ticket in tickets.items()}
    seconds = {what: one.result() for what, one in found.items()}
    print(table("Znuny: seconds from the change", ["shown"], {what: [one] for what, (_, one) in seconds.items()}))
    return seconds


@pytest.mark.parametrize("what", CHANGES)
def test_the_field_says_it_at_once_and_search_and_dashboard_find_it(
    world: WatchedWorld, changed: dict[str, tuple[New, float]], what: str
) -> None:
    (ticket, seconds), status = changed[what], CHANGES[what].status
    assert seconds < SLOW
    assert world.fields(ticket)["Status"] == status
    asked = {"DynamicField_EscalationStatus": {"Equals": status}, "TicketNumber": ticket.number}
    if status:
        assert world.znuny.call("POST", "/TicketSearch", asked)["TicketID"] == [ticket.id]
    assert (ticket.number in world.dashboard()) is (status in ("running", "exhausted"))
