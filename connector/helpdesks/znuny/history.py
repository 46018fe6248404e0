"""A ticket's history as changes. Pure.

History lines have no id of their own, and a merge moves foreign ones in between; a change's id is therefore made of
what its line says. Lines: `CreateTime`, `CreateBy`, `HistoryType` and a `Name` of values joined by `%%` (Znuny 6.5,
Kernel/System/Ticket.pm, as captured in tests/helpdesks/znuny).
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connector.core.ticket import Actor, Change, Kind, Person, Phase, Role
from connector.helpdesks.znuny.acts import NOISE, ONE_ACT, Acts, Line, acts_of
from connector.helpdesks.znuny.agents import named
from connector.helpdesks.znuny.articles import NO_ARTICLE, article_of, came_by_merge, is_customers
from connector.helpdesks.znuny.values import SYSTEM, ident, moment, phase_of

#: Fields that only Escalator writes; a change of them is nobody's work.
OUR_FIELDS = frozenset({"EscalationStatus", "EscalationPlan", "EscalationStep"})
ACKNOWLEDGED = "EscalationAcknowledged"

_PENDING = (Phase.PENDING, Phase.PENDING_CLOSE)


@dataclass(frozen=True, slots=True)
class Scene:
    """What has to be known beside the lines: who is who, and which state means what."""

    ticket_id: str
    zone: ZoneInfo
    us: str  # our own agent id
    customer: str = ""  # login of the ticket's customer
    people: Mapping[str, Person] = field(default_factory=dict)  # by agent id
    robots: frozenset[str] = frozenset()  # logins in lower case, or agent ids
    state_types: Mapping[str, str] = field(default_factory=dict)  # state name -> state type
    awaited: frozenset[str] = frozenset()  # articles not shown yet: nothing is said of them until they are

    def person(self, one: str, login: str = "") -> Person:
        person = named(one, self.people.get(one))
        return person if person.login or not login else replace(person, login=login)

    def is_robot(self, one: str, login: str) -> bool:
        return one in self.robots or login.lower() in self.robots

    def owner(self, one: str, login: str, given: bool) -> Person | None:
        """The owner as people mean it. `given`: somebody gave or took it, or the ticket is locked."""
        person = self.person(one, login)
        if one in ("", SYSTEM, self.us) or self.is_robot(one, person.login) or not given:
            return None
        return person


@dataclass(frozen=True, slots=True)
class Told:
    """A history, read: its changes, and whether the owner at its end has been given or taken since the creation.

    `owner`: the same one as people mean it. `earlier`: each owner before, by id, and when that ended.
    """

    changes: tuple[Change, ...]
    owner_id: str
    owner_given: bool
    owner: Person | None
    earlier: tuple[tuple[str, datetime], ...]


def told_by(lines: Sequence[Line], articles: Mapping[str, Mapping[str, Any]], scene: Scene) -> Told:
    """What the history says. `articles`: the ticket's articles by id, as the web service answers them."""
    story = _Story(lines, articles, scene, acts_of(lines))
    changes = tuple(story.changes())
    return Told(changes, story.owner_id, story.owner_given, story.owner(), tuple(story.earlier))


def states_named(lines: Sequence[Line]) -> frozenset[str]:
    """Every state name in the history, so that their types can be asked for."""
    return frozenset(name for line in lines if line.type == "StateUpdate" for name in line.values[:2] if name)


