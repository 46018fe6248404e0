"""Storms of hints: one saved SLA, one moved customer, a slow helpdesk. New tickets and escalations go first."""

from dataclasses import replace
from datetime import timedelta

import pytest

from connector.core.escalation import State
from connector.core.plan import Criteria, Policy, Rule
from connector.core.ticket import Kind
from connector.engine.keys import BEHIND, HINTS, KNOWN, LATE, PREFIX
from connector.errors import HelpdeskAway, HelpdeskRefused
from connector.ports import Hint

from .conftest import POLICY, World


def waiting(world: World, key: str) -> list[str]:
    return [raw.decode() for raw in world.redis.zrange(key, 0, -1)]  # type: ignore[union-attr]


@pytest.fixture
def idle(world: World) -> list[str]:
    """Known tickets with nothing running."""
    ids = [world.helpdesk.ticket(str(id), "1 low") for id in range(100, 150)]
    world.store.hints.add(ids)
    world.desk.drain()
    world.helpdesk.calls.clear()
    return ids


def test_known_tickets_that_were_only_touched_are_compared_in_one_search_and_not_read(
    world: World, idle: list[str]
) -> None:
    for id in idle:
        world.helpdesk.touches(id)
    world.store.hints.add(idle)
    assert sorted(waiting(world, KNOWN)) == idle
    world.desk.drain()
    assert dict(world.helpdesk.calls) == {"rows": 1}
    assert world.redis.keys(f"{PREFIX}hint*") == []


def test_one_among_them_that_differs_is_read(world: World, idle: list[str]) -> None:
    facts = world.helpdesk.tickets["120"].facts
    world.helpdesk.changed("120", Kind.PRIORITY, {"facts": replace(facts, priority="3 high")}, after="3 high")
    world.store.hints.add(idle)
    world.desk.drain()
    assert dict(world.helpdesk.calls) == {"rows": 1, "read": 1}
    assert world.escalation("120").state is State.WAITING


@pytest.mark.parametrize("behind", [0, 3, 300], ids=["in-step", "seconds-behind", "minutes-behind"])
def test_what_differs_is_read_however_far_behind_a_clock_of_whole_seconds_is(world: World, behind: int) -> None:
    """Within the second of its last reading a change shows in a row's mark alone."""
    world.helpdesk.ticket("42", "1 low")
    second = (world.clock.now() - timedelta(seconds=behind)).replace(microsecond=0)
    made = replace(world.helpdesk.tickets["42"], created_at=second, updated_at=second)
    world.helpdesk.tickets["42"] = made
    world.looks("42")

    facts = replace(made.facts, priority="3 high")
    world.helpdesk.changed("42", Kind.PRIORITY, {"facts": facts}, before="1 low", after="3 high", raised=True)
    world.helpdesk.tickets["42"] = replace(world.helpdesk.tickets["42"], updated_at=second)
    assert world.sweep.look_at_helpdesk() == ["42"]
    world.redis.delete(HINTS, BEHIND)
    world.store.hints.add(["42"])
    world.desk.drain()
    assert world.escalation("42").plan.name == "major"


def test_new_tickets_and_those_with_an_escalation_are_read_at_once(world: World, idle: list[str]) -> None:
    world.escalating("42")
    world.helpdesk.ticket("43")
    world.store.hints.add([*idle, "42", "43"])
    assert waiting(world, HINTS) == ["42", "43"]
    assert sorted(world.desk._due(set(), 4)) == ["42", "43", "compare"]


def test_what_differs_stands_behind_new_tickets_but_is_not_forgotten_for_them(world: World, idle: list[str]) -> None:
    world.store.hints.add(idle[:1], compared=True)
    news = [world.helpdesk.ticket(str(id)) for id in range(200, 210)]
    world.store.hints.add(news)
    turns = [list(world.desk._due(set(), 2)) for _ in range(8)]
    assert turns.count(["200"]) == 5
    assert turns.count(["209"]) == 2
    assert turns.count(idle[:1]) == 1


