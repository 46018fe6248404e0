"""A probe in Znuny: a ticket for nobody, made and closed over the web service.

Znuny's web service lists neither queues nor priorities, so a probe goes where the newest tickets are. `root@localhost`
is the address that Znuny takes without being anybody's (CheckEmailValidAddress in its own settings). The article is
internal and NoAgentNotify; the type of automatic answer that TicketCreate insists on is the one that no queue sends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from requests.auth import AuthBase

from connector.errors import HelpdeskAway, HelpdeskRefused
from connector.helpdesks.znuny import Options
from connector.helpdesks.znuny.adapter import STATUS
from connector.helpdesks.znuny.client import Client
from connector.helpdesks.znuny.notes import written
from connector.helpdesks.znuny.values import ident, words
from connector.ports import Note
from connector.probing import TITLE, WHAT_IT_WAS, Allowed, Place, Silence

NOBODY = "root@localhost"
NEWEST = 50  # tickets
NEW, CLOSED = "new", ("closed successful", "closed unsuccessful")  # Znuny's own names


@dataclass(frozen=True)
class ZnunyProbes:
    """See connector.probing.Probes."""

    client: Client

    def allowed(self) -> Allowed:
        """What may be done only shows when it is done: Znuny tells nobody's rights over its web service."""
        me = self.client.me()
        found = self.client.search(SortBy="Age", OrderBy="Down", Limit=NEWEST)
        rows = self.client.tickets(found) if found else []
        queues = dict.fromkeys(words(row.get("Queue")) for row in rows)
        priorities = sorted({words(row.get("Priority")) for row in rows})
        nothing = "It sees no ticket at all."
        places = [Place(queue, priority) for queue, priority in product(queues, priorities)]
        return Allowed(me.login, places, lacking="" if rows else nothing, told=False)

    def make(self, place: Place) -> str:
        article = {**written(Note(WHAT_IT_WAS)), "AutoResponseType": "auto remove"}
        ticket = {"Title": TITLE, "Queue": place.group, "Priority": place.priority, "State": NEW}
        made = self.client.create(Ticket={**ticket, "CustomerUser": NOBODY}, Article=article)
        ticket_id = ident(made.get("TicketID"))
        if not ticket_id:
            raise HelpdeskAway("Znuny did not say which ticket it made.", maybe_done=True)
        return ticket_id

    def find(self) -> Sequence[str]:
        us = self.client.me().id
        ids = self.client.search(Title=TITLE, StateType=["new", "open"], CreatedUserIDs=[us], Limit=NEWEST)
        rows = self.client.tickets(ids) if ids else []
        return [ident(row.get("TicketID")) for row in rows if ident(row.get("CreateBy")) == us]

    def shown(self, ticket_id: str) -> str:
        fields = self.client.ticket(ticket_id).get("DynamicField") or ()
        return next((words(one.get("Value")) for one in fields if words(one.get("Name")) == STATUS), "")

    def close(self, ticket_id: str) -> None:
        """State names are an administrator's: the second of Znuny's own where the first is gone."""
        article = written(Note(WHAT_IT_WAS))
        try:
            self.client.update(ticket_id, Ticket={"State": CLOSED[0]}, Article=article)
        except HelpdeskRefused:
            self.client.update(ticket_id, Ticket={"State": CLOSED[1]}, Article=article)

    def why_silent(self, silence: Silence, administrator: str | AuthBase) -> tuple[str, str] | None:  # noqa: ARG002
        """Its set-up is seen on its own host alone (`escalator connect --dry-run` there)."""
        return None


def build(options: Mapping[str, Any]) -> ZnunyProbes:
    """For these options, as written or as loaded; makes no call."""
    known: dict[str, Any] = Options().load(options)
    patience = {"connect_timeout": known["connect_timeout"], "timeout": known["timeout"]}
    service = (known["url"], known["webservice"], known["user"], known["password"])
    return ZnunyProbes(Client(*service, ca_file=known["ca_file"], **patience))
