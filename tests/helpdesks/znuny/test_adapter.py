"""Znuny as the helpdesk port: reading a ticket, writing notes and the live state, assigning, sweeping."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import marshmallow
import pytest
import requests
import responses

from connector.core.lagging import up_to_date
from connector.core.ticket import Facts, Person, Phase
from connector.errors import HelpdeskAway, HelpdeskRefused, PermissionLost, TicketGone
from connector.helpdesks.znuny import KIND, Options
from connector.helpdesks.znuny import adapter as module
from connector.ports import FoundProof, Live, Names, Note

from .composed import BASE, NAMES, Composed, captured, composed, helpdesk, said, serve, serve_session

TICKET = f"{BASE}/Ticket/6"


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def sent(mock: responses.RequestsMock, method: str) -> list[Any]:
    """The bodies of all requests of this method about tickets."""
    calls = [
        call.request for call in mock.calls if call.request.method == method and "/Session" not in str(call.request.url)
    ]
    return [json.loads(request.body or "null") for request in calls]


def test_a_ticket_is_read_with_who_did_what(mock: responses.RequestsMock) -> None:
    it = composed("lock-by-ben.1-TicketLockUpdate")
    serve(mock, it)
    reading = helpdesk().read("6")
    ticket = reading.ticket
    assert (ticket.id, ticket.number, ticket.state, ticket.phase) == ("6", "2026112110000051", "new", Phase.OPEN)
    assert ticket.url == "http://127.0.0.1:8180/otrs/index.pl?Action=AgentTicketZoom;TicketID=6"
    assert ticket.facts == Facts("5 very high", "Service Desk", "Main test ticket", "ACME")
    assert ticket.created_at == datetime(2026, 11, 21, 20, 6, tzinfo=UTC)
    assert ticket.owner == Person("4", "ben", "ben")
    assert (ticket.locked, ticket.customer, ticket.pending_until) == (True, "carla", None)
    assert said(reading.changes[-1]) == "ben (person): lock"
    assert {(person.id, person.login) for person in reading.people} == {("3", "anna"), ("4", "ben")}


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("ticket-deleted")])
def test_every_captured_event_leads_to_what_was_done(name: str, mock: responses.RequestsMock) -> None:
    it = composed(name)
    serve(mock, it)
    changes = helpdesk().read(it.ticket_id).changes
    mock.replace("GET", f"{BASE}/TicketHistory/{it.ticket_id}", json=_without_the_act(it))
    before = {change.id for change in helpdesk().read(it.ticket_id).changes}
    assert tuple(said(change) for change in changes if change.id not in before) == it.meaning


def _without_the_act(it: Composed) -> dict[str, Any]:
    answer = json.loads(json.dumps(it.history))
    lines = answer["TicketHistory"][0]["History"]
    del lines[len(lines) - it.act :]
    return answer


def test_a_deleted_ticket_answers_like_a_lost_permission_and_is_never_gone(mock: responses.RequestsMock) -> None:
    serve(mock, composed("ticket-deleted.1-TicketDelete"))
    with pytest.raises(PermissionLost):
        helpdesk().read("11")


def test_a_merged_ticket_says_where_it_went(mock: responses.RequestsMock) -> None:
    serve(mock, composed("ui-merge-by-anna.2-TicketMerge"))
    ticket = helpdesk().read("9").ticket
    assert (ticket.phase, ticket.merged_into) == (Phase.MERGED, "7")


def test_pending_is_until_a_moment(mock: responses.RequestsMock) -> None:
    serve(mock, composed("pending-by-agent.1-TicketStateUpdate"))
    ticket = helpdesk().read("6").ticket
    assert (ticket.phase, ticket.pending_until) == (Phase.PENDING, datetime(2026, 11, 21, 21, 6, 55, tzinfo=UTC))


def test_times_are_in_znunys_own_zone(mock: responses.RequestsMock) -> None:
    serve(mock, composed("lock-by-ben.1-TicketLockUpdate"))
    reading = helpdesk(timezone="Europe/Berlin").read("6")
    assert reading.ticket.created_at == datetime(2026, 11, 21, 19, 6, tzinfo=UTC)
    assert reading.changes[-1].at == datetime(2026, 11, 21, 19, 6, 11, tzinfo=UTC)


def test_an_owner_on_the_list_of_robots_is_nobody(mock: responses.RequestsMock) -> None:
    serve(mock, composed("lock-by-ben.1-TicketLockUpdate"))
    assert helpdesk(robots=["Ben"]).read("6").ticket.owner is None
    assert helpdesk(robots=["4"]).read("6").ticket.owner is None


class TestAStateOfAnOwnName:
    def serve(self, mock: responses.RequestsMock) -> None:
        it = composed("state-open-by-agent.1-TicketStateUpdate")
        lines = it.history["TicketHistory"][0]["History"]
        odd = [{**line, "Name": line["Name"].replace("%%open%%", "%%bei Carla%%")} for line in lines]
        serve(mock, replace(it, history={"TicketHistory": [{"History": odd}]}))
        waits = {"TicketID": 12, "State": "bei Carla", "StateType": "pending reminder"}
        mock.get(f"{BASE}/Ticket/12", json={"Ticket": [waits]})

    def test_is_understood_by_a_ticket_that_is_in_it(self, mock: responses.RequestsMock) -> None:
        self.serve(mock)
        mock.replace("POST", f"{BASE}/TicketSearch", json={"TicketID": ["12"]})
        assert helpdesk().read("6").changes[-1].phase is Phase.PENDING

    def test_is_understood_by_the_next_reading_where_the_search_for_one_failed(
        self, mock: responses.RequestsMock
    ) -> None:
        self.serve(mock)
        mock.replace("POST", f"{BASE}/TicketSearch", status=502)
        znuny = helpdesk()
        with pytest.raises(HelpdeskAway):
            znuny.read("6")
        mock.replace("POST", f"{BASE}/TicketSearch", json={"TicketID": ["12"]})
        assert znuny.read("6").changes[-1].phase is Phase.PENDING


class TestWhatHappensBetweenTheTwoCalls:
    """The ticket's row is read, then its history; in between people go on."""

    CLOSE = "ui-close-by-anna.4-TicketStateUpdate"
    ROW, HISTORY = f"{BASE}/Ticket/7", f"{BASE}/TicketHistory/7"

    def asked(self, mock: responses.RequestsMock) -> list[str]:
        """The ticket's calls in their order: R for the row, H for the history."""
        urls = [str(call.request.url).partition("?")[0] for call in mock.calls]
        return [{self.ROW: "R", self.HISTORY: "H"}[url] for url in urls if url in (self.ROW, self.HISTORY)]

    def noted(self, it: Composed, notes: int = 1) -> tuple[dict[str, Any], dict[str, Any]]:
        """Row and history as they were before the close, the history with so many notes that the row doesn't show."""
        row, history = json.loads(json.dumps([it.ticket, it.history]))
        row["Ticket"][0].update(State="open", StateType="open", StateID=4, Changed="2026-11-21 20:09:01")
        row["Ticket"][0]["Article"].pop()
        lines = history["TicketHistory"][0]["History"]
        note = next(line for line in lines if line["Name"] == "%%Close")
        del lines[len(lines) - it.act :]
        lines += [{**note, "ArticleID": 100 + number} for number in range(notes)]
        return row, history

    def test_nothing_and_two_calls_are_enough(self, mock: responses.RequestsMock) -> None:
        serve(mock, composed(self.CLOSE))
        helpdesk().read("7")
        assert self.asked(mock) == ["R", "H"]

    def test_a_lock_makes_it_read_the_ticket_again(self, mock: responses.RequestsMock) -> None:
        before, it = composed("owner-to-ben-by-anna.1-TicketOwnerUpdate"), composed("lock-by-ben.1-TicketLockUpdate")
        serve(mock, it)
        mock.replace("GET", TICKET, json=before.ticket)
        mock.get(TICKET, json=it.ticket)
        assert helpdesk().read("6").ticket.locked

    @pytest.mark.parametrize("lock", ["unlock", "lock"])
    def test_an_owner_whom_only_the_creation_set_is_the_one_before(
        self, mock: responses.RequestsMock, lock: str
    ) -> None:
        """Given to Ben within the second in which the row was read: by one call that first set the priority, say."""
        it = composed("owner-to-ben-by-anna.1-TicketOwnerUpdate")
        serve(mock, it)
        row = json.loads(json.dumps(it.ticket))
        row["Ticket"][0].update(Owner="anna", OwnerID=3, Lock=lock)
        mock.replace("GET", TICKET, json=row)
        owner = up_to_date(helpdesk().read("6")).ticket.owner
        assert owner is not None
        assert owner.login == "ben"

    def test_a_close_after_a_note_is_the_work_of_who_closed_it(self, mock: responses.RequestsMock) -> None:
        """The note alone makes it read again, and the ticket is closed by then: its history has to say by whom."""
        it = composed(self.CLOSE)
        serve(mock, it)
        row, history = self.noted(it)
        mock.replace("GET", self.ROW, json=row)
        mock.get(self.ROW, json=it.ticket)
        mock.replace("GET", self.HISTORY, json=history)
        mock.get(self.HISTORY, json=it.history)
        reading = helpdesk().read("7")
        assert reading.ticket.phase is Phase.CLOSED
        assert "anna (person): state open -> closed successful" in [said(change) for change in reading.changes]
        assert self.asked(mock) == ["R", "H", "R", "H"]

    def test_what_a_second_look_does_not_show_either_is_left_to_the_next_reading(
        self, mock: responses.RequestsMock
    ) -> None:
        it = composed(self.CLOSE)
        serve(mock, it)
        row, history = self.noted(it)
        mock.replace("GET", self.ROW, json=row, headers={"Date": "Sat, 21 Nov 2026 20:09:13 GMT"})
        mock.replace("GET", self.HISTORY, json=history)
        assert not helpdesk().read("7").whole
        assert self.asked(mock) == ["R", "H", "R", "H"]

    def test_a_ticket_on_which_things_go_on_happening_is_read_three_times_at_most(
        self, mock: responses.RequestsMock
    ) -> None:
        it = composed(self.CLOSE)
        serve(mock, it)
        mock.replace("GET", self.ROW, json=self.noted(it)[0], headers={"Date": "Sat, 21 Nov 2026 20:09:13 GMT"})
        mock.remove("GET", self.HISTORY)
        for notes in range(1, 6):
            mock.get(self.HISTORY, json=self.noted(it, notes)[1])
        assert not helpdesk().read("7").whole
        assert self.asked(mock) == ["R", "H"] * 3