class _Story:
    """One walk along the lines, keeping what each of them changes."""

    def __init__(
        self, lines: Sequence[Line], articles: Mapping[str, Mapping[str, Any]], scene: Scene, acts: Acts
    ) -> None:
        self.lines, self.articles, self.scene, self.acts = lines, articles, scene, acts
        born = lines[acts.born] if acts.born is not None else None
        self.owner_id = born.owner_id if born else ""
        self.owner_given = False
        self._owner_login = ""
        self.earlier: list[tuple[str, datetime]] = []
        self._customer_id = ""
        self._state = born.value(3) if born else ""  # %%NUMBER%%QUEUE%%PRIORITY%%STATE%%ID
        self._phase = phase_of(self._state, scene.state_types)
        self._kept: tuple[str, str, bool] | None = None  # the owner before a lock took the ticket along
        self._told: set[str] = set()
        self._place = 0
        self._locked_at_creation = self._ends_locked(acts.at_creation)
        self._merges = [(one.at, one.by) for one in lines if one.type == "Merged"]
        self._customers_moments = [one.at for one in lines if self._said(one) and is_customers(self._said(one))]

    def changes(self) -> Iterator[Change]:
        repeats: Counter[str] = Counter()
        for place, line in enumerate(self.lines):
            change = self._change(place, line)
            said = "|".join((line.at.isoformat(), line.by, line.type, line.name, line.article_id))
            said += self._time_after(place, change)
            repeats[said] += 1
            if change is not None:
                digest = hashlib.sha256(said.encode()).hexdigest()[:20]
                yield replace(change, id=digest if repeats[said] == 1 else f"{digest}#{repeats[said]}")

    def _time_after(self, place: int, change: Change | None) -> str:
        """The line with its time where it follows a pending state: who read the state alone has not read this yet."""
        time = self.acts.until.get(place)
        if change is None or change.until is None or time is None or time < place:
            return ""
        return f"|{self.lines[time].name}"

    def _change(self, place: int, line: Line) -> Change | None:
        base = Change("", line.at, self._actor(line), Kind.TITLE, at_creation=place in self.acts.at_creation)
        if line.article_id and line.article_id not in self._told and line.type not in NO_ARTICLE:
            self._told.add(line.article_id)
            return None if line.article_id in self.scene.awaited else self._article(base, line)
        if line.article_id and self._moved_here(line):
            return None  # a state that was set with an article: the other ticket's
        if line.type in ("Lock", "Unlock"):
            kind = Kind.LOCK if line.type == "Lock" else Kind.UNLOCK
            return None if place in self.acts.for_another else replace(base, kind=kind)
        self._place = place
        reading = _READINGS.get(line.type)
        return reading(self, base, line) if reading else None

    # --- who ---------------------------------------------------------------------------------------------------------

    def _said(self, line: Line) -> Mapping[str, Any]:
        return self.articles.get(line.article_id, {}) if line.article_id and line.by == SYSTEM else {}

    def _actor(self, line: Line) -> Actor:
        scene = self.scene
        if line.by in ("", SYSTEM):
            # a customer's mail or portal form works as user 1, and so does the change of state that goes with it
            near = line.type == "StateUpdate" and any(abs(line.at - at) <= ONE_ACT for at in self._customers_moments)
            if near or is_customers(self._said(line)):
                return Actor(Role.CUSTOMER, scene.customer, scene.customer)
            return Actor(Role.SYSTEM, SYSTEM)
        person = scene.person(line.by)
        role = Role.PERSON
        if line.by == scene.us:
            role = Role.US
        elif scene.is_robot(line.by, person.login):
            role = Role.ROBOT
        elif person.login and person.login.lower() == scene.customer.lower():
            role = Role.CUSTOMER  # an agent's own ticket: agents and customers are separate tables, logins may agree
        return Actor(role, line.by, person.login, person.name)

    # --- what --------------------------------------------------------------------------------------------------------

    def _article(self, base: Change, line: Line) -> Change:
        return replace(
            base,
            kind=Kind.ARTICLE,
            article=article_of(line.article_id, line.type, self.articles.get(line.article_id, {})),
            at_creation=base.at_creation or self._moved_here(line),
        )

    def _moved_here(self, line: Line) -> bool:
        return came_by_merge(self.articles.get(line.article_id, {}), self._merges, self.scene.zone)

    def owner(self) -> Person | None:
        """Who owns it after the lines walked along so far."""
        return self.scene.owner(self.owner_id, self._owner_login, self.owner_given)

    def _owner(self, base: Change, line: Line) -> Change:
        login = line.value(0)
        before = self.owner()
        self.earlier.append((self.owner_id, line.at))
        companion = self._place in self.acts.with_lock
        undone = companion and line.new_owner != line.by and self._kept is not None
        if undone and self._kept is not None:
            self.owner_given = self._kept[2]
        else:
            if companion:
                self._kept = (self.owner_id, self._owner_login, self.owner_given)
            self.owner_given = not base.at_creation or self._locked_at_creation
        self.owner_id, self._owner_login = line.new_owner, login
        after = self.owner()
        return replace(
            base,
            kind=Kind.OWNER,
            before=before.login if before else "",
            after=after.login if after else "",
            owner=after,
            with_lock=companion,
        )

    def _move(self, base: Change, line: Line) -> Change:
        return replace(base, kind=Kind.GROUP, before=line.value(2), after=line.value(0))

    def _priority(self, base: Change, line: Line) -> Change:
        raised = int(ident(line.value(3)) or 0) > int(ident(line.value(1)) or 0)
        return replace(base, kind=Kind.PRIORITY, before=line.value(0), after=line.value(2), raised=raised)

    def _title(self, base: Change, line: Line) -> Change:
        return replace(base, kind=Kind.TITLE, before=line.value(0), after=line.value(1))

    def _customer(self, base: Change, line: Line) -> Change | None:
        """`%%CustomerID=ACME;CustomerUser=carla;`: the customer's organisation goes by its CustomerID."""
        values = dict(pair.partition("=")[::2] for pair in line.name.removeprefix("%%").split(";"))
        before, self._customer_id = self._customer_id, values.get("CustomerID", self._customer_id)
        if before == self._customer_id or base.at_creation:
            return None
        return replace(base, kind=Kind.ORGANIZATION, before=before, after=self._customer_id)

    def _state_line(self, base: Change, line: Line) -> Change | None:
        old, new = line.value(0), line.value(1)
        types = self.scene.state_types
        self._state, self._phase = new, phase_of(new, types)
        if self._open_again(old) and self._mail_awaited(line):
            return None
        time = self.acts.until.get(self._place)
        until = self._until(self.lines[time]) if time is not None and self._phase in _PENDING else None
        return replace(
            base,
            kind=Kind.STATE,
            before=old,
            after=new,
            phase_before=phase_of(old, types),
            phase=self._phase,
            until=until,
        )

    def _open_again(self, old: str) -> bool:
        return phase_of(old, self.scene.state_types).ended and not self._phase.ended

    def _mail_awaited(self, line: Line) -> bool:
        """Whether this goes with an article not shown yet, which may be an automatic reply: that reopens nothing."""
        awaited = (one for one in self.lines if one.article_id in self.scene.awaited)
        return line.by == SYSTEM and any(one.by == SYSTEM and abs(one.at - line.at) <= ONE_ACT for one in awaited)

    def _pending_time(self, base: Change, line: Line) -> Change | None:
        """Only a new time for a ticket that was pending already; otherwise it belongs to a StateUpdate."""
        until = self._until(line)
        if self._place in self.acts.until.values() or until is None or self._phase not in _PENDING:
            return None
        return replace(
            base,
            kind=Kind.STATE,
            before=self._state,
            after=self._state,
            phase_before=self._phase,
            phase=self._phase,
            until=until,
        )

    def _until(self, line: Line) -> datetime | None:
        return moment(line.value(0), self.scene.zone)

    def _field(self, base: Change, line: Line) -> Change | None:
        """`%%FieldName%%NAME%%Value%%NEW%%OldValue%%OLD`."""
        name, _, values = line.name.removeprefix("%%FieldName%%").partition("%%Value%%")
        new, _, old = values.partition("%%OldValue%%")
        if name == ACKNOWLEDGED:
            return replace(base, kind=Kind.ACKNOWLEDGED) if new == "1" else None
        if name in OUR_FIELDS or not line.name.startswith("%%FieldName%%"):
            return None
        return replace(base, kind=Kind.FIELD, field=name, before=old, after=new)

    def _merged(self, base: Change, line: Line) -> Change | None:
        """Both tickets have the line: `%%NUMBER%%ID%%NUMBER%%ID`, from the first into the second."""
        if ident(line.value(1)) != self.scene.ticket_id:
            return None
        return replace(base, kind=Kind.MERGED, target=ident(line.value(3)))

    def _ends_locked(self, places: frozenset[int]) -> bool:
        locks = [self.lines[i].type for i in sorted(places) if self.lines[i].type in ("Lock", "Unlock")]
        return bool(locks) and locks[-1] == "Lock"


_Reading = Callable[[_Story, Change, Line], Change | None]

_READINGS: Mapping[str, _Reading] = {
    "OwnerUpdate": _Story._owner,
    "Move": _Story._move,
    "PriorityUpdate": _Story._priority,
    "TitleUpdate": _Story._title,
    "CustomerUpdate": _Story._customer,
    "StateUpdate": _Story._state_line,
    "SetPendingTime": _Story._pending_time,
    "TicketDynamicFieldUpdate": _Story._field,
    "Merged": _Story._merged,
}


def newest(lines: Sequence[Line]) -> datetime | None:
    """When the ticket itself was last changed, as its history says."""
    return max((line.at for line in lines if line.type not in NOISE), default=None)
