"""Redis is wiped in the middle of a hundred escalations; a twin that wasn't says how each of them has to go on."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from redis import Redis

from connector.core.code import code_of
from connector.core.rebuilding import Verdict

from ..engine.conftest import DANA
from .worlds import BOB, Losing, stands

#: How the hundred stand when Redis is lost: what happened to them, and how long before that they came.
#: A number is how many minutes after its creation a thing happened.
Act = Callable[[Losing, str], None]


def takes(world: Losing, id: str) -> None:
    world.helpdesk.takes(id)
    world.hint(id)


def by_phone(world: Losing, id: str) -> None:
    world.answers.acknowledge(code_of(id), DANA, "phone call")


def puts_off(world: Losing, id: str) -> None:
    world.helpdesk.puts_off(id, world.clock.now() + timedelta(minutes=25))
    world.hint(id)


def hands_over(world: Losing, id: str) -> None:
    world.helpdesk.gives(id, BOB)
    world.hint(id)


def stops(world: Losing, id: str) -> None:
    world.answers.stop(code_of(id), DANA)


def closes(world: Losing, id: str) -> None:
    world.helpdesk.closes(id)
    world.hint(id)


def reopens(world: Losing, id: str) -> None:
    world.helpdesk.reopens(id)
    world.hint(id)


def other_plan(world: Losing, id: str) -> None:
    world.helpdesk.changes_priority(id, "2 normal")
    world.hint(id)


def escalates(world: Losing, id: str) -> None:
    world.answers.escalate(code_of(id), DANA)


def merges(world: Losing, id: str) -> None:
    target = f"9{id}"
    world.helpdesk.ticket(target, priority="1 low")
    world.hint(target)
    world.helpdesk.merges(id, target)
    world.hint(id, target)


#: (how many, name, priority, age in minutes when Redis is lost, acts by minutes after its creation)
Kind = tuple[int, str, str, float, dict[float, Act]]
KINDS: tuple[Kind, ...] = (
    (8, "waiting", "3 high", 3, {}),
    (4, "waiting, given to Bob", "3 high", 4, {1: hands_over}),
    (6, "waits for the first step", "2 normal", 2.5, {}),
    (10, "step 1", "3 high", 7, {}),
    (10, "step 2", "3 high", 12, {}),
    (6, "step 3", "3 high", 18, {}),
    (6, "exhausted", "3 high", 40, {}),
    (4, "exhausted, told again", "2 normal", 55, {}),
    (6, "second round", "2 normal", 11, {}),
    (6, "acknowledged", "3 high", 15, {8: takes}),
    (4, "acknowledged while it waited", "3 high", 15, {2: takes}),
    (6, "acknowledged by phone", "3 high", 15, {11: by_phone}),
    (6, "held", "3 high", 20, {7: puts_off}),
    (4, "handed over", "3 high", 9, {6: takes, 8: hands_over}),
    (2, "stopped", "3 high", 15, {6: stops}),
    (2, "closed", "3 high", 15, {6: closes}),
    (4, "second life", "3 high", 30, {6: closes, 28: reopens}),
    (2, "reopened soon", "3 high", 15, {6: closes, 9: reopens}),
    (2, "another plan", "3 high", 10, {6: other_plan, 7: takes}),
    (2, "the next step early", "3 high", 10, {6: escalates}),
)


def populated(world: Losing) -> dict[str, str]:
    """Lives through the hour in which the hundred came to stand so. Returns ticket -> name of its kind."""
    happens: list[tuple[float, int, str, Act]] = []
    names: dict[str, str] = {}
    longest = 60.0
    place = 0
    for many, name, priority, age, acts in KINDS:
        for number in range(many):
            place += 1
            id = str(1000 + place)
            names[id] = name
            begins = longest - age - number * 0.05  # no two at the same moment

            def comes(world: Losing, id: str, priority: str = priority) -> None:
                world.helpdesk.ticket(id, priority)
                world.hint(id)

            happens.append((begins, place, id, comes))
            happens += [(begins + minute, place, id, act) for minute, act in acts.items()]
    passed = 0.0
    for minute, _, id, act in sorted(happens, key=lambda one: one[:2]):
        world.goes_on(minutes=minute - passed)
        passed = minute
        act(world, id)
        world.settles()
    world.goes_on(minutes=longest - passed)
    return names


def standing(world: Losing) -> dict[str, object]:
    """Every live escalation by its ticket, and how it stands."""
    return {id: stands(world.escalation(id)) for id in world.store.live_tickets()}


@pytest.mark.timeout(300)
def test_each_goes_on_as_if_nothing_had_been_lost(world: Losing, other_redis: Redis) -> None:
    names = populated(world)
    twin = world.twin(other_redis)
    assert len(names) == 100
    for each in (world, twin):
        each.forget_sent()

    # while Redis is gone, people go on working
    world.loses_redis()
    world.clock.passes(seconds=5)
    chosen = {name: id for id, name in names.items()}
    for each in (world, twin):
        each.helpdesk.takes(chosen["step 1"])
        each.helpdesk.closes(chosen["step 2"])
        each.helpdesk.puts_off(chosen["exhausted"], world.clock.now() + timedelta(minutes=30))
        each.helpdesk.gives(chosen["acknowledged"], BOB)
        each.helpdesk.takes(chosen["waiting"])
        each.helpdesk.merges(chosen["second round"], into=chosen["stopped"])
    found = world.rebuild()
    for each in (world, twin):
        each.hint(*names)

    expected, came = standing(twin), standing(world)
    _same(names, came, expected)
    remarks = [remark for one in found.tickets for remark in one.remarks]
    assert remarks == []
    states = Counter(str(stands["state"]) for stands in expected.values())  # type: ignore[index]
    figures = f"{len(names)} tickets, {len(expected)} live: " + ", ".join(f"{n} {s}" for s, n in sorted(states.items()))
    print(f"\n{figures}; {len(found.of(Verdict.REBUILT))} by notes, {len(found.of(Verdict.WAITING))} by history")

    for each in (world, twin):
        at = each.clock.now()
        each.goes_on(hours=1)
        world.clock.moment = at  # type: ignore[attr-defined]  # both have the same clock
    assert world.sent() == twin.sent()
    assert {id: world.helpdesk.headlines(id) for id in names} == {id: twin.helpdesk.headlines(id) for id in names}
    print(f"after one more hour: {len(world.sent())} messages and all notes are the twin's")


@pytest.mark.timeout(300)
def test_a_step_whose_note_was_never_written_comes_twice_at_most_and_that_is_said(
    world: Losing, other_redis: Redis
) -> None:
    names = populated(world)
    before = standing(world)
    twin = world.twin(other_redis)
    for each in (world, twin):
        each.forget_sent()
    begins = world.clock.now()
    with world.notes_wait():
        world.goes_on(minutes=4)
    moved_on = {id for id, shown in standing(world).items() if shown != before.get(id)}
    world.loses_redis()

    found = world.rebuild()

    said = {one.case.ticket.id for one in found.tickets if any("perhaps a second time" in r for r in one.remarks)}
    assert said <= moved_on
    assert {id: stands for id, stands in standing(world).items() if id not in moved_on} == {
        id: stands for id, stands in before.items() if id not in moved_on
    }
    world.goes_on(minutes=60)
    world.clock.moment = begins  # type: ignore[attr-defined]  # both have the same clock
    twin.goes_on(minutes=60)
    told, should = Counter(world.sent()), Counter(twin.sent())
    steps = {what for what in told | should if what[3] == "step"}
    repeated = {what for what in steps if told[what] > should[what]}
    assert [what for what in steps if told[what] < should[what]] == []
    assert [what for what in steps if told[what] > should[what] + 1] == []
    assert {world.id_of(what[0]) for what in repeated} <= said
    print(
        f"\n{len(moved_on)} of {len(names)} had moved on in 4 minutes without a note: {len(said)} were said to repeat "
        f"a step, {len({what[0] for what in repeated})} did, each once; steps missing: 0"
    )


def _same(names: dict[str, str], came: dict[str, object], expected: dict[str, object]) -> None:
    """Compares one by one, and names what differs."""
    differ = [
        f"{id} ({names.get(id, 'merged into')}): {came.get(id)}\n   instead of {expected.get(id)}"
        for id in sorted(came.keys() | expected.keys())
        if came.get(id) != expected.get(id)
    ]
    assert not differ, "\n".join(differ)
