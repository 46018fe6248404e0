"""A probe in Zammad: a ticket of our own user's, from our own user, that mails nobody.

Its first article is an internal note by sender System, and so is the one that closes it: neither notifies anybody by
itself. Zammad may tell agents with full access that a ticket which nobody owns was closed, if they want to hear that.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from requests.auth import AuthBase

from connector.errors import HelpdeskError, HelpdeskRefused
from connector.helpdesks.zammad import Options, attributes, silence
from connector.helpdesks.zammad.adapter import TAGS, understood
from connector.helpdesks.zammad.client import Client
from connector.ports import Note
from connector.probing import TITLE, WHAT_IT_WAS, Allowed, Place, Silence

from .notes import article

NEEDED = ("read", "create", "change")
SEARCHED = 50  # probes; more than one open one is rare


@dataclass(frozen=True)
class ZammadProbes:
    """See connector.probing.Probes. `options` are those under `helpdesk` in the config."""

    client: Client
    options: Mapping[str, Any]

    def allowed(self) -> Allowed:
        with understood():
            me = self._me()
            groups: Mapping[str, list[str]] = me.get("groups") or {}
            priorities = [str(row["name"]) for row in self.client.get("/ticket_priorities") if row.get("active", True)]
            lacking = {name: missing for name, rights in sorted(groups.items()) if (missing := _lacks(rights))}
            login = str(me["login"])
        whole = [name for name in sorted(groups) if name not in lacking]
        said = "; ".join(f"{' and '.join(missing)} in {name}" for name, missing in lacking.items())
        return Allowed(
            login,
            [Place(group, priority) for group, priority in product(whole, priorities)],
            lacking=f"Rights are missing: {said}." if said else "" if groups else "It may see no group at all.",
            too_much=self._too_much(groups),
            tags=True,
        )

    def _too_much(self, groups: Mapping[str, list[str]]) -> str:
        try:
            self.client.get("/webhooks")
        except HelpdeskError:
            full = [name for name, rights in sorted(groups.items()) if "full" in rights]
            words = "is more than needed, and makes Zammad notify this user"
            return f"Full access in {', '.join(full)} {words}." if full else ""
        return "Its token has an administrator's rights, which Escalator doesn't need."

    def make(self, place: Place) -> str:
        body = {
            "title": TITLE,
            "group": place.group,
            "priority": place.priority,
            "customer_id": self._me()["id"],
            "article": _note(),
            **({"tags": place.tag} if place.tag else {}),
        }
        row = self.client.write("POST", "/tickets", body)
        with understood(maybe_done=True):
            return str(row["id"])

    def find(self) -> Sequence[str]:
        condition = {"ticket.title": {"operator": "contains", "value": TITLE}}
        asked = {"query": "", "condition": condition, "sort_by": "created_at", "order_by": "desc"}
        rows = self.client.search("/tickets/search", {**asked, "page": 1, "per_page": SEARCHED, "expand": True})
        with understood():
            us, ended = self._me()["id"], set(self._ended())
            return [str(row["id"]) for row in rows if row["created_by_id"] == us and row.get("state") not in ended]

    def shown(self, ticket_id: str) -> str:
        answer = self.client.get("/tags", {"object": "Ticket", "o_id": int(ticket_id)})
        row = self.client.get(f"/tickets/{int(ticket_id)}")
        with understood():
            lacking = attributes.missing(row)
            if lacking:
                how = "`escalator connect --with-fields` makes it."
                raise HelpdeskRefused(f"Zammad has one of Escalator's two attributes, and no {lacking[0]}: {how}")
            return next((status for status, tag in TAGS.items() if tag in answer["tags"]), "")

    def close(self, ticket_id: str) -> None:
        with understood():
            state = next(self._ended(), None)
        if state is None:
            raise HelpdeskRefused("Zammad has no active state of the type closed.")
        self.client.write("PUT", f"/tickets/{int(ticket_id)}", {"state": state, "article": _note()})

    def why_silent(self, silent: Silence, administrator: str | AuthBase) -> tuple[str, str] | None:
        admin = Client(self.options["url"], administrator, ca_file=self.options["ca_file"])
        logs = admin.get("/http_logs/webhook", {"limit": "200"})
        with understood():
            return silence.why(silent, admin.get("/webhooks"), admin.get("/triggers"), logs)

    def _me(self) -> Mapping[str, Any]:
        me: Mapping[str, Any] = self.client.get("/users/me", {"expand": "true"})
        return me

    def _ended(self) -> Iterator[str]:
        """Names of states in which a ticket is closed, Zammad's own first."""
        rows = self.client.get("/ticket_states", {"expand": "true"})
        yield from (str(row["name"]) for row in rows if row.get("state_type") == "closed" and row.get("active", True))


def _note() -> dict[str, Any]:
    """The article, for a ticket that is made or saved with it."""
    whole = article("0", Note(WHAT_IT_WAS), proof_seen=False)
    return {key: value for key, value in whole.items() if key != "ticket_id"}


def _lacks(rights: Sequence[str]) -> list[str]:
    return [] if "full" in rights else [right for right in NEEDED if right not in rights]


def build(options: Mapping[str, Any]) -> ZammadProbes:
    """For these options, as written or as loaded; makes no call."""
    known: dict[str, Any] = Options().load(options)
    client = Client(
        known["url"].rstrip("/"),
        known["token"],
        ca_file=known["ca_file"],
        connect_timeout=known["connect_timeout"],
        timeout=known["timeout"],
    )
    return ZammadProbes(client, known)
