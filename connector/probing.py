"""A ticket sent once round the whole chain: what a link of it is found to be, and where a probe may be made.

A helpdesk's own module makes and closes the probe; `escalator doctor` walks the chain and says which link is broken.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import product
from typing import Protocol

from requests.auth import AuthBase

from .core.plan import Policy
from .core.ticket import Facts

TITLE = "Escalator's probe: please leave it alone, it closes by itself"
WHAT_IT_WAS = (
    "This was a probe of Escalator",
    "`escalator doctor` made this ticket to see whether the helpdesk and Escalator hear each other. It can be deleted.",
)


class Result(StrEnum):
    RIGHT = "right"
    DOUBTFUL = "doubtful"  # works, and deserves a word
    BROKEN = "broken"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Finding:
    """One link of the chain: how it is, in a sentence, and what to do about it ("" where there is nothing to do)."""

    link: str
    result: Result
    sentence: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a probe could be made: group (queue) and priority by the helpdesk's names, and a tag or ""."""

    group: str
    priority: str
    tag: str = ""

    @property
    def facts(self) -> Facts:
        tags = frozenset({self.tag}) if self.tag else frozenset()
        return Facts(priority=self.priority, group=self.group, title=TITLE, tags=tags)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What our own user may do: `places` where a probe may be made, in the order of preference.

    `lacking` and `too_much` are sentences, "" where there is nothing to say; `told` is False where the helpdesk doesn't
    tell what we may do. `tags`: whether it has tags.
    """

    login: str
    places: Sequence[Place] = ()
    lacking: str = ""
    too_much: str = ""
    told: bool = True
    tags: bool = False


@dataclass(frozen=True, slots=True)
class Silence:
    """A webhook that never came: the address that it should have gone to, and since when, by the helpdesk's clock."""

    address: str
    since: datetime


class Probes(Protocol):
    """What one helpdesk does for a probe, with the rights of Escalator's own user.

    Every call may raise HelpdeskAway, HelpdeskRefused or PermissionLost.
    """

    def allowed(self) -> Allowed:
        """Who we are, and where we may do what Escalator has to do."""

    def make(self, place: Place) -> str:
        """A new ticket that asks nobody for anything and mails nobody; its id."""

    def find(self) -> Sequence[str]:
        """Ids of our probes that are still open: this one where the answer to `make` was lost, or one of before."""

    def shown(self, ticket_id: str) -> str:
        """The live state as the ticket has it (see ports.Live.status)."""

    def close(self, ticket_id: str) -> None:
        """Closes it, with an internal note that says what it was."""

    def why_silent(self, silence: Silence, administrator: str | AuthBase) -> tuple[str, str] | None:
        """With an administrator's rights: why the webhook didn't come, and the mend; None where that doesn't show."""


def choose(policy: Policy, places: Sequence[Place], *, tags: bool) -> Place | None:
    """The first place to which no plan applies; None where any probe would escalate.

    Exclusions (`plan: none`) may ask for a tag: with it, where the helpdesk has `tags`, a probe can be made safely.
    """
    excluding = [tag for rule in policy.rules if rule.plan is None for tag in rule.when.tag] if tags else []
    tagged = (Place(place.group, place.priority, tag) for place, tag in product(places, excluding))
    return next((place for place in (*places, *tagged) if policy.match(place.facts).plan is None), None)


def broken(findings: Iterable[Finding]) -> Finding | None:
    """The link that is broken first: what comes after it usually follows from it."""
    return next((one for one in findings if one.result is Result.BROKEN), None)
