"""The machine with Redis' master dies in the middle of a night: nobody is forgotten, and nobody who has it is paged."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ..stories.world import eventually
from . import sentinels
from .night import APART, Account, Escalated, Night

AT_THAT_MOMENT = 2  # calls that Twilio was taking in as the master died may be asked about a moment too soon
MANY = int(os.environ.get("ESCALATIONS", "30"))  # 100 take a minute


@pytest.mark.timeout(400)
def test_a_failover_loses_no_step_and_pages_nobody_who_has_it(tmp_path: Path) -> None:
    with sentinels.running(tmp_path, min_replicas=1) as cluster, at_night(tmp_path, cluster) as night:
        taken, climbing = night.escalated[::2], night.escalated[1::2]
        takes = night.take(taken, apart=APART / len(taken))
        second_steps(night, MANY // 10)
        _, down = cluster.fail_over()
        killed = time.monotonic()
        takes.join()
        account = morning(night, taken, climbing)
        figures("master killed", night, down, time.monotonic() - killed, account)
    assert account.good, account


@pytest.mark.timeout(400)
def test_what_was_sent_while_no_replica_was_in_time_is_asked_about_and_not_sent_again(tmp_path: Path) -> None:
    """Two faults at once: all replicas lose their master, and seconds later it dies. The clock goes back by these."""
    with sentinels.running(tmp_path) as cluster, at_night(tmp_path, cluster) as night:
        second_steps(night, 1)
        cluster.cut_off()
        second_steps(night, 6)  # their calls are made, and no other Redis knows of it
        _, down = cluster.fail_over()
        cluster.join()
        killed = time.monotonic()
        account = morning(night, [], night.escalated)
        figures("replicas cut off, then master killed", night, down, time.monotonic() - killed, account)
    assert (account.missing, account.notes_missing) == (0, 0)
    assert account.posts_twice == 0
    assert account.texts_twice <= AT_THAT_MOMENT


@contextmanager
def at_night(directory: Path, cluster: sentinels.Cluster) -> Iterator[Night]:
    """A night in which every escalation has told somebody once."""
    night = Night(directory, cluster.url, MANY)
    try:
        night.start()
        night.begin()
        yield night
    finally:
        night.stop()


def second_steps(night: Night, many: int) -> None:
    """Waits until so many more have been told a second time."""
    before = max(len(night.providers.twilio.messages), MANY)
    eventually(lambda: len(night.providers.twilio.messages) >= before + many, 60, "second steps")


def morning(night: Night, taken: list[Escalated], climbing: list[Escalated]) -> Account:
    """Waits until all is over, and counts."""
    night.climbed(climbing)
    for one in taken:
        night.note(one.ticket, "acknowledged by", 60)
    return Account.of(night, taken, climbing)


def figures(what: str, night: Night, down: float, rest: float, account: Account) -> None:
    """One line for whoever reads `pytest -s`."""
    entries = [entry for one in night.escalated for entry in night.history(one) if entry.kind == "step"]
    late = max(entry.late_s or 0.0 for entry in entries)
    print(
        f"\n{what} amid {MANY} escalations: another took writes after {down:.1f} s, all over {rest:.0f} s later, "
        f"latest step {late:.1f} s late; {account}"
    )
