"""The manual of what acknowledges in Zammad and outside of it, and of what only looks like it; as what people do."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin

import requests

from connector.sandbox.zammad.articles import add_article
from connector.sandbox.zammad.desk import Caller
from connector.sandbox.zammad.rows import NOBODY

from .plans import DANA
from .watched import KIM
from .world import World, escalator

Act = Callable[[World, str], object]

ACKNOWLEDGED, SNOOZED = "escalation-acknowledged", "escalation-snoozed"


@dataclass(frozen=True, slots=True)
class Way:
    """What somebody does, who has it then and how (as the note says), on which plan, and the tag that lists go by."""

    act: Act
    who: str
    how: str
    plan: str = "watched"
    tag: str = ACKNOWLEDGED
    of_bob: bool = False  # the ticket was made for Bob


def in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()


def press(link: str, button: str) -> None:
    """Opens the page behind a link in a browser and presses one of its buttons."""
    html = {"Accept": "text/html"}
    page = requests.get(link, headers=html, timeout=10).text
    form = re.search(rf'<form method="post" action="([^"]+)"><button[^>]*>{re.escape(button)}</button>', page)
    assert form, page
    requests.post(urljoin(link, form[1]), headers=html, timeout=10).raise_for_status()


def answer_push(world: World, ticket: str) -> None:
    requests.post(world.pushes(ticket)[0].payload["escalation"]["acknowledge"]["url"], timeout=10).raise_for_status()


def answer_webpush(world: World, ticket: str) -> None:
    requests.post(world.webpushes(ticket)[0].payload["acknowledge"]["url"], timeout=10).raise_for_status()


def answer_document(world: World, ticket: str) -> None:
    requests.post(world.posts(ticket)[0].document["data"]["acknowledge"]["url"], timeout=10).raise_for_status()


def on_the_terminal(world: World, ticket: str) -> None:
    command = escalator("acknowledge", world.code(ticket), "--by", "bob")
    subprocess.run(command, env=world.environ, check=True, capture_output=True, timeout=100)


#: What somebody does in the helpdesk.
IN_ZAMMAD: dict[str, Way] = {
    "makes herself the owner": Way(lambda w, t: w.desk.take(t, by=w.desk.alice), "Alice Agent", "took the ticket"),
    "writes a mail to the customer": Way(
        lambda w, t: w.desk.reply(t, by=w.desk.bob), "Bob Builder", "replied to the customer"
    ),
    "logs a call to the customer": Way(
        lambda w, t: w.desk.log_call(t, by=w.desk.bob), "Bob Builder", "replied to the customer"
    ),
    "sets it pending": Way(
        lambda w, t: w.desk.change(t, by=w.desk.bob, state="pending reminder", pending_time=in_an_hour()),
        "Bob Builder",
        "set it pending",
        tag=SNOOZED,
    ),
    "was told, and writes a note": Way(
        lambda w, t: w.desk.internal_note(t, by=w.desk.alice, body="Looking."), "Alice Agent", "note"
    ),
    "owns it, and writes a note": Way(
        lambda w, t: w.desk.internal_note(t, by=w.desk.bob, body="Looking."),
        "Bob Builder",
        "note",
        plan="aside",
        of_bob=True,
    ),
    "writes /ack, whoever it is": Way(
        lambda w, t: w.desk.internal_note(t, by=w.desk.bob, body="/ack it's the router"), "Bob Builder", "note"
    ),
    "writes /snooze 30m": Way(
        lambda w, t: w.desk.internal_note(t, by=w.desk.bob, body="/snooze 30m"), "Bob Builder", "/snooze", tag=SNOOZED
    ),
    "runs the macro in bulk": Way(lambda w, t: w.desk.run_macro([t], by=w.desk.bob), "Bob Builder", "took the ticket"),
    "runs the macro in the ticket": Way(
        lambda w, t: w.desk.run_macro_in_ticket(t, by=w.desk.bob), "Bob Builder", "took the ticket"
    ),
    "closes it": Way(lambda w, t: w.desk.close(t, by=w.desk.bob), "Bob Builder", "closed it", tag=""),
}

#: What somebody answers from outside. Dana is agent Alice; Kim presses key 1 as soon as her phone rings.
FROM_OUTSIDE: dict[str, Way] = {
    "the link in a mail": Way(
        lambda w, t: requests.post(w.link(t), timeout=10).raise_for_status(), "Dana Reyes", "link", "reached"
    ),
    "the page behind the link": Way(lambda w, t: press(w.link(t), "I take it"), "Dana Reyes", "link", "reached"),
    "the page, for half an hour": Way(
        lambda w, t: press(w.link(t), "I take it for 30 minutes"), "Dana Reyes", "link", "reached", SNOOZED
    ),
    "the button in the push": Way(answer_push, "Dana Reyes", "push", "reached"),
    "the button in the Web Push": Way(answer_webpush, "Dana Reyes", "push", "reached"),
    "the address in a document": Way(answer_document, "Dana Reyes", "link", "reached"),
    "a text message with the code": Way(
        lambda w, t: w.providers.twilio.text_from(DANA, w.code(t)), "Dana Reyes", "SMS", "reached"
    ),
    "key 1 in the call": Way(lambda w, t: None, "Kim Keys", "phone call", "rung"),
    "another system": Way(
        lambda w, t: w.api(f"/{w.code(t)}/acknowledge", by="bob").raise_for_status(), "Bob Builder", "API"
    ),
    "the terminal": Way(on_the_terminal, "Bob Builder", "terminal"),
}

WAYS = {**IN_ZAMMAD, **FROM_OUTSIDE}


def automatic_reply(world: World, ticket: str) -> None:
    """Zammad's own "we have got your mail", as one of its triggers sends it."""
    desk = world.desk.desk
    with desk.request(NOBODY):
        mail = {"type": "email", "sender": "System", "subject": "Received", "body": "/ack", "internal": False}
        add_article(desk, Caller(desk.users[NOBODY]), desk.ticket(int(ticket)), mail, as_system=True)


