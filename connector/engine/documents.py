"""Escalations as JSON documents: the same for the API, `status --json` and `show --json`. Pure.

Times are ISO 8601 in UTC with `Z`; keys and kinds are those of the product's contract.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from ..core.case import Case
from ..core.escalation import Escalation, State
from ..core.events import Entry
from ..core.taking import name_of
from ..core.wording import next_step
from .epoch import Holds


def document(case: Case) -> dict[str, Any]:
    """One escalation with its ticket. Raises ValueError when the case has none."""
    escalation, ticket = case.escalation, case.ticket
    if escalation is None:
        raise ValueError("this ticket has no escalation")
    current = escalation.acknowledged
    return {
        "code": escalation.code,
        "ticket": {
            "id": ticket.id,
            "number": ticket.number,
            "title": ticket.title,
            "priority": ticket.facts.priority,
            "group": ticket.facts.group,
            "url": ticket.url,
        },
        "plan": escalation.plan.name,
        "state": escalation.state.value,
        "step": escalation.step,
        "steps": len(escalation.plan.steps),
        "round": escalation.round,
        "rounds": escalation.plan.rounds,
        "next": _next(escalation),
        "created_at": moment(escalation.created_at),
        "updated_at": moment(escalation.updated_at),
        "acknowledged": None
        if current is None
        else {"by": name_of(current.by), "at": moment(current.at), "via": current.via},
    }


def with_history(case: Case, history: Iterable[Entry]) -> dict[str, Any]:
    """The document and what happened, oldest first."""
    return {**document(case), "history": [entry_document(entry) for entry in history]}


def of_mode(document: dict[str, Any], holds: Holds) -> dict[str, Any]:
    """The same, which says `"mode": "rehearsal"` where what Redis holds is one."""
    return {"mode": holds.value, **document} if holds is Holds.REHEARSAL else document


def entry_document(entry: Entry) -> dict[str, Any]:
    """`at`, `kind` and `text`, and of the rest only what the entry tells."""
    more = {"contact": entry.contact, "channel": entry.channel, "outcome": entry.outcome}
    return {
        "at": moment(entry.at),
        "kind": entry.kind,
        "text": entry.text,
        **{key: value for key, value in more.items() if value},
        **({"late_s": round(entry.late_s, 3)} if entry.late_s is not None else {}),
    }


def moment(at: datetime) -> str:
    """`2026-01-31T20:15:00.000Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _next(escalation: Escalation) -> dict[str, Any] | None:
    """What comes by itself, when, for whom and by which ways; `notify` is empty where only a pause ends."""
    due, plan = escalation.due_at, escalation.plan
    if due is None or not escalation.state.live:
        return None
    step = next_step(escalation)
    if step is not None:
        wait = step.after if escalation.state is State.WAITING and escalation.step == 0 else timedelta(0)
        return _what(due + wait, step.notify, step.by)
    if escalation.state is not State.HELD and plan.when_exhausted is not None:
        return _what(due, plan.when_exhausted.notify, plan.when_exhausted.by)
    return _what(due, (), ())


def _what(due: datetime, notify: Iterable[str], by: Iterable[str]) -> dict[str, Any]:
    return {"due_at": moment(due), "notify": list(notify), "by": list(by)}
