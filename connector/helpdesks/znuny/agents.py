"""Which agent stands behind an id.

Znuny's web service lists no agents. It tells an agent's login beside the id where somebody owns a ticket (the ticket
itself, `OwnerUpdate` and `ResponsibleUpdate` lines), and a name where an agent has written a note (From) or watches a
ticket (`Subscribe`). Whoever is still unknown is looked for: a ticket that they own or are responsible for, or one that
they made or watch, whose history then names them. A From never tells a login: through the web service it is free text.
Webhooks say more (webhook.py), and the engine keeps what all of them have told.
"""

import re
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from connector.core.ticket import Person
from connector.errors import PermissionLost
from connector.helpdesks.znuny.articles import MAIL
from connector.helpdesks.znuny.client import Client
from connector.helpdesks.znuny.lookup import Lookup
from connector.helpdesks.znuny.values import SYSTEM, ident, parts, words

#: Seconds until somebody who could not be found is looked for again.
LOOK_AGAIN = 600.0

_FROM = re.compile(r'^"?(?P<name>[^"<>]*?)"?\s*(?:<(?P<email>[^<>\s]+)>)?$')


class Agents:
    """The agents seen so far; it forgets nothing, a login behind an id hardly ever changes.

    Thread-safe: who needs an agent that is being looked for waits for the answer. A robot is listed by its login, and
    what it did counts as a person's for good once it was taken in without one.
    """

    def __init__(self, client: Client, logins: Mapping[str, str] | None = None) -> None:
        """`logins`: those that the config tells, by id."""
        self._client = client
        self._lookup = Lookup(LOOK_AGAIN)
        self._lock = threading.Lock()  # never held over a call
        self._known = {one: Person(one, login, "") for one, login in (logins or {}).items()}

    def seen(self, ticket: Mapping[str, Any], history: Iterable[Mapping[str, Any]]) -> None:
        """Learns from a ticket and its history as the web service answers them."""
        for line in history:
            if line.get("HistoryType") in ("OwnerUpdate", "ResponsibleUpdate"):
                values = parts(words(line.get("Name")))
                if len(values) >= 2:
                    self._learn(ident(values[-1]), login=values[0])
            elif line.get("HistoryType") == "Subscribe":  # by themselves, unless a process did it in their name
                self._learn(ident(line.get("CreateBy")), name=parts(words(line.get("Name")))[-1])
        self._learn(ident(ticket.get("OwnerID")), login=words(ticket.get("Owner")))
        self._learn(ident(ticket.get("ResponsibleID")), login=words(ticket.get("Responsible")))
        for article in ticket.get("Article") or ():
            # an agent's mail to a customer comes from the queue's address and says its name
            by_hand = article.get("SenderType") == "agent" and ident(article.get("CommunicationChannelID")) != MAIL
            if by_hand and (found := _FROM.match(words(article.get("From")).strip())):
                self._learn(ident(article.get("CreateBy")), name=found["name"], email=found["email"] or "")

    def people(self, ids: Iterable[str]) -> Mapping[str, Person]:
        """These agents; those not known by login yet are looked for once in a while.

        Raises HelpdeskError where a search fails; then the next reading looks again.
        """
        wanted = [one for one in ids if one]
        self._lookup.find(wanted, self._is_known, self._look)
        with self._lock:
            return {one: named(one, self._known.get(one)) for one in wanted}

    def named(self, ids: Iterable[str]) -> tuple[Person, ...]:
        """Those of these agents of whom more than the id was seen."""
        with self._lock:
            found = (self._known.get(one) for one in ids)
            return tuple(person for person in found if person is not None and (person.login or person.name))

    def id_of(self, login: str) -> str:
        """The id of the agent with this login; "" while nobody has been seen with it."""
        with self._lock:
            return next((p.id for p in self._known.values() if p.login.lower() == login.lower()), "")

    def _get(self, one: str) -> Person:
        with self._lock:
            return self._known.get(one, Person(one, "", ""))

    def _learn(self, one: str, login: str = "", name: str = "", email: str = "") -> None:
        if not one or one == SYSTEM:
            return
        with self._lock:
            known = self._known.get(one, Person(one, "", ""))
            # a name with its address was written by Znuny's own forms; one alone may be anything
            better = name if name and (email or not known.name) else known.name
            self._known[one] = replace(known, login=login or known.login, name=better, email=email or known.email)

    def _is_known(self, one: str) -> bool:
        return one == SYSTEM or bool(self._get(one).login)

    def _look(self, one: str) -> None:
        for criteria, by_ticket in (
            ({"OwnerIDs": [one]}, True),
            ({"ResponsibleIDs": [one]}, True),
            ({"CreatedUserIDs": [one]}, False),
            ({"WatchUserIDs": [one]}, False),
        ):
            for found in self._client.search(**criteria, Limit=1):
                with suppress(PermissionLost):  # it went away in between
                    if by_ticket:
                        self.seen(self._client.ticket(found), ())
                    else:
                        self.seen({}, self._client.history(found))
            if self._get(one).login:
                return


def named(one: str, known: Person | None) -> Person:
    """A person with something to call them by, even if only the id is known."""
    person = known or Person(one, "", "")
    return person if person.name else replace(person, name=person.login or f"agent {one}")
