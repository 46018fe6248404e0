"""The ticket as every helpdesk adapter describes it, and what its history says people did.

The helpdesk's own words stop at its adapter: from here on there are persons, phases and changes. Times are aware UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class Role(StrEnum):
    """Whose hand did it. Only a PERSON can acknowledge."""

    PERSON = "person"  # an agent by the helpdesk's own rights, who isn't this ticket's customer
    CUSTOMER = "customer"
    SYSTEM = "system"  # the helpdesk itself: triggers, jobs, mail import
    ROBOT = "robot"  # a login listed in helpdesk.robots
    US = "us"  # Escalator's own API user


class Phase(StrEnum):
    """The ticket's state by its meaning; state names are free text in both helpdesks."""

    OPEN = "open"  # new and open alike
    PENDING = "pending"  # until a time, then somebody is reminded
    PENDING_CLOSE = "pending close"  # until a time, then the helpdesk closes it by itself
    CLOSED = "closed"
    MERGED = "merged"

    @property
    def ended(self) -> bool:
        return self in (Phase.CLOSED, Phase.MERGED)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account in the helpdesk. `id` is the helpdesk's id as text."""

    id: str
    login: str
    name: str
    email: str = ""
    mobile: str = ""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who made a change, as the helpdesk itself recorded it (never From, sender or 'last changed by')."""

    role: Role
    id: str
    login: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What rules can ask of a ticket: the matched fields."""

    priority: str = ""
    group: str = ""
    title: str = ""
    organization: str = ""
    vip: bool = False
    tags: frozenset[str] = frozenset()
    fields: tuple[tuple[str, str], ...] = ()  # custom attributes / dynamic fields, sorted by name

    def field(self, name: str) -> str:
        return dict(self.fields).get(name, "")


@dataclass(frozen=True, slots=True)
class Ticket:
    """One reading of a ticket.

    `owner` is None when nobody owns it: no owner at all, a robot, Escalator itself, the helpdesk's user 1, and in
    Znuny an owner whom only the creation set while the ticket is unlocked.

    `mark` stands for all of it that a search shows and that can matter, but its organization and tags: a search row
    with the same mark tells nothing new, however late its `updated_at` ("" where the helpdesk can't tell). Times are
    as the helpdesk's clock has them; `updated_at` always stays so, since rows and hints are compared with it.
    """

    id: str  # the helpdesk's internal id, digits
    number: str  # what people call it
    url: str  # where an agent opens it
    facts: Facts
    state: str  # the helpdesk's own name
    phase: Phase
    created_at: datetime
    updated_at: datetime
    owner: Person | None = None
    customer: str = ""  # login of the ticket's customer
    locked: bool = False
    pending_until: datetime | None = None
    merged_into: str | None = None  # id of the ticket this one was merged into
    mark: str = ""

    @property
    def title(self) -> str:
        return self.facts.title


class Kind(StrEnum):
    """What a change is about."""

    OWNER = "owner"
    LOCK = "lock"
    UNLOCK = "unlock"
    PRIORITY = "priority"
    GROUP = "group"
    TITLE = "title"
    ORGANIZATION = "organization"
    TAG = "tag"
    FIELD = "field"
    STATE = "state"
    ARTICLE = "article"
    MERGED = "merged"  # this ticket went into another one
    ACKNOWLEDGED = "acknowledged"  # the helpdesk's own "Acknowledge escalation" (Znuny's menu entry)


#: Kinds that can change which plan applies.
MATCHED = frozenset({Kind.PRIORITY, Kind.GROUP, Kind.TITLE, Kind.ORGANIZATION, Kind.TAG, Kind.FIELD})


@dataclass(frozen=True, slots=True)
class Article:
    """What is said about an article; its body stays in the helpdesk, but for the first line of an internal note."""

    id: str
    public: bool
    reply: bool = False  # a communication to the customer (mail, phone, SMS, chat ...); a note is none
    by_mail: bool = False  # came in through the mail gateway: From can be forged, so it proves nobody
    automatic: bool = False  # marked as an automatic reply (out of office)
    first_line: str = ""  # plain text, at most 200 characters; internal notes only


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the ticket's history, in the helpdesk's own order.

    `id` names the entry and never changes; `before` and `after` are the values as shown to people (owner: logins).
    `stamped` is the time that the helpdesk's clock wrote, where `at` was put right since.
    """

    id: str
    at: datetime
    by: Actor
    kind: Kind
    before: str = ""
    after: str = ""
    at_creation: bool = False  # set while the ticket was being made: never an acknowledgement
    owner: Person | None = None  # OWNER: who owns it now; None: nobody (see Ticket.owner)
    with_lock: bool = False  # OWNER: only the companion of a lock taken in the same act (Znuny)
    phase_before: Phase | None = None  # STATE
    phase: Phase | None = None  # STATE
    until: datetime | None = None  # STATE to pending: until when
    raised: bool = False  # PRIORITY: more urgent than before
    field: str = ""  # FIELD: its name; before and after are its values. TAG: before or after is the tag
    article: Article | None = None  # ARTICLE
    target: str = ""  # MERGED: id of the ticket it went into
    stamped: datetime | None = None

    @property
    def written_at(self) -> datetime:
        """Its time by the helpdesk's clock: what is compared to know whether it has been seen."""
        return self.stamped or self.at


@dataclass(frozen=True, slots=True)
class Reading:
    """A ticket with its whole history, oldest first, as read at one moment of our clock.

    `skew` is by how much the helpdesk's clock is ahead of ours (negative: behind), at the least; None: not known.
    `people` are those whom it names by id, with what it tells of them, where the helpdesk has no list to look them up.
    Not `whole`: it names something that it doesn't show yet, and should be read again soon.
    """

    ticket: Ticket
    changes: tuple[Change, ...]
    read_at: datetime
    skew: timedelta | None = None
    people: tuple[Person, ...] = ()
    whole: bool = True


def facts_with(facts: Facts, kind: Kind, field: str, before: str, after: str) -> Facts:
    """`facts` after a change of a matched field from `before` to `after`; swap the two to undo it."""
    if kind is Kind.TAG:
        return replace(facts, tags=(facts.tags - {before}) | ({after} if after else frozenset()))
    if kind is Kind.FIELD:
        values: Mapping[str, str] = {**dict(facts.fields), field: after}
        return replace(facts, fields=tuple(sorted((name, value) for name, value in values.items() if value)))
    if kind is Kind.PRIORITY:
        return replace(facts, priority=after)
    if kind is Kind.GROUP:
        return replace(facts, group=after)
    if kind is Kind.TITLE:
        return replace(facts, title=after)
    return replace(facts, organization=after) if kind is Kind.ORGANIZATION else facts


def facts_at_creation(reading: Reading) -> Facts:
    """The matched fields as they were when the ticket was made: today's, with every change undone, newest first."""
    facts = reading.ticket.facts
    for change in reversed(reading.changes):
        if change.kind in MATCHED:
            facts = facts_with(facts, change.kind, change.field, change.after, change.before)
    return facts
