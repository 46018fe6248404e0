"""What stands in Redis: Words keep what they were made of, and records of before are still read."""

from dataclasses import replace

import pytest

from connector.core.events import Entry
from connector.core.words import Words
from connector.engine.records import NotOurs, encode, to_case, to_entry
from tests.core.builders import MAJOR, Watch, at

GERMAN = {"told {name}: {outcome}": "{name}: {outcome}", "accepted": "angenommen", "nobody": "niemand"}


def test_words_come_back_with_their_values() -> None:
    text = Words("told {name}: {outcome}", name=Words("nobody"), outcome=Words("accepted"))
    read = to_entry(encode(Entry(at(1), "notification", text, outcome=Words("accepted"))))
    assert (read.text, read.outcome) == ("told nobody: accepted", "accepted")
    assert read.text.translated(GERMAN) == "niemand: angenommen"
    assert read.outcome.translated(GERMAN) == "angenommen"


def test_a_name_comes_back_as_a_name() -> None:
    text = Words("told {name}: {outcome}", name="nobody", outcome="accepted")
    read = to_entry(encode(Entry(at(1), "notification", text)))
    assert read.text.translated(GERMAN) == "nobody: accepted"


def test_an_entry_of_before_is_read_as_it_was() -> None:
    read = to_entry(b'{"at": "2026-01-31T20:01:00Z", "kind": "step", "text": "step {1} of 3"}')
    assert (read.text, read.outcome) == ("step {1} of 3", "")


@pytest.mark.parametrize(
    "text",
    [
        "3",
        '{"msgid": "told {name}", "values": {"who": "Dana"}}',
        '{"msgid": "told {name}"}',
        '{"values": {}}',
        '{"msgid": 3, "values": {}}',
        '{"msgid": "{a.b}", "values": {"a": "1"}}',
        '{"msgid": "{a:>2000000000}", "values": {"a": "1"}}',
        '{"msgid": "{a!r}{", "values": {"a": "1"}}',
    ],
)
def test_a_record_that_makes_no_words_is_not_ours(text: str) -> None:
    with pytest.raises(NotOurs):
        to_entry(b'{"at": "2026-01-31T20:01:00Z", "kind": "step", "text": %s}' % text.encode())


def test_a_case_comes_back_as_it_was_with_remarks_and_outcomes() -> None:
    watch = Watch()
    watch.looks(at(0, 1))
    watch.looks(at(10))
    watch.tells("dana", "push", at(10, 1))
    escalation = watch.escalation
    assert escalation.plan == MAJOR
    assert escalation.report is not None
    remarks = (Words("told {name}: {outcome}", name=Words("nobody"), outcome=3), Words("nobody"))
    assert watch.case is not None
    case = replace(watch.case, escalation=replace(escalation, report=replace(escalation.report, remarks=remarks)))
    read = to_case(encode(case))
    assert read == case
    assert read is not None
    assert read.escalation is not None
    assert read.escalation.report is not None
    assert [one.translated(GERMAN) for one in read.escalation.report.remarks] == ["niemand: 3", "niemand"]
    assert [n.outcome.translated(GERMAN) for n in read.escalation.notifications] == ["angenommen"]
