"""Whom a step reaches, by which ways: pure, from the step, the ticket's owner and what the config says today."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from .contact import Contact, key_of_login, login_in_key
from .plan import OWNER, UNASSIGNED, Plan
from .ticket import Person


@dataclass(frozen=True)
class Directory:
    """The people and channels of this moment.

    shared: channels that send one message a step, naming everybody.
    quiet: channels whose message an all-clear replaces.
    calls: channels that ring, so that a call can be hung up.
    texts: channels that text a phone.
    """

    contacts: Mapping[str, Contact] = field(default_factory=dict)
    shared: frozenset[str] = frozenset()
    quiet: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()

    def with_person(self, contact: Contact) -> "Directory":
        """The same with somebody known only from the helpdesk."""
        return replace(self, contacts={**self.contacts, contact.key: contact})

    def by_login(self, login: str) -> Contact | None:
        wanted = login.casefold()
        return next((c for c in self.contacts.values() if wanted and c.login.casefold() == wanted), None)


def owner_as_contact(owner: Person, people: Directory) -> Contact:
    """The contact with the owner's login, else the owner as the helpdesk describes them."""
    known = people.by_login(owner.login)
    if known is not None:
        return known
    return Contact(key=key_of_login(owner.login), name=owner.name, login=owner.login, email=owner.email)


def audience(
    notify: Iterable[str], plan: Plan, owner: Person | None, people: Directory, first: str = ""
) -> tuple[Contact, ...]:
    """The contacts behind the words of `notify`, each once, `first` (a contact key or `login:<login>`) leading.

    While nobody owns the ticket the plan's `unassigned` people stand in for the owner. A name that has left the
    config is passed over.
    """
    stand_ins = [people.contacts[key] for key in plan.unassigned if key in people.contacts]
    leading = _known(first, owner, people)
    found: list[Contact] = [leading] if leading is not None else []
    for word in notify:
        if word == OWNER:
            found += [owner_as_contact(owner, people)] if owner is not None else stand_ins
        elif word == UNASSIGNED:
            found += stand_ins
        elif word in people.contacts:
            found.append(people.contacts[word])
    return tuple({contact.key: contact for contact in found}.values())


def _known(key: str, owner: Person | None, people: Directory) -> Contact | None:
    """The contact behind a key or `login:<login>`; somebody known only from the helpdesk if they own the ticket."""
    if key in people.contacts:
        return people.contacts[key]
    login = login_in_key(key)
    if owner is not None and login and login.casefold() == owner.login.casefold():
        return owner_as_contact(owner, people)
    return people.by_login(login)
