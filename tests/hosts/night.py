"""A night with many escalations at once: each has a plan, a person and a number of its own, so that nothing is bundled
and mere counting tells who was told what. Half of them are taken while Redis fails over, the other half climb on.
"""

import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from connector.core.code import code_of
from connector.core.escalation import Stage
from connector.core.events import Entry
from connector.engine.store import Store
from connector.redis_server import connect

from ..stories.world import World, eventually

STEPS, TEXTS, POSTS = 3, 2, 2  # the last step sends no text: Twilio, asked about the one before, might take it for that
APART = 15  # seconds between two steps: a late one mustn't be taken for the next
ASKS = "escalation.step"  # what the pager is told for a step, and not for an all-clear
IN_FLIGHT = timedelta(seconds=4)  # after an acknowledgement, for what was claimed before it on a busy machine


@dataclass(frozen=True)
class Told:
    """One thing that reached somebody: an SMS, or a document at the pager. `id` is the provider's or the message's."""

    at: datetime
    way: str
    id: str


@dataclass
class Escalated:
    """One ticket of the night. `taken_at`: when the one who took it was told that they have it."""

    ticket: str
    number: str
    taken_at: datetime | None = None

    @property
    def code(self) -> str:
        return code_of(self.ticket)


class Night(World):
    """`escalator up` on the Redis of this URL."""

    def __init__(self, directory: Path, redis_url: str, many: int) -> None:
        super().__init__(directory)
        self.redis_url, self.many = redis_url, many
        self.redis = connect(redis_url)
        self.escalated: list[Escalated] = []

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, "REDIS_URL": self.redis_url}

    def config(self) -> dict[str, Any]:
        names = [f"night{n}" for n in range(self.many)]
        people = {
            name: {"name": f"Person {n}", "mobile": _number(n), "email": f"{name}@example.com"}
            for n, name in enumerate(names)
        }
        usual = super().config()
        lee = {"name": "Lee Adams", "email": "lee@example.com", "mobile": "+491707654321"}
        plans = {
            name: {
                "respond_within": "2s",
                "unassigned": [name],
                "steps": [
                    {"notify": "owner", "by": "sms"},
                    {"after": f"{APART}s", "notify": "owner", "by": ["sms", "pager"]},
                    {"after": f"{APART}s", "notify": "owner", "by": "pager"},
                ],
                "give_up_after": "5m",
                "when_exhausted": {"notify": "lee", "by": "email", "every": "1h"},
            }
            for name in names
        }
        rules = [{"when": {"title": [name]}, "plan": name} for name in names]
        return {**usual, "contacts": {"lee": lee, **people}, "plans": plans, "rules": rules}

    def stop(self) -> None:
        super().stop()
        self.redis.close()

    def start_up(self, patience: float = 120.0) -> None:
        super().start_up(patience)

    # --- what happens ----------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """All tickets, as fast as the helpdesk makes them; returns once each escalation runs."""
        for n in range(self.many):
            self.escalated.append(Escalated(self.ticket(f"night{n}"), _number(n)))
        eventually(
            lambda: len({text.to for text in self.providers.twilio.messages}) == self.many,
            120,
            lambda: f"{self.many} first texts; there are {len(self.providers.twilio.messages)}",
        )

    def take(self, whom: list[Escalated], apart: float) -> threading.Thread:
        """Has these taken one after the other, in the helpdesk and by the API in turn; join the thread."""
        thread = threading.Thread(target=lambda: [self._take(one, n, apart) for n, one in enumerate(whom)])
        thread.start()
        return thread

    def _take(self, one: Escalated, n: int, apart: float) -> None:
        if n % 2:
            self.desk.take(one.ticket, by=self.desk.alice)
        else:
            eventually(lambda: self._acknowledged(one), 60, "an acknowledgement")
            one.taken_at = datetime.now(UTC)
        time.sleep(apart)

    def _acknowledged(self, one: Escalated) -> bool:
        try:
            return self.api(f"/{one.code}/acknowledge", by="lee").status_code == 200
        except requests.RequestException:
            return False

    # --- what came of it ---------------------------------------------------------------------------------------------

    def told(self, one: Escalated) -> list[Told]:
        """Whatever reached the person, oldest first."""
        texts = [Told(text.at, "sms", text.sid) for text in self.providers.twilio.messages if text.to == one.number]
        posts = [Told(post.at, "pager", post.id) for post in self.posts(one.ticket) if post.document["type"] == ASKS]
        return sorted([*texts, *posts], key=lambda told: told.at)

    def climbed(self, some: list[Escalated]) -> None:
        """Waits until each of them has taken its last step, and no try of it is open any more.

        One whose sender died is settled after its lease, which is 30 s.
        """
        for one in some:
            eventually(lambda one=one: any(f"step {STEPS} of" in line for line in self.noted(one)), 90, "a last step")
            eventually(lambda one=one: not self.under_way(one), 90, "every try is settled")

    def under_way(self, one: Escalated) -> bool:
        case = self._store.case(one.ticket)
        known = case.escalation.notifications if case and case.escalation else ()
        return any(notification.stage in (Stage.PLANNED, Stage.CLAIMED) for notification in known)

    def history(self, one: Escalated) -> tuple[Entry, ...]:
        return self._store.history(one.code)

    @property
    def _store(self) -> Store:
        return Store(self.redis, timedelta(days=1))

    def noted(self, one: Escalated) -> list[str]:
        """The headlines of its notes without the code."""
        return [line.removeprefix(f"Escalation {one.code}").lstrip(", ") for line in self.headlines(one.ticket)]

    def acknowledged_at(self, one: Escalated) -> datetime:
        """When somebody could know that it is taken: told so by the API, or by the note."""
        if one.taken_at is not None:
            return one.taken_at
        note = next(note for note in self.desk.notes(one.ticket) if "acknowledged by" in note["body"])
        return datetime.fromisoformat(note["created_at"])


