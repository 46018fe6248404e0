"""The probe's way round: made, its webhook back, taken in, a note, the live state, closed."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from requests.auth import AuthBase

from ..engine.clocks import TOLD, in_words
from ..engine.keys import COUNTERS
from ..errors import HelpdeskAway, HelpdeskError, PermissionLost
from ..ports import Live, Note
from ..probing import TITLE, WHAT_IT_WAS, Allowed, Finding, Place, Probes, Result, Silence, choose
from ..services import Services
from .common import utc_now
from .links import webhook_address

ASK_EVERY = 0.1  # seconds
STILL_COMES = 5.0  # seconds after a refused webhook in which the probe's own may come all the same
REMEMBERED = 600  # seconds for which Escalator notes whose webhooks came; longer than any walk waits
LIVE = "running"

CREDENTIALS = "Compare `helpdesk.url` and the credentials, or run `escalator connect`."
REACH = "Is it up, is `helpdesk.url` right, and can this host reach it?"
RIGHTS = "Give Escalator's user read, create and change in that group: `escalator connect` does."
ANOTHER = "Where this group or priority asks for more than others, name another one: --group, --priority."
ASK_AN_ADMINISTRATOR = {
    "zammad": "With an administrator's token in ESCALATOR_ADMIN_TOKEN this command says which it is.",
    "znuny": "Its communication log says what came of each try; `escalator connect --dry-run` there, what differs.",
}


@dataclass(frozen=True)
class Asked:
    """`within`: seconds for the webhook to come back, and then for the ticket to be taken in.

    `group`, `priority`: where the probe is to be made; "" for where it fits. `administrator` may look at why no webhook
    came; None: nobody does.
    """

    within: float
    group: str = ""
    priority: str = ""
    administrator: str | AuthBase | None = None


@dataclass
class Round:
    """The probe's way round; `ticket` is its id, number and title, once there is one."""

    asked: Asked
    services: Services
    probes: Probes
    allowed: Allowed
    ticket: dict[str, str] = field(default_factory=dict)
    ticket_id: str = ""

    def walk(self) -> Iterator[Finding]:
        yield self._clocks()
        places = self._places()
        place = choose(self.services.settings.policy, places, tags=self.allowed.tags)
        if not places:
            yield _follows("ticket", "the rights: there is no group in which a probe could be made")
            return
        if place is None:
            sentence = "No probe can be made: a plan applies to every ticket that Escalator's user may make."
            yield Finding("ticket", Result.BROKEN, sentence, self._how_to_exclude())
            return
        refused = self._refused()
        self.services.store.hints.watch(REMEMBERED)
        try:
            self.ticket_id = self.probes.make(place)
        except HelpdeskError as problem:
            said = f"{problem} ({problem.details})" if problem.details else str(problem)
            yield Finding(
                "ticket", Result.BROKEN, f"No probe could be made in {place.group}: {said}", _mend(problem, ANOTHER)
            )
            if isinstance(problem, HelpdeskAway) and problem.maybe_done:
                yield self._close()
            return
        try:
            yield from self._probed(place, refused)
        except BaseException:  # Ctrl-C as well: nobody must be left with a ticket that means nothing
            self._close()
            raise
        yield self._close()

    def _probed(self, place: Place, refused: int) -> Iterator[Finding]:
        made, reading = time.monotonic(), None
        try:
            reading = self.services.helpdesk.read(self.ticket_id)
        except HelpdeskError as problem:
            yield Finding("ticket", Result.BROKEN, f"The probe was made and can't be read: {problem}", RIGHTS)
        else:
            ticket = reading.ticket
            self.ticket |= {"id": ticket.id, "number": ticket.number, "title": ticket.title}
            match = self.services.settings.policy.match(ticket.facts)
            if match.plan is not None:
                sentence = f"The probe {ticket.number} would escalate: {match.reason}. It is closed at once."
                yield Finding("ticket", Result.BROKEN, sentence, self._how_to_exclude())
                return
            where = f'in {place.group} with priority "{place.priority}"'
            yield Finding("ticket", Result.RIGHT, f"Ticket {ticket.number} was made {where}; no plan applies to it.")
        came = self._webhook(made, refused, reading.ticket.created_at if reading is not None else utc_now())
        yield came
        yield self._taken_in() if came.result is Result.RIGHT else _follows("taken in", "the webhook")
        yield self._note()
        yield self._live_state()

    # --- the links ---------------------------------------------------------------------------------------------------

    def _clocks(self) -> Finding:
        try:
            self.services.helpdesk.about()
            by = self.services.helpdesk.clock_skew()
        except HelpdeskError as problem:
            return Finding("clocks", Result.NOT_CHECKED, str(problem))
        if by is None:
            return Finding("clocks", Result.NOT_CHECKED, "The helpdesk's answers don't tell its time.")
        if abs(by) >= TOLD:
            sentence = f"The helpdesk's clock is {in_words(by)} Escalator's."
            return Finding("clocks", Result.BROKEN, sentence, "Set both by NTP.")
        return Finding("clocks", Result.RIGHT, "The helpdesk's clock and Escalator's agree.")

    def _webhook(self, made: float, refused: int, since: datetime) -> Finding:
        hints, bad_at = self.services.store.hints, 0.0
        until = made + self.asked.within
        pause = threading.Event()
        while not hints.came(self.ticket_id):
            now = time.monotonic()
            if not bad_at and self._refused() > refused:
                bad_at, until = now, min(until, now + STILL_COMES)
            if now > until:
                return self._silent(bad_at > 0, since)
            pause.wait(ASK_EVERY)
        took = time.monotonic() - made
        return Finding("webhook", Result.RIGHT, f"It came back after {took:.1f} s, with a good signature.")

    def _silent(self, refused: bool, since: datetime) -> Finding:
        """What an administrator sees comes first: somebody else's post may have been the one that was refused."""
        kind, address = self.services.helpdesk.kind, webhook_address(self.services.settings)
        if self.asked.administrator is not None and address:
            try:
                why = self.probes.why_silent(Silence(address, since), self.asked.administrator)
            except HelpdeskError as problem:
                sentence = f"No webhook came, and an administrator could not look why: {problem}"
                return Finding("webhook", Result.BROKEN, sentence, CREDENTIALS)
            if why is not None:
                return Finding("webhook", Result.BROKEN, *why)
        if refused:
            sentence = "A webhook came with a signature or secret that isn't the config's, and was refused (401)."
            mend = "Put `helpdesk.webhook_secret` into the helpdesk's webhook: `escalator connect` does."
            return Finding("webhook", Result.BROKEN, sentence, mend)
        sentence = f"No webhook came within {self.asked.within:g} s: it is switched off, goes to another address, or "
        sentence += "the helpdesk can't reach Escalator."
        mend = f"It has to go to {address or f'PUBLIC_URL/webhooks/{kind}'}. {ASK_AN_ADMINISTRATOR.get(kind, '')}"
        return Finding("webhook", Result.BROKEN, sentence, mend.strip())

    def _taken_in(self) -> Finding:
        begun = time.monotonic()
        if not _until(lambda: self.services.store.case(self.ticket_id) is not None, self.asked.within):
            sentence = f"The webhook came, and the ticket wasn't read within {self.asked.within:g} s."
            return Finding("taken in", Result.BROKEN, sentence, "See what `escalator up` says about the desk worker.")
        took = time.monotonic() - begun
        return Finding("taken in", Result.RIGHT, f"The ticket was read and taken in {took:.1f} s later.")

    def _note(self) -> Finding:
        moment = utc_now().isoformat()
        proof = self.services.signatures.proof({"v": 1, "k": "probe", "t": self.ticket_id, "at": moment})
        helpdesk = self.services.helpdesk
        try:
            written = helpdesk.add_note(self.ticket_id, Note(WHAT_IT_WAS, proof))
            found = helpdesk.find_note(self.ticket_id, proof)
        except HelpdeskError as problem:
            return Finding("note", Result.BROKEN, f"No note can be written: {problem}", _mend(problem))
        if found != written:
            sentence = "A note was written, and its signed data isn't found on the ticket."
            return Finding("note", Result.BROKEN, sentence, "Does something change articles after they were made?")
        return Finding("note", Result.RIGHT, "An internal note was written, and found again by its signed data.")

    def _live_state(self) -> Finding:
        helpdesk = self.services.helpdesk
        try:
            helpdesk.show(self.ticket_id, Live(LIVE, "probe", "1 of 1", utc_now()))
            seen = self.probes.shown(self.ticket_id)
            helpdesk.show(self.ticket_id, Live())
            left = self.probes.shown(self.ticket_id)
        except HelpdeskError as problem:
            mend = f"{_mend(problem)} `escalator connect` makes what is missing.".strip()
            return Finding("live state", Result.BROKEN, f"The live state can't be set: {problem}", mend)
        if (seen, left) != (LIVE, ""):
            sentence = "The live state was set, and the ticket doesn't show it."
            return Finding("live state", Result.BROKEN, sentence, "`escalator connect` makes the fields that it needs.")
        return Finding("live state", Result.RIGHT, "It was set, seen on the ticket, and taken back.")

    def _close(self) -> Finding:
        """The probe, where its making was answered, and any other that is still open."""
        number = self.ticket.get("number") or f"id:{self.ticket_id}"
        try:
            if self.ticket_id:
                self.probes.close(self.ticket_id)
            left = [ticket_id for ticket_id in self.probes.find() if ticket_id != self.ticket_id]
            for ticket_id in left:
                self.probes.close(ticket_id)
        except HelpdeskError as problem:
            which = f"The probe {number}" if self.ticket_id else "A probe, where one was made,"
            mend = f'Close the ticket "{TITLE}" by hand.'
            return Finding("closed", Result.BROKEN, f"{which} stays open: {problem}", mend)
        also = f"{len(left)} left open before {'is' if len(left) == 1 else 'are'} closed"
        if not self.ticket_id:
            return Finding(
                "closed", Result.RIGHT, "It was made all the same, and is closed." if left else "There is no probe."
            )
        sentence = f"The probe {number} is closed, with a note that says what it was"
        return Finding("closed", Result.RIGHT, f"{sentence}; {also}." if left else f"{sentence}.")

    # --- shared ------------------------------------------------------------------------------------------------------

    def _places(self) -> list[Place]:
        """Where a probe may be made; what was asked for by group and priority is tried though nobody knows of it."""
        asked, places = self.asked, self.allowed.places
        named = [place for place in places if asked.group in ("", place.group)]
        named = [place for place in named if asked.priority in ("", place.priority)]
        if not named and asked.group and asked.priority:
            return [Place(asked.group, asked.priority)]
        return named

    def _how_to_exclude(self) -> str:
        if self.allowed.tags:
            return "Add `- {when: {tag: no-escalation}, plan: none}` to `rules`; the probe then carries that tag."
        return "Name a queue and a priority to which no plan applies: --group and --priority."

    def _refused(self) -> int:
        return int(self.services.redis.hget(COUNTERS, "webhooks_refused") or 0)


def _until(true: Callable[[], bool], seconds: float) -> bool:
    end, pause = time.monotonic() + seconds, threading.Event()
    while not (done := true()) and time.monotonic() < end:
        pause.wait(ASK_EVERY)
    return done


def _follows(link: str, other: str) -> Finding:
    return Finding(link, Result.NOT_CHECKED, f"It follows {other}.")


def _mend(problem: HelpdeskError, otherwise: str = "") -> str:
    if isinstance(problem, HelpdeskAway):
        return REACH
    return RIGHTS if isinstance(problem, PermissionLost) else otherwise
