"""A merge takes a ticket's articles along: what was written before it was still done on the ticket that is gone.

TicketMerge (Znuny 6.5) moves articles and their lines, stamps the articles, and writes a line into both histories.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import responses

from connector.core.case import Case
from connector.core.escalation import State
from connector.core.observing import move, observe
from connector.core.plan import Policy
from connector.core.ticket import Reading
from connector.errors import HelpdeskAway
from connector.helpdesks.znuny.acts import lines_of
from connector.helpdesks.znuny.merging import Merge, gone_into, taken_along

from ...core.builders import MAJOR
from .composed import BASE, captured, helpdesk, said, serve_session

UTC_ZONE = ZoneInfo("UTC")
START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
POLICY = Policy({"major": MAJOR}, (), {"3 normal": "major"})
ANNA, BEN, OUR = 3, 4, 2
LOGINS = {"3": "anna", "4": "ben"}

Row = dict[str, Any]


def second(number: int) -> str:
    return f"{START + timedelta(seconds=number):%Y-%m-%d %H:%M:%S}"


class Ticket:
    """One ticket of a Znuny, with a customer's mail of second 0. Articles are numbered by ticket."""

    def __init__(self, number: int, priority: str = "3 normal", customer: str = "carla") -> None:
        self.number, self.priority, self.customer = number, priority, customer
        self.state, self.changed = ("new", "new"), 0
        self.lines: list[Row] = []
        self.articles: list[Row] = []
        self.line(0, 1, "NewTicket", f"%%{number}%%Service Desk%%{priority}%%new%%{number}")
        self.write(0, 1, "help", "EmailCustomer", SenderType="customer", IsVisibleForCustomer=1)

    def line(self, at: int, by: int, kind: str, name: str = "%%", article: int = 0) -> None:
        line = {"CreateTime": second(at), "CreateBy": by, "HistoryType": kind, "Name": name, "OwnerID": 1}
        self.lines.append({**line, "ArticleID": article})
        self.changed = max(at, self.changed)

    def write(self, at: int, by: int, body: str, kind: str = "AddNote", **columns: Any) -> None:
        one = self.number * 100 + len(self.articles)
        stamp = {"CreateTime": second(at), "CreateBy": by, "ChangeTime": second(at), "ChangeBy": by}
        note = {"SenderType": "agent", "CommunicationChannelID": 3, "IsVisibleForCustomer": 0, "Body": body}
        self.articles.append({"ArticleID": one, **stamp, **note, **columns})
        self.line(at, by, kind, article=one)

    def goes_into(self, target: "Ticket", at: int, by: int) -> None:
        target.articles += [{**one, "ChangeTime": second(at), "ChangeBy": by} for one in self.articles]
        target.lines += [line for line in self.lines if line["ArticleID"]]
        self.articles, self.lines = [], [line for line in self.lines if not line["ArticleID"]]
        for one in (self, target):
            one.line(at, by, "Merged", f"%%{self.number}%%{self.number}%%{target.number}%%{target.number}")
        self.line(at, by, "StateUpdate", f"%%{self.state[0]}%%merged%%")
        self.state = ("merged", "merged")

    def serve(self, mock: responses.RequestsMock) -> None:
        row = {
            "TicketID": self.number, "TicketNumber": self.number, "Title": "Help", "Queue": "Service Desk",
            "State": self.state[0], "StateType": self.state[1], "Lock": "unlock", "OwnerID": 1,
            "Priority": self.priority, "CustomerUserID": self.customer, "Created": second(0),
            "Changed": second(self.changed), "Article": self.articles,
        }  # fmt: skip
        history = sorted(self.lines, key=lambda line: line["CreateTime"])
        mock.get(f"{BASE}/Ticket/{self.number}", json={"Ticket": [row]})
        mock.get(f"{BASE}/TicketHistory/{self.number}", json={"TicketHistory": [{"History": history}]})


