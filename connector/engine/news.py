"""Which rows of a search tell something new: a saved SLA moves `updated_at` of every ticket, and means nothing. Pure.

A row with the same mark may hide what was done and undone since (taken and given back, say): the history, which is read
before each step, has it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from ..core.case import Case
from ..core.plan import Policy
from ..ports import Row

SAME_SECOND = timedelta(seconds=2)

Tagged = Callable[[Sequence[str], str], frozenset[str]]


def differing(rows: Sequence[Row], known: Mapping[str, Case], policy: Policy, tagged: Tagged) -> list[Row]:
    """The rows of tickets that have to be read; `known` are the cases of all that are known.

    `tagged` tells which tickets carry a tag. It is asked about the tags in rules, of tickets that changed and show
    nothing else: a tag leaves no trace in a row.
    """
    found = {row.ticket_id for row in rows if row.ticket_id not in known and not row.closed}
    touched: dict[str, Case] = {}
    for row in rows:
        case = known.get(row.ticket_id)
        if case is None or case.moved_to or not (_other_mark(row, case) or _moved(row, case)):
            continue
        if not row.mark or row.mark != case.ticket.mark or _organization_matters(row, case, policy):
            found.add(row.ticket_id)
        else:
            touched[row.ticket_id] = case
    for tag in sorted({tag for rule in policy.rules for tag in rule.when.tag}) if touched else ():
        has = tagged(list(touched), tag)
        found |= {id for id, case in touched.items() if (tag in case.facts.tags) != (id in has)}
    return [row for row in rows if row.ticket_id in found]


def as_it_was(row: Row, case: Case) -> bool:
    """Whether nobody has saved the ticket since it was read. Where the helpdesk counts whole seconds the mark tells."""
    return bool(row.mark) and row.mark == case.ticket.mark and row.updated_at == case.ticket.updated_at


def _other_mark(row: Row, case: Case) -> bool:
    """Whether the row shows another ticket than was read, whatever its time: the helpdesk's clock isn't ours, and may
    be set back.
    """
    return bool(row.mark and case.ticket.mark) and row.mark != case.ticket.mark


def _moved(row: Row, case: Case) -> bool:
    """Whether the ticket was saved since it was read, or may have been within that second (Znuny counts no finer)."""
    if row.updated_at > case.ticket.updated_at:
        return True
    whole = row.updated_at.microsecond == 0
    return whole and row.updated_at == case.ticket.updated_at and case.read_at - row.updated_at < SAME_SECOND


def _organization_matters(row: Row, case: Case, policy: Policy) -> bool:
    """Whether another organization may change the plan. Only the history tells whether the new one is a VIP."""
    if row.organization == case.facts.organization:
        return False
    if any(rule.when.vip is not None for rule in policy.rules):
        return True
    return policy.match(replace(case.facts, organization=row.organization)).plan != policy.match(case.facts).plan
