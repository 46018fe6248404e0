"""Which history lines are one act of one person. Pure.

Znuny writes a line for each attribute. What people do writes several within a moment (seen in Znuny 6.5):

- "Lock", and every form that locks when it opens: `Lock` by X, `OwnerUpdate` to X by X.
- Leaving such a form by "Undo & close": `Unlock` by X, `OwnerUpdate` by X back to the owner before.
- Giving the ticket to Y by a form that doesn't lock when it opens, or by one API call: `Lock` by X, `OwnerUpdate` to Y.
- Creating by API: `NewTicket`, then `NewTicket` again with the article, then `OwnerUpdate` to the creator.
- Merging A into B: A's articles and their lines move to B, where they stand in order of time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connector.helpdesks.znuny.values import ident, moment, parts, words

#: Lines of one act lie in the same request; seconds are cut, so one more.
ONE_ACT = timedelta(seconds=2)

#: The longest that making a ticket took between its first line and its first article's (large mails).
CREATION = timedelta(seconds=10)

#: What the first article of a new ticket is called; after a merge the source keeps none of these.
FIRST_ARTICLES = frozenset(
    {"NewTicket", "EmailCustomer", "EmailAgent", "PhoneCallCustomer", "PhoneCallAgent", "WebRequestCustomer"}
)

#: Lines that say nothing about the ticket and stand between those that do.
NOISE = frozenset({"Misc", "SendAgentNotification", "SendCustomerNotification", "TicketLinkAdd", "TimeAccounting"})


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the history. `by` is the agent's id ("1": system and customers), `article_id` "" for none."""

    at: datetime
    by: str
    type: str
    name: str
    article_id: str
    owner_id: str  # the owner after it; in lines that came by a merge: the other ticket's

    @property
    def values(self) -> tuple[str, ...]:
        return parts(self.name)

    def value(self, place: int) -> str:
        """One of the values; "" where the line has fewer."""
        return self.values[place] if place < len(self.values) else ""

    def soon_after(self, other: "Line") -> bool:
        return other.at <= self.at <= other.at + ONE_ACT

    @property
    def new_owner(self) -> str:
        """OwnerUpdate: the new owner's id."""
        return ident(self.values[-1])


def lines_of(history: Iterable[Mapping[str, Any]], zone: ZoneInfo) -> tuple[Line, ...]:
    """The history as Znuny's web service answers it, oldest first, without what can't be dated."""
    found = []
    for raw in history:
        at = moment(raw.get("CreateTime"), zone)
        if at is not None:
            line = Line(
                at=at,
                by=ident(raw.get("CreateBy")),
                type=words(raw.get("HistoryType")),
                name=words(raw.get("Name")),
                article_id=ident(raw.get("ArticleID")),
                owner_id=ident(raw.get("OwnerID")),
            )
            found.append(line)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Acts:
    """What the lines are to each other, by their positions."""

    born: int | None  # the line that made the ticket
    at_creation: frozenset[int]
    with_lock: frozenset[int]  # OwnerUpdates that only go along with a Lock or, back again, with an Unlock
    for_another: frozenset[int]  # Locks that go along with giving the ticket to somebody else
    until: Mapping[int, int]  # StateUpdate -> its SetPendingTime


def acts_of(lines: Sequence[Line]) -> Acts:
    born = next((i for i, line in enumerate(lines) if line.type == "NewTicket" and not line.article_id), None)
    at_creation = _creation(lines, born)
    with_lock, for_another = _locks(lines, at_creation)
    return Acts(born, at_creation, with_lock, for_another, _pending_times(lines))


def _creation(lines: Sequence[Line], born: int | None) -> frozenset[int]:
    """What the creator wrote until shortly after the first article (or the first line, if there is none)."""
    if born is None:
        return frozenset()
    first = lines[born]
    made = (line for line in lines[born:] if line.article_id and line.type in FIRST_ARTICLES and line.by == first.by)
    article = next(made, first)
    end = (article if article.at <= first.at + CREATION else first).at + ONE_ACT
    return frozenset(i for i, line in enumerate(lines) if i >= born and line.by == first.by and line.at <= end)


def _locks(lines: Sequence[Line], at_creation: frozenset[int]) -> tuple[frozenset[int], frozenset[int]]:
    with_lock: set[int] = set()
    for_another: set[int] = set()
    owner, before = "", ""  # who owns it, and who did before the last lock took it along
    for i, line in enumerate(lines):
        if line.type == "OwnerUpdate":
            if i not in with_lock:
                before = ""
            owner = line.new_owner
        elif not owner and not line.article_id:
            owner = line.owner_id
        if line.type == "Lock":
            other = _companion(lines, i)
            if other is not None and lines[other].new_owner == line.by:
                with_lock.add(other)
                before = owner
            elif other is not None and i not in at_creation:
                for_another.add(i)
        elif line.type == "Unlock" and before:
            other = _companion(lines, i)
            if other is not None and lines[other].new_owner == before != line.by:
                with_lock.add(other)
    return frozenset(with_lock), frozenset(for_another)


def _companion(lines: Sequence[Line], lock: int) -> int | None:
    """The OwnerUpdate that the same agent's act wrote after this Lock or Unlock."""
    line = lines[lock]
    for i in range(lock + 1, len(lines)):
        other = lines[i]
        if not other.soon_after(line) or other.type in ("Lock", "Unlock"):
            return None
        if other.type == "OwnerUpdate" and other.by == line.by:
            return i
    return None


def _pending_times(lines: Sequence[Line]) -> Mapping[int, int]:
    """The web's forms write the time after the state, the web service before it."""
    found: dict[int, int] = {}
    heard = [i for i, line in enumerate(lines) if line.type not in NOISE]
    for place, i in enumerate(heard):
        if lines[i].type != "StateUpdate":
            continue
        for other in (heard[place + 1 : place + 2], heard[max(place - 1, 0) : place]):
            j = other[0] if other else i
            near = abs(lines[j].at - lines[i].at) <= ONE_ACT and lines[j].by == lines[i].by
            if lines[j].type == "SetPendingTime" and near and j not in found.values():
                found[i] = j
                break
    return found
