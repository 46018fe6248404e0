"""Data that is forged, edited, moved, copied, missing or too new is recognised, and said; it changes nothing."""

from dataclasses import replace
from typing import Any

from connector.core.plan import Policy
from connector.core.rebuilding import Rebuilt, Verdict
from connector.engine.proofs import Signatures
from connector.engine.standing import VERSION
from connector.errors import PermissionLost
from connector.ports import FoundProof, Live
from connector.rebuild import FOREIGN, FORGED, NO_NOTES, OTHER_VERSION

from ..engine.conftest import KEY
from .test_one_ticket import running
from .worlds import POLICY, Losing, by_ticket, stands

Shown = dict[str, Any]


def noted(world: Losing, minutes: float = 11) -> Shown:
    """A ticket that is running at its second step, both steps noted; then Redis is lost. Returns how it stood."""
    world.helpdesk.ticket("42")
    world.hint("42")
    world.goes_on(minutes=minutes)
    world.forget_sent()
    shown = stands(world.escalation())
    world.loses_redis()
    return shown


def rebuilt(world: Losing, id: str = "42") -> Rebuilt:
    return by_ticket(world.rebuild())[id]


def changed(world: Losing, place: int, proof: str) -> None:
    """Another text where one of the ticket's notes has its proof."""
    notes = world.helpdesk.notes["42"]
    notes[place] = replace(notes[place], proof=proof)


def proof(data: dict[str, Any]) -> str:
    return Signatures([KEY]).proof(data)


def test_data_by_anybody_else_counts_for_nothing_and_is_said(world: Losing) -> None:
    before = noted(world)
    ours = world.helpdesk.notes["42"][0].proof
    world.helpdesk.foreign["42"] += [FoundProof(ours, ours=False), FoundProof("forged", ours=False)]
    assert rebuilt(world).remarks == (FOREIGN,)
    assert stands(world.escalation()) == before


def test_an_edited_note_is_said_and_the_one_before_it_counts(world: Losing) -> None:
    noted(world)
    ours = world.helpdesk.notes["42"][1].proof
    changed(world, 1, ours[:20] + ("b" if ours[20] != "b" else "c") + ours[21:])
    assert rebuilt(world).remarks == (FORGED, "due already: step 2 comes now, perhaps a second time")
    assert world.escalation().step == 1


def test_a_missing_note_in_the_middle_is_said_and_what_follows_counts(world: Losing) -> None:
    before = noted(world, minutes=16)
    del world.helpdesk.notes["42"][1]
    assert rebuilt(world).remarks == ("a note before number 3 of E-1A is missing",)
    assert stands(world.escalation())["due"] == before["due"]


def test_a_copy_of_another_tickets_data_is_said_and_counts_for_nothing(world: Losing) -> None:
    running(world, "43")
    before = noted(world)
    world.helpdesk.notes["42"].append(replace(world.helpdesk.notes["43"][0], lines=("copied",)))
    assert rebuilt(world).remarks == ("a note holds the data of another ticket (id 43)",)
    assert stands(world.escalation()) == before


def test_an_older_note_copied_to_the_end_is_not_newer_for_that(world: Losing) -> None:
    before = noted(world)
    world.helpdesk.notes["42"].append(world.helpdesk.notes["42"][0])
    assert rebuilt(world).verdict is Verdict.REBUILT
    assert stands(world.escalation()) == before


def test_where_no_note_can_be_read_it_is_left_alone_and_nobody_is_told(world: Losing) -> None:
    noted(world)
    for place in (0, 1):
        changed(world, place, f"forged-{place}")
    found = rebuilt(world)
    assert (found.verdict, found.remarks) == (Verdict.LEFT, (FORGED,))
    world.hint("42")
    world.goes_on(hours=2)
    assert world.sent() == []
    assert world.store.live_tickets() == []


def test_a_lost_secret_key_leaves_all_alone(world: Losing) -> None:
    noted(world)
    object.__setattr__(world, "signatures", Signatures(["another-key-that-is-only-for-tests"]))
    assert rebuilt(world).verdict is Verdict.LEFT


def test_a_plan_that_is_gone_from_the_config_leaves_it_alone(world: Losing) -> None:
    noted(world)
    later = Losing(world.redis, world.clock, Policy({"twice": POLICY.plans["twice"]}))  # type: ignore[arg-type]
    later.loses_redis()
    later.helpdesk = world.helpdesk
    found = rebuilt(later)
    assert (found.verdict, found.remarks) == (Verdict.LEFT, ("no plan major any more",))
    later.goes_on(hours=2)
    assert later.sent() == []


def test_data_of_another_version_leaves_it_alone(world: Losing) -> None:
    noted(world)
    for place in (0, 1):
        changed(world, place, proof({"v": VERSION + 1, "t": "42", "c": "E-1A"}))
    found = rebuilt(world)
    assert (found.verdict, found.remarks) == (Verdict.LEFT, (OTHER_VERSION,))


def test_signed_nonsense_is_unreadable_and_no_crash(world: Losing) -> None:
    noted(world)
    good = Signatures([KEY]).read_proof(world.helpdesk.notes["42"][0].proof)
    assert good is not None
    for key in good:
        for wrong in (None, [], {"x": 1}, "nonsense", -1):
            changed(world, 1, proof({**good, key: wrong}))
            world.look()


def test_data_that_tells_of_no_escalation_is_no_matter(world: Losing) -> None:
    before = noted(world)
    world.helpdesk.foreign["42"].append(FoundProof(proof({"v": 1, "k": "say", "t": "42"})))
    assert rebuilt(world).remarks == ()
    assert stands(world.escalation()) == before


def test_a_tag_that_somebody_set_by_hand_starts_nothing_new(world: Losing) -> None:
    world.helpdesk.ticket("42", priority="1 low")
    world.helpdesk.shown["42"].append(Live("running"))
    world.loses_redis()
    found = rebuilt(world)
    assert (found.verdict, found.remarks) == (Verdict.NOTHING, (NO_NOTES,))
    world.goes_on(hours=1)
    assert world.sent() == []


def test_a_ticket_that_can_not_be_read_is_said_and_stops_no_other(world: Losing) -> None:
    running(world, "43")
    noted(world)
    world.helpdesk.refused["43"] = PermissionLost("No right to see this ticket.")
    found = world.rebuild()
    assert found.unreadable == {"43": "No right to see this ticket."}
    assert [one.case.ticket.id for one in found.of(Verdict.REBUILT)] == ["42"]


def test_a_merge_that_happened_meanwhile_is_followed(world: Losing) -> None:
    world.helpdesk.ticket("43", priority="1 low")
    before = noted(world)
    world.helpdesk.merges("42", into="43")
    world.rebuild()
    world.hint("42", "43")
    moved = stands(world.escalation("43"))
    assert {**moved, "ticket": "42", "notes": before["notes"]} == before
    assert world.engine.find("E-1A") is not None
    assert world.helpdesk.headlines("43")[-1] == "Escalation E-1A: it goes on"


def test_one_that_had_moved_by_a_merge_goes_on_where_it_was(world: Losing) -> None:
    running(world)
    world.helpdesk.ticket("43", priority="1 low")
    world.hint("43")
    world.helpdesk.merges("42", into="43")
    world.hint("42")
    world.settles()
    before = stands(world.escalation("43"))
    assert before["code"] == "E-1A"
    world.loses_redis()

    found = world.rebuild()

    assert found.of(Verdict.LEFT) == []
    assert stands(world.escalation("43")) == before
    assert world.engine.find("E-1A") == ("43", world.escalation("43"))
