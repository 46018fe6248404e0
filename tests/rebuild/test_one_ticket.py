"""Redis is lost, and each escalation goes on where it was."""

from datetime import timedelta

from connector.core.code import code_of
from connector.core.rebuilding import Verdict
from connector.core.ticket import Kind

from ..engine.conftest import DANA
from .worlds import CATHY, Losing, by_ticket, stands


def running(world: Losing, id: str = "42") -> str:
    """A ticket whose first step has fired and is noted."""
    world.helpdesk.ticket(id)
    world.hint(id)
    world.goes_on(minutes=6)
    return id


def test_a_running_escalation_goes_on_at_its_next_step_at_its_due_time(world: Losing) -> None:
    world.helpdesk.ticket("42")
    world.hint("42")
    world.goes_on(minutes=6)  # the window of 5 minutes is over, and Dana got a push
    before = stands(world.escalation())
    assert (before["state"], before["step"]) == ("running", 1)

    world.loses_redis()
    found = world.rebuild()

    assert [one.verdict for one in found.tickets] == [Verdict.REBUILT]
    assert found.tickets[0].remarks == ()
    assert stands(world.escalation()) == before
    world.forget_sent()
    world.goes_on(minutes=3)
    assert world.sent() == []
    world.goes_on(minutes=1)
    assert world.sent() == [("E-1A", "dana", "phone", "step", 1, 2)]
    assert world.helpdesk.headlines("42") == [
        "Escalation E-1A, step 1 of 3 (plan major)",
        "Escalation E-1A, step 2 of 3 (plan major)",
    ]


def test_a_window_is_counted_from_where_it_began(world: Losing) -> None:
    world.helpdesk.ticket("42")
    world.hint("42")
    world.goes_on(minutes=3)
    before = stands(world.escalation())
    world.loses_redis()
    found = world.rebuild()
    assert [one.verdict for one in found.tickets] == [Verdict.WAITING]
    assert stands(world.escalation()) == before


def test_what_is_due_already_comes_once(world: Losing) -> None:
    running(world)
    world.forget_sent()
    world.loses_redis()
    world.clock.passes(minutes=30)

    found = world.rebuild()

    assert found.tickets[0].remarks == ("due already: step 2 comes now, perhaps a second time",)
    world.settles()
    world.goes_on(seconds=30)
    assert world.sent() == [("E-1A", "dana", "phone", "step", 1, 2)]


def test_who_took_the_ticket_meanwhile_has_it_from_then_on(world: Losing) -> None:
    running(world)
    world.forget_sent()
    world.loses_redis()
    world.clock.passes(minutes=1)
    world.helpdesk.takes("42")
    took = world.clock.now()
    world.clock.passes(minutes=30)

    world.rebuild()

    current = world.escalation().acknowledged
    assert current is not None
    assert (current.by.login, current.at) == ("alice@example.com", took)
    world.goes_on(minutes=30)
    assert [sent for sent in world.sent() if sent[3] == "step"] == []
    assert world.helpdesk.headlines("42")[-1] == "Escalation E-1A acknowledged by Alice Agent (took the ticket)"
    assert world.helpdesk.shown["42"][-1].status == "acknowledged"


def test_a_ticket_that_was_closed_meanwhile_is_closed_here_too(world: Losing) -> None:
    running(world)
    world.loses_redis()
    world.helpdesk.closes("42")
    world.rebuild()
    world.settles()
    assert world.store.live_tickets() == []
    assert world.helpdesk.headlines("42")[-1] == "Escalation E-1A closed"
    assert world.helpdesk.shown["42"][-1].status == ""


def test_the_summary_still_tells_who_was_told(world: Losing) -> None:
    running(world)
    world.loses_redis()
    world.rebuild()
    world.helpdesk.closes("42")
    world.hint("42")
    closing = world.helpdesk.notes["42"][-1].lines
    assert any("began: plan major; rebuilt from the ticket's notes" in line for line in closing)
    assert any("push to dana: told" in line for line in closing)


def test_one_that_was_stopped_stays_stopped_though_its_ticket_is_open(world: Losing) -> None:
    running(world)
    world.answers.stop(code_of("42"), DANA)
    world.settles()
    assert world.helpdesk.shown["42"][-1].status == ""
    world.forget_sent()
    world.loses_redis()

    world.rebuild()

    world.goes_on(hours=1)
    assert [sent for sent in world.sent() if sent[3] == "step"] == []


def test_a_ticket_from_before_escalator_starts_nothing(world: Losing) -> None:
    world.helpdesk.ticket("42", age=timedelta(days=3))
    world.helpdesk.did("42", CATHY, Kind.TITLE)
    world.loses_redis()
    world.rebuild()
    world.goes_on(hours=1)
    assert world.sent() == []


def test_twice_changes_nothing(world: Losing) -> None:
    running(world)
    world.helpdesk.ticket("43")
    world.hint("43")
    world.loses_redis()
    world.rebuild()
    world.settles()
    before = dump(world)

    assert world.rebuild().tickets == []

    assert dump(world) == before


def test_looking_writes_nothing(world: Losing) -> None:
    running(world)
    world.loses_redis()
    found = world.look()
    assert by_ticket(found).keys() == {"42"}
    assert dump(world) == {}


def test_when_it_began_here_is_known_from_the_notes(world: Losing) -> None:
    running(world)
    world.loses_redis()
    since, world.since = world.since, None  # type: ignore[assignment]
    assert abs(world.look().since - since) < timedelta(milliseconds=1)


def test_the_next_note_is_chained_to_the_last_one_that_was_written(world: Losing) -> None:
    running(world)
    world.loses_redis()
    world.rebuild()
    world.goes_on(minutes=5)
    world.loses_redis()
    found = world.look()
    assert found.tickets[0].remarks == ()
    escalation = found.tickets[0].case.escalation
    assert escalation is not None
    assert (escalation.step, escalation.sequence) == (2, 2)


def dump(world: Losing) -> dict[bytes, object]:
    """All of Redis but what tells the time of day."""
    keys = [key for key in world.redis.scan_iter() if b"counters" not in key and b"desk" not in key]
    return {key: world.redis.dump(key) for key in sorted(keys)}


def test_closed_and_opened_again_meanwhile_the_former_lifes_last_note_is_chained_to_its_own(world: Losing) -> None:
    running(world)
    world.helpdesk.closes("42")
    world.clock.passes(minutes=30)
    world.helpdesk.reopens("42")
    world.loses_redis()
    world.rebuild()
    assert world.escalation().code == "E-1A-2"
    assert world.history("E-1A")[-1] == "closed by Alice Agent"
    assert world.store.past_codes() == [("E-1A", "42")]

    world.goes_on(minutes=6)
    assert world.helpdesk.headlines("42")[1:] == [
        "Escalation E-1A closed",
        "Escalation E-1A-2, step 1 of 3 (plan major)",
    ]
    world.loses_redis()
    assert world.rebuild().tickets[0].remarks == (), "no note is missing"
