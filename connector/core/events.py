"""What can happen to an escalation (events), and what it asks the shell to do (commands). Data only.

`at` is when it happened by the helpdesk's clock or ours, aware UTC; it may lie in the past.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from .audience import Directory
from .escalation import Escalation, Notification
from .plan import Plan
from .ticket import Actor, Person
from .words import NOTHING, Words

CLOSED, DELETED = Words("closed"), Words("deleted")

# --- events: what people and the helpdesk did ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlanApplies:
    """A matched field changed and this plan (None: no plan) applies from `at`. `by` is who changed it."""

    plan: Plan | None
    at: datetime
    by: Actor
    reason: Words = NOTHING


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """A person took it. `key` is the contact's when it came from outside (phone, link, API).

    `ends_hold`: so plainly that it is put off until a time no longer, since the ticket itself isn't.
    """

    by: Actor
    at: datetime
    via: str
    key: str = ""
    provisional: bool = False
    until: datetime | None = None  # pending: acknowledged until then
    outside: bool = False
    reopens: bool = False
    lasts: timedelta | None = None  # without work for so long, they are asked whether they are still on it
    ends_hold: bool = False


@dataclass(frozen=True, slots=True)
class Unlocked:
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class Worked:
    """A person worked on the ticket in a way that isn't an acknowledgement by itself."""

    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class OwnerSet:
    """The ticket has another owner (None: nobody).

    `alone`: that save did nothing else. `back`: a form that had locked the ticket was left, and whoever had it before
    has it again.
    """

    owner: Person | None
    at: datetime
    by: Actor
    alone: bool = True
    back: bool = False


@dataclass(frozen=True, slots=True)
class GroupSet:
    group: str
    at: datetime
    by: Actor


@dataclass(frozen=True, slots=True)
class Closed:
    """Closed, deleted (`how` is DELETED) or merged away (`how` names where to)."""

    at: datetime
    by: Actor
    how: Words = CLOSED


@dataclass(frozen=True, slots=True)
class Reopened:
    """`plan` is what applies to the ticket now; `automatic`: only an automatic reply reopened it."""

    at: datetime
    by: Actor
    plan: Plan | None = None
    automatic: bool = False
    owner: Person | None = None


@dataclass(frozen=True, slots=True)
class CustomerWrote:
    """A customer wrote for real. `plan` is what applies to the ticket now."""

    at: datetime
    by: Actor
    plan: Plan | None = None


@dataclass(frozen=True, slots=True)
class Raised:
    """The priority is more urgent than before."""

    at: datetime
    by: Actor


@dataclass(frozen=True, slots=True)
class MovedHere:
    """The ticket was merged into `ticket_id`, and the escalation goes on there."""

    ticket_id: str
    at: datetime
    by: Actor
    owner: Person | None = None


@dataclass(frozen=True, slots=True)
class Escalate:
    """A person wants the next step now, or another plan from its first step.

    `while_climbing`: only while nobody has it and it isn't over, which who asks may not know.
    """

    by: Actor
    at: datetime
    plan: Plan | None = None
    while_climbing: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    by: Actor
    at: datetime


# --- events: time and delivery ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tick:
    """Look at the clock. `read_at` is when the ticket was last read; `people` whom a step can reach today."""

    people: Directory
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody wants to send this notification now and holds it until `until`.

    `message`: the message that tells of it together with others; "" when it goes out alone. `elsewhere`: an earlier
    one, which doesn't tell of it any more, may have done so.
    """

    id: str
    until: datetime
    message: str = ""
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try. `wait` is how long a later receipt may take, in seconds; 0: this was all.

    `attempt` is the try's number (`Notification.attempts` once it was claimed); 0: the present one.
    """

    id: str
    words: Words
    sent: bool
    arrived: bool = False
    permanent: bool = False
    unanswered: bool = False  # a call that nobody took
    doubt: bool = False
    provider_id: str = ""
    login: str = ""  # of the person told, where we know it
    wait: float = 0
    retry_after: float | None = None
    attempt: int = 0
    over: bool = False  # failed, and not tried again, though another time it might work


@dataclass(frozen=True, slots=True)
class Receipt:
    """A provider's later word on a notification it has taken."""

    id: str
    words: Words
    arrived: bool
    final: bool = True
    permanent: bool = False
    unanswered: bool = False
    provider_id: str = ""


Event = (
    PlanApplies
    | Acknowledge
    | Unlocked
    | Worked
    | OwnerSet
    | GroupSet
    | Closed
    | Reopened
    | CustomerWrote
    | Raised
    | MovedHere
    | Escalate
    | Stop
    | Tick
    | Claim
    | Outcome
    | Receipt
)

# --- commands --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the escalation's history. `kind` is one of product's history kinds."""

    at: datetime
    kind: str
    text: Words
    contact: str = ""
    channel: str = ""
    outcome: Words = NOTHING
    late_s: float | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A new escalation begins: what follows is said of this code."""

    code: str


@dataclass(frozen=True, slots=True)
class WriteNote:
    """A note for the ticket: `kind` chooses the wording, `escalation` is how it stands after the event."""

    kind: str
    at: datetime
    escalation: Escalation
    notifications: tuple[Notification, ...] = ()
    remarks: tuple[Words, ...] = ()
    who: str = ""
    assign: str = ""  # login to make the owner first; the note says when that didn't work


@dataclass(frozen=True, slots=True)
class SetOwner:
    """Make this login the owner again, without a note."""

    login: str


@dataclass(frozen=True, slots=True)
class LookNow:
    """Read the ticket before the step that is due."""


@dataclass(frozen=True, slots=True)
class Say:
    """A note on a ticket that has no escalation: the answer to a command that somebody wrote there."""

    at: datetime
    lines: tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class TellOperator:
    sentence: str


Command = Begun | Entry | WriteNote | SetOwner | LookNow | Say | TellOperator

#: What a rule answers: the escalation afterwards (the same object: nothing happened), and what the shell is to do.
Moved = tuple[Escalation, tuple[Command, ...]]
