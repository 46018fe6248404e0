"""People's names where the helpdesk tells no more than a login or an id (Znuny): the config's, or those seen. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from ..core.audience import Directory
from ..core.ticket import Actor, Change, Person, Reading, Role


def with_names(reading: Reading, people: Directory, seen: Mapping[str, Person] | None = None) -> Reading:
    """The same reading; whoever is only known by login has the name of the contact with that login, else as `seen`.

    `seen`: agents by id, for those whom the reading tells no login or no name of.
    """
    known = seen or {}
    ticket = reading.ticket
    owner = _owner(ticket.owner, people, known)
    return replace(
        reading,
        ticket=ticket if owner is ticket.owner else replace(ticket, owner=owner),
        changes=tuple(_change(change, people, known) for change in reading.changes),
    )


def _change(change: Change, people: Directory, seen: Mapping[str, Person]) -> Change:
    by, owner = _actor(change.by, people, seen), _owner(change.owner, people, seen)
    return change if by is change.by and owner is change.owner else replace(change, by=by, owner=owner)


def _actor(actor: Actor, people: Directory, seen: Mapping[str, Person]) -> Actor:
    known = seen.get(actor.id) if actor.role is Role.PERSON else None
    login, name = _better(actor.login, actor.name, known, people)
    return actor if (login, name) == (actor.login, actor.name) else replace(actor, login=login, name=name)


def _owner(owner: Person | None, people: Directory, seen: Mapping[str, Person]) -> Person | None:
    if owner is None:
        return None
    login, name = _better(owner.login, owner.name, seen.get(owner.id), people)
    return owner if (login, name) == (owner.login, owner.name) else replace(owner, login=login, name=name)


def _better(login: str, name: str, known: Person | None, people: Directory) -> tuple[str, str]:
    """Login and name: a name of the helpdesk's own stays, one that was made up for want of a login doesn't."""
    if login and name not in ("", login):
        return login, name
    login = login or (known.login if known is not None else "")
    contact = people.by_login(login) if login else None
    if contact is not None:
        return login, contact.name
    return login, (known.name or known.login if known is not None else "") or name
