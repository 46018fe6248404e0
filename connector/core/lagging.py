"""A ticket's row and its history are read one after the other: what the row lacks, its history tells. Pure.

The row's own time doesn't say that it is older: Znuny counts whole seconds and may answer from a cache, and Zammad
writes the entries of a save a moment after the row. What it shows does, where that is still what was there before.
"""

from dataclasses import replace

from .ticket import MATCHED, Change, Facts, Kind, Person, Reading, Ticket, facts_with

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
        last = changes[-1]
        if not _shows(ticket, last) and any(_shows_before(ticket, change) for change in changes):
            ticket = _with(ticket, last)
    return reading if ticket is reading.ticket else replace(reading, ticket=ticket)


def _which(change: Change) -> str:
    """Which one, where a ticket has several of a kind."""
    return (change.before or change.after) if change.kind is Kind.TAG else change.field


def _shows(ticket: Ticket, change: Change) -> bool:
    """Whether the row is as it was after this change."""
    match change.kind:
        case Kind.OWNER:
            return _login(ticket.owner) == _login(change.owner)
        case Kind.STATE:
            return ticket.phase is change.phase
    return _done(ticket.facts, change) == ticket.facts


def _shows_before(ticket: Ticket, change: Change) -> bool:
    match change.kind:
        case Kind.OWNER:
            return _login(ticket.owner) == change.before
        case Kind.STATE:
            return ticket.phase is change.phase_before
    return facts_with(ticket.facts, change.kind, change.field, change.after, change.before) == ticket.facts


def _with(ticket: Ticket, change: Change) -> Ticket:
    match change.kind:
        case Kind.OWNER:
            return replace(ticket, owner=change.owner)
        case Kind.STATE:
            return replace(ticket, phase=change.phase or ticket.phase, state=change.after or ticket.state)
    return replace(ticket, facts=_done(ticket.facts, change))


def _done(facts: Facts, change: Change) -> Facts:
    return facts_with(facts, change.kind, change.field, change.before, change.after)


def _login(owner: Person | None) -> str:
    return owner.login if owner else ""