class TestAnArticleThatIsNotShownYet:
    """The ticket is read before its history, `Changed` counts whole seconds, and Znuny's cache may be behind."""

    NOTE = "note-internal-by-agent.1-ArticleCreate"

    def serve_without(self, mock: responses.RequestsMock, it: Composed, after: timedelta) -> None:
        """The history names the note and the ticket comes without it, this long after it was written."""
        serve(mock, it)
        answer = json.loads(json.dumps(it.ticket))
        [ticket] = answer["Ticket"]
        written = datetime.fromisoformat(f"{ticket['Article'].pop()['CreateTime']}+00:00")
        mock.replace("GET", TICKET, json=answer, headers={"Date": format_datetime(written + after, usegmt=True)})

    def test_the_ticket_is_read_once_more(self, mock: responses.RequestsMock) -> None:
        it = composed(self.NOTE)
        self.serve_without(mock, it, timedelta(0))
        mock.get(TICKET, json=it.ticket)
        reading = helpdesk().read("6")
        assert (said(reading.changes[-1]),) == it.meaning
        assert reading.whole

    def test_nothing_is_said_of_it_as_long_as_it_is_waited_for(self, mock: responses.RequestsMock) -> None:
        it = composed(self.NOTE)
        self.serve_without(mock, it, timedelta(minutes=9))
        reading = helpdesk().read("6")
        assert it.meaning[0] not in [said(change) for change in reading.changes]
        assert not reading.whole
        mock.replace("GET", TICKET, json=it.ticket)
        later = helpdesk().read("6")
        known = {change.id for change in reading.changes}
        assert tuple(said(change) for change in later.changes if change.id not in known) == it.meaning
        assert later.ticket.mark != reading.ticket.mark  # so that a search tells that it has to be read again

    def test_one_that_a_merge_has_just_brought_is_waited_for_however_old_it_is(
        self, mock: responses.RequestsMock
    ) -> None:
        """It was written elsewhere, which only the article tells; without it, it would be a note of who wrote it."""
        it = composed(self.NOTE)
        self.serve_without(mock, it, timedelta(minutes=20))
        now = datetime.fromisoformat(f"{it.ticket['Ticket'][0]['Changed']}+00:00") + timedelta(minutes=20)
        [told] = it.history["TicketHistory"]
        merged = {"CreateBy": 3, "CreateTime": f"{now:%Y-%m-%d %H:%M:%S}", "HistoryType": "Merged", "ArticleID": 0}
        lines = [
            *told["History"],
            {**told["History"][0], **merged, "Name": "%%2026112110000088%%9%%2026112110000051%%6"},
        ]
        mock.replace("GET", f"{BASE}/TicketHistory/6", json={"TicketHistory": [{**told, "History": lines}]})
        reading = helpdesk().read("6")
        assert it.meaning[0] not in [said(change) for change in reading.changes]
        assert "ben (person): note ''" not in [said(change) for change in reading.changes]
        assert not reading.whole

    def test_one_that_never_came_is_a_note_without_words(self, mock: responses.RequestsMock) -> None:
        self.serve_without(mock, composed(self.NOTE), timedelta(minutes=11))
        reading = helpdesk().read("6")
        assert said(reading.changes[-1]) == "ben (person): note ''"
        assert reading.whole


