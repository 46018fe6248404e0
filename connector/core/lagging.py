"""A ticket's row and its history are read one after the other: what the row lacks, its history tells. Pure.

The row's own time doesn't say that it is older: Znuny counts whole seconds and may answer from a cache, and Zammad
writes the entries of a save a moment after the row. What it shows does, where that is still what was there before.
"""

from collections.abc import Mapping
from dataclasses import replace

from .ticket import MATCHED, Change, Facts, Kind, Phase, Reading, Ticket, facts_with

_COLUMNS = MATCHED | {Kind.OWNER, Kind.STATE}


def up_to_date(reading: Reading) -> Reading:
    """The reading with its ticket as the history tells, wherever the row still shows what was before."""
    later: dict[tuple[Kind, str], list[Change]] = {}
    for change in reading.changes:
        if change.kind not in _COLUMNS:
            continue
        which = (change.kind, _which(change))
        if change.written_at >= reading.ticket.updated_at:
            later.setdefault(which, []).append(change)
        else:
            later.pop(which, None)  # the clock was set back: what is dated later came before it
    ticket = reading.ticket
    for changes in later.values():
        shown, last = _shown(ticket, changes[-1]), changes[-1]
        if shown != _after(last) and shown in [_before(change) for change in changes]:
            ticket = _with(ticket, last)
    return reading if ticket is reading.ticket else replace(reading, ticket=ticket)


def _which(change: Change) -> str:
    """Which one, where a ticket has several of a kind."""
    return (change.before or change.after) if change.kind is Kind.TAG else change.field


def _before(change: Change) -> str | Phase | None:
    return change.phase_before if change.kind is Kind.STATE else change.before


def _after(change: Change) -> str | Phase | None:
    if change.kind is Kind.OWNER:
        return change.owner.login if change.owner else ""
    return change.phase if change.kind is Kind.STATE else change.after


def _shown(ticket: Ticket, change: Change) -> str | Phase | None:
    match change.kind:
        case Kind.OWNER:
            return ticket.owner.login if ticket.owner else ""
        case Kind.STATE:
            return ticket.phase
    return _fact(ticket.facts, change)


def _fact(facts: Facts, change: Change) -> str:
    if change.kind is Kind.TAG:
        return _which(change) if _which(change) in facts.tags else ""
    if change.kind is Kind.FIELD:
        return facts.field(change.field)
    values: Mapping[Kind, str] = {
        Kind.PRIORITY: facts.priority,
        Kind.GROUP: facts.group,
        Kind.TITLE: facts.title,
        Kind.ORGANIZATION: facts.organization,
    }
    return values[change.kind]


def _with(ticket: Ticket, change: Change) -> Ticket:
    match change.kind:
        case Kind.OWNER:
            return replace(ticket, owner=change.owner)
        case Kind.STATE:
            return replace(ticket, phase=change.phase or ticket.phase, state=change.after or ticket.state)
    return replace(ticket, facts=facts_with(ticket.facts, change.kind, change.field, change.before, change.after))
