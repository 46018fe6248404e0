"""Captured events with the Znuny around them: the API answers that the real one would have given at that moment.

composed("lock-by-ben.1-TicketLockUpdate")   the request as it was sent, the ticket and the history behind it
serve(mock, it)                              registers all calls about this ticket with a `responses` mock
helpdesk()                                   the adapter as these captures need it
said(change)                                 a change in a few words, as the table in meanings.py writes them
asked_by_two(question, found)                two threads that ask the same at once

A body is the ticket of that moment, so the ticket's answer is made from it. The histories of tickets 6 and 7 were
captured and are cut at that moment; the few lines that no capture shows are written down here as Znuny writes them.
"""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import requests
import responses

from connector.core.ticket import Change, Kind
from connector.helpdesks.znuny import build
from connector.ports import Helpdesk

from .meanings import CASES

HERE = Path(__file__).parent
URL = "http://127.0.0.1:8180/otrs"
BASE = f"{URL}/nph-genericinterface.pl/Webservice/Escalation"
SECRET = "znuny-webhook-secret"
BASIC = ("znuny", "znuny-webhook-password")
NAMES = tuple(sorted(path.stem for path in (HERE / "captured" / "outgoing").glob("*.json")))
AGENTS = {1: "root@localhost", 2: "escalation", 3: "anna", 4: "ben", 5: "otto"}
MERGED = "ui-merge-by-anna"  # ticket 9 goes into ticket 7
TARGET = "ui-priority-by-anna.1-TicketPriorityUpdate"  # ticket 7 before that
STATE_IDS = {"new": 1, "closed successful": 2, "open": 4, "pending reminder": 6, "merged": 9}

Line = dict[str, Any]


@dataclass(frozen=True)
class Composed:
    """One event and its ticket. `ticket` and `history` are the whole bodies of the web service's answers."""

    name: str
    raw: bytes
    headers: Mapping[str, str]
    ticket_id: str
    ticket: dict[str, Any]
    history: dict[str, Any]
    act: int  # how many lines at the history's end are what this event is about
    meaning: tuple[str, ...]  # the changes in these lines, as `said` puts them


def captured(name: str) -> dict[str, Any]:
    """One request and its answer: `captured/api/<name>.json`."""
    return json.loads((HERE / "captured" / "api" / f"{name}.json").read_text())


def delivery(name: str) -> dict[str, Any]:
    """One event as Znuny posted it; of the race's two the later one, which names the wrong agent."""
    found = json.loads((HERE / "captured" / "outgoing" / f"{name}.json").read_text())
    return found[-1] if isinstance(found, list) else found


def composed(name: str) -> Composed:
    """The event `captured/outgoing/<name>.json` with the Znuny around it."""
    sent = delivery(name)
    event = sent["body"]["Event"]
    ticket_id = str(event["TicketID"])
    if event["Event"] == "TicketDelete":
        ticket, history, act = captured("error-unknown-ticket-get"), captured("error-unknown-ticket-history"), 0
        answers = ticket["response"]["body"], history["response"]["body"]
    else:
        body = _full(sent["body"])
        lines, act = _history(name.partition(".")[0], body["Ticket"], event)
        answers = (
            {"Ticket": [_as_answered(body["Ticket"])]},
            {"TicketHistory": [{"TicketID": ticket_id, "History": lines}]},
        )
    raw = json.dumps(sent["body"], ensure_ascii=False).encode()
    return Composed(name, raw, sent["headers"], ticket_id, *answers, act, CASES[name.partition(".")[0]])


def serve(mock: responses.RequestsMock, it: Composed) -> None:
    """Every call about this ticket, answered as often as it is asked for; what is written changes no answer."""
    mock.get(f"{BASE}/Ticket/{it.ticket_id}", json=it.ticket)
    mock.get(f"{BASE}/TicketHistory/{it.ticket_id}", json=it.history)
    written = it.ticket
    if "Error" not in it.ticket:
        written = {"TicketID": it.ticket_id, "ArticleID": "900", "Ticket": it.ticket["Ticket"][0]}
    mock.patch(f"{BASE}/Ticket/{it.ticket_id}", json=written)
    mock.post(f"{BASE}/TicketSearch", json={})
    if it.name.startswith(MERGED):
        target = composed(TARGET)
        mock.get(f"{BASE}/Ticket/{target.ticket_id}", json=target.ticket)
        mock.get(f"{BASE}/TicketHistory/{target.ticket_id}", json=target.history)
    serve_session(mock)


