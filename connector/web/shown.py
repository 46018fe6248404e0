"""What the page behind a link shows of a ticket: who was told, what comes next. Pure; times on the reader's clock."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any

from ..core.audience import Directory, audience
from ..core.case import Case
from ..core.escalation import Escalation, Stage, State
from ..core.events import Entry
from ..core.plan import Way
from ..core.sending import ASIDE, ASKING
from ..core.taking import name_of
from ..core.wording import next_step
from ..core.words import Catalogue, Words

#: Lines of who was told: the last ones.
TOLD_AT_MOST = 12


@dataclass(frozen=True, slots=True)
class View:
    """Who looks, and when. `kinds`: kind of channel by its name in the config; `catalogue`: of their language."""

    zone: tzinfo
    now: datetime
    people: Directory
    kinds: Mapping[str, str]
    catalogue: Catalogue = field(default_factory=dict)

    def clock(self, at: datetime) -> str:
        """`20:15`, with the date when it isn't today."""
        local = at.astimezone(self.zone)
        today = self.now.astimezone(self.zone).date()
        return local.strftime("%H:%M") if local.date() == today else local.strftime("%Y-%m-%d %H:%M")

    def zone_name(self) -> str:
        return self.now.astimezone(self.zone).tzname() or "UTC"

    def kind(self, channel: str) -> str:
        return self.kinds.get(channel, channel)


def ticket(case: Case, history: Iterable[Entry], view: View) -> dict[str, Any]:
    """The facts of one ticket, as `page/ticket.html` names them. Raises ValueError for a ticket without escalation."""
    escalation, facts = case.escalation, case.ticket.facts
    if escalation is None:
        raise ValueError("this ticket has no escalation")
    current = escalation.acknowledged
    return {
        "code": escalation.code,
        "number": case.ticket.number,
        "title": case.ticket.title,
        "priority": facts.priority,
        "group": facts.group,
        "organization": facts.organization,
        "url": case.ticket.url,
        "plan": escalation.plan.name,
        "state": escalation.state.value,
        "taken_by": name_of(current.by) if current else "",
        "until": view.clock(escalation.held_until) if escalation.held_until else "",
        "refused": escalation.state.climbing and Way.OUTSIDE not in escalation.plan.acknowledged_by,
        "told": [*_told(escalation, history, view)][-TOLD_AT_MOST:],
        "next": _next(escalation, view),
    }


def _told(escalation: Escalation, history: Iterable[Entry], view: View) -> Iterator[dict[str, Any]]:
    """What has an outcome, then what is still under way; only what asked somebody to come."""
    for entry in history:
        if entry.kind == "notification" and not entry.text.startswith(tuple(ASIDE.values())):
            yield _line(view.clock(entry.at), entry.channel, entry.contact, entry.outcome, view)
    for each in escalation.notifications:
        if each.purpose in ASKING and each.stage in (Stage.CLAIMED, Stage.SENT):
            at = view.clock(each.sent_at or view.now)
            yield _line(at, each.channel, each.name, "", view) | {"ended": False}


def _line(at: str, channel: str, who: str, outcome: str, view: View) -> dict[str, Any]:
    said = Words(outcome).translated(view.catalogue)
    return {"at": at, "way": view.kind(channel), "who": who, "outcome": said, "ended": True}


def _next(escalation: Escalation, view: View) -> dict[str, Any] | None:
    """What comes by itself: `kind` is step, exhausted, again or goes on."""
    due, plan = escalation.due_at, escalation.plan
    if due is None or not escalation.state.live:
        return None

    def what(kind: str, at: datetime, notify: Iterable[str] = (), by: Iterable[str] = ()) -> dict[str, Any]:
        who = ", ".join(contact.name for contact in audience(notify, plan, escalation.owner, view.people))
        ways = [*dict.fromkeys(view.kind(channel) for channel in by)]
        return {"kind": kind, "at": view.clock(at), "who": who, "ways": ways}

    step, again = next_step(escalation), plan.when_exhausted
    if step is not None:
        wait = step.after if escalation.state is State.WAITING and escalation.step == 0 else timedelta(0)
        return what("step", due + wait, step.notify, step.by)
    if escalation.state is State.EXHAUSTED:
        return what("again", due, again.notify, again.by) if again is not None else None
    if escalation.state in (State.WAITING, State.RUNNING):
        return what("exhausted", due, again.notify if again else (), again.by if again else ())
    return what("goes on", due) if escalation.state is State.HELD else None
