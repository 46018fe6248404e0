"""`escalator explain`: which plan applies to a ticket and why, and who is told what and when."""

import os
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click
import redis

from config.settings import Settings

from ..core.audience import Directory, audience
from ..core.contact import Contact
from ..core.escalation import Escalation, State
from ..core.plan import Plan, Policy, Step
from ..core.ticket import MATCHED, Phase, Reading, Ticket, facts_at_creation, facts_with
from ..core.timetable import step_due
from ..core.wording import next_step
from ..engine.devices import WEBPUSH, Devices
from ..engine.documents import moment
from ..engine.store import Store
from ..errors import ConfigError
from ..ports import Channel
from ..redis_server import connect, redis_url
from ..services import build_channels, directory, owner_contact
from .common import Places, as_json, build_helpdesk, placed, print_json, read_ticket, reader, say, utc_now


@dataclass(frozen=True, slots=True)
class Known:
    """What Escalator's own memory says: since when it runs, and the ticket's escalation."""

    since: datetime | None = None
    escalation: Escalation | None = None
    here: bool = True  # False: Redis is away


@dataclass(frozen=True, slots=True)
class Told:
    """One step still to come: when, whom, by which ways, and who can't be reached by which."""

    at: datetime
    step: int
    people: tuple[Contact, ...]
    what: Step
    unreachable: tuple[str, ...]


@click.command()
@click.argument("ticket")
@placed
@as_json
def explain(places: Places, ticket: str, json_: bool) -> None:
    """Which plan applies to TICKET (its number, or id:N) and why, and who is told what and when. Changes nothing."""
    settings = places.settings()
    channels = _channels(places, settings)
    reading = read_ticket(build_helpdesk(settings), ticket)
    known = _remembered(places, settings, reading.ticket.id)
    match = settings.policy.match(reading.ticket.facts)
    silent = why_nothing(reading.ticket, match.plan, match.reason, known)
    steps: list[Told] = []
    start = applies_since(reading, settings.policy)
    if match.plan is not None and not silent:
        steps = timetable(settings, channels, reading.ticket, settings.policy.plans[match.plan], start, known)
    if json_:
        print_json(_document(reading.ticket, match.plan, match.reason, silent, start, steps, known))
        return
    words, now, facts = reader(settings), utc_now(), reading.ticket.facts
    owner = reading.ticket.owner.name if reading.ticket.owner is not None else "nobody"
    say(
        f'Ticket {reading.ticket.number} "{reading.ticket.title}": {reading.ticket.state}, priority {facts.priority}, '
        f"group {facts.group}, owner: {owner}."
    )
    if match.plan is not None:
        say(f"Plan {match.plan} applies: {match.reason}.")
    if not known.here:
        say("Escalator's own memory can't be read (is `escalator up` running?): this is what config and ticket say.")
    if known.escalation is not None and known.escalation.state.live:
        say(f"Escalation {known.escalation.code} is {known.escalation.state.value}.")
    if silent:
        say(silent)
        return
    say("Unless somebody takes it:")
    for one in steps:
        names = " and ".join(contact.name for contact in one.people) or "nobody"
        ways = " and ".join(words.channel(channel) for channel in one.what.by)
        otherwise = "".join(f", or {words.channel(channel)}" for channel in one.what.otherwise)
        say(f"  {words.clock(one.at, now)}  step {one.step}: {ways}{otherwise} to {names}")
        say(*(f"    but {missing}" for missing in one.unreachable))


def why_nothing(ticket: Ticket, plan: str | None, reason: str, known: Known) -> str:
    """Why nothing will happen by itself; "" when something will."""
    live = known.escalation if known.escalation is not None and known.escalation.state.live else None
    if ticket.phase.ended:
        return f"Nothing will happen: the ticket is {'merged' if ticket.phase is Phase.MERGED else 'closed'}."
    if live is not None:
        if live.due_at is None:
            return "Nothing will happen by itself: somebody has it."
        return "" if next_step(live) is not None else "No step is left in its plan."
    if plan is None:
        return f"Nothing will happen: {reason}."
    if known.escalation is not None and known.escalation.stopped:
        return "Nothing will happen: a person stopped it."
    if known.since is not None and ticket.created_at < known.since:
        return (
            "Nothing will happen: it was there before Escalator was switched on. `escalator adopt` starts such tickets."
        )
    if live is None and ticket.owner is not None and known.here and known.escalation is not None:
        return f"Nothing will happen: escalation {known.escalation.code} is over."
    return ""


