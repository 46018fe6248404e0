"""The manual of what acknowledges in Znuny and outside of it, and of what only looks like it; as what people do.

Carla writes every ticket unless it says otherwise, and nobody owns it. Agents are Anna (id 3), Ben (4), who is told by
the plans `bens`, `reached` and `rung`, and the robot Robin (6).
"""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import requests

from ..stories.ways import press
from .conftest import New
from .watched import WatchedWorld
from .world import BEN, eventually

Act = Callable[[WatchedWorld, New], object]

INTERNAL = {"CommunicationChannel": "Internal", "SenderType": "agent", "IsVisibleForCustomer": 0}
CALL = {"CommunicationChannel": "Phone", "SenderType": "agent", "IsVisibleForCustomer": 1}


@dataclass(frozen=True, slots=True)
class Way:
    """What somebody does, who has it then and how (as the note says), on which plan, and what lists show."""

    act: Act
    who: str
    how: str
    plan: str = "locks"
    status: str = "acknowledged"
    of_ben: bool = False  # Anna has given it to him before


def article(kind: dict[str, object], body: str) -> dict[str, object]:
    return {**kind, "Subject": "By a program", "Body": body, "ContentType": "text/plain; charset=utf-8"}


def in_an_hour() -> datetime:
    return (datetime.now(UTC) + timedelta(hours=1)).replace(second=0, microsecond=0)


#: What somebody does in the helpdesk.
IN_ZNUNY: dict[str, Way] = {
    'clicks "Lock"': Way(lambda w, t: w.ben.lock(t.id), "Ben Beispiel", "locked the ticket"),
    "makes herself the owner": Way(lambda w, t: w.anna.own(t.id, "3"), "Anna Agent", "locked the ticket"),
    "becomes the owner without a lock": Way(
        lambda w, t: w.script(t, "anna", Ticket={"Owner": "anna"}),
        "Anna Agent",
        "took the ticket",
    ),
    "writes a mail to the customer": Way(
        lambda w, t: w.anna.reply(t.id, t.article_id), "Anna Agent", "replied to the customer", "hands"
    ),
    "logs a call to the customer": Way(
        lambda w, t: w.script(t, "ben", Article=article(CALL, "Called back.")),
        "Ben Beispiel",
        "replied to the customer",
    ),
    "sets it pending": Way(
        lambda w, t: w.ben.pend(t.id, in_an_hour()),
        "Ben Beispiel",
        "set it pending",
        "hands",
        "snoozed",
    ),
    "was told, and writes a note": Way(lambda w, t: w.ben.note(t.id, "Looking."), "Ben Beispiel", "note", "bens"),
    "owns it, and writes a note": Way(lambda w, t: w.ben.note(t.id, "Looking."), "Ben Beispiel", "note", of_ben=True),
    "writes /ack, whoever it is": Way(lambda w, t: w.anna.note(t.id, "/ack it's the router"), "Anna Agent", "note"),
    "writes /ack as the subject": Way(
        lambda w, t: w.ben.note(t.id, "I have it.", subject="/ack"), "Ben Beispiel", "note"
    ),
    "writes /snooze 30m": Way(
        lambda w, t: w.ben.note(t.id, "/snooze 30m"), "Ben Beispiel", "/snooze", status="snoozed"
    ),
    'clicks "Acknowledge escalation"': Way(
        lambda w, t: w.anna.acknowledge(t.id),
        "Anna Agent",
        "Acknowledge escalation",
    ),
    "closes it": Way(lambda w, t: w.ben.close_ticket(t.id), "Ben Beispiel", "closed it", "hands", ""),
}

#: What Ben answers from outside; he presses key 1 as soon as his phone rings.
FROM_OUTSIDE: dict[str, Way] = {
    "key 1 in the call": Way(lambda w, t: None, "Ben Beispiel", "phone call", "rung"),
    "the link in a mail": Way(
        lambda w, t: requests.post(w.link(t), timeout=60).raise_for_status(), "Ben Beispiel", "link", "reached"
    ),
    "the page behind the link": Way(lambda w, t: press(w.link(t), "I take it"), "Ben Beispiel", "link", "reached"),
    "the page, for half an hour": Way(
        lambda w, t: press(w.link(t), "I take it for 30 minutes"), "Ben Beispiel", "link", "reached", "snoozed"
    ),
    "the button in the push": Way(WatchedWorld.answer_push, "Ben Beispiel", "push", "reached"),
    "the button in the Web Push": Way(WatchedWorld.answer_webpush, "Ben Beispiel", "push", "reached"),
    "the address in a document": Way(WatchedWorld.answer_document, "Ben Beispiel", "link", "reached"),
    "a text message with the code": Way(
        lambda w, t: w.providers.twilio.text_from(BEN, w.code(t)), "Ben Beispiel", "SMS", "reached"
    ),
    "another system": Way(lambda w, t: w.api(t, "ben"), "Ben Beispiel", "API"),
    "the terminal": Way(lambda w, t: w.terminal(t, "anna"), "Anna Agent", "terminal"),
}

WAYS = {**IN_ZNUNY, **FROM_OUTSIDE}


def opens_a_form_that_locks_and_leaves_it(world: WatchedWorld, ticket: New) -> None:
    form = world.anna.open("AgentTicketMove", ticket.id)
    world.noted(ticket, "acknowledged by Anna Agent (locked the ticket)")
    world.anna.undo(form)


