"""`escalator start`, `acknowledge`, `escalate`, `stop`: by hand, noted on the ticket with who did it."""

from collections.abc import Callable

import click

from ..core.contact import Contact
from ..engine.answering import Answer, Answered, Answers
from ..engine.documents import document, of_mode
from ..errors import EscalatorError
from .common import Places, as_json, by_name, known, placed, print_json, read_ticket, reader, say, utc_now

VIA = "terminal"
FINE = (Answer.DONE, Answer.ALREADY)


@click.command()
@click.argument("ticket")
@click.argument("plan")
@by_name
@placed
@as_json
def start(places: Places, ticket: str, plan: str, by: str, json_: bool) -> None:
    """Start PLAN for TICKET (its number, or id:N), with its window from now."""
    by = _name(by)
    services = places.services()
    known(plan, services.settings.policy.plans, "plan")
    reading = read_ticket(services.helpdesk, ticket)
    if reading.ticket.phase.ended:
        raise EscalatorError(f"Ticket {reading.ticket.number} is {reading.ticket.state}: reopen it first.")
    escalation = services.engine.start(reading, services.settings.policy.plans[plan], by)
    case = services.store.case(reading.ticket.id)
    if escalation is None:
        code = case.escalation.code if case is not None and case.escalation is not None else "one"
        raise EscalatorError(
            f"Ticket {reading.ticket.number} has a live escalation already: see `escalator show {code}`, "
            "or stop it first."
        )
    if json_ and case is not None:
        print_json(of_mode(document(case), services.store.holds()))
        return
    due = escalation.due_at
    at = f"; its window ends at {reader(services.settings).clock(due, utc_now())}" if due is not None else ""
    say(f"{escalation.code}: plan {plan} started for ticket {reading.ticket.number}{at}.")


@click.command()
@click.argument("code")
@by_name
@placed
@as_json
def acknowledge(places: Places, code: str, by: str, json_: bool) -> None:
    """NAME has it; they become the owner if nobody owns the ticket."""
    _answer(places, by, json_, lambda answers, who: answers.acknowledge(code, who, VIA))


@click.command()
@click.argument("code")
@by_name
@placed
@as_json
def escalate(places: Places, code: str, by: str, json_: bool) -> None:
    """The next step now, also when somebody has it."""
    _answer(places, by, json_, lambda answers, who: answers.escalate(code, who))


@click.command()
@click.argument("code")
@by_name
@placed
@as_json
def stop(places: Places, code: str, by: str, json_: bool) -> None:
    """No more of it, until a matched field changes the plan, the ticket reopens, or somebody escalates."""
    _answer(places, by, json_, lambda answers, who: answers.stop(code, who))


def _answer(places: Places, by: str, json_: bool, act: Callable[[Answers, Contact], Answered]) -> None:
    by = _name(by)
    answers = Answers(places.services().engine)
    answered = act(answers, answers.who(by))
    if answered.kind is Answer.UNKNOWN:
        raise EscalatorError(f"{answered.sentence} See `escalator status --all`.")
    if answered.kind not in FINE:
        raise EscalatorError(answered.sentence)
    if json_ and answered.case is not None:
        print_json(of_mode(document(answered.case), answers.engine.store.holds()))
    else:
        say(answered.sentence)


def _name(by: str) -> str:
    """A name that can stand on a ticket. Raises click.BadParameter."""
    name = " ".join(by.split())
    if not name or not name.isprintable() or len(name) > 100:
        raise click.BadParameter("Write a name, at most 100 letters long.", param_hint="--by")
    return name
