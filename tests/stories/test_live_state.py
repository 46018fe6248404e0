"""Live state: whoever looks at Zammad's lists sees how each escalation stands, a moment after it has changed."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import requests

from connector.helpdesks.zammad.set_up.tables import HERE

from .figures import BUSY, table
from .world import World, eventually

RUNNING, ACKNOWLEDGED = "escalation-running", "escalation-acknowledged"
SNOOZED, NOBODY_CAME = "escalation-snoozed", "escalation-nobody-came"
OVERVIEW = json.loads((HERE / "overview.json").read_text("utf-8"))

#: Does it, and answers when it happened.
Act = Callable[[World, str], datetime]


def told_by_webhook(do: Callable[[World, str], object]) -> Act:
    """Somebody does it in the helpdesk; what counts is when the helpdesk sends word of it."""

    def act(world: World, ticket: str) -> datetime:
        at = datetime.now(UTC)
        do(world, ticket)
        return world.webhook_sent(ticket, at)

    return act


def told_by_history(kind: str) -> Act:
    """It comes by itself; what counts is when Escalator did it."""

    def act(world: World, ticket: str) -> datetime:
        def entries() -> list[str]:
            return [entry["at"] for entry in world.shown(ticket)["history"] if entry["kind"] == kind]

        return datetime.fromisoformat(eventually(entries, what=kind)[-1])

    return act


def give_it_on(world: World, ticket: str) -> datetime:
    world.desk.take(ticket, by=world.desk.alice)
    tag_is(world, ticket, ACKNOWLEDGED)
    return told_by_webhook(lambda w, t: w.desk.assign(t, to=w.desk.bob, by=w.desk.alice))(world, ticket)


def put_it_off_for_a_moment(world: World, ticket: str) -> datetime:
    note = world.desk.internal_note(ticket, by=world.desk.bob, body="/snooze 5s")
    tag_is(world, ticket, SNOOZED)
    return datetime.fromisoformat(note["created_at"]) + timedelta(seconds=5)


#: What happens to a running escalation -> how, the tag that its ticket has then, and whether the overview lists it.
CHANGES: dict[str, tuple[Act, str, bool]] = {
    "its first step comes": (told_by_history("step"), RUNNING, True),
    "somebody takes it": (told_by_webhook(lambda w, t: w.desk.take(t, by=w.desk.bob)), ACKNOWLEDGED, False),
    "it is given to somebody else": (give_it_on, RUNNING, True),
    "somebody puts it off": (
        told_by_webhook(lambda w, t: w.desk.internal_note(t, by=w.desk.bob, body="/snooze 30m")),
        SNOOZED,
        False,
    ),
    "the time until which it was put off comes": (put_it_off_for_a_moment, RUNNING, True),
    "nobody comes": (told_by_history("exhausted"), NOBODY_CAME, True),
    "somebody stops it": (
        told_by_webhook(lambda w, t: w.desk.internal_note(t, by=w.desk.bob, body="/stop")),
        "",
        False,
    ),
    "it is closed": (told_by_webhook(lambda w, t: w.desk.close(t, by=w.desk.bob)), "", False),
}


def tag_is(world: World, ticket: str, wanted: str) -> datetime:
    """Waits until the ticket has this tag of ours alone, or none; when the tags became so."""
    eventually(lambda: world.desk.tags(ticket) == [wanted] * bool(wanted), what=f"the tag {wanted or 'to go'}")
    lines = [one for one in world.desk.history(ticket) if one.get("attribute") == "tag"]
    return max(datetime.fromisoformat(one["created_at"]) for one in lines)


def in_overview(world: World, ticket: str) -> bool:
    """Whether the overview "Escalations" lists the ticket for an agent."""
    asked = {"condition": OVERVIEW["condition"], "sort_by": "created_at", "order_by": "desc", "per_page": 200}
    headers = {"Authorization": f"Bearer {world.desk.alice.token}"}
    answer = requests.post(f"{world.desk.url}/api/v1/tickets/search", json=asked, headers=headers, timeout=10)
    return int(ticket) in answer.json()["tickets"]


@pytest.fixture(scope="module")
def tickets(world: World) -> dict[str, str]:
    """A running escalation for each change."""
    found = {what: world.ticket("quick" if what == "nobody comes" else "calm") for what in CHANGES}
    world.running(*found.values())
    return found


@pytest.fixture(scope="module")
def seconds(world: World, tickets: dict[str, str]) -> dict[str, float]:
    """One change after the other: how long each took until it showed."""
    found = {}
    for what, (act, tag, _) in CHANGES.items():
        at = act(world, tickets[what])
        found[what] = max((tag_is(world, tickets[what], tag) - at).total_seconds(), 0.0)
    print(table("Zammad: seconds from the change", ["shown"], {what: [one] for what, one in found.items()}))
    return found


@pytest.mark.parametrize("what", CHANGES)
def test_it_shows_in_the_tag_and_in_the_overview_at_once(
    world: World, tickets: dict[str, str], seconds: dict[str, float], what: str
) -> None:
    assert seconds[what] < BUSY
    assert in_overview(world, tickets[what]) is CHANGES[what][2]
