"""Where the helpdesk tells only a login, notes name people as the config does."""

from dataclasses import replace

from connector.core.ticket import Actor, Kind, Person, Reading, Role
from connector.engine.names import with_names

from ..core.builders import BY_BEN, DANA, PEOPLE, T0, Desk, at

ONLY_A_LOGIN = Actor(Role.PERSON, DANA.id, DANA.login, DANA.login)


def reading(by: Actor, owner: Person) -> Reading:
    desk = Desk()
    desk.marks(at(1), by, Kind.LOCK)
    desk.owned(at(1), by, owner, with_lock=True)
    return Reading(desk.ticket, tuple(desk.changes), T0)


def test_who_is_known_by_login_alone_is_called_as_the_contact_is() -> None:
    seen = with_names(reading(ONLY_A_LOGIN, replace(DANA, name=DANA.login)), PEOPLE)
    assert [change.by.name for change in seen.changes] == ["Dana", "Dana"]
    assert [seen.changes[1].owner, seen.ticket.owner] == [DANA, DANA]


def test_a_name_that_the_helpdesk_tells_stays() -> None:
    told = reading(replace(ONLY_A_LOGIN, name="Dana from the helpdesk"), replace(DANA, name="D. Reyes"))
    assert with_names(told, PEOPLE) == told


def test_somebody_whom_the_config_does_not_list_stays_as_they_are() -> None:
    told = reading(BY_BEN, Person("", "", ""))
    assert with_names(told, PEOPLE) == told