@dataclass(frozen=True)
class Account:
    """The night in figures."""

    paged_after: int  # messages to who had it already
    missing: int  # steps that reached nobody
    texts_twice: int
    posts_twice: int  # under another id: the receiver couldn't tell
    posts_again: int  # under the same id, as which the receiver knows them
    notes_twice: int
    notes_missing: int
    possibly_twice: int  # of the history's entries, which say so themselves

    @property
    def good(self) -> bool:
        """Nothing lost and nothing doubled, but for what a receiver knows as a repeat."""
        return not any(value for name, value in asdict(self).items() if name not in ("posts_again", "possibly_twice"))

    @staticmethod
    def of(night: Night, taken: list[Escalated], climbing: list[Escalated]) -> "Account":
        after = sum(told.at > night.acknowledged_at(one) + IN_FLIGHT for one in taken for told in night.told(one))
        posts = {one.code: [told.id for told in night.told(one) if told.way == "pager"] for one in climbing}
        texts = {one.code: sum(told.way == "sms" for told in night.told(one)) for one in climbing}
        different = {code: len(set(ids)) for code, ids in posts.items()}
        notes = {one.code: Counter(night.noted(one)) for one in (*taken, *climbing)}
        steps = [f"step {n} of {STEPS} (plan night{_index(one)})" for one in climbing for n in range(1, STEPS + 1)]
        entries = [entry for one in (*taken, *climbing) for entry in night.history(one)]
        return Account(
            paged_after=after,
            missing=sum(max(TEXTS - texts[code], 0) + max(POSTS - different[code], 0) for code in texts),
            texts_twice=sum(max(count - TEXTS, 0) for count in texts.values()),
            posts_twice=sum(max(count - POSTS, 0) for count in different.values()),
            posts_again=sum(len(ids) - different[code] for code, ids in posts.items()),
            notes_twice=sum(count - 1 for counts in notes.values() for count in counts.values()),
            notes_missing=sum(headline not in {h for c in notes.values() for h in c} for headline in steps),
            possibly_twice=sum("possibly sent twice" in entry.text for entry in entries),
        )


def _number(n: int) -> str:
    return f"+49170{2000000 + n}"


def _index(one: Escalated) -> int:
    return int(one.number.removeprefix("+49170")) - 2000000
