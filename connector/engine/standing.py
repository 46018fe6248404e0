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
from typing import Any, get_type_hints

import msgspec

from ..core.audience import Directory
from ..core.case import Case
from ..core.escalation import Acknowledgement, Escalation, State, Told
from ..core.events import WriteNote
from ..core.plan import Plan
from ..core.rebuilding import Standing
from ..core.timetable import GOES_ON_WITHIN
from .proofs import digest

VERSION = 2
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


def standing_of(data: Mapping[str, Any], proof: str, plans: Mapping[str, Plan], people: Directory) -> Standing:
    """The same read back; without its escalation where the plan isn't in the config any more. Raises Unreadable."""
    try:
        if data["v"] != VERSION:
            raise Unreadable
        plan = plans.get(data["p"])
        standing = Standing(
            ticket_id=data["t"],
            code=data["c"],
            life=data["l"],
            number=data["n"],
            digest=digest(proof),
            before=data.get("b", ""),
            proof=proof,
            at=datetime.fromisoformat(data["at"]),
            seen_until=_optional(data, "q"),
            since=_optional(data, "i"),
            plan=data["p"],
            state=State(data["s"]),
        )
        if plan is None:
            return standing
        return replace(standing, escalation=_escalation(data, standing, plan, people))
    except (KeyError, TypeError, ValueError, AttributeError, msgspec.ValidationError):
        raise Unreadable from None


def _escalation(data: Mapping[str, Any], standing: Standing, plan: Plan, people: Directory) -> Escalation:
    round, step = data["r"]
    more = {name: value for name, value in data.get("m", {}).items() if name in _types}
    acknowledged = data.get("a")
    return Escalation(
        code=standing.code,
        ticket_id=standing.ticket_id,
        life=standing.life,
        plan=plan,
        state=standing.state,
        created_at=datetime.fromisoformat(data["o"]),
        updated_at=standing.at,
        due_at=_optional(data, "d"),
        round=round,
        step=step,
        acknowledged=msgspec.convert(acknowledged, Acknowledgement) if acknowledged else None,
        shown=True,
        sequence=standing.number,
        told=tuple(_who(told, plan, people) for told in data.get("w", [])),
        **{name: msgspec.convert(value, _types[name]) for name, value in more.items()},
    )


def _optional(data: Mapping[str, Any], key: str) -> datetime | None:
    return datetime.fromisoformat(data[key]) if data.get(key) else None


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _told(told: Told, plan: Plan) -> list[Any]:
    """[key, channel, when, plan where it is another one, whether they were told since that it is over]"""
    at = told.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    more: list[Any] = ["" if told.plan == plan.name else told.plan, int(told.cleared)]
    while more and not more[-1]:
        more.pop()
    return [told.key, told.channel, at, *more]


def _who(told: list[Any], plan: Plan, people: Directory) -> Told:
    key, channel, at, *more = told
    contact = people.contacts.get(key)
    login = contact.login if contact is not None else key.removeprefix("login:") if key.startswith("login:") else ""
    other = more[0] if more else ""
    return Told(key, login, channel, datetime.fromisoformat(at), other or plan.name, bool(more[1:] and more[1]))


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
