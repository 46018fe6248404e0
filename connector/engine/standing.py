"""How an escalation stands, as the signed data of its notes: enough to go on from when Redis is lost.

    v  version of this form               k  what the note tells          o  when the escalation began
    t  id of the ticket it was written to at when that happened           d  when the timetable goes on by itself
    c  code, l life, n number of the note p  plan, s state, r round, step a  the acknowledgement
    b  digest of the note's data before   i  service.since                w  who was told: [key, channel, when, ...]
    q  history taken in up to then        m  what else isn't as it is by default, by the field's own name

Times are ISO 8601 in UTC. Fields that nobody needs after a restart are left out, and so is what the ticket itself says
(its owner).
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any, get_type_hints

import msgspec

from ..core.audience import Directory
from ..core.case import Case
from ..core.contact import login_in_key
from ..core.escalation import Acknowledgement, Escalation, State, Told
from ..core.events import WriteNote
from ..core.plan import Plan
from ..core.rebuilding import Standing
from ..core.timetable import GOES_ON_WITHIN
from .proofs import digest

VERSION = 2
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
TOLD_AT_MOST = 24  # a note; the notes before it tell of the others
_ELSEWHERE = frozenset(
    ("code", "ticket_id", "life", "plan", "state", "created_at", "due_at", "round", "step", "acknowledged", "sequence")
)
_NOT_NEEDED = frozenset(
    ("updated_at", "owner", "looked_at", "new_owner_at", "clear_up_at", "clear_up_but", "report", "notifications")
)


class Unreadable(Exception):
    """Data that is signed by us but that this version can't go on from."""


def data_of(
    case: Case, command: WriteNote, due_at: datetime | None, before: str, seen: Case, since: datetime | None
) -> dict[str, Any]:
    """What a note's proof says. `seen`: the case whose history had been taken in when this happened.

    `due_at` is given by itself, because a note may leave unsaid what comes next.
    """
    escalation = command.escalation
    parked = tuple(parked for parked in escalation.parked if command.at - parked.at < GOES_ON_WITHIN)
    data = {
        "v": VERSION,
        "t": case.ticket.id,
        "c": escalation.code,
        "l": escalation.life,
        "n": escalation.sequence,
        "b": digest(before),
        "k": command.kind,
        "at": _moment(command.at),
        "p": escalation.plan.name,
        "s": escalation.state.value,
        "r": [escalation.round, escalation.step],
        "o": _moment(escalation.created_at),
        "d": _moment(due_at) if due_at else None,
        "a": _lean(escalation.acknowledged) if escalation.acknowledged else None,
        "w": [_told(told, escalation.plan) for told in escalation.told[-TOLD_AT_MOST:]],
        "i": _moment(since) if since else None,
        "q": seen.seen.until.astimezone(UTC).isoformat() if seen.seen.until else None,
        "m": _more(replace(escalation, parked=parked)),
    }
    return {key: value for key, value in data.items() if value not in (None, [], {}, "")}


class _Told(msgspec.Struct, array_like=True):
    """Somebody who was told. `plan` only where it is another one than the note's."""

    key: str
    channel: str
    at: Moment
    plan: str = ""
    cleared: int = 0


class _Data(msgspec.Struct):
    """The whole data read back, each value of its kind."""

    v: int
    t: Annotated[str, msgspec.Meta(pattern=r"^[0-9]+$")]
    c: str
    l: Annotated[int, msgspec.Meta(ge=1)]  # noqa: E741  # the names are short, as they stand in a note
    n: int
    at: Moment
    p: str
    s: State
    r: tuple[int, int]
    o: Moment
    b: str = ""
    d: Moment | None = None
    a: Acknowledgement | None = None
    w: list[_Told] = []
    i: Moment | None = None
    q: Moment | None = None
    m: dict[str, Any] = {}


def standing_of(data: Mapping[str, Any], proof: str, plans: Mapping[str, Plan], people: Directory) -> Standing:
    """What a proof says; without its escalation where the plan isn't in the config any more. Raises Unreadable."""
    try:
        read = msgspec.convert(data, _Data)
        if read.v != VERSION:
            raise Unreadable
        standing = Standing(
            ticket_id=read.t,
            code=read.c,
            life=read.l,
            number=read.n,
            digest=digest(proof),
            before=read.b,
            proof=proof,
            at=read.at,
            seen_until=read.q,
            since=read.i,
            plan=read.p,
            state=read.s,
        )
        plan = plans.get(read.p)
        return standing if plan is None else replace(standing, escalation=_escalation(read, plan, people))
    except (TypeError, ValueError, AttributeError):  # msgspec's own error is a ValueError
        raise Unreadable from None


def _escalation(read: _Data, plan: Plan, people: Directory) -> Escalation:
    round, step = read.r
    more = {name: msgspec.convert(value, _types[name]) for name, value in read.m.items() if name in _types}
    return Escalation(
        code=read.c,
        ticket_id=read.t,
        life=read.l,
        plan=plan,
        state=read.s,
        created_at=read.o,
        updated_at=read.at,
        due_at=read.d,
        round=round,
        step=step,
        acknowledged=read.a,
        shown=True,
        sequence=read.n,
        told=tuple(_who(told, plan, people) for told in read.w),
        **more,
    )


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _told(told: Told, plan: Plan) -> list[Any]:
    """As `_Told` reads it, without what is empty at the end."""
    at = told.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    more: list[Any] = ["" if told.plan == plan.name else told.plan, int(told.cleared)]
    while more and not more[-1]:
        more.pop()
    return [told.key, told.channel, at, *more]


def _who(told: _Told, plan: Plan, people: Directory) -> Told:
    key, contact = told.key, people.contacts.get(told.key)
    login = contact.login if contact is not None else login_in_key(key)
    return Told(key, login, told.channel, told.at, told.plan or plan.name, bool(told.cleared))


# --- whatever fields there are ---------------------------------------------------------------------------------------

#: The fields that travel under their own names.
_types = {
    name: kind
    for name, kind in get_type_hints(Escalation).items()
    if name not in _ELSEWHERE | _NOT_NEEDED | {"told", "shown"}
}


def _more(escalation: Escalation) -> dict[str, Any]:
    return {name: value for name, value in _lean(escalation).items() if name in _types}


def _lean(value: Any) -> Any:
    """Plain data of it, without what is as it is by default."""
    if not is_dataclass(value):
        return [_lean(one) for one in value] if isinstance(value, tuple) else msgspec.to_builtins(value)
    kept = {}
    for field in fields(value):
        own = getattr(value, field.name)
        if field.name in _NOT_NEEDED or (field.default is not MISSING and own == field.default):
            continue
        kept[field.name] = _lean(own)
    return kept
