"""`escalator rebuild`: restores what Redis has lost from the helpdesk's tickets."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import click

from ..beginning import GONE_FOR_GOOD, LOCK, record, recorded
from ..core.rebuilding import Rebuilt, Verdict
from ..core.wording import Reader
from ..engine.documents import document, moment
from ..engine.epoch import OTHER_MODE, Holds
from ..engine.store import OtherMode, Store
from ..errors import EscalatorError
from ..rebuild import Found, Progress, Rebuild
from ..services import Services
from .common import Places, as_json, placed, print_json, print_table, reader, say, utc_now

NOTHING = "There is nothing to rebuild: everything that the helpdesk tells of is known."
CHANGED = "What there is to restore has changed while you were asked."


@click.command()
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@placed
@as_json
def rebuild(places: Places, yes: bool, dry_run: bool, json_: bool) -> None:
    """Restore everything from the tickets after losing Redis: by their notes' signed data and their history.

    `escalator up` does this by itself when it finds Redis empty. What is known is left as it is; nothing is sent, but
    what is due already then comes.
    """
    services = places.services()
    if services.settings.service.rehearsal:
        raise EscalatorError("A rehearsal leaves nothing on the tickets from which it could be rebuilt.")
    with _alone(services.store):
        begun, found = services.store.begun(), _look(services, places)
        if json_:
            print_json(_document(found, done=not dry_run))
        else:
            _print(found, services)
        if dry_run or (begun and not _gist(found)):
            return
        if yes:
            _carry_out(services, found, places)
    if not yes and not _carry_out_if_wanted(services, found, places, quiet=json_):
        return
    if not json_:
        say(
            "Done. What is due comes now." if begun else "Done: Escalator goes on. What is due comes now.",
            GONE_FOR_GOOD,
        )


def _carry_out_if_wanted(services: Services, shown: Found, places: Places, *, quiet: bool) -> bool:
    """Whether anything was left to do. While somebody thinks the lock is free: `up` would wait, and nothing be sent."""
    if not click.confirm("Restore this?", default=False, err=True):
        click.echo("Nothing was restored.", err=True)
        sys.exit(1)
    with _alone(services.store):
        found = _look(services, places)
        if _gist(found) != _gist(shown):
            click.echo(CHANGED, err=True)
            if not quiet:
                _print(found, services)
        if services.store.begun() and not _gist(found):
            return False
        _carry_out(services, found, places)
    return True


@contextmanager
def _alone(store: Store) -> Iterator[None]:
    """Nobody else rebuilds meanwhile."""
    if store.holds() in (Holds.REHEARSAL, Holds.ENDING):
        raise OtherMode(OTHER_MODE[Holds.LIVE])
    with store.locks.hold(LOCK) as mine:
        if not mine:
            raise EscalatorError("Somebody else is rebuilding at this moment: `escalator up`, or another terminal.")
        yield


def _look(services: Services, places: Places) -> Found:
    return Rebuild(services, _progress("Reading tickets")).look(recorded(places.data) or services.store.since())


def _gist(found: Found) -> list[tuple[str, ...]]:
    """What is to be done, apart from times; empty when there is nothing."""
    told: list[tuple[str, ...]] = [(id, why) for id, why in found.unreadable.items()]
    for one in found.tickets:
        if one.verdict is not Verdict.NOTHING:
            escalation = one.case.escalation
            stands = (escalation.code, escalation.state.value, str(escalation.step)) if escalation is not None else ()
            told.append((one.case.ticket.id, one.verdict.value, *stands, *one.remarks))
    return sorted(told)


def _carry_out(services: Services, found: Found, places: Places) -> None:
    Rebuild(services, _progress("Restoring")).carry_out(found)
    record(places.data, found.since)
    services.store.begin(found.since)


def _print(found: Found, services: Services) -> None:
    read = reader(services.settings)
    ours = [*found.of(Verdict.REBUILT), *found.of(Verdict.WAITING)]
    rows = [_row(one, read) for one in ours]
    left = [(one.case.ticket.number, "; ".join(one.remarks)) for one in found.of(Verdict.LEFT)]
    left += [(f"id {id}", why) for id, why in found.unreadable.items()]
    if rows:
        print_table(("Code", "Ticket", "From", "State", "Next step", "Due", "Remarks"), rows)
    if left:
        say("", "Left alone:")
        print_table(("Ticket", "Because"), left)
    if not rows and not left:
        say(NOTHING)


def _row(one: Rebuilt, read: Reader) -> Sequence[str]:
    escalation = one.case.escalation
    assert escalation is not None  # whatever has another verdict isn't shown
    origin = "notes" if one.verdict is Verdict.REBUILT else "history"
    step = document(one.case)["next"]
    told = ", ".join(step["notify"]) if step else ""
    next_step = f"{min(escalation.step + 1, len(escalation.plan.steps))} of {len(escalation.plan.steps)}: {told}"
    due = _clock(escalation.due_at, read)
    shown = next_step if told else "-"
    return (
        escalation.code,
        one.case.ticket.number,
        origin,
        escalation.state.value,
        shown,
        due,
        "; ".join(one.remarks),
    )


def _clock(due: datetime | None, read: Reader) -> str:
    return read.clock(due, utc_now(), seconds=True) if due is not None else "-"


def _document(found: Found, *, done: bool) -> dict[str, Any]:
    def told(one: Rebuilt) -> dict[str, Any]:
        return {**document(one.case), "remarks": list(one.remarks)}

    left: list[dict[str, Any]] = [
        {"ticket": {"id": one.case.ticket.id, "number": one.case.ticket.number}, "because": list(one.remarks)}
        for one in found.of(Verdict.LEFT)
    ]
    left += [{"ticket": {"id": id}, "because": [why]} for id, why in found.unreadable.items()]
    return {
        "since": moment(found.since),
        "dry_run": not done,
        "rebuilt": [told(one) for one in found.of(Verdict.REBUILT)],
        "waiting": [told(one) for one in found.of(Verdict.WAITING)],
        "left_alone": left,
    }


def _progress(what: str) -> Progress:
    """A line that counts, on a terminal only."""

    def show(done: int, of: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{what}: {done} of {of}", nl=done == of, err=True)

    return show
