"""The notes that wait for a ticket: each once, in order.

One whose outcome is open is settled first (unsettled.py). One that is refused for good is set aside and stays in the
history; the next ones go on.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

import redis

from ..core.events import Entry
from ..core.words import Words
from ..errors import HelpdeskAway, HelpdeskError, PermissionLost, TicketGone
from ..faults import describe
from ..points import reached
from ..ports import Clock, Helpdesk, Note
from . import unsettled
from .engine import Engine
from .keys import PREFIX
from .records import DeskItem, NotOurs, encode, to_item
from .store import Store

log = logging.getLogger(__name__)

REFUSED_AT_MOST = 288  # times: a day
FAILED_AT_MOST = 5  # times
NOTE_KIND = "note"
GONE = "the ticket does not exist any more"

# Changes the next one, unless somebody else has gone on. KEYS: list. ARGV: as it was read, as it is to be.
_BECOMES = """
if redis.call('LINDEX', KEYS[1], 0) ~= ARGV[1] then return 0 end
redis.call('LSET', KEYS[1], 0, ARGV[2])
return 1
"""


@dataclass(frozen=True)
class Notes:
    helpdesk: Helpdesk
    engine: Engine
    store: Store
    clock: Clock

    def write(self, ticket_id: str) -> datetime | None:
        """Writes what waits for this ticket. None: all is there; else until when it has to wait.

        Raises HelpdeskAway and PermissionLost where another try may help.
        """
        try:
            while self._write_next(ticket_id):
                pass
        except unsettled.Waits as waits:
            return waits.until
        return None

    def _write_next(self, ticket_id: str) -> bool:
        key = f"{PREFIX}desk:{ticket_id}"
        raw = self.store.redis.lindex(key, 0)
        if raw is None:
            return False
        try:
            item = to_item(raw)
        except NotOurs as error:
            self._spoiled(ticket_id, error)
            return self._cross_off(key, raw)
        try:
            written = self._write(ticket_id, key, raw, item)
        except (unsettled.Waits, HelpdeskAway, redis.RedisError):
            raise
        except Exception as error:
            self._set_aside(ticket_id, item, self._refusal(ticket_id, error))
            self.store.redis.lpop(key)
            reached("note crossed off")
            return True
        return written

    def _write(self, ticket_id: str, key: str, raw: bytes, item: DeskItem) -> bool:
        """False: somebody else goes on here, since we were paused for long."""
        now = self.clock.now()
        if unsettled.is_open(item) or self._in_doubt(item):
            try:
                found = unsettled.looked_up(self.helpdesk, ticket_id, item, now)
            except unsettled.LookUpFailed as error:
                self._becomes(key, raw, error.item)
                raise
            reached("note looked for")
            if found is None:
                return self._cross_off(key, raw)
            item = found
        note = self._note(ticket_id, item)
        if note is None:
            return self._cross_off(key, raw)
        begun = unsettled.begun(item, now)
        if not self._becomes(key, raw, begun):
            return False
        reached("note begun")
        self.store.replication.safe()  # or not: the next try looks for it
        try:
            self.helpdesk.add_note(ticket_id, note)
        except HelpdeskError as error:
            if isinstance(error, HelpdeskAway) and error.maybe_done and note.proof:
                return True  # it is looked for at once
            self._becomes(key, encode(begun), item)  # nothing was done
            raise
        reached("note answered")
        self.store.count("notes_written")
        self.engine.operator.settled("notes-refused", about=ticket_id)
        return self._cross_off(key, encode(begun))

    def _in_doubt(self, item: DeskItem) -> bool:
        """Whether what was crossed off may have come back: Redis has failed over."""
        return bool(item.proof) and self.store.replication.in_doubt()

    def _note(self, ticket_id: str, item: DeskItem) -> Note | None:
        """The note, once its owner is set; None where only an owner was asked for."""
        lines = item.lines
        if item.assign and not self._assign(ticket_id, item) and lines:
            who = item.assign_name or item.assign
            lines = (*lines, self.engine.reader.says("{who} is not assigned: please set the owner.", who=who))
        return Note(lines, item.proof, item.link) if lines else None

    def _assign(self, ticket_id: str, item: DeskItem) -> bool:
        try:
            return self.helpdesk.assign(ticket_id, item.assign)
        except HelpdeskAway:
            raise
        except HelpdeskError as error:
            log.warning("ticket %s was not assigned: %s", ticket_id, error)
            return False

    def _becomes(self, key: str, before: bytes, after: DeskItem) -> bool:
        """Whether the first one that waits was still `before`, and is `after` now."""
        return bool(self.store.redis.eval(_BECOMES, 1, key, before, encode(after)))

    def _cross_off(self, key: str, raw: bytes) -> bool:
        self.store.redis.lrem(key, 1, raw)
        reached("note crossed off")
        return True

    # --- what can't be written -------------------------------------------------------------------------------------

    def _refusal(self, ticket_id: str, error: Exception) -> str:
        """Why it will never be written; raises the error again where another try may help.

        A permission may come back: a token that ran out, a group that was taken away.
        """
        lost = isinstance(error, PermissionLost)
        if isinstance(error, TicketGone) or (lost and self.store.redis.exists(f"{PREFIX}deleted:{ticket_id}")):
            return GONE
        known = isinstance(error, HelpdeskError)
        if lost or not known:
            at_most = REFUSED_AT_MOST if lost else FAILED_AT_MOST
            if self._tries(ticket_id) < at_most:
                raise error
        return str(error) if known else "Escalator failed to write it"

    def _tries(self, ticket_id: str) -> int:
        """How often the first one that waits for this ticket couldn't be written, this time included."""
        key = f"{PREFIX}unwritable:{ticket_id}"
        tries = int(self.store.redis.incr(key))
        self.store.redis.expire(key, 2 * 86400)
        return tries

    def _set_aside(self, ticket_id: str, item: DeskItem, why: str) -> None:
        """It stays in our history, and the operator hears of it; the next ones go on."""
        log.warning("a note for ticket %s is set aside: %s", ticket_id, why)
        self.store.redis.delete(f"{PREFIX}unwritable:{ticket_id}")
        headline = item.lines[0] if item.lines else "an owner"
        words = Words('not written, "{headline}": {why}', headline=headline, why=why)
        self.store.add_entry(item.code, Entry(self.clock.now(), NOTE_KIND, words))
        self.store.count("notes_refused")
        if why != GONE:
            self.engine.operator.tell("notes-refused", f"The helpdesk refused a note: {why}", about=ticket_id)

    def _spoiled(self, ticket_id: str, error: Exception) -> None:
        log.error("a note that waits for ticket %s can't be understood: %s", ticket_id, describe(error))
        self.store.count("notes_refused")
        spoiled = "A note that waited was spoiled in Redis, and is lost."
        self.engine.operator.tell("notes-refused", spoiled, about=ticket_id)
