"""From rehearsal to live nobody hears of what was rehearsed; back there is no way."""

import os
import signal
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis

from connector.beginning import (
    IS_LIVE,
    REHEARSAL_IS_OVER,
    REHEARSED_FILE,
    SINCE_FILE,
    Beginning,
    IsLive,
    begin,
    record,
    recorded,
)
from connector.core.ticket import Kind
from connector.engine.agents import AGENTS
from connector.engine.devices import PUSH, Device, Devices
from connector.engine.epoch import Holds
from connector.engine.keys import EPOCH, OUT
from connector.engine.store import OtherMode
from connector.errors import HelpdeskAway
from connector.ports import Live
from connector.redis_server import EmbeddedRedis

from .worlds import Played


class Up:
    """What `up` does when it starts; `said` is what it says. It begins as a rehearsal on a new Redis."""

    def __init__(self, redis: Redis, data: Path) -> None:
        self.data, self.said = data, list[str]()
        self.world = Played(redis, rehearsal=True)
        redis.flushall()

    def starts(self) -> bool:
        return begin(self.world.services, self.data, self.world.clock.now(), self.said.append)

    def goes_live(self) -> bool:
        """Stopped, and started again with a config that says live."""
        self.world = self.world.with_mode(rehearsal=False)
        return self.starts()


@pytest.fixture
def up(redis: Redis, tmp_path: Path) -> Up:
    return Up(redis, tmp_path)


def test_a_rehearsal_begins_now_whatever_tickets_show_of_a_live_escalator_beside_it(up: Up) -> None:
    up.world.helpdesk.ticket("7", "ladder")
    up.world.helpdesk.shown["7"].append(Live("running", "ladder", "1 of 2"))
    assert up.starts()
    assert up.world.store.begun()
    assert up.world.store.holds() is Holds.REHEARSAL
    assert up.world.store.since() == recorded(up.data, rehearsal=True) == up.world.clock.now()
    assert recorded(up.data) is None
    assert up.said == []


def test_live_starts_only_what_changes_from_then_on(up: Up) -> None:
    assert up.starts()
    world = up.world
    for id, plan in (("41", "ladder"), ("42", "rounds"), ("43", "gaps")):
        world.opens(id, plan)
    world.goes_on(minutes=3)  # each is running
    world.opens("44", "ladder")  # and this one's window runs
    world.clock.passes(seconds=1)
    assert up.goes_live()
    world = up.world
    assert up.said == [REHEARSAL_IS_OVER]
    assert world.store.since() == recorded(up.data) == world.clock.now()
    assert not (up.data / REHEARSED_FILE).exists()
    assert world.store.live_tickets() == []
    world.sweep.look_at_helpdesk()
    world.goes_on(hours=2)
    assert (world.delivered(), world.written()) == ([], 0)
    world.opens("45", "ladder")
    world.helpdesk.changes_priority("42", "ladder")
    world.hint("42")
    world.goes_on(minutes=3)
    assert sorted((message.code, message.step) for message in world.delivered()) == [("E-1A", 1), ("E-1D", 1)]


def test_an_old_since_in_the_config_wakes_nothing_either(up: Up) -> None:
    up.world.since_in_config = up.world.clock.now() - timedelta(days=30)
    assert up.starts()
    up.world.opens("42", "ladder")
    up.world.goes_on(minutes=3)
    assert up.goes_live()
    assert up.world.store.since() == up.world.clock.now()
    up.world.sweep.look_at_helpdesk()
    up.world.goes_on(hours=2)
    assert up.world.delivered() == []


def test_what_is_known_of_people_and_their_devices_stays(up: Up) -> None:
    assert up.starts()
    devices = Devices(up.world.redis)
    devices.add("dana", Device(PUSH, "ab" * 32, up.world.clock.now()))
    up.world.redis.hset(AGENTS, "3", "dana")
    up.world.opens("42", "ladder")
    assert up.goes_live()
    assert [device.address for device in devices.of("dana")] == ["ab" * 32]
    assert up.world.redis.hget(AGENTS, "3") == b"dana"
    assert up.world.store.case("42") is None


