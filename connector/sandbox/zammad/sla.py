"""What an SLA writes on a ticket (facts: `lib/escalation.rb` of Zammad 6.0; here its calendar is round the clock)."""

from datetime import timedelta

from . import rows
from .conditions import UnknownCondition, matches
from .desk import Desk
from .rows import Row


def apply_sla(desk: Desk, ticket: Row) -> None:
    """Sets the escalation times as part of the running request: after a creation that is an event of its own."""
    if columns := _columns(desk, ticket):
        desk.change(ticket, ticket["updated_by_id"], columns)


def touch_all(desk: Desk) -> None:
    """What saving an SLA does: `updated_at` of every ticket that it touches moves, and nobody hears of it."""
    with desk.lock:
        for ticket in desk.tickets.values():
            if columns := _columns(desk, ticket):
                ticket.update(columns, updated_at=desk.stamp())


def _columns(desk: Desk, ticket: Row) -> Row:
    if desk.states[ticket["state_id"]]["ignore_escalation"]:
        return {}
    sla = next((sla for sla in sorted(desk.tables["slas"].values(), key=_name) if _covers(desk, sla, ticket)), None)
    if sla is None:
        return {}
    created, due = rows.moment(ticket["created_at"]), {}
    for done, minutes in (("first_response", sla["first_response_time"]), ("close", sla["solution_time"])):
        open_until = created + timedelta(minutes=int(minutes)) if minutes and not ticket[f"{done}_at"] else None
        due[f"{done}_escalation_at"] = rows.stamp(open_until) if open_until else None
    calculation = {"sla_id": sla["id"], "sla_updated_at": sla["updated_at"], "escalation_disabled": False}
    return {
        **due,
        "escalation_at": min((at for at in due.values() if at), default=None),
        "preferences": {**ticket["preferences"], "escalation_calculation": calculation},
    }


def _name(row: Row) -> str:
    return str(row["name"])


def _covers(desk: Desk, sla: Row, ticket: Row) -> bool:
    try:
        return matches(sla["condition"] or {}, desk.subject(ticket))
    except UnknownCondition:
        return False
