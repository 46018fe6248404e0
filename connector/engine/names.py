"""People's names as the config knows them, where the helpdesk tells no more than a login (Znuny). Pure."""

from dataclasses import replace

from ..core.audience import Directory
from ..core.ticket import Actor, Change, Person, Reading


def with_names(reading: Reading, people: Directory) -> Reading:
    """The same reading; whoever is only known by login has the name of the contact with that login."""
    ticket = reading.ticket
    owner = _owner(ticket.owner, people)
    return replace(
        reading,
        ticket=ticket if owner is ticket.owner else replace(ticket, owner=owner),
        changes=tuple(_change(change, people) for change in reading.changes),
    )


def _change(change: Change, people: Directory) -> Change:
    by, owner = _actor(change.by, people), _owner(change.owner, people)
    return change if by is change.by and owner is change.owner else replace(change, by=by, owner=owner)


def _actor(actor: Actor, people: Directory) -> Actor:
    name = _better(actor.login, actor.name, people)
    return replace(actor, name=name) if name else actor


def _owner(owner: Person | None, people: Directory) -> Person | None:
    name = _better(owner.login, owner.name, people) if owner is not None else ""
    return replace(owner, name=name) if owner is not None and name else owner


def _better(login: str, name: str, people: Directory) -> str:
    contact = people.by_login(login) if login and name in ("", login) else None
    return contact.name if contact is not None else ""
