"""The judge sees each thing that must not happen, and nothing where all is well."""

from dataclasses import replace

from .judge import Effect, Findings, Line, Story, judge

FINE = Story(
    ticket="1",
    ways=(("sms",), ("pager",)),
    ended=True,
    taken_at=None,
    history=(
        Line("created", "plan alpha"),
        Line("step", "step 1 of 2, round 1: Pat", late=0.1),
        Line("notification", "sms to Pat: delivered", "sms"),
        Line("step", "step 2 of 2, round 1: Pat", late=0.2),
        Line("notification", "pager to Pat: accepted", "pager"),
        Line("exhausted", "nobody came"),
        Line("resolved", "closed by Alice"),
    ),
    notes=("E-1, step 1 of 2 (plan alpha)", "E-1, step 2 of 2 (plan alpha)", "E-1: nobody came", "E-1 closed"),
    effects=(Effect("sms", 10.0), Effect("pager", 13.0, "e-1-1")),
)
TAKEN = replace(
    FINE,
    taken_at=11.0,
    history=(*FINE.history[:3], Line("acknowledged", "by Alice"), Line("resolved", "closed by Alice")),
    notes=(FINE.notes[0], "E-1 acknowledged by Alice (took the ticket)", "E-1 closed"),
    effects=FINE.effects[:1],
)


def found(story: Story, *, forgiving: bool = False) -> set[str]:
    return {kind for kind, sentences in judge([story], forgiving=forgiving).wrong.items() if sentences}


def test_where_all_went_well_nothing_is_found() -> None:
    findings = judge([FINE, TAKEN])
    assert findings.clean
    assert (findings.counted["stories"], findings.counted["steps"], findings.latest_step) == (2, 3, 0.2)


def test_a_judge_without_stories_finds_nothing() -> None:
    assert judge([]) == Findings()


def test_a_step_that_never_fired_is_lost() -> None:
    assert "steps lost" in found(replace(FINE, history=(*FINE.history[:3], *FINE.history[5:])))


def test_a_step_is_fired_twice() -> None:
    assert "steps fired twice" in found(replace(FINE, history=(*FINE.history[:3], *FINE.history[1:])))


def test_what_nobody_took_must_have_been_sent() -> None:
    assert found(replace(FINE, effects=FINE.effects[:1])) == {"notifications missing"}


def test_what_was_dropped_by_an_acknowledgement_need_not_have_been_sent() -> None:
    dropped = Line("notification", "sms to Pat: not sent: acknowledged", "sms")
    assert found(replace(TAKEN, effects=(), history=(*TAKEN.history[:2], dropped, *TAKEN.history[3:]))) == set()


def test_what_the_history_calls_sent_must_have_been_sent() -> None:
    assert found(replace(TAKEN, effects=())) == {"notifications missing"}


def test_who_stood_still_for_too_long_may_give_up_and_say_so() -> None:
    given_up = Line("notification", "sms to Pat: it took too long to begin", "sms")
    silent = replace(FINE, effects=FINE.effects[1:], history=(*FINE.history[:2], given_up, *FINE.history[3:]))
    assert found(silent) == {"notifications missing"}
    assert found(silent, forgiving=True) == set()
    assert found(replace(FINE, effects=FINE.effects[1:]), forgiving=True) == {"notifications missing"}


def test_a_second_text_is_doubled() -> None:
    again = replace(FINE, effects=(*FINE.effects, Effect("sms", 40.0)))
    assert found(again) == {"doubled"}
    assert found(again, forgiving=True) == {"doubled without a mark"}


def test_a_second_text_that_is_marked_is_forgiven_where_processes_were_paused() -> None:
    marked = Line("notification", "sms to Pat: delivered, possibly sent twice", "sms")
    again = replace(
        FINE, effects=(*FINE.effects, Effect("sms", 40.0)), history=(*FINE.history[:2], marked, *FINE.history[3:])
    )
    assert found(again, forgiving=True) == set()
    assert judge([again], forgiving=True).counted["sms doubled"] == 1


def test_a_document_that_came_twice_under_one_id_is_one() -> None:
    findings = judge([replace(FINE, effects=(*FINE.effects, Effect("pager", 40.0, "e-1-1")))])
    assert findings.clean
    assert findings.counted["pager repeated under the same id"] == 1


def test_a_document_under_another_id_is_another_one() -> None:
    assert found(replace(FINE, effects=(*FINE.effects, Effect("pager", 40.0, "e-1-2")))) == {"doubled"}


def test_a_call_whose_key_was_never_heard_may_ring_again() -> None:
    calls = replace(FINE, ways=(("phone",), ("pager",)))
    twice = (Effect("phone", 10.0, unheard=True), Effect("phone", 55.0), FINE.effects[1])
    assert found(replace(calls, effects=twice)) == set()
    assert found(replace(calls, effects=(replace(twice[0], unheard=False), *twice[1:]))) == {"doubled"}


def test_what_comes_long_after_an_acknowledgement_was_begun_after_it() -> None:
    assert found(replace(TAKEN, effects=(Effect("sms", 42.0),))) == {"begun after an acknowledgement"}


def test_a_step_after_an_acknowledgement_is_one_too_many() -> None:
    late = replace(TAKEN, history=(*TAKEN.history[:4], FINE.history[3], TAKEN.history[4]))
    assert "begun after an acknowledgement" in found(late)


def test_each_thing_in_the_history_has_its_note() -> None:
    assert found(replace(FINE, notes=(*FINE.notes[:1], *FINE.notes[2:]))) == {"notes missing"}


def test_notes_come_in_the_order_of_what_they_tell() -> None:
    assert found(replace(FINE, notes=(FINE.notes[1], FINE.notes[0], *FINE.notes[2:]))) == {"notes out of order"}


def test_a_note_that_stands_there_twice_is_doubled() -> None:
    assert found(replace(FINE, notes=(FINE.notes[0], *FINE.notes))) == {"doubled"}


def test_what_ends_in_the_first_window_leaves_no_note() -> None:
    early = replace(TAKEN, notes=(), effects=(), history=(FINE.history[0], *TAKEN.history[3:]))
    assert found(early) == set()


def test_a_ticket_that_never_came_to_its_end_is_found() -> None:
    assert found(replace(FINE, ended=False)) == {"never ended"}