#: What happens -> how; afterwards the next step comes all the same.
LOOKALIKES: dict[str, Act] = {
    "somebody else assigns it": lambda w, t: w.desk.assign(t, to=w.desk.bob, by=w.desk.alice),
    "the customer answers on the web": lambda w, t: w.desk.answer_on_web(t),
    "the customer writes a mail": lambda w, t: w.desk.mail_from(w.desk.cathy, t, "Still down!"),
    "the customer writes /ack": lambda w, t: w.desk.answer_on_web(t, "/ack"),
    "the customer runs the macro": lambda w, t: w.desk.run_macro([t], by=w.desk.cathy),
    "a bystander's note": lambda w, t: w.desk.internal_note(t, by=w.desk.bob, body="Looks bad."),
    "a public note, which is no reply": lambda w, t: w.desk.public_note(t, by=w.desk.bob, body="Seen."),
    "/ack further down in a note": lambda w, t: w.desk.internal_note(t, by=w.desk.bob, body="Who will\n/ack this?"),
    "a note by Escalator's own user": lambda w, t: w.desk.internal_note(t, by=w.desk.escalator, body="/ack"),
    "a mail in an agent's name": lambda w, t: w.desk.mail_from(w.desk.alice, t, "/ack I have it"),
    "an agent's out-of-office mail": lambda w, t: w.desk.mail_from(w.desk.alice, t, "Away", auto_response=True),
    "an automatic reply of Zammad's own": automatic_reply,
    "opened by an agent": lambda w, t: w.desk.change(t, by=w.desk.bob, state="open"),
    "another trigger sets the owner": lambda w, t: w.desk.change_by_trigger(t, owner_id=w.desk.bob.id),
    "another trigger opens it": lambda w, t: w.desk.change_by_trigger(t, state_id=2),
    "Zammad itself gives it an owner": lambda w, t: w.desk.operations.set_by_system(
        int(t), {"owner_id": w.desk.bob.id}
    ),
    "Zammad itself opens it": lambda w, t: w.desk.operations.set_by_system(int(t), {"state_id": 2}),
    "a robot makes itself the owner": lambda w, t: w.desk.take(t, by=w.desk.admin),
    "a robot writes /ack": lambda w, t: w.desk.internal_note(t, by=w.desk.admin, body="/ack"),
    "a tag": lambda w, t: w.desk.add_tag(t, "router", by=w.desk.bob),
    "a mail scanner follows the link": lambda w, t: requests.get(w.link(t), timeout=10).raise_for_status(),
}
#: How the ticket was made -> it; what was so from the start is nobody's work.
FROM_THE_START: dict[str, Callable[[World], str]] = {
    "made for somebody by an agent": lambda w: w.ticket("watched", by=w.desk.alice, owner=w.desk.bob),
    "made by an agent who owns it": lambda w: w.ticket("watched", by=w.desk.bob, owner=w.desk.bob),
    "made by an agent, with /ack in it": lambda w: w.ticket("watched", by=w.desk.bob, body="/ack"),
}


@dataclass(frozen=True, slots=True)
class Played:
    """All of them, each on a ticket of its own: ticket and moment of each act, and when the plan was seen to stop."""

    tickets: dict[str, str]
    acted: dict[str, datetime]
    recorded: dict[str, datetime]


def play(world: World, watch: Callable[[str], datetime]) -> Played:
    """Everything in the two tables, one after the other; "nothing" is a ticket that is left alone."""
    alice, bob = world.desk.alice, world.desk.bob
    world.providers.twilio.on_call(KIM).press("1")
    world.pair("dana")
    tickets = {
        what: world.ticket(way.plan, by=alice, owner=bob) if way.of_bob else world.ticket(way.plan)
        for what, way in WAYS.items()
    }
    tickets["nothing"] = world.ticket("watched")
    acted: dict[str, datetime] = {}
    for what, way in WAYS.items():
        world.running(tickets[what])
        acted[what] = datetime.now(UTC)
        way.act(world, tickets[what])
    recorded = {what: watch(world.code(tickets[what])) for what in WAYS}
    tickets |= {what: world.ticket("watched") for what in LOOKALIKES}
    tickets |= {what: make(world) for what, make in FROM_THE_START.items()}
    for what, act in LOOKALIKES.items():
        world.running(tickets[what])
        act(world, tickets[what])
    return Played(tickets, acted, recorded)
