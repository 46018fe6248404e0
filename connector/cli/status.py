"""`escalator status` and `escalator show`: the escalations now, and one with its whole history."""

from typing import Any

import click

from ..core.case import Case
from ..core.escalation import State
from ..core.wording import entry_words, next_step
from ..engine.documents import document, of_mode, with_history
from ..engine.epoch import Holds
from ..errors import EscalatorError
from ..services import Services
from .common import Places, as_json, placed, print_json, print_table, reader, say, utc_now
from .words import Names, in_rehearsal, step_words


@click.command()
@click.option("--all", "all_", is_flag=True, help="Ended ones too.")
@placed
@as_json
def status(places: Places, all_: bool, json_: bool) -> None:
    """The escalations now."""
    services = places.services()
    cases = live_cases(services) + (ended_cases(services) if all_ else [])
    troubles = [str(trouble["sentence"]) for trouble in services.operator.open()]
    if json_:
        print_json(of_mode({"escalations": [document(case) for case in cases]}, services.store.holds()))
        return
    _say_mode(services)
    if cases:
        print_table(("Code", "Ticket", "Title", "Plan", "State", "Next"), [_row(case, services) for case in cases])
    else:
        say("No escalation." if all_ else "No escalation is live.")
    for trouble in troubles:
        click.echo(f"Trouble: {trouble}", err=True)


@click.command()
@click.argument("code")
@placed
@as_json
def show(places: Places, code: str, json_: bool) -> None:
    """One escalation with its whole history."""
    services = places.services()
    case = case_of(services, code)
    assert case.escalation is not None
    history = services.store.history(case.escalation.code)
    if json_:
        print_json(of_mode(with_history(case, history), services.store.holds()))
        return
    _say_mode(services)
    words, now = reader(services.settings), utc_now()
    facts = case.ticket.facts
    say(
        f'{case.escalation.code}: {_state(case)}; ticket {case.ticket.number} "{case.ticket.title}"',
        f"Plan {case.escalation.plan.name}, priority {facts.priority}, group {facts.group}, {case.ticket.url}",
        f"Next: {_next(case, services)}",
        "",
    )
    for entry in history:
        late = f" ({entry.late_s:.1f} s late)" if entry.late_s else ""
        say(f"{words.clock(entry.at, now, seconds=True)}  {entry_words(entry, words)}{late}")


def _say_mode(services: Services) -> None:
    """By what Redis holds: the config may say something else by now."""
    if services.store.holds() is Holds.REHEARSAL:
        say(in_rehearsal(services.settings) or "Rehearsal: nothing of this was sent or written.", "")


def case_of(services: Services, code: str) -> Case:
    """The case behind a code. Raises EscalatorError when there is none."""
    found = services.engine.find(code)
    case = services.store.case(found[0]) if found is not None else None
    if case is None or case.escalation is None:
        raise EscalatorError(f'There is no escalation "{code}". See `escalator status --all`.')
    return case


def live_cases(services: Services) -> list[Case]:
    cases = services.store.cases(services.store.live_tickets())
    return [case for case in cases.values() if case.escalation is not None]


def ended_cases(services: Services) -> list[Case]:
    """Newest first; a ticket's former lives are told by its history."""
    past = services.store.past_codes()
    cases = services.store.cases(list(dict.fromkeys(ticket for _, ticket in past)))
    return [case for case in cases.values() if case.escalation is not None and not case.escalation.state.live]


def _row(case: Case, services: Services) -> tuple[str, ...]:
    escalation = case.escalation
    assert escalation is not None
    title = case.ticket.title if len(case.ticket.title) <= 40 else f"{case.ticket.title[:39]}…"
    return (
        escalation.code,
        case.ticket.number,
        title,
        escalation.plan.name,
        _state(case),
        _next(case, services),
    )


def _state(case: Case) -> str:
    escalation = case.escalation
    assert escalation is not None
    if escalation.state is State.RUNNING:
        again = f", round {escalation.round}" if escalation.round > 1 else ""
        return f"running, step {escalation.step} of {len(escalation.plan.steps)}{again}"
    current = escalation.acknowledged
    if escalation.state is State.ACKNOWLEDGED and current is not None:
        return f"acknowledged by {current.who}"
    return escalation.state.value


def _next(case: Case, services: Services) -> str:
    escalation = case.escalation
    assert escalation is not None
    if escalation.due_at is None or not escalation.state.live:
        return "nothing by itself"
    words, names = reader(services.settings), Names(services.settings)
    step: Any = next_step(escalation)
    due = escalation.due_at
    if step is None:
        what = "it goes on" if escalation.state is State.HELD else "it counts as nobody came"
        return f"{what} at {words.clock(due, utc_now())}"
    if escalation.state is State.WAITING and escalation.step == 0:
        due += step.after
    return f"{step_words(step, names.of(step.notify))} at {words.clock(due, utc_now())}"
