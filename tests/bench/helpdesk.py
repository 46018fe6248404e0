"""`python -m tests.bench.helpdesk`: a sandbox Zammad in a process of its own, so that it shares no lock with anybody.

First line out: its URL and our token. Then a title in, and out the ticket's id and the webhook body that tells of it;
nothing is delivered by itself.
"""

import json
import sys

from connector.sandbox.zammad import SandboxZammad
from connector.sandbox.zammad.render import payload


def main() -> None:
    with SandboxZammad() as sandbox:
        tell({"url": sandbox.url, "token": sandbox.api_user.token})
        for title in sys.stdin:
            row = sandbox.create_ticket(title.strip(), priority="3 high", group="Network")
            with sandbox.desk.lock:
                ticket = sandbox.desk.ticket(row["id"])
                article = sandbox.desk.articles_of(row["id"])[0]
                body = payload(sandbox.desk, ticket, article).decode()
            tell({"id": str(row["id"]), "body": body})


def tell(fact: object) -> None:
    sys.stdout.write(json.dumps(fact) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
