"""Escalator begins on a new Redis, and again on one that was emptied; it is told which by what else remembers."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from connector.beginning import GONE_FOR_GOOD, LOCK, PAIR_AGAIN, SINCE_FILE, begin, record, recorded
from connector.errors import HelpdeskAway, PermissionLost

from .test_bad_data import changed, noted
from .test_one_ticket import running
from .worlds import Losing, stands


class Up:
    """What `up` does when it starts; `said` is what it says."""

    def __init__(self, world: Losing, data: Path) -> None:
        self.world, self.data = world, data
        self.said: list[str] = []

    def starts(self) -> bool:
        return begin(self.world.services, self.data, self.world.clock.now(), self.said.append)


@pytest.fixture
def up(world: Losing, tmp_path: Path) -> Up:
    return Up(world, tmp_path)


def test_on_a_new_redis_it_begins_now_and_records_it_twice(up: Up) -> None:
    up.world.loses_redis()
    assert up.starts()
    assert up.world.store.begun()
    assert up.world.store.since() == recorded(up.data) == up.world.clock.now()
    assert up.said == []


def test_the_configs_since_counts_at_the_first_start(up: Up) -> None:
    up.world.loses_redis()
    up.world.since_in_config = up.world.clock.now() - timedelta(days=3)
    assert up.starts()
    assert recorded(up.data) == up.world.since_in_config


def test_a_later_start_changes_nothing_and_writes_a_lost_file_again(up: Up) -> None:
    assert up.starts()
    assert recorded(up.data) == up.world.store.since()
    up.world.clock.passes(hours=1)
    assert up.starts()
    assert recorded(up.data) == up.world.since


def test_a_redis_emptied_since_is_rebuilt_and_that_is_said(up: Up) -> None:
    record(up.data, up.world.since)
    before = noted(up.world)
    assert up.starts()
    assert stands(up.world.escalation()) == before
    assert up.world.store.since() == up.world.since
    assert up.said[0].startswith(f"Redis is empty although Escalator has run here since {up.world.since:%Y-%m-%d}")
    assert up.said[1:] == ["Rebuilt from the helpdesk: 1 by their notes, 0 by their history.", GONE_FOR_GOOD]
    assert up.world.troubles() == []
    up.world.operator.send_open()
    assert [message.line for message in up.world.channels["email"].sent] == up.said[:1]


def test_that_phones_have_to_be_paired_again_is_told_where_people_are_told_on_them(up: Up) -> None:
    up.world.loses_redis()
    up.world.channels["webpush"] = SimpleNamespace(kind="webpush")
    record(up.data, up.world.since)
    assert up.starts()
    assert [trouble["sentence"] for trouble in up.world.operator.open()] == [PAIR_AGAIN]


def test_with_the_file_lost_too_the_tickets_tell_that_it_ran(up: Up) -> None:
    before = noted(up.world)
    assert up.starts()
    assert stands(up.world.escalation()) == before
    assert up.world.store.since() == recorded(up.data)
    assert abs((recorded(up.data) or up.world.clock.now()) - up.world.since) < timedelta(milliseconds=1)
    assert up.said[0].startswith("Redis is empty although Escalator has run before")


@pytest.mark.parametrize("ran", [True, False])
def test_nothing_begins_while_the_helpdesk_is_away(up: Up, ran: bool) -> None:
    if ran:
        record(up.data, up.world.since)
    up.world.loses_redis()
    up.world.helpdesk.trouble = HelpdeskAway("Zammad did not answer.")
    with pytest.raises(HelpdeskAway):
        up.starts()
    assert not up.world.store.begun()
    up.world.helpdesk.trouble = None
    assert up.starts()


def test_where_nothing_tells_that_it_ran_a_helpdesk_that_refuses_is_no_reason_to_wait(up: Up) -> None:
    up.world.loses_redis()
    up.world.helpdesk.trouble = PermissionLost("Zammad doesn't accept our token.")
    assert up.starts()
    assert up.world.store.begun()


def test_where_it_ran_a_helpdesk_that_refuses_is_waited_for(up: Up) -> None:
    record(up.data, up.world.since)
    up.world.loses_redis()
    up.world.helpdesk.trouble = PermissionLost("Zammad doesn't accept our token.")
    with pytest.raises(PermissionLost):
        up.starts()
    assert not up.world.store.begun()


def test_a_helpdesk_that_fails_now_and_then_is_asked_again(up: Up, monkeypatch: pytest.MonkeyPatch) -> None:
    record(up.data, up.world.since)
    before = noted(up.world)
    monkeypatch.setattr("connector.rebuild.TRIES_AFTER", (0.0, 0.0))
    read, fails = up.world.helpdesk.read, [HelpdeskAway("Zammad did not answer."), HelpdeskAway("Nor now.")]

    def flaky(ticket_id: str) -> object:
        if fails:
            raise fails.pop()
        return read(ticket_id)

    monkeypatch.setattr(up.world.helpdesk, "read", flaky)
    assert up.starts()
    assert stands(up.world.escalation()) == before


def test_only_one_rebuilds_at_a_time(up: Up) -> None:
    record(up.data, up.world.since)
    noted(up.world)
    with up.world.store.locks.hold(LOCK) as mine:
        assert mine
        assert not up.starts()
    assert not up.world.store.begun()
    assert up.starts()


def test_what_is_left_alone_is_told_to_the_operator(up: Up) -> None:
    running(up.world, "43")
    noted(up.world)
    for place in (0, 1):
        changed(up.world, place, "forged")
    assert up.starts()
    left = (
        "Left alone after Redis was lost, look after them by hand: ticket 50042 (the data of a note of ours is forged"
    )
    assert any(line.startswith(left) for line in up.said)
    assert [sentence for sentence in up.world.troubles() if sentence.startswith(left)]


@pytest.mark.parametrize("text", ["", "nonsense", "2026-13-01"])
def test_a_spoiled_file_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / SINCE_FILE).write_text(text)
    assert recorded(tmp_path) is None


def test_a_file_without_a_time_zone_is_in_utc(tmp_path: Path) -> None:
    (tmp_path / SINCE_FILE).write_text("2026-01-31T20:00:00\n")
    assert recorded(tmp_path) == datetime(2026, 1, 31, 20, tzinfo=UTC)
