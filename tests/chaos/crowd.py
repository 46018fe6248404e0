"""The people of the campaign: they make tickets all the time, take some, close some, and leave some alone.

One thread, one seeded generator. Nobody is the owner of two open tickets, so that what reaches them is about one.
"""

import random
import re
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import redis
import requests

from connector.core.code import code_of
from connector.core.escalation import Stage, State
from connector.core.events import Entry
from connector.engine.keys import DESK, OUT

from ..stories.world import API_TOKEN, plain
from .judge import Effect, Findings, Line, Story, judge
from .world import WAYS, ChaosWorld, login, mobile

TAKEN = (State.ACKNOWLEDGED, State.HELD, State.RESOLVED, State.CANCELLED)
ACTS = ("nothing", "nothing", "take", "api", "close")
REST = 6.0  # seconds between two tickets of one person


@dataclass
class Life:
    """One ticket: `act` is what somebody does about it `after` so many seconds. Times are Unix seconds."""

    ticket: str
    number: int  # of the person
    plan: str
    act: str
    after: float
    made_at: float
    acted: bool = False
    taken_at: float | None = None
    close_at: float | None = None
    closed: bool = False
    ended_at: float | None = None


class Crowd:
    """`most`: tickets in all. `apart`: seconds between two of them. `acts`: what is done about them, within `after`."""

    def __init__(
        self,
        world: ChaosWorld,
        seed: int,
        *,
        most: int = 10**6,
        apart: float = 0.5,
        acts: Sequence[str] = ACTS,
        after: tuple[float, float] = (0.2, 11.0),
    ) -> None:
        self._world, self._most, self._apart, self._acts, self._after = world, most, apart, acts, after
        self._random = random.Random(seed)
        self.lives: list[Life] = []
        self._last: dict[int, Life] = {}
        self._enough, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._live, name="crowd")
        self.trouble: Exception | None = None

    def start(self) -> None:
        self._thread.start()

    def enough(self) -> None:
        """No more tickets; those that are there go on to their end."""
        self._enough.set()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def open(self) -> list[Life]:
        return [life for life in self.lives if life.ended_at is None]

    def settle(self, patience: float) -> bool:
        """Whether all tickets came to their end within so many seconds."""
        self.enough()
        until = time.monotonic() + patience
        while self.open() and time.monotonic() < until and self.trouble is None:
            self._stop.wait(0.2)
        if self.trouble is not None:
            raise self.trouble
        return not self.open()

    # --- their days ----------------------------------------------------------------------------------------------

    def _live(self) -> None:
        next_at = 0.0
        try:
            while not self._stop.wait(0.1):
                if time.monotonic() >= next_at and not self._enough.is_set() and len(self.lives) < self._most:
                    self._make()
                    next_at = time.monotonic() + self._apart * self._random.uniform(0.5, 1.5)
                try:
                    self._look()
                except redis.RedisError:  # killed; it comes back
                    continue
        except Exception as error:
            self.trouble = error

    def _make(self) -> None:
        now = time.time()
        free = [number for number in range(len(self._world.people)) if self._is_free(number, now)]
        if not free:
            return
        number, plan = self._random.choice(free), self._random.choice(list(WAYS))
        act, after = self._random.choice(self._acts), self._random.uniform(*self._after)
        row = self._world.desk.create_ticket(
            f"Outage ({plan})", priority="3 high", owner=self._world.people[number], by=self._world.desk.bob
        )
        life = Life(str(row["id"]), number, plan, act, after, now)
        self._last[number] = life
        self.lives.append(life)

    def _is_free(self, number: int, now: float) -> bool:
        last = self._last.get(number)
        return last is None or (last.ended_at is not None and now - last.ended_at > REST)

    def _look(self) -> None:
        lives = self.open()
        now = time.time()
        for life in lives:
            if not life.acted and now >= life.made_at + life.after:
                self._act(life)
        cases = self._world.store.cases([life.ticket for life in lives])
        for life in lives:
            case = cases.get(life.ticket)
            escalation = case.escalation if case is not None else None
            if escalation is None:
                continue
            if self._may_be_taken(life) and life.taken_at is None and escalation.state in TAKEN:
                life.taken_at = time.time()
            under_way = any(n.stage in (Stage.PLANNED, Stage.CLAIMED) for n in escalation.notifications)
            left_alone = escalation.state is State.EXHAUSTED and not under_way
            if life.close_at is None and (life.taken_at is not None or (left_alone and self._reported(life))):
                life.close_at = time.time() + self._random.uniform(1.0, 3.0)
            if not life.closed and life.close_at is not None and now >= life.close_at:
                self._world.desk.close(life.ticket, by=self._world.desk.alice)
                life.closed = True
            if life.closed and escalation.state is State.RESOLVED and self._written(life) and not under_way:
                life.ended_at = time.time()

    def _act(self, life: Life) -> None:
        """Does what was going to be done; where nobody hears it, it is tried again with the next look."""
        if life.act == "take":
            self._world.desk.take(life.ticket, by=self._world.desk.alice)
        elif life.act == "close":
            self._world.desk.close(life.ticket, by=self._world.desk.alice)
            life.closed = True
        elif life.act == "api" and not self._by_api(life):
            return
        life.acted = True

    def _may_be_taken(self, life: Life) -> bool:
        """Whether somebody has done what takes it. Else it would be wrong that it is taken."""
        return life.acted and life.act != "nothing"

    def _by_api(self, life: Life) -> bool:
        try:
            answer = requests.post(
                f"{self._world.url}/api/v1/escalations/{code_of(life.ticket)}/acknowledge",
                json={"by": f"pat{life.number}"},
                headers={"Authorization": f"Bearer {API_TOKEN}"},
                timeout=3,
            )
        except requests.RequestException:
            return False
        return answer.status_code == 200

    def _reported(self, life: Life) -> bool:
        return any("nobody came" in line for line in self._world.headlines(life.ticket))

    def _written(self, life: Life) -> bool:
        """Whether nothing waits for the helpdesk or for a provider any more."""
        found = self._world.redis
        if found.zscore(DESK, life.ticket) is not None:
            return False
        waiting = (raw.split(b" ")[0].decode() for raw in found.zrange(OUT, 0, -1))
        return life.ticket not in set(waiting)

    # --- what became of it ---------------------------------------------------------------------------------------

    def findings(self, *, forgiving: bool = False, may_give_up: bool = False) -> Findings:
        """What the judge says of it all; see `judge`."""
        return judge(self.stories(), forgiving=forgiving, may_give_up=may_give_up)

    def stories(self) -> list[Story]:
        """Each ticket's, as the helpdesk, the providers and the history tell it now."""
        effects, store = _Effects(self._world), self._world.store
        return [
            Story(
                life.ticket,
                WAYS[life.plan],
                life.ended_at is not None,
                life.taken_at,
                tuple(line_of(entry) for entry in store.history(code_of(life.ticket)) if not _of_lee(entry)),
                tuple(plain(note["body"]).splitlines()[0] for note in self._world.desk.notes(life.ticket)),
                tuple(effects.of(life)),
            )
            for life in self.lives
        ]


