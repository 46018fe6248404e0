"""The judge of what is told together sees each thing that must not happen, and nothing where all is well."""

from dataclasses import replace

from .bundle_judge import Answer, Night, Ticket, Told, judge_night
from .judge import Line

WAYS = (("sms", "push"), ("phone",))


def ticket(code: str, *, person: str = "pat") -> Ticket:
    """Told by all ways of its plan; nobody came."""
    return Ticket(
        code,
        person,
        WAYS,
        ended=True,
        taken_at=None,
        history=(
            Line("step", "step 1 of 2, round 1: Pat", late=0.1, at=10.0),
            Line("notification", "sms to Pat: delivered", "sms", at=11.0),
            Line("notification", "push to Pat: accepted", "push", at=11.0),
            Line("step", "step 2 of 2, round 1: Pat", late=0.2, at=14.0),
            Line("notification", "phone to Pat: answered, key 5 pressed", "phone", at=15.0),
            Line("exhausted", "nobody came", at=18.0),
            Line("resolved", "closed by Alice", at=20.0),
        ),
    )


BOTH = ("E-1", "E-2")
TOLD = (Told("sms", "pat", 10.5, BOTH), Told("push", "pat", 10.5, BOTH, "p-1"), Told("phone", "pat", 14.5, BOTH))
FINE = Night((ticket("E-1"), ticket("E-2")), TOLD)


def taken(code: str, how: str, at: float = 12.0) -> Ticket:
    """Told by its first step, then taken."""
    whole = ticket(code)
    line = Line("acknowledged", f"by Pat ({how})", at=at)
    return replace(whole, taken_at=at, history=(*whole.history[:3], line, whole.history[6]))


BY_REPLY = Night(
    (taken("E-1", "SMS"), taken("E-2", "SMS")), TOLD[:2], (Answer("sms", "pat", 11.9, heard=True, heard_at=12.1),)
)
CALLED = (Line("step", "step 1 of 1, round 1: Pat", at=10.0), Line("notification", "phone: key 1", "phone", at=12.0))
BY_KEY = Night(
    tuple(
        replace(one, ways=(("phone",),), history=(*CALLED, *one.history[3:]))
        for one in (taken(code, "phone call") for code in BOTH)
    ),
    (Told("phone", "pat", 10.5, BOTH),),
    (Answer("phone", "pat", 11.9, heard=True, heard_at=12.1, codes=BOTH),),
)


def found(night: Night) -> set[str]:
    return {kind for kind, sentences in judge_night(night).wrong.items() if sentences}


def changed(index: int, **changes: object) -> Night:
    """The good night, its first ticket with one line of history changed."""
    first = FINE.tickets[0]
    history = [*first.history]
    history[index] = replace(history[index], **changes)  # type: ignore[arg-type]
    return replace(FINE, tickets=(replace(first, history=tuple(history)), FINE.tickets[1]))


def without(index: int, night: Night = FINE) -> Night:
    first = night.tickets[0]
    history = (*first.history[:index], *first.history[index + 1 :])
    return replace(night, tickets=(replace(first, history=history), *night.tickets[1:]))


def test_where_all_went_well_nothing_is_found_and_the_parts_are_as_many_as_the_histories_say() -> None:
    for night in (FINE, BY_REPLY, BY_KEY):
        assert found(night) == set()
    counted = judge_night(FINE).counted
    assert (counted["about several tickets"], counted["parts told"], counted["parts in the histories"]) == (3, 6, 6)


def test_a_part_that_no_message_names_was_not_told() -> None:
    assert found(replace(FINE, told=(replace(TOLD[0], codes=("E-2",)), *TOLD[1:]))) == {"not told"}


def test_what_was_not_told_is_fine_where_the_history_says_why() -> None:
    why = changed(1, text="sms to Pat: not sent: more than 5 texts an hour")
    night = replace(why, told=(replace(TOLD[0], codes=("E-2",)), *TOLD[1:]))
    assert found(night) == set()
    assert judge_night(night).counted["not told, and said: the ceiling"] == 1


def test_what_was_not_told_is_fine_where_the_answer_to_the_try_was_lost() -> None:
    lost = changed(1, text="sms to Pat: Twilio's answer was cut., possibly sent twice")
    assert found(replace(lost, told=(replace(TOLD[0], codes=("E-2",)), *TOLD[1:]))) == set()


def test_a_part_that_was_told_and_stands_in_no_history_is_not_as_it_says() -> None:
    assert found(without(1)) == {"not as the history says"}
    waits = without(1)
    awaited = replace(waits, tickets=(replace(waits.tickets[0], waits=frozenset({"sms"})), waits.tickets[1]))
    assert found(awaited) == set()


def test_a_part_that_was_told_although_the_history_denies_it_is_not_as_it_says() -> None:
    assert found(changed(1, text="sms to Pat: not sent: more than 5 texts an hour")) >= {"not as the history says"}


def test_a_part_that_was_recorded_twice_is_not_as_the_history_says() -> None:
    first = FINE.tickets[0]
    again = replace(first, history=(*first.history[:2], *first.history[1:]))
    assert found(replace(FINE, tickets=(again, FINE.tickets[1]))) == {"not as the history says"}


