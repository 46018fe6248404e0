"""`python -m tests.bench.crowded_helpdesk TICKETS`: a sandbox Zammad full of open tickets, in a process of its own.

First line out: its URL, our token and the tickets' ids. Then a line in, and a line out: `sla` saves an SLA, `move`
gives the customer another organization, `calls` counts the calls since the last time; else it is a new ticket's title.
"""

import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any

from connector.sandbox.zammad import SandboxZammad
from connector.sandbox.zammad.render import payload

from .helpdesk import tell


class Articles(dict[int, dict[str, Any]]):
    """The sandbox looks through all of them for those of a ticket; here they are kept by ticket, and none moves."""

    def __init__(self) -> None:
        super().__init__()
        self.by_ticket: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)

    def __setitem__(self, id: int, row: dict[str, Any]) -> None:
        super().__setitem__(id, row)
        self.by_ticket[row["ticket_id"]].append(row)


def main() -> None:
    with SandboxZammad() as sandbox:
        # it would let a millisecond pass for each stamp, and so run ahead of us by a minute
        sandbox.desk.now = lambda: datetime.now(UTC)  # type: ignore[method-assign]
        sandbox.desk.articles = articles = Articles()
        sandbox.desk.articles_of = lambda id: articles.by_ticket[id]  # type: ignore[method-assign]
        caller = sandbox.caller(sandbox.cathy)
        old = {"title": "An old matter", "group": "Network", "article": {"body": "Please help.", "type": "note"}}
        ids = [str(sandbox.operations.create(caller, dict(old))["id"]) for _ in range(int(sys.argv[1]))]
        tell({"url": sandbox.url, "token": sandbox.api_user.token, "ids": ids})
        for line in sys.stdin:
            tell(answer(sandbox, line.strip()))


def answer(sandbox: SandboxZammad, line: str) -> Any:
    if line == "sla":
        sandbox.save_sla(minutes=60)
        return "saved"
    if line == "move":
        sandbox.move_customer(sandbox.cathy, "Moved Ltd")
        return "moved"
    if line == "calls":
        counted = calls(sandbox)
        sandbox.faults.forget_requests()
        return counted
    row = sandbox.create_ticket(line, by=sandbox.alice, priority="3 high", group="Network")
    with sandbox.desk.lock:
        ticket = sandbox.desk.ticket(row["id"])
        body = payload(sandbox.desk, ticket, sandbox.desk.articles_of(row["id"])[0]).decode()
    return {"id": str(row["id"]), "body": body}


def calls(sandbox: SandboxZammad) -> dict[str, int]:
    """By kind: searches, readings (their histories), and the rest; and how many there were at a time at most."""
    counted: Counter[str] = Counter()
    for request, times in dict(sandbox.faults.requests).items():
        kind = "searches" if "/tickets/search" in request else "readings" if "/ticket_history/" in request else "others"
        counted[kind] += times
    return {**counted, "most_at_once": sandbox.faults.most_at_once}


if __name__ == "__main__":
    main()