def _of_lee(entry: Entry) -> bool:
    """Whether it is about who hears, beside the plan, that nobody came."""
    return entry.kind == "notification" and " to Lee Adams" in entry.text


def line_of(entry: Entry) -> Line:
    return Line(entry.kind, entry.text, entry.channel, entry.late_s or 0.0, entry.at.timestamp())


class _Effects:
    """What reached people, by ticket; the all-clear, which may come after an acknowledgement, left out."""

    def __init__(self, world: ChaosWorld) -> None:
        self._twilio, self._providers = world.twilio, world.providers
        self._heard = {c.params["CallSid"] for c in self._twilio.callbacks if "Digits" in c.params and c.status == 200}
        self._texts, self._calls = self._twilio.messages, self._twilio.calls
        self._posts, self._pushes = self._providers.http_post.received, self._providers.apns.pushes
        self._mails = self._providers.smtp.mails

    def of(self, life: Life) -> Iterator[Effect]:
        yield from self._by_phone(life)
        yield from self._by_data(life)

    def _by_phone(self, life: Life) -> Iterator[Effect]:
        phone, until = mobile(life.number), (life.ended_at or time.time()) + REST
        for text in self._texts:
            if not text.answer and text.to == phone and _names(text.body, life):
                yield Effect("sms", text.at.timestamp())
        for call in self._calls:  # said in words: the only ticket of this phone at that time
            if call.to == phone and life.made_at <= call.at.timestamp() <= until:
                yield Effect("phone", call.at.timestamp(), unheard=call.sid not in self._heard)

    def _by_data(self, life: Life) -> Iterator[Effect]:
        for post in self._posts:
            if post.document["data"]["ticket"]["id"] == life.ticket:
                yield Effect("pager", post.at.timestamp(), post.id)
        for push in self._pushes:
            about = push.payload["escalation"]
            if about["code"] == code_of(life.ticket) and about["purpose"] != "all-clear":
                yield Effect("push", push.at.timestamp(), push.headers.get("apns-id", ""))
        for mail in self._mails:
            if login(life.number) in mail.to and _names(str(mail.message["subject"]), life):
                yield Effect("email", mail.at.timestamp(), str(mail.message["message-id"]))


def _names(text: str, life: Life) -> bool:
    """Whether the ticket's code stands in it as a word."""
    return re.search(rf"(?<![\w-]){re.escape(code_of(life.ticket))}(?![\w-])", text) is not None
