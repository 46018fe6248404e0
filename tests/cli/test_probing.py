"""Where a probe may be made: where no plan applies."""

from connector.core.plan import Criteria, Policy, Rule
from connector.probing import Place, choose

NORMAL, HIGH = Place("Network", "2 normal"), Place("Network", "3 high")
EVERYTHING = Rule(Criteria(group=("Network",)), "major")
EXCLUSION = Rule(Criteria(tag=("no-escalation",)), None)


def test_the_first_place_to_which_no_plan_applies_is_taken() -> None:
    policy = Policy(priorities={"3 high": "major"})
    assert choose(policy, [HIGH, NORMAL], tags=True) == NORMAL


def test_where_every_place_escalates_there_is_none() -> None:
    assert choose(Policy(rules=(EVERYTHING,)), [HIGH, NORMAL], tags=True) is None


def test_a_tag_that_excludes_tickets_makes_any_place_safe() -> None:
    policy = Policy(rules=(EVERYTHING, EXCLUSION))
    assert choose(policy, [HIGH, NORMAL], tags=True) == Place("Network", "3 high", "no-escalation")


def test_a_helpdesk_without_tags_can_not_use_one() -> None:
    assert choose(Policy(rules=(EVERYTHING, EXCLUSION)), [HIGH, NORMAL], tags=False) is None


def test_a_tag_is_of_no_use_where_the_exclusion_asks_for_more() -> None:
    only_printers = Rule(Criteria(tag=("no-escalation",), group=("Printers",)), None)
    assert choose(Policy(rules=(EVERYTHING, only_printers)), [HIGH], tags=True) is None


def test_words_of_the_probes_own_title_are_judged_too() -> None:
    policy = Policy(rules=(Rule(Criteria(title=("probe",)), "major"),))
    assert choose(policy, [NORMAL], tags=False) is None