def znuny_itself(*calls: str) -> Act:
    """What a generic agent or another module of Znuny's own does: as user 1, by these calls of its ticket object."""

    def act(world: WatchedWorld, ticket: New) -> None:
        of = f"TicketID => {int(ticket.id)}, UserID => 1"
        said = " ".join(f"$Ticket->{call.format(of=of)} || die;" for call in calls)
        manager = "use Kernel::System::ObjectManager; local $Kernel::OM = Kernel::System::ObjectManager->new();"
        program = f'{manager} my $Ticket = $Kernel::OM->Get("Kernel::System::Ticket"); {said}'
        perl = ["runuser", "-u", "otrs", "--", "perl", "-I.", "-IKernel/cpan-lib", "-e", program]
        subprocess.run(perl, cwd="/usr/share/otrs", check=True, capture_output=True, timeout=60)

    return act


def tagged(ticket: New) -> str:
    """A subject by which Znuny knows that a mail follows up."""
    return f"[Ticket#{ticket.number}] Server outage"


ANNAS_ADDRESS = "Anna Agent <anna@example.com>"

#: What happens -> how; afterwards the next step comes all the same.
LOOKALIKES: dict[str, Act] = {
    "somebody else assigns it": lambda w, t: w.anna.own(t.id, "4"),
    "a form that locks, left again": opens_a_form_that_locks_and_leaves_it,
    "the customer answers in the portal": lambda w, t: w.carla.follow_up(t.number, "Hello?"),
    "the customer writes a mail": lambda w, t: w.znuny.mail(f"Re: {tagged(t)}", "Still down!"),
    "the customer writes /ack": lambda w, t: w.carla.follow_up(t.number, "/ack"),
    "a bystander's note": lambda w, t: w.ben.note(t.id, "Looks bad."),
    "a note that the customer sees, which is no reply": lambda w, t: w.ben.note(t.id, "Seen.", visible=True),
    "/ack further down in a note": lambda w, t: w.ben.note(t.id, "Who will\n/ack this?"),
    "a note by Escalator's own user": lambda w, t: w.script(t, "escalation", Article=article(INTERNAL, "/ack")),
    "a mail in an agent's name": lambda w, t: w.znuny.mail(tagged(t), "/ack I have it", sender=ANNAS_ADDRESS),
    "an agent's out-of-office mail": lambda w, t: w.znuny.mail(
        f"Automatic reply: {tagged(t)}", "I am away.", sender=ANNAS_ADDRESS
    ),
    "opened by an agent": lambda w, t: w.script(t, "ben", Ticket={"State": "open"}),
    "Znuny itself gives it an owner and locks it": znuny_itself(
        "TicketOwnerSet(NewUserID => 4, {of})", 'TicketLockSet(Lock => "lock", {of})'
    ),
    "Znuny itself opens it": znuny_itself('TicketStateSet(State => "open", {of})'),
    "a robot makes itself the owner": lambda w, t: w.script(t, "robin", Ticket={"Owner": "robin", "Lock": "lock"}),
    "a robot writes /ack": lambda w, t: w.script(t, "robin", Article=article(INTERNAL, "/ack")),
    "a mail scanner follows the link": lambda w, t: requests.get(w.link(t), timeout=60).raise_for_status(),
}
#: How the ticket was made -> it; what was so from the start is nobody's work.
FROM_THE_START: dict[str, Callable[[WatchedWorld, str], New]] = {
    "made for somebody by an agent": lambda w, title: w.znuny.ticket_by_agent(
        title, Priority="4 high", Owner="ben", Lock="lock"
    ),
    "made by an agent who owns it": lambda w, title: w.znuny.ticket_by_agent(title, Priority="4 high"),
}


# --- what lists show -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happens to a running escalation, with when it did, and what its field says then."""

    happens: Callable[[WatchedWorld, New], datetime]
    status: str
    plan: str = "lasting"


def by_itself(kind: str) -> Callable[[WatchedWorld, New], datetime]:
    """Escalator did it, as an entry of this kind in its history tells."""

    def happens(world: WatchedWorld, ticket: New) -> datetime:
        def entries() -> list[str]:
            return [one["at"] for one in world.shown(world.code(ticket))["history"] if one["kind"] == kind]

        return datetime.fromisoformat(eventually(entries, kind)[-1])

    return happens


def told_by_webhook(world: WatchedWorld, ticket: New, act: Callable[[], object], status: str) -> datetime:
    """Somebody does it; what counts is the webhook."""
    begun = datetime.now(UTC)
    act()
    done = datetime.now(UTC)
    shown = world.listed(ticket, status, after=begun)
    return world.webhook_behind(ticket, shown.came, begun, done) or shown.came


def given_on(world: WatchedWorld, ticket: New) -> datetime:
    world.anna.note(ticket.id, "/ack")
    world.listed(ticket, "acknowledged")
    return told_by_webhook(world, ticket, lambda: world.anna.own(ticket.id, "4"), "running")


def put_off_for_a_moment(world: WatchedWorld, ticket: New) -> datetime:
    world.ben.note(ticket.id, "/snooze 20s")
    world.listed(ticket, "snoozed")
    return datetime.fromisoformat(world.shown(world.code(ticket))["next"]["due_at"])


def stopped(world: WatchedWorld, ticket: New) -> datetime:
    return told_by_webhook(world, ticket, lambda: world.ben.note(ticket.id, "/stop"), "")


CHANGES: dict[str, Change] = {
    "its first step comes": Change(by_itself("step"), "running"),
    "it is given to somebody else": Change(given_on, "running"),
    "the time until which it was put off comes": Change(put_off_for_a_moment, "running"),
    "nobody comes": Change(by_itself("exhausted"), "exhausted", plan="lapsing"),
    "somebody stops it": Change(stopped, ""),
}