def test_a_second_text_or_call_that_names_a_ticket_is_one_too_many() -> None:
    assert found(replace(FINE, told=(*TOLD, Told("sms", "pat", 30.0, ("E-2",))))) == {"told twice"}
    assert found(replace(FINE, told=(*TOLD, Told("phone", "pat", 30.0, ("E-1", "E-2"))))) == {"told twice"}


def test_a_call_whose_key_nobody_heard_may_ring_again() -> None:
    unheard = replace(TOLD[2], at=12.0, unheard=True)
    assert found(replace(FINE, told=(*TOLD, unheard))) == set()


def test_a_push_may_come_again_under_its_id_and_under_another_one_with_a_mark() -> None:
    assert found(replace(FINE, told=(*TOLD, replace(TOLD[1], at=30.0)))) == set()
    other = replace(FINE, told=(*TOLD, replace(TOLD[1], at=30.0, id="p-2", codes=("E-1",))))
    assert found(other) == {"told twice without a mark"}
    marked = changed(2, text="push to Pat: accepted, possibly sent twice")
    assert found(replace(other, tickets=marked.tickets)) == set()


def test_a_message_begun_after_an_acknowledgement_may_not_name_its_ticket() -> None:
    late = Told("push", "pat", 40.0, ("E-1",), "p-1")
    assert found(replace(BY_REPLY, told=(TOLD[0], late, replace(TOLD[1], codes=("E-2",))))) == {
        "told after an acknowledgement"
    }


def test_a_step_is_lost_or_fired_twice_and_a_ticket_never_ended() -> None:
    assert "steps lost" in found(without(3))
    first = FINE.tickets[0]
    twice = replace(first, history=(first.history[0], *first.history))
    assert "steps fired twice" in found(replace(FINE, tickets=(twice, FINE.tickets[1])))
    assert found(replace(FINE, tickets=(replace(first, ended=False), FINE.tickets[1]))) == {"never ended"}


def test_key_1_takes_all_that_the_call_has_announced() -> None:
    alone = replace(BY_KEY.tickets[1], taken_at=50.0, history=(*CALLED, Line("resolved", "closed", at=50.0)))
    assert found(replace(BY_KEY, tickets=(BY_KEY.tickets[0], alone))) == {"announced and not taken"}


def test_an_answer_that_nobody_heard_need_not_have_taken_anything() -> None:
    alone = replace(BY_KEY.tickets[1], taken_at=50.0, history=(*CALLED, Line("resolved", "closed", at=50.0)))
    unheard = replace(BY_KEY.answers[0], heard=False)
    assert found(replace(BY_KEY, tickets=(BY_KEY.tickets[0], alone), answers=(unheard,))) == set()


def test_key_1_takes_nothing_that_the_call_has_not_announced() -> None:
    call = replace(BY_KEY.told[0], codes=("E-1",))
    other = Told("phone", "pat", 12.4, ("E-2",))
    answer = replace(BY_KEY.answers[0], codes=("E-1",))
    assert found(replace(BY_KEY, told=(call, other), answers=(answer,))) == {"taken and not announced"}


def test_all_takes_whatever_was_texted_before_and_nothing_else() -> None:
    alone = replace(BY_REPLY.tickets[1], taken_at=50.0)
    alone = replace(alone, history=(*alone.history[:3], Line("resolved", "closed", at=50.0)))
    assert found(replace(BY_REPLY, tickets=(BY_REPLY.tickets[0], alone))) == {"announced and not taken"}
    later = replace(TOLD[0], at=12.5, codes=("E-2",))
    night = replace(BY_REPLY, told=(replace(TOLD[0], codes=("E-1",)), later, TOLD[1]))
    assert found(night) == {"taken and not announced"}


def test_what_is_still_to_be_sent_at_the_end_was_left_behind() -> None:
    assert found(replace(FINE, left=("escalator:out: 7 e-7",))) == {"left behind"}


# --- ceilings --------------------------------------------------------------------------------------------------------

TEXTS = tuple(Told("sms", "pat", 10.0 + number, (code,)) for number, code in enumerate(BOTH))
LIMITED = replace(FINE, told=(TEXTS[0], replace(TEXTS[1], last=True), *TOLD[1:]), limits={"sms": 2})


def test_the_message_that_reaches_the_ceiling_says_so() -> None:
    assert found(LIMITED) == set()
    assert judge_night(LIMITED).counted["ceilings reached"] == 1


def test_a_message_over_the_ceiling_is_found() -> None:
    assert found(replace(LIMITED, limits={"sms": 1})) >= {"over the ceiling"}


def test_a_ceiling_that_is_said_never_or_twice_is_found() -> None:
    first, second, *others = LIMITED.told
    for told in (
        (first, replace(second, last=False), *others),
        (replace(first, last=True), second, *others),
    ):
        assert found(replace(LIMITED, told=told)) == {"ceiling not said once"}


def test_below_the_ceiling_nobody_is_refused() -> None:
    refused = changed(1, text="sms to Pat: not sent: more than 5 texts an hour")
    night = replace(refused, told=(replace(TOLD[0], codes=("E-2",)), *TOLD[1:]), limits={"sms": 5})
    assert found(night) == {"ceiling not said once"}