def test_until_live_has_begun_nothing_rehearsed_can_be_sent_by_it(up: Up) -> None:
    assert up.starts()
    up.world.opens("42", "ladder")
    up.world.goes_on(minutes=1, seconds=59)
    live = up.world.with_mode(rehearsal=False)
    live.clock.passes(minutes=1)
    with pytest.raises(OtherMode, match="A rehearsal is on here, and the config says live"):
        live.engine.wake("42")
    assert live.delivered() == []


def test_a_rehearsal_takes_no_live_notification_for_sent(up: Up) -> None:
    live = up.world.with_mode(rehearsal=False)
    live.store.begin(live.clock.now())
    live.opens("42", "ladder")
    with live.notes_wait():
        live.goes_on(minutes=1, seconds=59)
    live.clock.passes(seconds=2)
    rehearsal = live.with_mode(rehearsal=True)
    with pytest.raises(OtherMode, match="What Redis holds is live, and the config says rehearsal"):
        rehearsal.engine.wake("42")
    live.engine.wake("42")
    with pytest.raises(OtherMode):
        rehearsal.sends()
    rehearsal.desk.drain()
    live.settles()
    assert [message.code for message in live.delivered()] == ["E-1A"]
    assert live.written()


@pytest.mark.parametrize("knows", ["redis", "data"])
def test_where_escalator_is_live_no_rehearsal_begins(up: Up, knows: str) -> None:
    up.world = up.world.with_mode(rehearsal=False)
    assert up.starts()
    up.world.opens("42", "ladder")
    if knows == "redis":
        (up.data / SINCE_FILE).unlink()
    else:
        up.world.loses_redis()
    kept = set(up.world.redis.scan_iter())
    up.world = up.world.with_mode(rehearsal=True)
    with pytest.raises(IsLive) as refused:
        up.starts()
    assert str(refused.value) == IS_LIVE
    assert set(up.world.redis.scan_iter()) == kept


def test_while_the_helpdesk_is_away_it_does_not_go_live_and_knows_of_the_rehearsal_afterwards(up: Up) -> None:
    up.world.since_in_config = up.world.clock.now() - timedelta(days=30)
    assert up.starts()
    up.world.opens("42", "ladder")
    up.world.goes_on(minutes=3)
    up.world.helpdesk.trouble = HelpdeskAway("Zammad did not answer.")
    with pytest.raises(HelpdeskAway):
        up.goes_live()
    assert not up.world.store.begun()
    up.world.helpdesk.trouble = None
    up.world.clock.passes(minutes=10)
    assert up.starts()
    assert up.world.store.since() == up.world.clock.now()
    up.world.goes_on(hours=1)
    assert up.world.delivered() == []


def test_a_ticket_that_comes_while_going_live_has_to_wait_for_the_helpdesk_is_escalated(up: Up) -> None:
    assert up.starts()
    up.world.clock.passes(seconds=1)
    up.world = live = up.world.with_mode(rehearsal=False)
    started = live.clock.now()
    live.helpdesk.trouble = HelpdeskAway("Zammad did not answer.")
    with pytest.raises(HelpdeskAway):
        begin(live.services, up.data, started, up.said.append)
    live.clock.passes(seconds=10)
    live.helpdesk.ticket("42", "ladder")
    live.clock.passes(seconds=10)
    live.helpdesk.trouble = None
    assert begin(live.services, up.data, started, up.said.append)
    assert live.store.since() == started
    live.hint("42")
    live.goes_on(minutes=3)
    assert [message.code for message in live.delivered()] == ["E-1A"]