@pytest.mark.parametrize("ticket_id", ["", "6,7", "../Session", "*"])
def test_an_id_that_is_no_number_asks_nothing(ticket_id: str, mock: responses.RequestsMock) -> None:
    with pytest.raises(HelpdeskRefused):
        helpdesk().read(ticket_id)
    assert len(mock.calls) == 0


class TestNotes:
    NOTE = Note(
        ("E-1A step 1: SMS to Ben", "\tsent  at 20:06"), proof="abc.def", link="https://escalator.example.com/e/1"
    )

    def test_a_note_is_internal_notifies_nobody_and_ends_with_its_proof(self, mock: responses.RequestsMock) -> None:
        mock.patch(TICKET, json=captured("note-internal-by-plugin")["response"]["body"])
        assert helpdesk().add_note("6", self.NOTE) == "12"
        assert sent(mock, "PATCH") == [
            {
                "Article": {
                    "CommunicationChannel": "Internal",
                    "SenderType": "system",
                    "IsVisibleForCustomer": 0,
                    "NoAgentNotify": 1,
                    "HistoryType": "AddNote",
                    "HistoryComment": "Escalator",
                    "ContentType": "text/plain; charset=utf-8",
                    "Subject": "E-1A step 1: SMS to Ben",
                    "Body": "E-1A step 1: SMS to Ben\nsent at 20:06\nhttps://escalator.example.com/e/1\n\nescalator:abc.def",
                }
            }
        ]

    def test_a_hostile_line_can_not_pass_for_a_proof(self, mock: responses.RequestsMock) -> None:
        mock.patch(TICKET, json=captured("note-internal-by-plugin")["response"]["body"])
        helpdesk().add_note("6", Note(("Ticket:", "\nescalator:forged")))
        assert sent(mock, "PATCH")[0]["Article"]["Body"] == "Ticket:\n> escalator:forged"

    def test_a_lost_answer_says_that_the_note_may_stand_there(self, mock: responses.RequestsMock) -> None:
        mock.patch(TICKET, body=requests.ReadTimeout())
        with pytest.raises(HelpdeskAway) as caught:
            helpdesk().add_note("6", self.NOTE)
        assert caught.value.maybe_done

    def test_only_our_own_users_notes_prove_anything(self, mock: responses.RequestsMock) -> None:
        serve_session(mock)
        articles = [
            {"ArticleID": "30", "CreateBy": "2", "Body": "second\n\nescalator:two\n"},
            {"ArticleID": 4, "CreateBy": 2, "Body": "first\n\nescalator:one"},
            {"ArticleID": 31, "CreateBy": 3, "From": "Escalation Plugin", "Body": "forged\n\nescalator:three"},
            {"ArticleID": 32, "CreateBy": 2, "Body": "escalator:four\nquoted"},
            {"ArticleID": 33, "CreateBy": 2, "Body": ""},
        ]
        mock.get(TICKET, json={"Ticket": [{"TicketID": 6, "Article": articles}]})
        znuny = helpdesk()
        assert znuny.proofs("6") == (FoundProof("one"), FoundProof("two"), FoundProof("three", ours=False))
        assert znuny.find_note("6", "two") == "30"
        assert znuny.find_note("6", "three") is None
        assert znuny.find_note("6", "") is None


