"""When one rule covers another."""

import pytest

from config.rules import covers
from connector.core.plan import Criteria


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        (Criteria(), Criteria(group=("Network",))),
        (Criteria(group=("Network",)), Criteria(group=("Network",), priority=("3 high",))),
        (Criteria(priority=("2 normal", "3 high")), Criteria(priority=("3 high",))),
        (Criteria(tag=("a", "b")), Criteria(tag=("a",))),
        (Criteria(title=("outage",)), Criteria(title=("server outage", "Outage of mail"))),
        (Criteria(fields=(("Impact", ("1", "2")),)), Criteria(fields=(("Impact", ("1",)), ("Site", ("x",))))),
        (Criteria(vip=True), Criteria(vip=True, organization=("Example",))),
    ],
)
def test_a_rule_covers_one_that_asks_more(wide, narrow):
    assert covers(wide, narrow)
    assert not covers(narrow, wide)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Criteria(group=("Network",)), Criteria(priority=("3 high",))),
        (Criteria(vip=True), Criteria(vip=False)),
        (Criteria(title=("out",)), Criteria(title=("outage",))),
        (Criteria(fields=(("Impact", ("1",)),)), Criteria(fields=(("Site", ("1",)),))),
        (Criteria(tag=("a",)), Criteria(tag=("b",))),
    ],
)
def test_rules_that_ask_different_things_cover_nothing(one, other):
    assert not covers(one, other)
    assert not covers(other, one)