def applies_since(reading: Reading, policy: Policy) -> datetime:
    """When the plan that applies now began to: the ticket's creation, or the last change that led to it."""
    facts = facts_at_creation(reading)
    plan, since = policy.match(facts).plan, reading.ticket.created_at
    for change in reading.changes:
        if change.kind in MATCHED:
            facts = facts_with(facts, change.kind, change.field, change.before, change.after)
            if (now := policy.match(facts).plan) != plan:
                plan, since = now, change.at
    return since


def timetable(
    settings: Settings, channels: dict[str, Channel], ticket: Ticket, plan: Plan, start: datetime, known: Known
) -> list[Told]:
    """The steps of this round that are still to come; a live escalation keeps the plan and times that it began with."""
    live = known.escalation if known.escalation is not None and known.escalation.state.live else None
    base, first, owner = start + plan.respond_within, 1, ticket.owner
    if live is not None and live.due_at is not None:
        plan = live.plan
        first = live.step % len(plan.steps) + 1
        waits = live.state is State.WAITING and live.step == 0  # `due_at` is the window's end, else that step's time
        base = live.due_at if waits else live.due_at - plan.steps[first - 1].after
    people = directory(settings, channels)
    if owner is not None and people.by_login(owner.login) is None:
        people = people.with_person(owner_contact(settings)(owner))
    found, at = [], base
    for number in range(first, len(plan.steps) + 1):
        at, step = step_due(plan, number, at), plan.steps[number - 1]
        told = audience(step.notify, plan, owner, people)
        found.append(Told(at, number, told, step, _unreachable(told, step, channels, people)))
    return found


def _unreachable(
    told: tuple[Contact, ...], step: Step, channels: dict[str, Channel], people: Directory
) -> tuple[str, ...]:
    ways = [name for name in (*step.by, *step.otherwise) if name not in people.shared]
    return tuple(
        f"{contact.name} has no address for {name}"
        for contact in told
        for name in ways
        if name in channels and not channels[name].address(contact)
    )


def _channels(places: Places, settings: Settings) -> dict[str, Channel]:
    """With what people have paired; without Redis that isn't known, and the paired ways are left out."""
    try:
        devices = Devices(connect(redis_url(places.data, os.environ)))
        devices.contacts()
    except (redis.RedisError, ConfigError):
        return {name: one for name, one in build_channels(settings).items() if one.kind != WEBPUSH}
    return build_channels(settings, devices)


def _remembered(places: Places, settings: Settings, ticket_id: str) -> Known:
    since = settings.service.since
    try:
        store = Store(connect(redis_url(places.data, os.environ)), settings.service.keep)
        case = store.case(ticket_id)
        return Known(since or store.since(), case.escalation if case is not None else None)
    except (redis.RedisError, ConfigError):
        return Known(since, here=False)


def _document(
    ticket: Ticket, plan: str | None, reason: str, silent: str, start: datetime, steps: list[Told], known: Known
) -> dict[str, Any]:
    return {
        "ticket": {"id": ticket.id, "number": ticket.number, "title": ticket.title, "url": ticket.url},
        "plan": plan,
        "reason": reason,
        "applies_since": moment(start) if plan is not None else None,
        "escalation": known.escalation.code if known.escalation is not None else None,
        "nothing_because": silent or None,
        "steps": [
            {
                "step": one.step,
                "at": moment(one.at),
                "contacts": [contact.name for contact in one.people],
                "by": list(one.what.by),
                "else": list(one.what.otherwise),
                "unreachable": list(one.unreachable),
            }
            for one in steps
        ],
    }