def test_the_live_state_stands_in_dynamic_fields_and_running_clears_the_checkbox(mock: responses.RequestsMock) -> None:
    mock.patch(TICKET, json=captured("dynamic-fields-set-by-plugin")["response"]["body"])
    znuny = helpdesk()
    znuny.show("6", Live("running", "major-incident", "2 of 4"))
    znuny.show("6", Live("acknowledged", "major-incident", "2 of 4"))
    znuny.show("6", Live())
    values = [{one["Name"]: one["Value"] for one in body["DynamicField"]} for body in sent(mock, "PATCH")]
    shown = {"EscalationStatus": "running", "EscalationPlan": "major-incident", "EscalationStep": "2 of 4"}
    assert values == [
        {**shown, "EscalationAcknowledged": "0"},
        {**shown, "EscalationStatus": "acknowledged"},
        {"EscalationStatus": "", "EscalationPlan": "", "EscalationStep": ""},
    ]


class TestAssigning:
    FREE = "create-by-customer-api.2-TicketCreate"  # ticket 4, nobody owns it

    def serve_free(self, mock: responses.RequestsMock) -> Composed:
        it = composed(self.FREE)
        serve(mock, it)
        return it

    def answers(self, mock: responses.RequestsMock, owner: str) -> None:
        mock.replace("PATCH", f"{BASE}/Ticket/4", json={"Ticket": {"Owner": owner, "Lock": "lock"}})

    def told_later(self, mock: responses.RequestsMock, it: Composed, *owners: tuple[int, str, int]) -> None:
        """From the second reading on the history has these OwnerUpdates (by, login, id), too."""
        lines = it.history["TicketHistory"][0]["History"]
        more = [
            {**lines[0], "CreateBy": by, "HistoryType": "OwnerUpdate", "Name": f"%%{login}%%{one}"}
            for by, login, one in owners
        ]
        url = f"{BASE}/TicketHistory/4"
        mock.replace("GET", url, json=it.history)
        mock.get(url, json={"TicketHistory": [{"History": [*lines, *more]}]})

    def test_a_ticket_that_nobody_owns_gets_owner_and_lock(self, mock: responses.RequestsMock) -> None:
        it = self.serve_free(mock)
        self.answers(mock, "ben")
        self.told_later(mock, it, (2, "ben", 4))
        assert helpdesk().assign("4", "ben")
        assert sent(mock, "PATCH") == [{"Ticket": {"Owner": "ben", "Lock": "lock"}}]

    @pytest.mark.parametrize(("login", "theirs"), [("ben", True), ("anna", False)])
    def test_an_owner_is_never_taken_away(self, login: str, theirs: bool, mock: responses.RequestsMock) -> None:
        serve(mock, composed("lock-by-ben.1-TicketLockUpdate"))
        assert helpdesk().assign("6", login) is theirs
        assert sent(mock, "PATCH") == []

    def test_nor_from_whom_only_the_history_knows_yet(self, mock: responses.RequestsMock) -> None:
        it = self.serve_free(mock)
        [row] = it.ticket["Ticket"]
        [told] = it.history["TicketHistory"]
        took = {"CreateBy": 3, "CreateTime": row["Changed"], "HistoryType": "OwnerUpdate", "Name": "%%anna%%3"}
        told["History"] += [{**told["History"][0], **took}]
        mock.replace("GET", f"{BASE}/TicketHistory/4", json=it.history)
        assert not helpdesk().assign("4", "ben")
        assert sent(mock, "PATCH") == []

    def test_a_closed_ticket_is_left_as_it_is(self, mock: responses.RequestsMock) -> None:
        serve(mock, composed("ui-merge-by-anna.2-TicketMerge"))
        assert not helpdesk().assign("9", "ben")
        assert sent(mock, "PATCH") == []

    def test_a_login_that_znuny_does_not_know_is_no_owner(self, mock: responses.RequestsMock) -> None:
        self.serve_free(mock)
        mock.replace("PATCH", f"{BASE}/Ticket/4", json=captured("error-unknown-owner")["response"]["body"])
        assert not helpdesk().assign("4", "nobody")

    def test_our_own_missing_permission_is_told(self, mock: responses.RequestsMock) -> None:
        self.serve_free(mock)
        mock.replace("PATCH", f"{BASE}/Ticket/4", json=captured("error-no-permission-update")["response"]["body"])
        with pytest.raises(PermissionLost):
            helpdesk().assign("4", "ben")

    def test_an_answer_with_another_owner_is_believed(self, mock: responses.RequestsMock) -> None:
        self.serve_free(mock)
        self.answers(mock, "root@localhost")
        assert not helpdesk().assign("4", "ben")

    def test_who_took_it_between_our_look_and_our_change_gets_it_back(self, mock: responses.RequestsMock) -> None:
        it = self.serve_free(mock)
        self.answers(mock, "ben")
        self.told_later(mock, it, (3, "anna", 3), (2, "ben", 4))
        assert not helpdesk().assign("4", "ben")
        assert [body["Ticket"]["Owner"] for body in sent(mock, "PATCH")] == ["ben", "anna"]