@pytest.fixture
def source() -> Ticket:
    return Ticket(6)


@pytest.fixture
def target() -> Ticket:
    return Ticket(7, "1 very low")


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def read(mock: responses.RequestsMock, number: int, *tickets: Ticket) -> Reading:
    mock.reset()
    for one in tickets:
        one.serve(mock)
    serve_session(mock)
    mock.post(f"{BASE}/TicketSearch", json={})
    return helpdesk(agents=LOGINS).read(str(number))


def taken_in(case: Case | None, reading: Reading, at: int) -> Case:
    now = START + timedelta(seconds=at)
    return observe(case, replace(reading, read_at=now, skew=timedelta(0)), POLICY, START - timedelta(1), now).case


def stands(case: Case) -> State | None:
    return case.escalation.state if case.escalation is not None else None


def test_an_ack_is_read_where_it_was_written_although_the_ticket_was_merged_before(
    source: Ticket, target: Ticket, mock: responses.RequestsMock
) -> None:
    known = taken_in(None, read(mock, 6, source), 1)
    source.write(700, BEN, "/ack")
    source.goes_into(target, 720, BEN)
    reading = read(mock, 6, source, target)
    known = taken_in(known, reading, 722)
    assert stands(known) is State.ACKNOWLEDGED
    assert known.escalation is not None
    assert known.escalation.acknowledged is not None
    assert known.escalation.acknowledged.by.login == "ben"
    there, merged = taken_in(None, read(mock, 7, target), 722), reading.changes[-2]
    _, there, _ = move(known, there, merged.by, merged.at, START + timedelta(seconds=722))
    assert stands(taken_in(there, read(mock, 7, target), 723)) is State.ACKNOWLEDGED


def test_where_it_went_it_is_nobodys_work(source: Ticket, target: Ticket, mock: responses.RequestsMock) -> None:
    source.write(700, BEN, "/ack")
    source.goes_into(target, 720, BEN)
    assert said(read(mock, 7, target).changes[-1]) == "ben (person): note '/ack', at creation"


def test_its_history_is_the_one_that_it_had(source: Ticket, target: Ticket, mock: responses.RequestsMock) -> None:
    source.write(700, BEN, "/ack")
    before = read(mock, 6, source).changes
    source.goes_into(target, 720, ANNA)
    target.write(730, BEN, "/stop")
    merged = read(mock, 6, source, target)
    assert merged.changes[: len(before)] == before, "what was taken in is known again, and not taken in twice"
    assert [said(change) for change in merged.changes[len(before) :]] == [
        "anna (person): merged into 7",
        "anna (person): state new -> merged",
    ]
    assert merged.ticket.merged_into == "7"


def test_an_ack_that_was_judged_before_the_merge_does_not_count_again(
    source: Ticket, target: Ticket, mock: responses.RequestsMock
) -> None:
    source.write(700, BEN, "/ack")
    known = taken_in(None, read(mock, 6, source), 701)
    assert stands(known) is State.ACKNOWLEDGED
    assert known.escalation is not None
    known = replace(known, escalation=replace(known.escalation, state=State.RUNNING, acknowledged=None))  # given back
    source.goes_into(target, 720, ANNA)
    assert stands(taken_in(known, read(mock, 6, source, target), 722)) is State.RUNNING


def test_nor_does_a_reading_without_what_the_merge_took_bring_it_back_later(
    source: Ticket, target: Ticket, mock: responses.RequestsMock
) -> None:
    """As where the ticket that it went into couldn't be seen at first."""
    source.write(700, BEN, "/ack")
    known = taken_in(None, read(mock, 6, source), 701)
    assert known.escalation is not None
    known = replace(known, escalation=replace(known.escalation, state=State.RUNNING, acknowledged=None))
    source.goes_into(target, 720, ANNA)
    nothing_there = Ticket(7)
    known = taken_in(known, read(mock, 6, source, nothing_there), 722)
    assert stands(taken_in(known, read(mock, 6, source, target), 724)) is State.RUNNING


