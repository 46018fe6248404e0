"""Much of everything, from strangers and from a helpdesk that somebody else has taken over.

Time and memory are bounded, and the ticket that matters is still told of on time.
"""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from connector.core.escalation import State
from connector.core.ticket import Actor, Change, Kind, Role
from connector.engine.keys import HINTS
from tests.engine.conftest import World
from tests.web.conftest import World as House

from .test_webhooks import BODY, HERE, hints, sign

MANY = 100_000


def held(world: World) -> int:
    """Bytes that Redis uses."""
    return int(world.redis.info("memory")["used_memory"])  # type: ignore[index]


def told(world: World) -> list[str]:
    return [message.code for channel in world.channels.values() for message in channel.sent]


def test_a_ticket_that_matters_is_told_of(world: World) -> None:
    world.escalating()
    world.sends()
    assert told(world) == ["E-1A"]


def test_hints_about_a_hundred_thousand_tickets_hold_up_no_step_and_no_note(world: World) -> None:
    """With good proof and ids that nobody has: each is read once, behind what is known to be running."""
    world.escalating()
    world.sends()
    before = held(world)
    for first in range(0, MANY, 5000):
        world.store.hints.add(str(1_000_000 + first + number) for number in range(5000))
    assert world.redis.zcard(HINTS) >= MANY
    assert (held(world) - before) / MANY < 500  # bytes each
    world.clock.passes(minutes=5)
    world.engine.wake("42")  # asks for a fresh look
    assert world.redis.zrange(HINTS, 0, 0) == [b"42"]
    world.observer.look("42")
    world.engine.wake("42")
    world.sends()
    assert told(world) == ["E-1A", "E-1A"]
    world.desk.write("42")
    assert any("step 1 of 3" in line for line in world.helpdesk.headlines("42"))


def test_the_same_hint_a_hundred_thousand_times_is_one(world: World) -> None:
    world.helpdesk.ticket("42")
    before = held(world)
    for _ in range(MANY // 5000):
        world.store.hints.add(["42"] * 5000)
    assert world.redis.zrange(HINTS, 0, -1) == [b"42"]
    assert held(world) - before < 100_000


def test_a_history_of_a_hundred_thousand_entries_is_read_and_not_kept(world: World) -> None:
    world.escalating()
    now = world.clock.now()
    customer = Actor(Role.CUSTOMER, "8", "cathy@example.com", "Cathy Customer")
    noise = [
        Change(f"noise-{number}", now - timedelta(seconds=1), customer, Kind.TITLE, "a" * 100, "b" * 100)
        for number in range(MANY)
    ]
    world.helpdesk.changes["42"] = [*world.helpdesk.changes["42"], *noise]
    world.helpdesk.touches("42")
    before = held(world)
    world.looks("42")
    assert held(world) - before < 20_000_000
    assert world.escalation().state is State.RUNNING
    world.sends()
    assert told(world) == ["E-1A"]


def test_a_title_of_a_megabyte_is_told_in_short(world: World) -> None:
    ticket = world.helpdesk.ticket("42")
    world.helpdesk.tickets["42"] = replace(
        world.helpdesk.tickets["42"], facts=replace(world.helpdesk.tickets["42"].facts, title="outage " * 150_000)
    )
    before = held(world)
    world.looks(ticket)
    world.clock.passes(minutes=5)
    for _ in range(20):
        world.engine.wake("42")
        world.looks("42")
    world.sends()
    assert told(world) == ["E-1A"]
    assert held(world) - before < 20_000_000


# --- strangers ----------------------------------------------------------------------------------------------------


def test_strangers_from_thousands_of_addresses_keep_nobody_out(house: House) -> None:
    client = house.client
    for number in range(3000):
        address = f"2001:db8::{number:x}"
        refused = client.post(HERE, data=b"{}", environ_overrides={"REMOTE_ADDR": address})
        assert refused.status_code == 401
    assert client.post(HERE, data=BODY, headers={"X-Hub-Signature": sign(BODY)}).status_code == 202
    assert hints(house) == ["42"]


def test_a_stranger_who_goes_on_is_told_to_wait_at_once(house: House) -> None:
    codes = [house.client.post(HERE, data=b"{}").status_code for _ in range(500)]
    assert (set(codes[:60]), set(codes[60:])) == ({401}, {429})
    assert house.client.post(HERE, data=BODY, headers={"X-Hub-Signature": sign(BODY)}).status_code == 202


#: With good proof: what looks like the id of a ticket and is none, or another one.
IDS = ["４２", "٤٢", "42\u0000", "4２", "²", "42 ", "+42", "0x2a", "4e1", "42.0", "-42", "1_000", "\u202e24", "9" * 19]
IDS += ["", "*"]


@pytest.mark.parametrize("id", IDS)
def test_an_id_in_disguise_is_none(house: House, id: str) -> None:
    raw = json.dumps({"ticket": {"id": id}}).encode()
    answer = house.client.post(HERE, data=raw, headers={"X-Hub-Signature": sign(raw)})
    assert (answer.status_code, hints(house)) == (422, [])


@pytest.mark.parametrize("id", [42.5, float("1e30"), True, None, [42], {"id": 42}, -1, 10**19])
def test_an_id_of_another_kind_is_none(house: House, id: object) -> None:
    raw = json.dumps({"ticket": {"id": id}}).encode()
    answer = house.client.post(HERE, data=raw, headers={"X-Hub-Signature": sign(raw)})
    assert (answer.status_code, hints(house)) == (422, [])
