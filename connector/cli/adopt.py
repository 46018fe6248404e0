"""`escalator adopt`: starts plans for open tickets that were there before Escalator was switched on."""

import sys
from datetime import UTC, datetime

import click

from ..core.plan import Match
from ..core.ticket import Reading
from ..engine.documents import document, of_mode
from ..errors import HelpdeskError
from ..services import Services
from .common import Places, as_json, placed, print_json, print_table, say, utc_now

EVER = datetime(2000, 1, 1, tzinfo=UTC)


@click.command()
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--by", default="escalator adopt", metavar="NAME", show_default=True, help="Who does it.")
@placed
@as_json
def adopt(places: Places, yes: bool, by: str, json_: bool) -> None:
    """List open tickets from before `service.since` to which a plan applies, ask, and start those plans now."""
    services = places.services()
    found = _found(services)
    if not found:
        _tell(services, [], json_, "There is no open ticket from before that a plan applies to.")
        return
    if not json_:
        rows = [
            (r.ticket.number, r.ticket.title[:40], r.ticket.facts.priority, match.plan or "", match.reason)
            for r, match in found
        ]
        print_table(("Ticket", "Title", "Priority", "Plan", "Because"), rows)
    if not yes:
        question = f"Start {len(found)} escalation{'s' if len(found) > 1 else ''}, their windows from now?"
        if not click.confirm(question, default=False, err=True):
            click.echo("Nothing was started.", err=True)
            sys.exit(1)
    plans, started = services.settings.policy.plans, []
    for reading, match in found:
        if match.plan is not None and services.engine.start(reading, plans[match.plan], by) is not None:
            started.append(reading.ticket.id)
    cases = services.store.cases(started)
    codes = ", ".join(case.escalation.code for case in cases.values() if case.escalation is not None)
    _tell(services, [document(case) for case in cases.values()], json_, f"Started: {codes or 'none'}.")


def _tell(services: Services, documents: list[dict[str, object]], json_: bool, words: str) -> None:
    if json_:
        print_json(of_mode({"escalations": documents}, services.store.holds()))
    else:
        say(words)


def _found(services: Services) -> list[tuple[Reading, Match]]:
    """Open tickets from before, that nobody has taken in yet, with the plan that applies."""
    since = services.settings.service.since or services.store.since() or utc_now()
    rows = [row for row in services.helpdesk.find_changed(EVER) if not row.closed]
    live = set(services.store.live_tickets())
    found = []
    for row in {row.ticket_id: row for row in rows}.values():
        if row.ticket_id in live:
            continue
        try:
            reading = services.helpdesk.read(row.ticket_id)
        except HelpdeskError as problem:
            click.echo(f"A ticket can't be read and is left out: {problem}", err=True)
            continue
        ticket = reading.ticket
        match = services.settings.policy.match(ticket.facts)
        if ticket.created_at < since and not ticket.phase.ended and match.plan is not None:
            found.append((reading, match))
    return sorted(found, key=lambda one: one[0].ticket.created_at)
