"""The core's commands as what a commit writes: entries, notes with their proofs, what else goes to the helpdesk. Pure
but for two questions to the store, and the operator who is told.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..core.audience import Directory
from ..core.case import Case
from ..core.escalation import Escalation, State
from ..core.events import Begun, Command, Entry, LookNow, Say, SetOwner, TellOperator, WriteNote
from ..core.leaving_out import PARKED
from ..core.notes import note_lines
from ..core.ticket import Person
from ..core.wording import Reader
from ..faults import describe
from ..ports import Live
from . import failures
from .operator import Operator
from .proofs import Signatures
from .records import DeskItem
from .standing import data_of
from .store import Store, Writes

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Writing:
    """`people` are those who may be told, an owner known only from the helpdesk included."""

    store: Store
    reader: Reader
    signatures: Signatures
    operator: Operator
    people: Callable[[Person | None], Directory]

    def writes(self, old: Case | None, new: Case, commands: Sequence[Command]) -> Writes:
        """What a commit has to write for these commands."""
        entries: list[tuple[str, Entry]] = []
        desk: list[DeskItem] = []
        proof, look = "", False
        before, after = old.escalation if old is not None else None, new.escalation
        begins = any(isinstance(command, Begun) for command in commands)
        said_of = before if before is not None and (begins or after is None) else after
        code = said_of.code if said_of is not None else ""
        proofs: dict[str, str] = {}
        last = next((command for command in reversed(commands) if isinstance(command, WriteNote)), None)
        for command in commands:
            match command:
                case Begun():
                    code = command.code
                case Entry():
                    entries.append((code, command))
                case WriteNote():
                    chained = proofs.get(code) or self.store.last_proof(code)
                    proof = proofs[code] = self._proof(old, new, command, chained, last=command is last)
                    desk.append(self._note(command, [entry for of, entry in entries if of == code], proof))
                case SetOwner(login):
                    desk.append(DeskItem(code, assign=login))
                case LookNow():
                    look = True
                case Say(at, lines):
                    mark = self.signatures.proof({"v": 1, "k": "say", "t": new.ticket.id, "at": at.isoformat()})
                    desk.append(DeskItem("", tuple(self.reader.says(line) for line in lines), mark))
                case TellOperator(sentence):
                    self.operator.tell("escalation", sentence)
        show = live_state(new.escalation)
        was = live_state(old.escalation) if old is not None else Live()
        counters = {f"entries_{entry.kind}": 1 for _, entry in entries}
        return Writes(old, new, entries, desk, show if show != was else None, look, proof, counters)

    def _note(self, command: WriteNote, entries: list[Entry], proof: str) -> DeskItem:
        escalation = command.escalation
        history: Sequence[Entry] = ()
        if command.kind == "closed":
            history = (*self.store.history(escalation.code), *entries)
        try:
            if command.kind == PARKED:
                lines = failures.plain_note(command, self.reader)
            else:
                lines = note_lines(command, self.people(escalation.owner), self.reader, history)
        except Exception as error:  # words are not worth a step that doesn't fire
            log.error("a note of %s could not be put into words: %s", escalation.code, describe(error))
            lines = (
                self.reader.says("Escalation {code}: {headline}", code=escalation.code, headline=command.kind),
                self.reader.says("Escalator could not put the rest into words."),
            )
        assign_name = self.reader.says(command.who) if command.assign else ""
        return DeskItem(escalation.code, lines, proof, assign=command.assign, assign_name=assign_name)

    def _proof(self, old: Case | None, new: Case, command: WriteNote, before: str, last: bool) -> str:
        """Signed data from which this escalation can go on after Redis is lost (see `standing`).

        Of several notes of one commit only the last has seen all: what made the others may have to be taken in again.
        """
        seen = new if last or old is None else old
        due_at = command.escalation.due_at
        if due_at is None and command.kind == "step" and old is not None and old.escalation is not None:
            due_at = old.escalation.due_at  # unsaid in the words, since something else has happened
        return self.signatures.proof(data_of(new, command, due_at, before, seen, self.store.since()))


def live_state(escalation: Escalation | None) -> Live:
    """What the helpdesk's lists show of it; nothing until the ticket itself shows something."""
    if escalation is None or not escalation.shown or not escalation.state.live:
        return Live()
    status = {
        State.WAITING: "running",
        State.RUNNING: "running",
        State.EXHAUSTED: "exhausted",
        State.ACKNOWLEDGED: "acknowledged",
        State.HELD: "snoozed",
    }[escalation.state]
    # when somebody is asked whether they are still on it moves with each piece of work, and when they are told once
    # more that nobody came moves for ever: each would be a write
    due_at = escalation.due_at if escalation.state not in (State.ACKNOWLEDGED, State.EXHAUSTED) else None
    return Live(status, escalation.plan.name, f"{escalation.step} of {len(escalation.plan.steps)}", due_at)
