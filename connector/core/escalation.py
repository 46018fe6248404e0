"""The nouns of an escalation: its states, its notifications, who acknowledged. Frozen data, no behaviour but names."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from .plan import Plan
from .ticket import Actor, Person
from .words import NOTHING, Words


class State(StrEnum):
    WAITING = "waiting"  # the response window runs
    RUNNING = "running"  # steps fire one after another
    EXHAUSTED = "exhausted"  # nobody came
    ACKNOWLEDGED = "acknowledged"  # a person has it
    HELD = "held"  # acknowledged until a time
    RESOLVED = "resolved"  # closed, merged away, or deleted
    CANCELLED = "cancelled"  # no plan applies any more, or stopped by a person

    @property
    def live(self) -> bool:
        return self not in (State.RESOLVED, State.CANCELLED)

    @property
    def climbing(self) -> bool:
        """Somebody is going to be told unless a person takes the ticket."""
        return self in (State.WAITING, State.RUNNING, State.EXHAUSTED)


class Stage(StrEnum):
    """How far a notification has come."""

    PLANNED = "planned"  # to be sent, not before `at`
    CLAIMED = "claimed"  # somebody is sending it; `at` is when that lease ends
    SENT = "sent"  # the provider has it and will say what became of it; `at` is how long we wait
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Notification:
    """One person told of one escalation by one way. Its id derives from these, so planning it twice names one thing."""

    id: str
    person: str  # contact key; "*" for a channel that tells all at once
    name: str
    channel: str
    purpose: str  # ports.Purpose, or "hang-up"
    round: int
    step: int
    rank: int  # 0: one of `by`; n: the n-th of `else`
    stage: Stage
    at: datetime
    due_at: datetime  # when the timetable wanted it
    people: tuple[str, ...] = ()  # contact keys that a shared channel names
    logins: tuple[str, ...] = ()  # of the person or people told, as far as we know them
    otherwise: tuple[str, ...] = ()  # `else` ways still untried
    attempts: int = 0
    rings: int = 0  # calls that nobody took
    unsure: bool = False  # an earlier try may have reached the provider: ask before sending again
    retry_until: datetime | None = None
    sent_at: datetime | None = None
    arrived: bool = False
    permanent: bool = False
    doubt: bool = False  # may have reached them twice
    outcome: Words = NOTHING  # for the note
    provider_id: str = ""
    noted: bool = False  # its outcome stands on the ticket
    dropped: bool = False  # no longer wanted: nothing follows from it, whatever becomes of it
    later: Words = NOTHING  # a receipt's words that came when it had ended
    message: str = ""  # the message that tells of it together with others, while that is under way or was the last
    elsewhere: bool = False  # a message under another id, about several tickets, may have told of it


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody this escalation has told, and how; for the all-clear and for who may acknowledge by a note."""

    key: str
    login: str
    channel: str
    at: datetime
    plan: str
    cleared: bool = False  # has been told since that it is over


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Who has it, since when and by which way. `key` names a contact who did it from outside the helpdesk."""

    by: Actor
    at: datetime
    via: str
    key: str = ""
    provisional: bool = False  # a lock that may turn out to be only an opened form
    lasts: timedelta | None = None  # `/ack 2h`: instead of the plan's `acknowledged_for`

    @property
    def who(self) -> str:
        """The name, or at least the login, of who has it."""
        return self.by.name or self.by.login


@dataclass(frozen=True, slots=True)
class Assigned:
    """The owner that Escalator set, so that an old screen's save can be told from a handover."""

    login: str
    before: str
    at: datetime
    again: bool = False
    again_at: datetime | None = None  # the save that took it back


@dataclass(frozen=True, slots=True)
class Parked:
    """Where a plan stood when it stopped applying: it goes on there when it applies again soon."""

    plan: str
    state: State
    round: int
    step: int
    left: timedelta
    at: datetime


@dataclass(frozen=True, slots=True)
class StepReport:
    """A fired step whose note isn't written yet."""

    round: int
    step: int
    fired_at: datetime
    write_at: datetime  # at the latest
    remarks: tuple[Words, ...] = ()
    lately: bool = False  # nobody was told anew: another plan had told them in these ways a moment ago


@dataclass(frozen=True, slots=True)
class Escalation:
    """One plan running for one ticket. `due_at` is when its timetable goes on by itself."""

    code: str
    ticket_id: str
    life: int
    plan: Plan
    state: State
    created_at: datetime
    updated_at: datetime
    due_at: datetime | None = None
    round: int = 1
    step: int = 0  # steps of this round that have fired
    owner: Person | None = None
    acknowledged: Acknowledgement | None = None
    held_until: datetime | None = None
    back: State = State.WAITING  # where it goes on when it stops being acknowledged or held
    left: timedelta = timedelta(0)  # what was left of the timetable then
    ended_at: datetime | None = None
    ended_by: Actor | None = None
    stopped: bool = False  # cancelled by a person
    waits_for_work: bool = False  # reopened by an automatic reply only
    shown: bool = False  # the ticket shows something of it
    sequence: int = 0  # notes written
    new_owner_at: datetime | None = None  # somebody was given the ticket while it runs, and isn't told yet
    looked_at: datetime | None = None  # when a fresh look was asked for, for this `due_at`
    asked_at: datetime | None = None  # who has it was asked whether they are still on it, and has not answered
    clear_up_at: datetime | None = None  # it ended, and those who were told aren't told that yet
    clear_up_but: str = ""  # key or login of who needs no all-clear
    brought_forward_at: datetime | None = None
    first: str = ""  # contact key or login of the last acknowledger, told first in a new life
    assigned: Assigned | None = None
    report: StepReport | None = None
    parked: tuple[Parked, ...] = ()
    told: tuple[Told, ...] = ()
    notifications: tuple[Notification, ...] = field(default=())
