"""What the engine asks of the world: a helpdesk, channels, a clock.

An adapter translates; it decides nothing about escalations. Errors are those of `errors.py`: temporary or permanent,
with one sentence for the ticket. Adding a helpdesk or a channel is one module that implements one of these protocols.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from .core.contact import Contact
from .core.ticket import Person, Reading


class Clock(Protocol):
    def now(self) -> datetime:
        """The moment, aware UTC."""


# --- helpdesk -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hint:
    """What a webhook is good for: some ticket may have changed.

    `updated_at` only where it is fine enough to compare (Zammad: milliseconds); `closed` only where the body says so;
    `deleted` only for a helpdesk's delete event (Znuny). `changed_at` is when the ticket was changed last, however
    coarse, by the helpdesk's clock: it tells whether the hint came late. `people` are agents whom the body names in
    full, where the helpdesk has no list of them (Znuny).
    """

    ticket_id: str
    updated_at: datetime | None = None
    closed: bool = False
    deleted: bool = False
    changed_at: datetime | None = None
    people: tuple[Person, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """An internal note: never visible to the customer, notifies nobody, no first response.

    `lines` are plain text; the first one is the headline. `proof` is signed data that a machine reads back: Zammad
    keeps it unseen in the article's `preferences["escalator"]["proof"]`, Znuny as the last line `escalator:<proof>`.
    `link` is where the headline's code leads to, where the helpdesk can show a link.
    """

    lines: tuple[str, ...]
    proof: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class FoundProof:
    """What stands in an article where a note of ours has its proof.

    It counts only where it is `ours`, made by our own API user: everybody else can write the same.
    """

    proof: str
    ours: bool = True


@dataclass(frozen=True, slots=True)
class Live:
    """The live state that the helpdesk's lists can filter on.

    `status`: running, acknowledged, snoozed, exhausted, or "" for none. `due_at` is when the next thing happens by
    itself, None for nothing.
    """

    status: str = ""
    plan: str = ""
    step: str = ""
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a search: enough to see whether the ticket has to be read.

    `updated_at` is by the helpdesk's clock. `mark` is made as that of a reading is (core/ticket.Ticket); the
    organization stands beside it, since a moved customer takes all of their tickets along and few rules ask for it.
    """

    ticket_id: str
    updated_at: datetime
    closed: bool
    mark: str = ""
    organization: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """Names a config can be checked against; None where the helpdesk doesn't list them (report "not checked").

    `ours` is the login of Escalator's own user there.
    """

    priorities: frozenset[str] | None = None
    groups: frozenset[str] | None = None
    logins: frozenset[str] | None = None
    ours: str = ""


class Helpdesk(Protocol):
    """One helpdesk, spoken to over its own API with bounded timeouts. Thread-safe.

    Every call may raise HelpdeskAway (try again), HelpdeskRefused, PermissionLost; those about one ticket also
    TicketGone (only when the helpdesk says so for certain).

    `request_limit`: seconds after which the helpdesk no longer works on a request whose answer was lost.
    """

    kind: str
    request_limit: float

    def prove(self, headers: Mapping[str, str], raw: bytes) -> bool:
        """Whether this request came from the helpdesk; compared in constant time. Header names in any case."""

    def parse(self, body: Any) -> Hint:
        """The hint in a decoded JSON body, whatever else is odd in it. Raises NotUnderstood without a ticket id."""

    def read(self, ticket_id: str) -> Reading:
        """The ticket and its whole history, with who did what."""

    def find(self, number: str) -> str:
        """The id of the ticket with this number. Raises TicketGone when there is none."""

    def add_note(self, ticket_id: str, note: Note) -> str:
        """Writes the note and returns its article id. HelpdeskAway.maybe_done tells that it may stand there."""

    def find_note(self, ticket_id: str, proof: str) -> str | None:
        """The article id of our own note with this proof, or None."""

    def proofs(self, ticket_id: str) -> Sequence[FoundProof]:
        """All that looks like a note's proof on this ticket, oldest first, whoever wrote it."""

    def find_shown(self) -> Iterable[str]:
        """Ids of the tickets that show a live state (see `show`), in any order; closed and merged ones included."""

    def show(self, ticket_id: str, live: Live) -> None:
        """Makes the live state (tags, dynamic fields) be this; doing it twice changes nothing."""

    def assign(self, ticket_id: str, login: str) -> bool:
        """Makes this person the owner (Znuny: and locks) if nobody owns the ticket and they may; True if they do now.

        Never takes an owner away.
        """

    def find_changed(self, since: datetime) -> Iterable[Row]:
        """Every ticket changed at or after `since` (some before may be among them), oldest change first.

        `since` is by the helpdesk's clock.
        """

    def rows(self, ticket_ids: Sequence[str]) -> Sequence[Row]:
        """These tickets, at most 200, as a search shows them; one that isn't ours to see (any more) is missing."""

    def tagged(self, ticket_ids: Sequence[str], tag: str) -> frozenset[str]:
        """Which of these tickets, at most 200, carry the tag; none where the helpdesk has no tags."""

    def clock_skew(self) -> timedelta | None:
        """By how much its clock is ahead of ours (negative: behind), at the least; None: it hasn't told lately."""

    def people(self) -> Sequence[Person]:
        """The agents that the helpdesk lists; empty where it lists none."""

    def names(self) -> Names:
        """Priorities, groups and logins that exist, as far as the helpdesk tells."""

    def about(self) -> str:
        """One sentence on who we are there and with which rights; raises when the helpdesk can't be used."""


