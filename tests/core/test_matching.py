"""Which plan applies, and why."""

import pytest

from connector.core.plan import Criteria, Policy, Rule
from connector.core.ticket import Facts, Kind

from .builders import MAJOR, MINOR

FACTS = Facts(
    "3 high", "Network", "Server outage in hall 2", "Example Corp", False, frozenset({"db"}), (("site", "B"),)
)


def policy(*rules: Rule) -> Policy:
    return Policy({"major": MAJOR, "minor": MINOR}, rules, {"3 high": "minor"})


def test_the_first_rule_that_matches_chooses() -> None:
    first, second = Rule(Criteria(group=("Network",)), "major", 12), Rule(Criteria(priority=("3 high",)), "minor", 13)
    match = policy(first, second).match(FACTS)
    assert match.plan == "major"
    assert match.reason == 'the rule in line 12 matched: group is "Network"'


def test_an_exclusion_wins_wherever_it_stands() -> None:
    rules = (Rule(Criteria(group=("Network",)), "major"), Rule(Criteria(tag=("db",)), None))
    assert policy(*rules).match(FACTS).plan is None


def test_without_a_rule_the_priority_chooses() -> None:
    assert policy().match(FACTS).plan == "minor"
    assert policy().match(Facts("1 low")).plan is None


@pytest.mark.parametrize(
    ("when", "matches"),
    [
        (Criteria(priority=("2 normal", "3 high"), group=("Network",)), True),
        (Criteria(priority=("3 high",), group=("Mail",)), False),
        (Criteria(title=("outage",)), True),
        (Criteria(title=("OUTAGE IN",)), True),
        (Criteria(title=("out",)), False),
        (Criteria(organization=("Example Corp",)), True),
        (Criteria(vip=True), False),
        (Criteria(vip=False), True),
        (Criteria(fields=(("site", ("A", "B")),)), True),
        (Criteria(fields=(("floor", ("2",)),)), False),
        (Criteria(), True),
    ],
)
def test_keys_are_and_and_their_values_or(when: Criteria, matches: bool) -> None:
    assert (policy(Rule(when, "major")).match(FACTS).plan == "major") is matches


def test_a_policy_knows_which_fields_it_looks_at() -> None:
    asks = policy(Rule(Criteria(tag=("db",), fields=(("site", ("B",)),)), "major"))
    assert asks.asks_for(Kind.TAG)
    assert asks.asks_for(Kind.PRIORITY)
    assert asks.asks_for(Kind.FIELD, "site")
    assert not asks.asks_for(Kind.FIELD, "floor")
    assert not asks.asks_for(Kind.TITLE)
