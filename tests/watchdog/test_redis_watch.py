"""When `up` tells that Redis is gone, and that it is back."""

from connector.redis_watch import Away, Verdict

NOTHING, GONE, BACK = Verdict.NOTHING, Verdict.GONE, Verdict.BACK


def verdicts(away: Away, answered: bool, moments: range) -> list[Verdict]:
    found = []
    for at in moments:
        verdict = away.look(answered, float(at))
        if verdict is GONE:
            away.told(float(at))
        if verdict is not NOTHING:
            found.append(verdict)
    return found


def test_after_thirty_seconds_it_is_told_once_and_its_return_once_it_is_steady() -> None:
    away = Away()
    assert verdicts(away, True, range(20)) == []
    assert verdicts(away, False, range(20, 50)) == []
    assert verdicts(away, False, range(50, 200)) == [GONE]
    assert verdicts(away, True, range(200, 209)) == []
    assert verdicts(away, True, range(209, 300)) == [BACK]


def test_a_short_absence_is_nobodys_business() -> None:
    away = Away()
    assert verdicts(away, False, range(29)) + verdicts(away, True, range(29, 60)) == []


def test_answers_between_two_deaths_do_not_count() -> None:
    away, found = Away(), []
    for start in range(0, 60, 6):
        found += verdicts(away, True, range(start, start + 2)) + verdicts(away, False, range(start + 2, start + 6))
    assert found == [GONE]


def test_what_lasts_is_told_again_after_an_hour() -> None:
    assert verdicts(Away(), False, range(3700)) == [GONE, GONE]