# --- channels -------------------------------------------------------------------------------------------------------


class Purpose(StrEnum):
    STEP = "step"  # somebody is asked to take the ticket
    EXHAUSTED = "exhausted"  # nobody came
    ALL_CLEAR = "all-clear"  # somebody has it: quiet
    STILL_ON_IT = "still-on-it"  # who has it is asked whether they still are: quiet, and yes is one tap
    TEST = "test"
    OPERATOR = "operator"  # Escalator itself is in trouble

    @property
    def quiet(self) -> bool:
        """Whether nobody is to be woken by it."""
        return self in (Purpose.ALL_CLEAR, Purpose.STILL_ON_IT)

    @property
    def has_button(self) -> bool:
        """Whether a tap on it answers."""
        return self in (Purpose.STEP, Purpose.EXHAUSTED, Purpose.STILL_ON_IT)


@dataclass(frozen=True, slots=True)
class Announced:
    """One more escalation that a message tells of, besides the one that its own fields describe."""

    code: str
    ticket_number: str = ""
    ticket_title: str = ""
    ticket_url: str = ""
    priority: str = ""
    group: str = ""
    organization: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """What a channel is asked to send; it renders its own text from these facts.

    `id` ([a-z0-9-], at most 64 characters) is the same on every try: the idempotency key, Message-ID, apns-id seed.
    `contacts` has one contact, or several where the channel isn't personal. Titles are hostile text.
    """

    id: str
    purpose: Purpose
    code: str
    contacts: tuple[Contact, ...]
    sent_at: datetime  # when this text is composed, aware UTC
    ticket_id: str = ""
    ticket_number: str = ""
    ticket_title: str = ""
    ticket_url: str = ""
    priority: str = ""
    group: str = ""
    organization: str = ""
    plan: str = ""
    step: int = 0
    steps: int = 0
    round: int = 1
    due_at: datetime | None = None
    line: str = ""  # all-clear, still on it, operator: the one sentence to say
    taken_by: str = ""  # all-clear: the name of who has it; empty when it is simply over
    acknowledge_url: str = ""  # personal signed link; empty when there is no public_url
    escalation_url: str = ""
    callback_url: str = ""  # public_url + "/callbacks/twilio"; empty when there is none
    token: str = ""  # signed message id, for callbacks (`?m=<token>`)
    language: str = "en"
    attempt: int = 1
    only_one: bool = True  # the only escalation texted to this number within 12 h: a bare "1" is enough
    also: tuple[Announced, ...] = ()  # what else it tells of: tickets that came within a short time
    next_at: datetime | None = None  # when more is done unless somebody takes it; later, this message is old
    before: datetime | None = None  # what the provider made from then on is another message's; `find` passes it over
    theirs: tuple[str, ...] = ()  # ids at the provider that other notifications own; `find` passes them over
    elsewhere: bool = False  # a message with another id may have told of it: who knows a repeat by its id can't tell
    rests_until: datetime | None = None  # the last one of this kind until then: the ceiling is reached, and it says so
    rehearsed_for: str = ""  # in a rehearsal that somebody else is told of: the names of those it is meant for

    @property
    def count(self) -> int:
        """How many tickets it tells of."""
        return 1 + len(self.also)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider has it. `final` is False when a later callback says whether it arrived (SMS, calls)."""

    provider_id: str = ""
    final: bool = True
    detail: str = ""  # for the note, e.g. "accepted"
    dead: tuple[str, ...] = ()  # addresses that the provider says are gone for good (device tokens)
    wait: float = 0.0  # seconds after which nothing more will be heard; 0: as usual for this kind of channel


class Channel(Protocol):
    """One way to reach somebody. Thread-safe; every call is bounded by connect and read timeouts."""

    name: str  # the config's name
    kind: str  # the module's name
    personal: bool  # False: one message a step, naming the contacts (http_post, chat)
    acknowledges: bool  # whether the message itself carries a way to acknowledge
    lease: float  # seconds after which an unfinished call may be taken for lost; a call takes seven tenths at most

    def address(self, contact: Contact) -> str:
        """What this channel would use to reach them (or "" if it can't); several device tokens joined by commas."""

    def deliver(self, message: Message) -> Receipt:
        """Hands it over. Raises Undelivered."""

    def find(self, message: Message) -> Receipt | None:
        """What the provider knows of this message after its answer was lost; None: it has none, sending is safe.

        Raises Undelivered(maybe_sent=True) where the provider can't tell: the caller may send once more, in doubt.
        """


class PlaysCalls(Protocol):
    """Channels whose conversation goes on after delivery (phone)."""

    def hang_up(self, provider_id: str) -> None:
        """Ends a ringing call; nothing happens when it is over already."""
