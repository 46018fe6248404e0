"""The night in which a Znuny that keeps local time shows 02:00 to 03:00 twice: 25 October 2026 in Berlin."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import responses

from connector.core.case import Case
from connector.core.escalation import State
from connector.core.events import Tick
from connector.core.observing import observe
from connector.core.plan import Policy
from connector.core.ticket import Reading
from connector.core.transition import transition
from connector.engine.clocks import no_later
from connector.helpdesks.znuny import adapter
from connector.helpdesks.znuny.autumn import latest
from tests.core.builders import MAJOR, PEOPLE

from .composed import BASE, helpdesk, serve_session

BERLIN = ZoneInfo("Europe/Berlin")
POLICY = Policy({"major": MAJOR}, (), {"3 normal": "major"})
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
OURS, BEN = 2, 4


def utc(hour: int, minute: int, second: int = 0) -> datetime:
    """02:xx is 00:xx UTC in summer time, and an hour later 01:xx UTC."""
    return datetime(2026, 10, 25, hour, minute, second, tzinfo=UTC)


class Night:
    """One ticket in such a Znuny, made by a customer's mail, and Escalator looking at it."""

    def __init__(self, zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.zone, self.monkeypatch = ZoneInfo(zone), monkeypatch
        self.lines: list[dict[str, Any]] = []
        self.articles: list[dict[str, Any]] = []
        self.case: Case | None = None

    def text(self, at: datetime) -> str:
        return at.astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S")

    def line(self, at: datetime, by: int, kind: str, name: str, article: int = 0) -> None:
        said = {"CreateBy": by, "HistoryType": kind, "Name": name, "ArticleID": article, "OwnerID": 1, "TicketID": "6"}
        self.lines.append({**said, "CreateTime": self.text(at)})

    def made(self, at: datetime) -> None:
        self.created = self.text(at)
        self.line(at, 1, "NewTicket", "%%1%%q%%3 normal%%new%%6")
        self.wrote(at, 1, "EmailCustomer", "help", "customer")

    def wrote(self, at: datetime, by: int, kind: str, body: str, sender: str = "agent") -> None:
        """A customer's mail, or an internal note."""
        number, time = 100 + len(self.articles), self.text(at)
        times = {"CreateTime": time, "ChangeTime": time, "CreateBy": by, "ChangeBy": by}
        place = {"CommunicationChannelID": 1 if by == 1 else 3, "IsVisibleForCustomer": int(by == 1)}
        said = {"ArticleID": number, "SenderType": sender, "Subject": "x", "Body": body, "From": "x"}
        self.articles.append({**times, **place, **said})
        self.line(at, by, kind, "%%", number)

    def read(self, now: datetime, shown: int | None = None) -> Reading:
        """The history in Znuny's order: by its times as texts."""
        row = {
            "TicketID": "6", "TicketNumber": "1", "Title": "t", "State": "new", "StateType": "new", "Lock": "unlock",
            "OwnerID": 1, "Owner": "root@localhost", "Priority": "3 normal", "Queue": "q", "CustomerUserID": "carla",
            "Created": self.created, "Changed": self.lines[-1]["CreateTime"], "Article": self.articles[:shown],
        }  # fmt: skip
        history = sorted(self.lines, key=lambda line: str(line["CreateTime"]))

        class Clock(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
                return now.astimezone(tz)

        self.monkeypatch.setattr(adapter, "datetime", Clock)
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            mock.get(f"{BASE}/Ticket/6", json={"Ticket": [row]})
            mock.get(f"{BASE}/TicketHistory/6", json={"TicketHistory": [{"TicketID": "6", "History": history}]})
            mock.post(f"{BASE}/TicketSearch", json={})
            serve_session(mock)
            found = helpdesk(timezone=str(self.zone), agents={"4": "ben@example.com"}).read("6")
        return replace(found, read_at=now)

    def looks(self, now: datetime, shown: int | None = None) -> None:
        """A reading, and the tick that follows it, as in the shell."""
        case = observe(self.case, no_later(self.read(now, shown), now), POLICY, LONG_AGO, now).case
        assert case.escalation is not None
        self.case = replace(case, escalation=transition(case.escalation, Tick(PEOPLE, now), now)[0])

    @property
    def state(self) -> State:
        assert self.case is not None
        assert self.case.escalation is not None
        return self.case.escalation.state


@pytest.fixture(params=["UTC", "Europe/Berlin"])
def night(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Night:
    return Night(request.param, monkeypatch)


def test_who_acknowledges_in_the_second_hour_has_acknowledged(night: Night) -> None:
    night.made(utc(0, 40))
    night.looks(utc(0, 40, 1))
    night.looks(utc(0, 50))
    night.wrote(utc(0, 50, 1), OURS, "AddNote", "our note on the first step")
    night.looks(utc(0, 50, 2))
    night.wrote(utc(1, 5), BEN, "AddNote", "/ack")
    night.looks(utc(1, 5, 1))
    assert night.state is State.ACKNOWLEDGED


def test_a_ticket_of_the_second_hour_has_its_whole_window(night: Night) -> None:
    night.made(utc(1, 10))
    night.looks(utc(1, 10, 1))
    assert night.state is State.WAITING
    night.looks(utc(1, 19))
    assert night.state is State.WAITING
    night.looks(utc(1, 20))
    assert night.state is State.RUNNING


def test_a_ticket_of_the_first_hour_has_its_whole_window_too(night: Night) -> None:
    night.made(utc(0, 10))
    night.looks(utc(0, 10, 1))
    assert night.state is State.WAITING
    night.looks(utc(0, 20))
    assert night.state is State.RUNNING


def test_nothing_of_the_first_hour_is_taken_for_something_new_in_the_second(night: Night) -> None:
    """Ben acknowledges, and the ticket is handed back by `/escalate`; read again and again until the hours are over."""
    night.made(utc(0, 5))
    night.looks(utc(0, 5, 1))
    night.wrote(utc(0, 20), BEN, "AddNote", "/ack")
    night.looks(utc(0, 20, 1))
    night.wrote(utc(0, 50), BEN, "AddNote", "/escalate")
    for minute in range(50, 240, 5):
        night.looks(utc(0, 0, 2) + timedelta(minutes=minute))
        assert night.state is not State.ACKNOWLEDGED, minute


def test_ids_and_what_is_compared_stay_the_same(night: Night) -> None:
    night.made(utc(0, 10))
    night.wrote(utc(0, 20), BEN, "AddNote", "looking")
    then, later = night.read(utc(0, 21)), night.read(utc(1, 40))
    assert [change.id for change in then.changes] == [change.id for change in later.changes]
    assert [change.written_at for change in then.changes] == [change.written_at for change in later.changes]
    assert then.ticket.updated_at == later.ticket.updated_at


def test_an_article_that_is_not_shown_yet_is_waited_for(night: Night) -> None:
    night.made(utc(0, 55))
    night.looks(utc(0, 55, 1))
    night.wrote(utc(1, 5), BEN, "AddNote", "/ack")
    night.looks(utc(1, 5, 1), shown=1)
    assert night.state is not State.ACKNOWLEDGED
    night.looks(utc(1, 5, 5))
    assert night.state is State.ACKNOWLEDGED


@pytest.mark.parametrize(
    ("at", "now", "counted"),
    [
        (utc(0, 30), utc(0, 31), utc(0, 30)),
        (utc(0, 30), utc(1, 28), utc(0, 30)),
        (utc(0, 30), utc(1, 30), utc(1, 30)),
        (utc(0, 30), utc(9, 0), utc(1, 30)),
        (utc(1, 30), utc(9, 0), utc(1, 30)),
        (utc(2, 0), utc(9, 0), utc(2, 0)),
        (datetime(2026, 3, 29, 1, 30, tzinfo=UTC), utc(9, 0), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
    ],
)
def test_a_time_in_that_hour_counts_as_late_as_it_can_have_been(at: datetime, now: datetime, counted: datetime) -> None:
    assert latest(at, BERLIN, now) == counted
    assert latest(at, ZoneInfo("UTC"), now) == at


@pytest.mark.parametrize(
    ("since", "asked"),
    [
        (utc(0, 58), "2026-10-25 01:58:00"),
        (utc(1, 0), "2026-10-25 02:00:00"),
        (utc(1, 58), "2026-10-25 02:58:00"),
        (utc(2, 0), "2026-10-25 03:00:00"),
    ],
)
def test_a_sweep_asks_from_far_enough_back_to_find_what_is_changed_in_the_second_hour(
    since: datetime, asked: str
) -> None:
    with responses.RequestsMock() as mock:
        search = mock.post(f"{BASE}/TicketSearch", json={})
        serve_session(mock)
        mock.assert_all_requests_are_fired = False
        assert list(helpdesk(timezone="Europe/Berlin").find_changed(since)) == []
    sent = json.loads(search.calls[0].request.body or b"")
    assert sent["TicketLastChangeTimeNewerDate"] == asked
