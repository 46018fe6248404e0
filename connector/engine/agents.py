"""Who stands behind an agent's id, where the helpdesk lists no agents (Znuny): kept from whatever names them.

Znuny's webhooks name a ticket's owner, responsible and creator in full; a history names logins, a form's note a name.
Each process comes across a part of that, and an act alone tells no more than an id: so it is kept for all of them.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from ..core.ticket import Actor, Person, Reading, Role
from .keys import PREFIX
from .records import NotOurs, encode

AGENTS = f"{PREFIX}agents"
UNNAMED = f"{PREFIX}agents:unnamed"
_person = msgspec.json.Decoder(Person)


@dataclass(frozen=True)
class Agents:
    """Every call may raise redis.RedisError."""

    redis: Any

    def learn(self, people: Collection[Person], *, sure: bool = False) -> None:
        """Takes in what was seen of them. `sure`: the helpdesk itself gave the name, which replaces an older one."""
        seen = [_storable(person) for person in people if person.id and (person.login or person.name)]
        if not seen:
            return
        known = self.of([person.id for person in seen])
        merged = {person.id: _merged(known.get(person.id), person, sure) for person in seen}
        news = {id: encode(person) for id, person in merged.items() if person != known.get(id)}
        if news:
            self.redis.hset(AGENTS, mapping=news)
            self.redis.srem(UNNAMED, *news)

    def of(self, ids: Iterable[str]) -> Mapping[str, Person]:
        """Those of them who were named somewhere."""
        asked = sorted(set(ids))
        found = self.redis.hmget(AGENTS, asked) if asked else ()
        return {id: person for id, raw in zip(asked, found, strict=True) if (person := _readable(raw)) is not None}

    def meet(self, reading: Reading) -> Mapping[str, Person]:
        """Takes in whom a reading names, and tells of those whom it doesn't; who nobody has named yet is noted."""
        self.learn(reading.people)
        unnamed = _unnamed(reading)
        if not unnamed:
            return {}
        known = self.of(unnamed)
        nobody = [id for id, login in unnamed.items() if not login and id not in known]
        if nobody:
            self.redis.sadd(UNNAMED, *nobody)
        return known

    def unnamed(self) -> list[str]:
        """Ids of agents who have done something on a ticket, and of whom nothing has told more."""
        return sorted((raw.decode() for raw in self.redis.smembers(UNNAMED)), key=lambda id: (len(id), id))


def _unnamed(reading: Reading) -> dict[str, str]:
    """Logins, as far as they are known, of people without a name of their own, by id."""
    found: list[Actor | Person] = [change.by for change in reading.changes if change.by.role is Role.PERSON]
    found += [owner for owner in (reading.ticket.owner, *(change.owner for change in reading.changes)) if owner]
    return {one.id: one.login for one in found if one.id and (not one.login or one.name == one.login)}


def _storable(person: Person) -> Person:
    """Half a character in a name must not keep its ticket from being read."""
    whole = (text.encode("utf-8", "replace").decode() for text in (person.login, person.name, person.email))
    return Person(person.id, *whole)


def _merged(old: Person | None, new: Person, sure: bool) -> Person:
    if old is None:
        return new
    named = bool(new.name) and new.name != new.login
    name = new.name if named and (sure or old.name in ("", old.login)) else old.name or new.name
    return replace(old, login=new.login or old.login, name=name, email=new.email or old.email)


def _readable(raw: bytes | None) -> Person | None:
    try:
        return _person.decode(raw) if raw is not None else None
    except NotOurs:
        return None