def test_a_ticket_that_was_made_just_now_overtakes_thousands_that_were_never_read(world: World) -> None:
    for id in range(200, 230):
        world.store.hints.add([world.helpdesk.ticket(str(id))])
    world.store.hints.add([world.helpdesk.ticket("42")])
    assert ["42"] in [list(world.desk._due(set(), 2)) for _ in range(4)]


def test_a_hint_that_comes_while_its_ticket_is_compared_has_it_compared_again(
    world: World, idle: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = world.helpdesk.rows

    def meanwhile(ids: list[str]) -> object:
        found = rows(ids)
        world.store.hints.add(idle[:1])
        return found

    world.store.hints.add(idle[:2])
    monkeypatch.setattr(world.helpdesk, "rows", meanwhile)
    world.observer.compare()
    assert waiting(world, KNOWN) == idle[:1]


def test_a_deleted_ticket_among_them_is_read_to_know_for_certain(world: World, idle: list[str]) -> None:
    del world.helpdesk.tickets[idle[0]]
    world.store.hints.add(idle)
    world.desk.drain()
    assert world.helpdesk.calls == {"rows": 1, "read": 1}
    assert world.redis.keys(f"{PREFIX}hint*") == []


def test_while_the_helpdesk_is_away_they_wait(world: World, idle: list[str]) -> None:
    world.helpdesk.trouble = HelpdeskAway("No answer.")
    world.store.hints.add(idle)
    world.desk.drain()
    assert world.helpdesk.calls["rows"] == 1
    world.helpdesk.trouble = None
    world.clock.passes(seconds=31)
    world.desk.drain()
    assert (world.helpdesk.calls["rows"], waiting(world, KNOWN)) == (2, [])


def test_where_they_cannot_be_searched_for_they_are_read_one_by_one(
    world: World, idle: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> None:
        raise HelpdeskRefused("No search.")

    monkeypatch.setattr(world.helpdesk, "rows", refuses)
    world.store.hints.add(idle[:5])
    world.observer.compare()
    assert waiting(world, BEHIND) == idle[:5]


@pytest.mark.parametrize(
    ("policy", "read"),
    [
        (POLICY, 0),
        (replace(POLICY, rules=(Rule(Criteria(organization=("Other",)), None),)), 0),
        (replace(POLICY, rules=(Rule(Criteria(organization=("Moved Ltd",)), "major"),)), 3),
        (replace(POLICY, rules=(Rule(Criteria(vip=True), "major"),)), 3),
    ],
    ids=["nobody-asks", "another-is-asked-for", "it-changes-the-plan", "it-may-be-a-vip"],
)
def test_of_a_moved_customers_tickets_only_those_are_read_whose_plan_may_change(
    world: World, policy: Policy, read: int
) -> None:
    world = World(world.redis, policy)
    ids = [world.helpdesk.ticket(str(id), "1 low") for id in range(100, 103)]
    world.store.hints.add(ids)
    world.desk.drain()
    world.helpdesk.calls.clear()
    for id in ids:
        facts = replace(world.helpdesk.tickets[id].facts, organization="Moved Ltd")
        world.helpdesk.tickets[id] = replace(world.helpdesk.tickets[id], facts=facts)
        world.helpdesk.touches(id)
    world.store.hints.add(ids)
    world.desk.drain()
    assert world.helpdesk.calls["read"] == read


def test_a_tag_that_a_rule_asks_for_is_noticed_although_no_row_shows_it(world: World) -> None:
    world = World(world.redis, replace(POLICY, rules=(Rule(Criteria(tag=("outage",)), "major"),)))
    ids = [world.helpdesk.ticket(str(id), "1 low") for id in range(100, 103)]
    world.store.hints.add(ids)
    world.desk.drain()
    world.clock.passes(minutes=1)
    for id in ids:
        world.helpdesk.touches(id)
    facts = replace(world.helpdesk.tickets["101"].facts, tags=frozenset({"outage"}))
    world.helpdesk.tickets["101"] = replace(world.helpdesk.tickets["101"], facts=facts)
    assert world.sweep.look_at_helpdesk() == ["101"]
    world.desk.drain()
    assert world.escalation("101").plan.name == "major"
    world.helpdesk.calls.clear()
    assert world.sweep.look_at_helpdesk() == []
    assert dict(world.helpdesk.calls) == {"find_changed": 1, "tagged": 1}


def test_a_hint_that_comes_late_has_the_sweep_run_every_few_seconds_for_a_while(world: World) -> None:
    now = world.clock.now()
    assert world.store.hints.add_if_new(Hint("42", changed_at=now - timedelta(seconds=5)))
    assert not world.store.hints.late()
    world.store.hints.add_if_new(Hint("43", changed_at=now - timedelta(seconds=30)))
    assert world.store.hints.late()
    assert 0 < world.redis.ttl(LATE) <= 30  # type: ignore[operator]


def test_a_late_hint_that_a_sweep_was_quicker_than_tells_that_hints_are_late_all_the_same(world: World) -> None:
    world.helpdesk.ticket("42", age=timedelta(seconds=30))
    world.looks("42")
    updated_at = world.helpdesk.tickets["42"].updated_at
    assert not world.store.hints.add_if_new(Hint("42", updated_at, changed_at=updated_at))
    assert world.store.hints.late()


def test_a_helpdesk_whose_clock_is_behind_is_not_late(world: World) -> None:
    world.helpdesk.skew = -timedelta(minutes=10)
    world.helpdesk.ticket("42", age=timedelta(minutes=10))
    world.looks("42")
    world.store.hints.add_if_new(Hint("43", changed_at=world.clock.now() - timedelta(minutes=10)))
    assert not world.store.hints.late()
    world.store.hints.add_if_new(Hint("44", changed_at=world.clock.now() - timedelta(minutes=10, seconds=30)))
    assert world.store.hints.late()


# --- fresh looks before a step ---------------------------------------------------------------------------------------


@pytest.fixture
def due_together(world: World) -> list[str]:
    """Tickets whose windows end at the same moment, shortly before it."""
    ids = [world.helpdesk.ticket(str(id)) for id in range(200, 240)]
    world.store.hints.add(ids)
    world.desk.drain()
    world.clock.passes(minutes=4, seconds=56)
    for id in ids:
        world.engine.wake(id)
    world.helpdesk.calls.clear()
    return ids


def steps(world: World, id: str) -> list[str]:
    world.engine.wake(id)
    return [entry.text for entry in world.store.history(world.escalation(id).code) if entry.kind == "step"]


def test_steps_due_at_the_same_moment_have_their_tickets_looked_at_in_one_search(
    world: World, due_together: list[str]
) -> None:
    world.desk.drain()
    assert dict(world.helpdesk.calls) == {"rows": 1}
    assert waiting(world, HINTS) == []
    world.clock.passes(seconds=5)
    for id in due_together:
        assert len(steps(world, id)) == 1
        assert "did not answer" not in steps(world, id)[0]


def test_what_was_saved_since_is_read_before_its_step(world: World, due_together: list[str]) -> None:
    world.helpdesk.takes("220")
    world.helpdesk.touches("221")
    world.desk.drain()
    assert dict(world.helpdesk.calls) == {"rows": 1, "read": 2}
    world.clock.passes(seconds=5)
    assert world.escalation("220").state is State.ACKNOWLEDGED
    assert (steps(world, "220"), len(steps(world, "221"))) == ([], 1)


def test_a_helpdesk_that_cannot_search_is_asked_for_each(
    world: World, due_together: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> None:
        raise HelpdeskRefused("No search.")

    monkeypatch.setattr(world.helpdesk, "rows", refuses)
    world.desk.drain()
    assert world.helpdesk.calls["read"] == len(due_together)
    assert waiting(world, HINTS) == []


def test_whose_webhooks_came_is_remembered_only_while_somebody_watches(world: World) -> None:
    hints = world.store.hints
    hints.add_if_new(Hint("41"))
    assert not hints.came("41")

    hints.watch(60)
    hints.add_if_new(Hint("42", closed=True))  # it tells nothing new, and came all the same
    hints.add(["43"], counter="swept")

    assert hints.came("42")
    assert not hints.came("43")