def test_of_two_who_go_live_at_once_the_second_takes_nothing_from_the_first(
    up: Up, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert up.starts()
    up.world = live = up.world.with_mode(rehearsal=False)
    hold, others = live.store.locks.hold, tmp_path / "another"

    def hold_after_the_other(key: str) -> AbstractContextManager[bool]:
        monkeypatch.setattr(live.store.locks, "hold", hold)
        assert begin(live.services, others, live.clock.now(), up.said.append)
        live.opens("42", "ladder")
        return hold(key)

    monkeypatch.setattr(live.store.locks, "hold", hold_after_the_other)
    assert not up.starts()  # and looks again
    assert up.starts()
    assert not (up.data / REHEARSED_FILE).exists()
    assert up.said == [REHEARSAL_IS_OVER]
    assert live.store.live_tickets() == ["42"]


def test_who_is_killed_while_it_forgets_leaves_nothing_that_anybody_sends(up: Up, tmp_path: Path) -> None:
    assert up.starts()
    up.world.opens("42", "ladder")
    up.world.goes_on(minutes=1, seconds=59)
    rehearsal, live = up.world, up.world.with_mode(rehearsal=False)
    rehearsal.redis.set(EPOCH, b"ending")
    live.clock.passes(minutes=1)
    with pytest.raises(OtherMode):
        live.engine.wake("42")
    with pytest.raises(IsLive):
        begin(rehearsal.services, up.data, rehearsal.clock.now(), up.said.append)
    assert begin(live.services, tmp_path / "another host's", live.clock.now(), up.said.append)
    assert live.store.holds() is Holds.LIVE
    assert live.store.live_tickets() == []
    assert not live.redis.exists(OUT)


def test_a_host_that_still_rehearses_ends_when_another_one_goes_live(
    up: Up, monkeypatch: pytest.MonkeyPatch, redis_server: EmbeddedRedis
) -> None:
    services, ended = up.world.services, list[tuple[int, int]]()
    monkeypatch.setattr("connector.beginning.build", lambda *_: services)
    monkeypatch.setattr("os.kill", lambda *ended_by: ended.append(ended_by))
    beginning = Beginning(redis_server.url, up.data, lambda: services.settings, up.said.append)
    beginning._turn()
    assert up.world.store.holds() is Holds.REHEARSAL
    beginning._turn()
    assert ended == []
    up.goes_live()
    beginning._turn()
    assert ended == [(os.getpid(), signal.SIGTERM)]
    assert up.said[-1] == IS_LIVE


def test_a_rehearsal_whose_redis_is_lost_goes_on_by_what_the_tickets_tell_and_sends_nothing(up: Up) -> None:
    assert up.starts()
    up.world.opens("42", "ladder")
    up.world.goes_on(minutes=3)
    up.world.loses_redis()
    assert up.starts()
    assert up.world.store.holds() is Holds.REHEARSAL
    up.world.goes_on(minutes=1)
    assert up.world.escalation("42").state.value == "running"
    assert (up.world.delivered(), up.world.written()) == ([], 0)
    assert "1 by their history" in up.said[1]


def test_a_live_escalator_takes_its_redis_back_from_a_rehearsal_that_began_on_it_when_it_was_empty(up: Up) -> None:
    live = up.world.with_mode(rehearsal=False)
    since = live.clock.now() - timedelta(hours=1)
    assert begin(up.world.services, up.data / "another", up.world.clock.now(), up.said.append)
    record(up.data, since)
    up.world = live
    assert up.starts()
    assert up.world.store.since() == since
    assert up.world.store.holds() is Holds.LIVE


def test_a_ticket_that_a_rehearsal_has_seen_escalates_once_a_matched_field_changes(up: Up) -> None:
    assert up.starts()
    up.world.opens("42", "ladder")
    up.world.goes_on(minutes=3)
    assert up.goes_live()
    up.world.helpdesk.changed("42", Kind.TITLE, {}, after="Server outage")  # no rule asks for it
    up.world.hint("42")
    assert up.world.store.live_tickets() == []
    up.world.helpdesk.changes_priority("42", "rounds")
    up.world.hint("42")
    assert up.world.store.live_tickets() == ["42"]