class TestFindingWhatChanged:
    SINCE = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)

    def row(self, number: int, second: int, state: str = "open") -> dict[str, Any]:
        return {"TicketID": number, "Changed": f"2026-11-21 20:00:{second:02}", "StateType": state}

    def serve(self, mock: responses.RequestsMock, rows: list[dict[str, Any]]) -> None:
        """A Znuny with these tickets that searches by time and limit."""

        def search(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
            asked = json.loads(request.body or "{}")
            assert (asked["SortBy"], asked["OrderBy"]) == ("Changed", "Up")
            found = [r for r in rows if r["Changed"] >= asked["TicketLastChangeTimeNewerDate"]][: asked["Limit"]]
            return 200, {}, json.dumps({"TicketID": [str(row["TicketID"]) for row in found]} if found else {})

        def tickets(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
            ids = str(request.path_url).partition("?")[0].rpartition("/")[2].split(",")
            assert len(str(request.url)) < 8000
            found = [row for row in rows if str(row["TicketID"]) in ids and not row.get("gone")]
            lost = captured("error-one-of-several-unknown")["response"]["body"]
            return 200, {}, json.dumps({"Ticket": found} if len(found) == len(ids) else lost)

        mock.add_callback(responses.POST, f"{BASE}/TicketSearch", callback=search)
        for first in {row["TicketID"] for row in rows}:
            mock.add_callback(responses.GET, _starting_with(f"{BASE}/Ticket/{first}"), callback=tickets)
            mock.add_callback(responses.GET, _starting_with(f"{BASE}/TicketHistory/{first}"), callback=self.histories)

    @staticmethod
    def histories(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        """Each ticket with as many lines as its number says."""
        ids = str(request.path_url).rpartition("/")[2].split(",")
        return 200, {}, json.dumps({"TicketHistory": [{"TicketID": id, "History": [{}] * int(id)} for id in ids]})

    def test_every_ticket_once_oldest_first_with_whether_it_is_closed(self, mock: responses.RequestsMock) -> None:
        self.serve(mock, [self.row(7, 1), self.row(8, 2, "closed"), self.row(9, 2, "merged")])
        found = list(helpdesk().find_changed(self.SINCE))
        assert [(row.ticket_id, row.updated_at.second, row.closed) for row in found] == [
            ("7", 1, False),
            ("8", 2, True),
            ("9", 2, True),
        ]

    def test_a_row_is_marked_by_its_columns_and_the_length_of_its_history(self, mock: responses.RequestsMock) -> None:
        rows = [self.row(7, 1), {**self.row(7, 9), "Changed": "2026-11-21 20:00:09"}, {**self.row(7, 1), "OwnerID": 3}]
        marks = [helpdesk()._row(raw, lines).mark for raw in rows for lines in (7, 8)]
        assert marks[0] == marks[2]
        assert len(set(marks)) == 4

    def test_nothing_changed(self, mock: responses.RequestsMock) -> None:
        self.serve(mock, [])
        assert list(helpdesk().find_changed(self.SINCE)) == []

    def test_more_than_a_page_is_found_by_windows_of_time(
        self, mock: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "PAGE", 3)
        self.serve(mock, [self.row(number, number // 2) for number in range(1, 12)])
        assert [row.ticket_id for row in helpdesk().find_changed(self.SINCE)] == [str(n) for n in range(1, 12)]

    def test_a_bulk_change_of_more_than_a_page_within_one_second_is_not_cut(
        self, mock: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "PAGE", 3)
        self.serve(mock, [self.row(number, 5) for number in range(1, 9)] + [self.row(9, 6)])
        assert [row.ticket_id for row in helpdesk().find_changed(self.SINCE)] == [str(n) for n in range(1, 10)]

    def test_a_ticket_that_went_away_meanwhile_hides_no_other(self, mock: responses.RequestsMock) -> None:
        self.serve(mock, [self.row(1, 1), {**self.row(2, 2), "gone": True}, self.row(3, 3)])
        assert [row.ticket_id for row in helpdesk().find_changed(self.SINCE)] == ["1", "3"]


def _starting_with(url: str) -> Any:
    return re.compile(re.escape(url) + r"(,|\?|$)")


def test_a_number_is_found_and_a_pattern_is_none(mock: responses.RequestsMock) -> None:
    mock.post(f"{BASE}/TicketSearch", json={"TicketID": ["6"]})
    assert helpdesk().find("2026112110000051") == "6"
    for number in ("*", "2026*", "", "٣"):
        with pytest.raises(TicketGone):
            helpdesk().find(number)
    assert len(mock.calls) == 1


def test_a_number_that_nobody_has_is_gone(mock: responses.RequestsMock) -> None:
    mock.post(f"{BASE}/TicketSearch", json={})
    with pytest.raises(TicketGone):
        helpdesk().find("1")


class TestWhoWeAre:
    def about(self, mock: responses.RequestsMock, found: Any, fields: tuple[str, ...] = ()) -> str:
        serve_session(mock)
        mock.post(f"{BASE}/TicketSearch", json=found)
        mock.get(TICKET, json={"Ticket": [{"TicketID": 6, "DynamicField": [{"Name": name} for name in fields]}]})
        return helpdesk().about()

    def test_it_says_who_and_where(self, mock: responses.RequestsMock) -> None:
        names = ("EscalationStatus", "EscalationPlan", "EscalationStep", "EscalationAcknowledged")
        assert self.about(mock, {"TicketID": ["6"]}, names) == (
            "We are escalation (Escalation Plugin, agent 2) at http://127.0.0.1:8180/otrs and can read tickets."
        )

    def test_it_names_missing_fields(self, mock: responses.RequestsMock) -> None:
        said = self.about(mock, {"TicketID": ["6"]}, ("EscalationStatus", "EscalationStep"))
        assert said.endswith("missing: EscalationAcknowledged, EscalationPlan.")

    def test_seeing_nothing_is_worth_a_word(self, mock: responses.RequestsMock) -> None:
        assert "no open ticket" in self.about(mock, {})

    def test_a_wrong_password_raises(self, mock: responses.RequestsMock) -> None:
        mock.post(f"{BASE}/Session", json=captured("error-session-create-bad-password")["response"]["body"])
        with pytest.raises(PermissionLost):
            helpdesk().about()


def test_znuny_lists_neither_people_nor_names() -> None:
    assert helpdesk().people() == ()
    assert helpdesk().names() == Names(None, None, None, ours=helpdesk().names().ours)
    assert helpdesk().names().ours


GOOD = {"url": "https://desk.example.com/otrs", "user": "u", "password": "p", "webhook_secret": "s"}


class TestOptions:
    def test_the_least_that_is_needed(self) -> None:
        known = Options().load(GOOD)
        assert KIND == "znuny"
        assert (known["webservice"], known["timezone"], known["webhook_secret"]) == ("Escalation", "UTC", ["s"])
        assert Options().load(known) == known, "what was loaded can be loaded"

    @pytest.mark.parametrize(
        ("wrong", "key"),
        [
            ({"url": "desk.example.com"}, "url"),
            ({"url": "https://user:pw@desk.example.com"}, "url"),
            ({"user": ""}, "user"),
            ({"webhook_secret": []}, "webhook_secret"),
            ({"webhook_secret": [""]}, "webhook_secret"),
            ({"webhook_user": "znuny"}, "webhook_user"),
            ({"timezone": "Berlin"}, "timezone"),
            ({"tokn": "x"}, "tokn"),
        ],
    )
    def test_a_mistake_is_found_where_it_stands(self, wrong: dict[str, Any], key: str) -> None:
        with pytest.raises(marshmallow.ValidationError) as caught:
            Options().load({**GOOD, **wrong})
        assert list(caught.value.normalized_messages()) == [key]
