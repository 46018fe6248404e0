"""Two hosts share one Redis: both work, one leads the timers, and when its power fails the other goes on alone."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..stories.world import eventually
from .machines import can_be_apart
from .night import Account
from .sentinels import PASSWORD, Cluster
from .two import TwoHosts

MANY = 12
FOLLOWED_WITHIN = 10.0  # seconds; on a quiet machine 5 to 6


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[TwoHosts]:
    cluster = Cluster(tmp_path)
    hosts = TwoHosts(tmp_path, f"redis://:{PASSWORD}@127.0.0.1:{cluster.serve()}", MANY)
    try:
        hosts.start()
        yield hosts
    finally:
        hosts.stop()
        cluster.stop()


@pytest.mark.timeout(300)
def test_both_work_and_when_the_leaders_power_fails_the_other_goes_on_alone(hosts: TwoHosts) -> None:
    assert hosts.working() == {"host-a", "host-b"}
    hosts.begin()
    leader = hosts.leader()
    other = ({"host-a", "host-b"} - {leader}).pop()
    eventually(lambda: len(hosts.providers.twilio.messages) > MANY, 60, "a second step")

    hosts.machines[leader].lose_power()
    failed = time.monotonic()
    eventually(lambda: hosts.leader() == other, 60, "the other one leads")
    followed = time.monotonic() - failed
    hosts.climbed(hosts.escalated)
    account = Account.of(hosts, [], hosts.escalated)

    where = "in namespaces of their own" if can_be_apart() else "as processes with host names of their own"
    print(f"\ntwo hosts, {where}: the leader's power failed, followed after {followed:.1f} s; {account}")
    assert account.good, account
    assert followed <= FOLLOWED_WITHIN

    hosts.start_host(leader)
    eventually(lambda: hosts.working() >= {leader, other}, 60, "both work again")
    assert hosts.leader() == other