def serve_session(mock: responses.RequestsMock) -> None:
    """Who the API user is: agent 2, "escalation"."""
    mock.post(f"{BASE}/Session", json=captured("session-create")["response"]["body"])
    mock.get(f"{BASE}/Session", json=captured("session-get")["response"]["body"])


def helpdesk(**options: Any) -> Helpdesk:
    """The adapter for the Znuny of the captures; its requests carry a secret, and most of them basic auth too."""
    known = {"url": URL, "user": "escalation", "password": "escalation-pw", "webhook_secret": SECRET}
    return build({**known, **options})


@contextmanager
def asked_by_two(question: Callable[[], str], found: str) -> Iterator[list[str]]:
    """Two threads ask while Znuny's answer to the first one's search is still on its way; both their answers, after.

    `found` is what searches answer. The block runs before Znuny answers.
    """
    asked, may_answer, answers = threading.Event(), threading.Event(), list[str]()

    def search(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        asked.set()
        assert may_answer.wait(30)
        return 200, {}, found

    responses.add_callback(responses.POST, f"{BASE}/TicketSearch", callback=search)
    with ThreadPoolExecutor(2) as threads:
        try:
            first = threads.submit(question)
            assert asked.wait(30)
            second = threads.submit(question)
            yield answers
            wait([second], timeout=0.2)  # seconds; who doesn't wait for the answer is long done
        finally:
            may_answer.set()
        answers += [first.result(), second.result()]


def said(change: Change) -> str:
    """A change in a few words."""
    by = f"{change.by.login or '-'} ({change.by.role.value}): "
    words = {
        Kind.OWNER: f"owner {change.before or 'nobody'} -> {change.after or 'nobody'}",
        Kind.LOCK: "lock",
        Kind.UNLOCK: "unlock",
        Kind.ACKNOWLEDGED: "acknowledged",
        Kind.MERGED: f"merged into {change.target}",
    }.get(change.kind, f"{change.kind.value} {change.before} -> {change.after}")
    article = change.article
    if article is not None:
        words = "reply" if article.reply else "public article" if article.public else f"note '{article.first_line}'"
    marks = (
        (change.with_lock, "with the lock"),
        (change.raised, "raised"),
        (change.until is not None, f"until {change.until:%H:%M}" if change.until else ""),
        (article is not None and article.by_mail, "by mail"),
        (change.at_creation, "at creation"),
    )
    return ", ".join([by + words, *(mark for is_so, mark in marks if is_so)])


# --- the ticket -------------------------------------------------------------------------------------------------------


def _full(body: dict[str, Any]) -> dict[str, Any]:
    """The slim payload is some of the same ticket's columns, with other values only in the event's own one."""
    if "Created" in body["Ticket"]:
        return body
    full = delivery("auth-jwt-bearer")["body"]["Ticket"]
    return {"Event": body["Event"], "Ticket": {**full, **body["Ticket"]}}


def _as_answered(ticket: Mapping[str, Any]) -> dict[str, Any]:
    """A TicketGet answer has the fields as a list, all articles as `Article`, and none of the looked-up records."""
    prefix = "DynamicField_"
    columns = {key: value for key, value in ticket.items() if not key.startswith(prefix) and not key.endswith("Data")}
    for key in ("Articles", "CustomerUser", "CustomerCompany"):
        columns.pop(key, None)
    fields = [{"Name": k.removeprefix(prefix), "Value": v} for k, v in sorted(ticket.items()) if k.startswith(prefix)]
    return {**columns, "Article": ticket["Articles"], "DynamicField": fields}


# --- the history ------------------------------------------------------------------------------------------------------


@cache
def _saved() -> Mapping[str, tuple[Line, ...]]:
    answer = captured("history-get-several")["response"]["body"]["TicketHistory"]
    return {one["TicketID"]: tuple(one["History"]) for one in answer}


def _line(ticket: Mapping[str, Any], at: str, by: int, kind: str, name: str, article: int = 0) -> Line:
    """The columns say what the ticket is like afterwards; only the owner of the first line is ever read."""
    ids = {key: int(ticket[key]) for key in ("OwnerID", "PriorityID", "QueueID", "StateID", "TypeID")}
    line = {"ArticleID": article, "CreateBy": by, "CreateTime": at, "HistoryType": kind, "Name": name}
    return {**ids, **line, "TicketID": str(ticket["TicketID"])}


def _history(case: str, ticket: Mapping[str, Any], event: Mapping[str, Any]) -> tuple[list[Line], int]:
    """The lines until that moment, and how many of them are the act itself."""
    now = ticket["Changed"]
    lines = [line for line in _saved().get(str(ticket["TicketID"]), ()) if line["CreateTime"] <= now]
    if not lines:
        lines = _creation(ticket)
    acted = [_line(ticket, now, *one) for one in _uncaptured(case, ticket)]
    if not acted:
        since = _seconds_before(now) if case not in ("sla-response-time-escalated",) else now
        return lines, sum(line["CreateTime"] >= since for line in lines)
    return [*lines, *_between(lines, ticket, case), *acted], len(acted)


def _seconds_before(now: str) -> str:
    return f"{now[:-2]}{max(int(now[-2:]) - 1, 0):02}"


def _creation(ticket: Mapping[str, Any]) -> list[Line]:
    first = ticket["Articles"][0]
    at, by = ticket["Created"], int(ticket["CreateBy"])
    mail, portal = str(first["CommunicationChannelID"]) == "1", str(first["CommunicationChannelID"]) == "3" and by == 1
    kind = "EmailCustomer" if mail else "WebRequestCustomer" if portal else "NewTicket"
    born = {**ticket, "OwnerID": 1}
    head = f"%%{ticket['TicketNumber']}%%{ticket['Queue']}%%3 normal%%new%%{ticket['TicketID']}"
    lines = [_line(born, at, by, "NewTicket", head)]
    customer = f"%%CustomerID={ticket['CustomerID']};CustomerUser={ticket['CustomerUserID']};"
    lines.append(_line(born, at, by, "CustomerUpdate", customer))
    if first["CreateTime"] == at:  # the articles of a ticket that was merged away are elsewhere
        lines.append(_line(born, at, by, kind, "%%", int(first["ArticleID"])))
    if by != 1:
        lines.append(_line(ticket, at, by, "OwnerUpdate", f"%%{AGENTS[by]}%%{by}"))
    return lines


def _between(lines: Iterable[Line], ticket: Mapping[str, Any], case: str) -> list[Line]:
    """Ticket 6 after its captured history: what else brought it to where the event finds it, done by the API user."""
    if str(ticket["TicketID"]) != "6":
        return []
    owner, state = int(ticket["OwnerID"]), ticket["State"]
    at = "2026-11-21 20:10:36"
    found = [
        _line(ticket, at, 2, "Unlock", "%%unlock"),
        _line(ticket, at, 2, "OwnerUpdate", f"%%{AGENTS[owner]}%%{owner}"),
    ]
    if state != "open":
        found.append(_line(ticket, at, 2, "StateUpdate", f"%%open%%{state}%%"))
    return found


def _uncaptured(case: str, ticket: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Acts whose lines no capture shows: (by, type, name, article)."""
    last = int(ticket["Articles"][-1]["ArticleID"])
    priority = f"%%{ticket['Priority']}%%{ticket['PriorityID']}"
    return {
        "sla-response-time-escalated": [(1, "EscalationResponseTimeStart", "%%triggered", 0)],
        "sla-agent-reply-stops-response-escalation": [(4, "AddNote", "%%GenericInterface Note", last)],
        "race-agent-change-then-plugin-note": [
            (3, "PriorityUpdate", f"%%4 high%%4{priority}", 0),
            (2, "AddNote", "%%GenericInterface Note", last),
        ],
        "auth-jwt-bearer": [(3, "PriorityUpdate", f"%%4 high%%4{priority}", 0)],
        "xslt-slim-payload": [(3, "PriorityUpdate", "%%3 normal%%3%%5 very high%%5", 0)],
        "ui-note-with-acknowledge-checkbox": [
            (4, "AddNote", "%%Note", last),
            (4, "TicketDynamicFieldUpdate", "%%FieldName%%EscalationAcknowledged%%Value%%1%%OldValue%%0", 0),
        ],
        "ui-merge-by-anna": [
            (3, "AddNote", "%%Note", last),
            (3, "Merged", "%%2026112110000088%%9%%2026112110000061%%7", 0),
            (3, "TicketLinkAdd", "%%2026112110000061%%7%%9", 0),
            (3, "StateUpdate", "%%new%%merged%%", 0),
            (3, "SetPendingTime", "%%00-00-00 00:00", 0),
            (3, "Unlock", "%%unlock", 0),
        ],
    }.get(case, [])