def test_the_customer_of_the_source_acknowledges_nothing_there(target: Ticket, mock: responses.RequestsMock) -> None:
    """Ben reported it himself; of the ticket that it went into he isn't the customer."""
    source = Ticket(6, customer="ben")
    known = taken_in(None, read(mock, 6, source), 1)
    source.write(700, BEN, "/ack")
    source.goes_into(target, 720, ANNA)
    assert stands(taken_in(known, read(mock, 6, source, target), 722)) is State.WAITING


def test_nor_does_what_was_written_on_the_target(source: Ticket, target: Ticket, mock: responses.RequestsMock) -> None:
    known = taken_in(None, read(mock, 6, source), 1)
    target.write(700, BEN, "/ack")
    source.goes_into(target, 720, ANNA)
    target.write(720, BEN, "/ack")
    assert stands(taken_in(known, read(mock, 6, source, target), 722)) is State.WAITING


def test_of_several_merges_at_one_moment_none_is_known_to_have_brought_it(
    source: Ticket, target: Ticket, mock: responses.RequestsMock
) -> None:
    known, other = taken_in(None, read(mock, 6, source), 1), Ticket(8)
    other.write(700, BEN, "/ack")
    other.goes_into(target, 720, ANNA)
    source.goes_into(target, 721, ANNA)
    assert stands(taken_in(known, read(mock, 6, source, target), 722)) is State.WAITING


def test_what_came_to_the_source_by_a_merge_itself_was_not_written_there(
    source: Ticket, target: Ticket, mock: responses.RequestsMock
) -> None:
    known, first = taken_in(None, read(mock, 6, source), 1), Ticket(5)
    first.write(690, BEN, "/ack")
    first.goes_into(source, 700, ANNA)
    source.goes_into(target, 720, ANNA)
    assert stands(taken_in(known, read(mock, 6, source, target), 722)) is State.WAITING


def test_a_target_that_may_not_be_seen_gives_nothing_back(
    source: Ticket, target: Ticket, mock: responses.RequestsMock
) -> None:
    source.goes_into(target, 720, ANNA)
    source.serve(mock)
    serve_session(mock)
    mock.get(f"{BASE}/Ticket/7", json=captured("error-unknown-ticket-get")["response"]["body"])
    assert helpdesk(agents=LOGINS).read("6").ticket.merged_into == "7"


def test_one_that_does_not_answer_is_waited_for(source: Ticket, target: Ticket, mock: responses.RequestsMock) -> None:
    source.goes_into(target, 720, ANNA)
    source.serve(mock)
    serve_session(mock)
    mock.get(f"{BASE}/Ticket/7", status=502)
    with pytest.raises(HelpdeskAway):
        helpdesk(agents=LOGINS).read("6")


class TestWhereItWent:
    def lines(self, *named: tuple[int, str]) -> Any:
        told = [{"CreateTime": second(at), "CreateBy": 3, "HistoryType": "Merged", "Name": name} for at, name in named]
        return lines_of(told, UTC_ZONE)

    def test_the_last_merge_of_the_ticket_itself_says_it(self) -> None:
        lines = self.lines((10, "%%5%%5%%6%%6"), (20, "%%6%%6%%7%%7"), (30, "%%6%%6%%8%%8"), (40, "%%4%%4%%6%%6"))
        assert gone_into(lines, "6") == Merge(START + timedelta(seconds=30), "3", "6", "8")
        assert gone_into(lines, "8") is None
        assert gone_into(self.lines((10, "%%6%%6")), "6") is None, "a line that says nothing of where"

    def test_where_nothing_came_from_it_there_is_nothing(self) -> None:
        [merge] = self.lines((20, "%%6%%6%%7%%7"))
        gone = gone_into([merge], "6")
        assert gone is not None
        assert taken_along(gone, [merge], [merge], {}, UTC_ZONE) == ((), {})
